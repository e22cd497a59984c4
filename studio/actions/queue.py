"""What an expert does to be asked the next examples worth a minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.analysis.corpus import Corpus
from studio.analysis.joining import join_votes
from studio.analysis.order_evidence import OrderEvidence, weigh_order
from studio.analysis.queueing import (
    Ints,
    Pick,
    Pool,
    Strategy,
    Stream,
    audited,
    disagreements,
    draw,
    make_queue,
    spot_checks,
)
from studio.domain.correction import BLIND_ORIGINS, FROM_FILES
from studio.domain.example import Example, Split
from studio.domain.gold import GoldLabel
from studio.domain.run import ClassifierKind, Outcome, Prediction
from studio.domain.task import Task
from studio.errors import InputError
from studio.handlers.votes import find_votes
from studio.workspace import Workspace

MOST_CANDIDATES = 20_000
"""Of more examples without a label, a random sample is looked at."""
MOST_LEARNT = 2_000
"""Of more labels, the latest teach the quick classifier."""
MOST_PROBES = 500
LONGEST = 500
_FALLBACK = (Stream.TYPICAL, Stream.RANDOM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The next examples to ask about.

    Attributes:
        task: The task's name.
        strategy: The order asked for.
        items: Each example with why it is asked about, in their order.
        left: How many examples of the split have no label by a person yet.
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
) -> Queue:
    """Return the next examples worth this person's minute, each with its reason.

    The same as long as nobody labels. Audit examples come to every person, so that agreement is
    measured on a random sample; all others only until one person has labeled them. Examples of
    validation and test come in random order, whatever the strategy: their gold measures, and
    must be a random sample.

    Args:
        ws: The workspace.
        task_id: The task.
        strategy: A name of `Strategy`; "auto" takes a random order where ordering does not pay.
        limit: Most examples, 1 to 500.
        split: train, validation or test.
        by: Who is asked.
        seed: Another one draws other samples; the audit stays.

    Raises:
        InputError: If the strategy, limit or split is none, or no example is left.
    """
    task = ws.read.tasks.get(task_id)
    wanted, where = _checked(strategy, limit, split)
    state = _State.read(ws, task, where, by)
    if not len(state.open_) and not len(state.audit):
        raise InputError(
            f"No example of {where.value} is left without a label by {by}.",
            next_step="Import more examples, or name another split.",
        )
    evidence, streams, note = _evidence(ws, task_id, state, seed), wanted.streams, ""
    if where is not Split.TRAIN:
        streams, note = (Stream.RANDOM,), f"Gold of {where.value} measures, so the order is random."
    elif wanted is Strategy.AUTO and evidence.pays is False:
        streams, note = _FALLBACK, "Ordering does not pay here: half are typical, half random."
    picks = _ordered(ws, task, state, streams, limit, seed)
    examples = {e.id: e for e in ws.read.examples.some(task_id, [p.example_id for p in picks])}
    return Queue(
        task=task.name,
        strategy=wanted,
        items=tuple((examples[p.example_id], p) for p in picks),
        left=len(state.open_),
        evidence=evidence,
        note=note,
    )


def order_evidence(ws: Workspace, task_id: int, *, seed: int = 0) -> OrderEvidence:
    """Return whether the order of the queue pays on the labels of the train split so far."""
    task = ws.read.tasks.get(task_id)
    return _evidence(ws, task_id, _State.read(ws, task, Split.TRAIN, ""), seed)


@dataclass(frozen=True, eq=False, slots=True)
class _State:
    """What is labeled in a split, and what is open to whom.

    Attributes:
        split: The split.
        gold: Its gold, by example id.
        open_: Ids without gold and without a label by a person, the audit left out.
        audit: Ids of the audit that this person may still be asked, in the order of the audit.
        asked: How many decisions people made in the split, which tells whose turn it is.
    """

    split: Split
    gold: dict[int, GoldLabel]
    open_: Ints
    audit: Ints
    asked: int

    @classmethod
    def read(cls, ws: Workspace, task: Task, split: Split, by: str) -> _State:
        known = {label.id for label in task.labels}
        ids = np.array(ws.read.examples.ids(task.id, [split.value]), dtype=np.int64)
        gold = {
            i: g
            for i, g in ws.read.labels.gold(task.id, [split.value]).items()
            if g.label_id in known
        }
        said = ws.read.labels.by_people(task.id, [split.value])
        decided = {example_id for example_id, *_ in said} | gold.keys()
        mine = {example_id for example_id, person, *_ in said if person == by}
        # Gold of a file settles an audit example as well; nobody need say it again.
        mine |= {i for i, g in gold.items() if g.origin in FROM_FILES}
        is_audit = audited(ids)
        audit = ids[is_audit & ~np.isin(ids, list(mine))]
        open_ = ids[~is_audit & ~np.isin(ids, list(decided))]
        return cls(split, gold, open_, draw(audit, 0), len(said))


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


def _ordered(
    ws: Workspace, task: Task, state: _State, streams: Sequence[Stream], limit: int, seed: int
) -> list[Pick]:
    """Return the picks; only what these streams need is computed."""
    ready: dict[Stream, Sequence[Pick]] = {
        Stream.AUDIT: _plain(state.audit[:limit], Stream.AUDIT),
        Stream.RANDOM: _plain(draw(state.open_, seed + 1)[: 2 * limit], Stream.RANDOM),
    }
    if set(streams) == {Stream.RANDOM}:
        empty = Pool.of([], [])
        return make_queue(empty, {}, streams, limit, start=state.asked, ready=ready, seed=seed)
    open_ = draw(state.open_, seed + 1)[:MOST_CANDIDATES]
    latest = sorted(state.gold.values(), key=lambda g: -g.event_id)[:MOST_LEARNT]
    labels = {g.example_id: g.label_id for g in latest}
    examples = ws.read.examples.some(task.id, [*open_.tolist(), *labels])
    if set(streams) & {Stream.SPOT_CHECK, Stream.DISAGREEMENT}:
        ready |= _about_rules(ws, task, state, examples, open_, seed)
    pool = Pool.of([e.id for e in examples], [e.text for e in examples])
    return make_queue(pool, labels, streams, limit, start=state.asked, ready=ready, seed=seed)


def _plain(ids: Ints, stream: Stream) -> list[Pick]:
    why = {
        Stream.AUDIT: "Drawn at random for the audit, which shows how good everything else is.",
        Stream.RANDOM: "Drawn at random.",
    }[stream]
    return [Pick(example_id=i, stream=stream, why=why) for i in ids.tolist()]


def _about_rules(
    ws: Workspace,
    task: Task,
    state: _State,
    examples: Sequence[Example],
    open_: Ints,
    seed: int,
) -> dict[Stream, Sequence[Pick]]:
    """Return the spot checks, and where the latest run and the rules differ."""
    rules = ws.read.rules.all(task.id, enabled_only=True)
    if not rules:
        return {}
    matrix = find_votes(ws.read, task.id, rules, Corpus.of(examples)).matrix
    blind = {i: g.label_id for i, g in state.gold.items() if g.origin in BLIND_ORIGINS}
    names = {rule.id: rule.body.name for rule in rules}
    joined = join_votes(matrix, rules, None, [label.id for label in task.labels])
    said = {
        i: j.label_id
        for i, j in zip(matrix.example_ids, joined, strict=True)
        if j.label_id is not None
    }
    return {
        Stream.SPOT_CHECK: spot_checks(matrix, names, blind, open_, seed),
        Stream.DISAGREEMENT: _differing(ws, task, said, open_),
    }


def _differing(ws: Workspace, task: Task, said: Mapping[int, int], open_: Ints) -> list[Pick]:
    run = next(
        (
            run
            for run in ws.read.runs.all(task.id)
            if run.done and run.kind in (ClassifierKind.PROMPT, ClassifierKind.MODEL)
        ),
        None,
    )
    if run is None:
        return []
    ids = [i for i in open_.tolist() if i in said]
    model = [p for p in ws.read.runs.predictions(run.id, example_ids=ids) if p.label_id is not None]
    rules = [
        Prediction(example_id=i, label_id=said[i], confidence=None, outcome=Outcome.OK) for i in ids
    ]
    by_model = {p.example_id: p.label_id for p in model}
    return [
        Pick(
            example_id=i,
            stream=Stream.DISAGREEMENT,
            why="A model and the rules differ here.",
            behind=f"{run.title} says {task.name_of(by_model[i] or 0)}, "
            f"the rules {task.name_of(said[i])}.",
        )
        for i in disagreements(model, rules)
    ]


def _evidence(ws: Workspace, task_id: int, state: _State, seed: int) -> OrderEvidence:
    """Compare labels people gave outside the audit with those of the audit."""
    if state.split is not Split.TRAIN:
        return weigh_order([], [])
    ids = np.array(sorted(state.gold), dtype=np.int64)
    is_audit = audited(ids)
    random = draw(ids[is_audit], 0).tolist()
    chosen = [
        g.example_id
        for g in sorted((state.gold[i] for i in ids[~is_audit].tolist()), key=lambda g: g.event_id)
        if g.origin not in FROM_FILES
    ]
    held = ws.read.labels.gold(task_id, [Split.VALIDATION.value], blind_only=True)
    known = {label.id for label in ws.read.tasks.get(task_id).labels}
    gold = state.gold | {i: g for i, g in held.items() if g.label_id in known}
    probes = draw(np.array(sorted(held), dtype=np.int64), 0)[:MOST_PROBES].tolist()
    wanted = [*chosen, *random, *probes]
    texts = dict(zip(sorted(wanted), ws.read.examples.texts(task_id, sorted(wanted)), strict=True))

    def told(some: Sequence[int]) -> list[tuple[str, int]]:
        return [(texts[i], gold[i].label_id) for i in some if i in gold]

    return weigh_order(told(chosen), told(random), told(probes), seed=seed)
