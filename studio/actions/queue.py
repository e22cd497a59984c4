"""What an expert does to be asked the next examples worth a minute."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.analysis.order_evidence import OrderEvidence, weigh_order
from studio.analysis.queue_streams import Pick, Strategy, Stream
from studio.analysis.queueing import Ints, Pool, audited, draw, make_queue, plain_picks, spot_checks
from studio.analysis.sampling import check_seed
from studio.domain.correction import BLIND_ORIGINS, FROM_FILES
from studio.domain.example import Example, Split
from studio.domain.mark import MarkKind
from studio.domain.run import Run
from studio.domain.task import Task
from studio.errors import InputError
from studio.handlers.candidates import Candidates, OpenExamples, read_candidates, read_open
from studio.workspace import Workspace

MOST_PROBES = 500
LONGEST = 500
MANY_LEFT = 10_000
"""Of more without gold it does not matter exactly how many are left, and counting them costs."""
_FALLBACK = (Stream.TYPICAL, Stream.RANDOM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The next examples to ask about.

    Attributes:
        task: The task's name.
        strategy: The order asked for.
        items: Each example with why it is asked about, in their order.
        left: How many examples this person may still be asked by this order.
        evidence: Whether the order pays on the labels so far.
        note: What else to know of the order; may be empty.
    """

    task: str
    strategy: Strategy
    items: tuple[tuple[Example, Pick], ...]
    left: int
    evidence: OrderEvidence
    note: str = ""

    def to_dict(self, *, reveal: bool = False) -> dict[str, Any]:
        """Return it as `--json` shows it.

        Args:
            reveal: Also tell what stands behind a pick, which may sway who reads it.
        """
        return {
            "task": self.task,
            "strategy": self.strategy.value,
            "left": self.left,
            "note": self.note,
            "queue": [
                {
                    "id": example.external_id, "text": example.text, "stream": pick.stream.value,
                    "why": pick.why,
                }
                | ({"behind": pick.behind} if reveal else {})
                for example, pick in self.items
            ],
            "evidence": self.evidence.to_dict(),
        }  # fmt: skip


def next_examples(
    ws: Workspace,
    task_id: int,
    *,
    strategy: str = Strategy.AUTO.value,
    limit: int = 20,
    split: str = Split.TRAIN.value,
    by: str,
    seed: int = 0,
    evidence: OrderEvidence | None = None,
    without: Collection[int] = (),
) -> Queue:
    """Return the next examples worth this person's minute, each with its reason.

    The same as long as nobody labels. Audit examples come to every person, so that agreement is
    measured on a random sample; all others only until one person has labeled them. What a person
    skipped comes last. Examples of validation and test come in random order, whatever the
    strategy: their gold measures, and must be a random sample.

    Args:
        ws: The workspace.
        task_id: The task.
        strategy: A name of `Strategy`; "auto" takes a random order where ordering does not pay.
        limit: Most examples, 1 to 500.
        split: train, validation or test; lists (assigned, flagged, another look) take all.
        by: Who is asked.
        seed: Another one draws other samples; the audit stays.
        evidence: Whether the order pays, where that is known; None finds it out, in seconds.
        without: Examples this person is being asked already.

    Raises:
        InputError: If the strategy, limit, split or seed is none, or no example is left.
    """
    task = ws.read.tasks.get(task_id)
    wanted, where = _checked(strategy, limit, split)
    check_seed(seed)
    evidence = evidence or order_evidence(ws, task_id, seed=seed)
    note = ""
    if wanted.is_list:
        ids = _listed(ws, task, wanted, by, without)
        left, picks = len(ids), plain_picks(ids[:limit], wanted.streams[0])
        missing = f"Nothing is left under “{wanted.heading}”."
    else:
        now = read_open(ws, task, where, by, without=without)
        streams, note = _turns(wanted, where, evidence.pays)
        left, picks = now.left, _ordered(ws, task, now, streams, limit, seed)
        note = note or _stand_ins(wanted, streams, picks)
        missing = (
            f"No example of {where.value} is left to label: all have gold, or a label by {by}."
        )
    if not picks:
        raise InputError(
            missing, next_step="Import more examples, or choose another order or split."
        )
    examples = {e.id: e for e in ws.read.examples.some(task_id, [p.example_id for p in picks])}
    return Queue(
        task=task.name,
        strategy=wanted,
        items=tuple((examples[p.example_id], p) for p in picks),
        left=left,
        evidence=evidence,
        note=note,
    )


def examples_left(
    ws: Workspace,
    task_id: int,
    *,
    strategy: str,
    split: str,
    by: str,
    without: Collection[int] = (),
) -> int:
    """Return how many examples this person may still be asked, the audit and skipped ones included.

    Above `MANY_LEFT` it is about how many.

    Args:
        ws: The workspace.
        task_id: The task.
        strategy: A name of `Strategy`.
        split: train, validation or test; lists take all.
        by: Who is asked.
        without: Examples that are not to be counted.

    Raises:
        InputError: If the strategy or split is none.
    """
    task = ws.read.tasks.get(task_id)
    wanted, where = _checked(strategy, 1, split)
    if wanted.is_list:
        return len(_listed(ws, task, wanted, by, without))
    settled = sum(c["n"] for c in ws.read.labels.counts(task_id) if c["split"] == where.value)
    about = ws.read.examples.counts(task_id)[where.value] - settled - len(without)
    return about if about > MANY_LEFT else read_open(ws, task, where, by, without=without).left


def order_ahead(
    ws: Workspace, task_id: int, *, strategy: str, pays: bool | None
) -> tuple[Pick, ...]:
    """Return the next examples of train for everybody, so many that people draw on it for a while.

    It costs seconds; `take_ahead` takes from it at once, as long as it lasts.

    Args:
        ws: The workspace.
        task_id: The task.
        strategy: A name of `Strategy` that is no list.
        pays: Whether the order is known to pay.
    """
    task = ws.read.tasks.get(task_id)
    wanted, where = _checked(strategy, LONGEST, Split.TRAIN.value)
    streams, _ = _turns(wanted, where, pays)
    now = read_open(ws, task, where, "")
    return tuple(_ordered(ws, task, now, streams, LONGEST, 0))


def take_ahead(
    ws: Workspace,
    task_id: int,
    ahead: Sequence[Pick],
    *,
    limit: int,
    by: str,
    without: Collection[int] = (),
) -> list[tuple[Example, Pick]]:
    """Return the first of an order that this person may still be asked, as things stand now.

    Args:
        ws: The workspace.
        task_id: The task.
        ahead: What `order_ahead` gave.
        limit: Most examples.
        by: Who is asked.
        without: Examples this person is being asked already.
    """
    ids = [pick.example_id for pick in ahead]
    said = {row["id"]: row for row in ws.read.labels.beside(task_id, ids, run_id=None, person=by)}
    gold = ws.read.labels.gold(task_id, ids=ids)
    marks = ws.read.marks.of(task_id, ids, by)
    gone = {*without, *(i for i in ids if MarkKind.SKIP in marks.get(i, {}))}

    def is_open(pick: Pick) -> bool:
        row, settled = said.get(pick.example_id), gold.get(pick.example_id)
        if row is None or row["own"] is not None or pick.example_id in gone:
            return False
        if pick.stream is Stream.AUDIT:
            return settled is None or settled.origin not in FROM_FILES
        return settled is None and not row["others"]

    picks = [pick for pick in ahead if is_open(pick)][:limit]
    examples = {e.id: e for e in ws.read.examples.some(task_id, [p.example_id for p in picks])}
    return [(examples[pick.example_id], pick) for pick in picks]


def offered_runs(ws: Workspace, task_id: int) -> list[Run]:
    """Return the runs whose labels may be proposed, the latest of the champion first."""
    champion = ws.read.tasks.get(task_id).champion
    runs = [r for r in ws.read.runs.all(task_id) if r.done and {*r.splits} != {Split.TEST}]
    return sorted(runs, key=lambda run: not champion or ws.read.runs.classifier(run.id) != champion)


def order_evidence(ws: Workspace, task_id: int, *, seed: int = 0) -> OrderEvidence:
    """Return whether the order of the queue pays on the labels of the train split so far.

    Labels people gave outside the audit are compared with those of the audit.
    """
    task = ws.read.tasks.get(task_id)
    known = {label.id for label in task.labels}
    parts = [
        ws.read.labels.gold(task_id, [Split.TRAIN.value]),
        ws.read.labels.gold(task_id, [Split.VALIDATION.value], blind_only=True),
    ]
    trained, held = ({i: g for i, g in part.items() if g.label_id in known} for part in parts)
    ids = np.array(sorted(trained), dtype=np.int64)
    is_audit = audited(ids)
    random = draw(ids[is_audit], 0).tolist()
    chosen = [
        g.example_id
        for g in sorted((trained[i] for i in ids[~is_audit].tolist()), key=lambda g: g.event_id)
        if g.origin not in FROM_FILES
    ]
    gold = trained | held
    probes = draw(np.array(sorted(held), dtype=np.int64), 0)[:MOST_PROBES].tolist()
    wanted = sorted([*chosen, *random, *probes])
    texts = dict(zip(wanted, ws.read.examples.texts(task_id, wanted), strict=True))

    def told(some: Sequence[int]) -> list[tuple[str, int]]:
        return [(texts[i], gold[i].label_id) for i in some]

    return weigh_order(told(chosen), told(random), told(probes), seed=seed)


def _checked(strategy: str, limit: int, split: str) -> tuple[Strategy, Split]:
    if strategy not in list(Strategy):
        raise InputError(
            f"There is no strategy {strategy!r}.", next_step=f"Name one of {', '.join(Strategy)}."
        )
    if split not in list(Split):
        raise InputError(
            f"There is no split {split!r}.", next_step="Name train, validation or test."
        )
    if not 1 <= limit <= LONGEST:
        raise InputError(
            f"A queue has 1 to {LONGEST} examples, not {limit}.", next_step="Give another --limit."
        )
    return Strategy(strategy), Split(split)


def _turns(wanted: Strategy, where: Split, pays: bool | None) -> tuple[Sequence[Stream], str]:
    """Return which streams take turns, and what to say of it."""
    if where is not Split.TRAIN:
        return (Stream.RANDOM,), f"Gold of {where.value} measures, so the order is random."
    if wanted is Strategy.AUTO and pays is False:
        return _FALLBACK, "Ordering does not pay here: half are typical, half random."
    return wanted.streams, ""


def _stand_ins(wanted: Strategy, streams: Sequence[Stream], picks: Sequence[Pick]) -> str:
    """Return what to say where less is left of what was asked for than there are places."""
    if wanted not in (Strategy.SPOT_CHECKS, Strategy.DISAGREEMENTS):
        return ""
    own = sum(pick.stream in streams for pick in picks)
    if own + sum(pick.stream is Stream.AUDIT for pick in picks) == len(picks):
        return ""
    if own:
        return f"Only {own:,} left under “{wanted.heading}”; others fill up, each with its reason."
    return (
        f"Nothing is left under “{wanted.heading}”: {wanted.about[:1].lower()}{wanted.about[1:]} "
        "Others stand here instead, each with its reason."
    )


def _listed(ws: Workspace, task: Task, wanted: Strategy, by: str, without: Collection[int]) -> Ints:
    """Return what is left of a list, by example."""
    if wanted is Strategy.ASSIGNED:
        ids = ws.read.assignments.open_for(task.id, by)
    elif wanted is Strategy.FLAGGED:
        ids = [mark.example_id for mark in ws.read.marks.list(task.id, MarkKind.FLAG)]
    else:
        ids = ws.read.label_sets.relook(task.id)
    return np.array(sorted(set(ids) - set(without)), dtype=np.int64)


def _ask_rules(streams: Sequence[Stream]) -> bool:
    return bool({*streams} & {Stream.SPOT_CHECK, Stream.DISAGREEMENT})


def _ordered(
    ws: Workspace,
    task: Task,
    now: OpenExamples,
    streams: Sequence[Stream],
    limit: int,
    seed: int,
) -> list[Pick]:
    """Return the picks, skipped ones last; only what these streams need is computed."""
    ready: dict[Stream, Sequence[Pick]] = {
        Stream.AUDIT: plain_picks(now.audit[:limit], Stream.AUDIT),
        Stream.RANDOM: plain_picks(draw(now.open_, seed + 1)[: 2 * limit], Stream.RANDOM),
    }
    pool, labels = Pool.of([], []), now.labels
    if set(streams) != {Stream.RANDOM}:
        among = read_candidates(ws, task, now, seed=seed, votes=_ask_rules(streams))
        pool = among.pool.only(np.concatenate([now.open_, np.array([*labels], dtype=np.int64)]))
        ready |= _about_rules(now, among, seed)
    picks = make_queue(pool, labels, streams, limit, start=now.asked, ready=ready, seed=seed)
    again = draw(now.skipped, seed)[: limit - len(picks)]
    return [*picks, *plain_picks(again, Stream.SKIPPED)]


def _about_rules(now: OpenExamples, among: Candidates, seed: int) -> dict[Stream, Sequence[Pick]]:
    """Return the spot checks, and where the latest run and the rules differ."""
    if among.matrix is None:
        return {}
    blind = {i: g.label_id for i, g in now.gold.items() if g.origin in BLIND_ORIGINS}
    open_ = frozenset(now.open_.tolist())
    return {
        Stream.SPOT_CHECK: spot_checks(among.matrix, among.names, blind, now.open_, seed),
        Stream.DISAGREEMENT: [pick for pick in among.differing if pick.example_id in open_],
    }
