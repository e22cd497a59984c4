"""What a team does to share out work: plan a round, start it, follow it, end it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.analysis.assigning import Plan, expected_width, hand_over, share_out
from studio.analysis.sampling import check_seed
from studio.domain.assignment import MOST_GIVEN, Progress, Round, check_people
from studio.domain.example import SPLIT_ALIASES, Split
from studio.domain.task import Task
from studio.errors import ConflictError, InputError
from studio.workspace import Workspace

OVERLAP = 0.2
SUPPOSED_ALPHA = 0.6
_FEWEST = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPlan:
    """What a round would be; nothing is stored.

    Attributes:
        people: Who takes part.
        plan: Who gets what.
        pool: How many examples there are to choose from.
        together: To how many people each shared example goes.
        splits: Where the examples are from.
        seed: What made the choice.
        alpha: The agreement that `width` supposes: that found so far, else a usual one.
        is_supposed: Whether too few examples are shared so far to know the agreement.
        width: How far the ends of alpha's 95 % interval are expected to lie from it; NaN where
            too little is shared.
        pair_width: The same of the kappa of two people, on the examples that both get.
    """

    people: tuple[str, ...]
    plan: Plan
    pool: int
    together: int
    splits: tuple[str, ...]
    seed: int
    alpha: float
    is_supposed: bool
    width: float
    pair_width: float

    @property
    def in_pair(self) -> int:
        """How many of the shared examples two people both get, on average."""
        pairs = math.comb(len(self.people), 2)
        met = len(self.plan.shared) * math.comb(self.together, 2)
        return met // pairs if pairs else 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "examples": self.plan.examples, "pool": self.pool, "shared": len(self.plan.shared),
            "together": self.together, "splits": list(self.splits), "seed": self.seed,
            "people": [{"person": p, "given": len(ids)} for p, ids in self.plan.given.items()],
            "expected": {
                "alpha": round(self.alpha, 4), "supposed": self.is_supposed,
                "width": _number(self.width), "shared_by_two": self.in_pair,
                "pair_width": _number(self.pair_width),
            },
        }  # fmt: skip


def plan_round(
    ws: Workspace,
    task_id: int,
    *,
    people: Sequence[str],
    overlap: float = OVERLAP,
    together: int | None = None,
    size: int | None = None,
    splits: Sequence[str] = (),
    without_gold: bool = False,
    seed: int | None = None,
) -> RoundPlan:
    """Return what a round would mean, before it starts.

    It takes examples that are in no open round and that none of the people has labeled. Each goes
    to one person, but a share of them to several, so that their agreement can be told.

    Args:
        ws: The workspace.
        task_id: The task.
        people: Who takes part, by the names they sign in with.
        overlap: Share of the examples that several people get, from 0 to 1.
        together: How many people get each of those; everybody when None.
        size: How many different examples; all there are when None.
        splits: From train, validation, test; train when none is named.
        without_gold: Leave out examples that have gold, files' included.
        seed: Another one makes another choice; the next round's number when None.

    Raises:
        InputError: If the figures cannot be, or no example is left.
    """
    task = ws.read.tasks.get(task_id)
    names = check_people(people)
    wanted = tuple(_split(split) for split in splits) or (Split.TRAIN.value,)
    several = _together(names, overlap, together)
    if size is not None and size < 1:
        raise InputError("A round needs an example.", next_step="Ask for 1 or more.")
    pool = ws.read.assignments.pool(task_id, wanted, names, without_gold=without_gold)
    if not pool:
        raise InputError(
            f"No example of {' or '.join(wanted)} is left that none of these people labeled and "
            "that is in no open round.",
            next_step="Choose another split, import more, or close a round.",
        )
    number = len(ws.read.assignments.progress(task_id)) + 1 if seed is None else check_seed(seed)
    _not_too_many(min(size or len(pool), len(pool)), overlap, several)
    plan = share_out(pool, names, size=size, overlap=overlap, together=several, seed=number)
    alpha, is_supposed = _alpha_so_far(ws, task)
    found = RoundPlan(
        people=names, plan=plan, pool=len(pool), together=several if plan.shared else 1,
        splits=wanted, seed=number, alpha=alpha, is_supposed=is_supposed, width=math.nan,
        pair_width=math.nan,
    )  # fmt: skip
    return _with_widths(found, _frequent(ws, task))


def start_round(
    ws: Workspace, task_id: int, planned: RoundPlan, *, name: str = "", by: str
) -> Round:
    """Start a round as it was planned.

    Raises:
        ConflictError: If some of its examples were given to people since; nothing is stored.
    """
    number = len(ws.store.assignments.progress(task_id)) + 1
    new = Round(
        id=0, name=" ".join(name.split()) or f"Round {number}", people=planned.people,
        examples=planned.plan.examples, shared=len(planned.plan.shared),
        together=planned.together, splits=planned.splits, seed=planned.seed, created_by=by,
        created_at=ws.now(),
    )  # fmt: skip
    return ws.store.assignments.create(task_id, new, planned.plan.given)


def round_progress(ws: Workspace, task_id: int) -> list[Progress]:
    """Return how far the rounds of a task are, the newest first."""
    return ws.read.assignments.progress(task_id)


def close_round(ws: Workspace, task_id: int, round_id: int) -> Progress:
    """End a round: what was done stays; what is left is nobody's, and free for another round.

    Raises:
        NotFoundError: If there is no such round.
        ConflictError: If it is closed already.
    """
    with ws.store.transaction():
        _open_round(ws, task_id, round_id)
        ws.store.assignments.close(task_id, round_id, ws.now())
        return ws.store.assignments.progress(task_id, round_id)[0]


def hand_over_work(
    ws: Workspace, task_id: int, round_id: int, *, giver: str, takers: Sequence[str]
) -> dict[str, int]:
    """Hand what one person has still to label to others, evenly; nobody gets an example twice.

    Returns:
        How many examples each of them takes over. An example that all of them have or labeled
        already stays where it is.

    Raises:
        InputError: If the person has nothing left, or nobody can take any of it.
        ConflictError: If the round is closed.
    """
    names = check_people(takers)
    with ws.store.transaction():
        _open_round(ws, task_id, round_id)
        left = ws.store.assignments.left_of(round_id)
        mine = left.get(giver, [])
        if not mine:
            raise InputError(f"{giver} has nothing left to label in round {round_id}.")
        if giver in names:
            raise InputError(f"{giver} cannot take over from {giver}.")
        known = ws.store.assignments.known_to(task_id, names, mine)
        taken = hand_over(mine, {p: len(left.get(p, ())) for p in names}, known)
        if not any(taken.values()):
            raise InputError(
                f"{', '.join(names)} have all of these examples themselves.",
                next_step="Name somebody else, or close the round.",
            )
        moved = {person: ids for person, ids in taken.items() if ids}
        ws.store.assignments.move(task_id, round_id, giver, moved)
    return {person: len(ids) for person, ids in moved.items()}


def withdraw_round(ws: Workspace, task_id: int, round_id: int) -> None:
    """Take a round back that nobody has worked on.

    Raises:
        ConflictError: If somebody has, or the round is closed: it can only be closed then.
    """
    with ws.store.transaction():
        _open_round(ws, task_id, round_id)
        (now,) = ws.store.assignments.progress(task_id, round_id)
        if busy := [share.person for share in now.shares if share.done]:
            raise ConflictError(
                f"{', '.join(busy)} worked on {now.round.name} already.",
                next_step="Close it instead: what was labeled stays.",
            )
        ws.store.assignments.withdraw(task_id, round_id)


def _open_round(ws: Workspace, task_id: int, round_id: int) -> Round:
    found = ws.store.assignments.get(task_id, round_id)
    if found.closed_at is not None:
        raise ConflictError(
            f"{found.name} was closed on {found.closed_at[:10]}.", next_step="Start another round."
        )
    return found


def _split(name: str) -> str:
    if name not in SPLIT_ALIASES:
        raise InputError(
            f"There is no split {name!r}.", next_step="Name train, validation or test."
        )
    return SPLIT_ALIASES[name].value


def _together(people: Sequence[str], overlap: float, together: int | None) -> int:
    if not 0 <= overlap <= 1:
        raise InputError(
            f"The overlap {overlap:g} is no share.", next_step="Give one from 0 to 1, e.g. 0.2."
        )
    if together is not None and overlap and not 2 <= together <= len(people):
        raise InputError(
            f"{together} of {len(people)} people cannot share an example.",
            next_step=f"Name a number from 2 to {max(len(people), 2)}.",
        )
    return together or len(people)


def _not_too_many(examples: int, overlap: float, together: int) -> None:
    given = examples + math.ceil(examples * overlap) * (together - 1)
    if given > MOST_GIVEN:
        raise InputError(
            f"This would be {given:,} labels to give; a round has at most {MOST_GIVEN:,}.",
            next_step="Ask for fewer examples.",
        )


def _alpha_so_far(ws: Workspace, task: Task) -> tuple[float, bool]:
    """Return the agreement to expect, and whether it is only supposed."""
    from studio.analysis.coefficients import krippendorff_alpha

    counts = ws.read.labels.said(task.id).votes(task).counts()
    if (counts.sum(axis=1) >= 2).sum() < _FEWEST or math.isnan(found := krippendorff_alpha(counts)):
        return SUPPOSED_ALPHA, True
    return found, False


def _frequent(ws: Workspace, task: Task) -> list[float]:
    """Return how frequent each label is in gold; all alike where there is hardly any."""
    counted: Counter[int] = Counter()
    for row in ws.read.labels.counts(task.id):
        counted[row["label_id"]] += row["n"]
    if counted.total() < _FEWEST:
        return [1.0] * len(task.labels)
    return [float(counted[label.id]) for label in task.labels]


def _with_widths(found: RoundPlan, frequent: Sequence[float]) -> RoundPlan:
    return replace(
        found,
        width=expected_width(
            len(found.plan.shared), found.together, alpha=found.alpha, frequent=frequent
        ),
        pair_width=expected_width(found.in_pair, 2, alpha=found.alpha, frequent=frequent),
    )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
