"""What a queue is drawn from: who may still be asked what, and examples read as vectors.

The vectors cost seconds and stay right while a few labels come in, so a screen keeps them. What is
labeled is read anew each time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from studio.analysis.corpus import Corpus
from studio.analysis.joining import join_votes
from studio.analysis.queue_streams import Pick, Stream
from studio.analysis.queueing import Ints, Pool, audited, disagreements, draw
from studio.analysis.vote_matrix import VoteMatrix
from studio.domain.correction import FROM_FILES
from studio.domain.example import Example, Split
from studio.domain.gold import GoldLabel
from studio.domain.mark import MarkKind
from studio.domain.run import ClassifierKind, Outcome, Prediction, Run
from studio.domain.task import Task
from studio.handlers.votes import find_votes
from studio.workspace import Workspace

MOST_CANDIDATES = 10_000
"""Of more examples without a label, a random sample is looked at."""
MOST_LEARNT = 2_000
"""Of more labels, the latest teach the quick classifier."""
_AUDIT_AHEAD = 300
_MOST_SKIPPED = 100_000


@dataclass(frozen=True, eq=False, slots=True)
class OpenExamples:
    """What is labeled in a split, and what is open to whom.

    Attributes:
        split: The split.
        gold: Its gold, by example id.
        open_: Ids without gold and without a label by a person, the audit left out.
        audit: Ids of the audit that this person may still be asked, in the order of the audit.
        skipped: Ids of both that this person skipped; they are in neither.
        asked: How many decisions people made in the split, which tells whose turn it is.
    """

    split: Split
    gold: dict[int, GoldLabel]
    open_: Ints
    audit: Ints
    skipped: Ints
    asked: int

    @property
    def left(self) -> int:
        """How many examples this person may still be asked."""
        return len(self.open_) + len(self.audit) + len(self.skipped)

    @property
    def labels(self) -> dict[int, int]:
        """What the quick classifier learns from: example id to label id, the latest labels."""
        latest = sorted(self.gold.values(), key=lambda g: -g.event_id)[:MOST_LEARNT]
        return {g.example_id: g.label_id for g in latest}


def read_open(
    ws: Workspace, task: Task, split: Split, by: str, *, without: Collection[int] = ()
) -> OpenExamples:
    """Return what is open to a person in a split.

    Args:
        ws: The workspace.
        task: The task.
        split: The split.
        by: Who is asked.
        without: Examples this person is being asked already.
    """
    known = {label.id for label in task.labels}
    ids = np.array(ws.read.examples.ids(task.id, [split.value]), dtype=np.int64)
    gold = {
        i: g for i, g in ws.read.labels.gold(task.id, [split.value]).items() if g.label_id in known
    }
    said = ws.read.labels.said(task.id, [split.value])
    decided = {*said.example_id.tolist()} | gold.keys()
    mine = {*said.by(by).tolist()}
    # Gold of a file settles an audit example as well; nobody need say it again.
    mine |= {i for i, g in gold.items() if g.origin in FROM_FILES}
    is_audit = audited(ids)
    free = np.where(is_audit, ~np.isin(ids, list(mine)), ~np.isin(ids, list(decided)))
    free &= ~np.isin(ids, list(without))
    marks = ws.read.marks.list(task.id, MarkKind.SKIP, person=by, limit=_MOST_SKIPPED)
    is_skipped = np.isin(ids, [mark.example_id for mark in marks])
    return OpenExamples(
        split=split,
        gold=gold,
        open_=ids[free & ~is_audit & ~is_skipped],
        audit=draw(ids[free & is_audit & ~is_skipped], 0),
        skipped=ids[free & is_skipped],
        asked=len(said.example_id),
    )


@dataclass(frozen=True, eq=False, slots=True)
class Candidates:
    """Examples of a split that a queue is drawn from, and what is known of them beside labels.

    Attributes:
        pool: Open ones, or a sample of them, and labeled ones, as vectors.
        matrix: The votes of rules on them; None without rules.
        names: Rule id to name.
        differing: Where the latest run and the rules differ, the surest first.
    """

    pool: Pool
    matrix: VoteMatrix | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    differing: tuple[Pick, ...] = ()


def read_candidates(
    ws: Workspace, task: Task, now: OpenExamples, *, seed: int = 0, votes: bool = True
) -> Candidates:
    """Read what a queue is drawn from; it stays right until rules or many labels change.

    Args:
        ws: The workspace.
        task: The task.
        now: What is open; it may be less later.
        seed: Another one draws another sample.
        votes: Also look at rules and at the latest run.
    """
    ids = [*draw(now.open_, seed + 1)[:MOST_CANDIDATES].tolist(), *now.labels]
    # Labels of the audit, given later, teach as well.
    ids += [i for i in now.audit[:_AUDIT_AHEAD].tolist() if i not in now.gold]
    examples = ws.read.examples.some(task.id, ids)
    pool = Pool.of([e.id for e in examples], [e.text for e in examples])
    rules = ws.read.rules.all(task.id, enabled_only=True) if votes else []
    if not rules:
        return Candidates(pool)
    matrix = find_votes(ws.read, task.id, rules, Corpus.of(examples)).matrix
    joined = join_votes(matrix, rules, None, [label.id for label in task.labels])
    said = {
        i: j.label_id
        for i, j in zip(matrix.example_ids, joined, strict=True)
        if j.label_id is not None
    }
    names = {rule.id: rule.body.name for rule in rules}
    return Candidates(pool, matrix, names, tuple(_differing(ws, task, said, examples)))


def latest_run(ws: Workspace, task: Task) -> Run | None:
    """Return the latest run of a prompt or a model that has said something."""
    asks = (ClassifierKind.PROMPT, ClassifierKind.MODEL)
    return next((r for r in ws.read.runs.all(task.id) if r.done and r.kind in asks), None)


def _differing(
    ws: Workspace, task: Task, said: Mapping[int, int], examples: Sequence[Example]
) -> list[Pick]:
    run = latest_run(ws, task)
    if run is None:
        return []
    ids = [e.id for e in examples if e.id in said]
    model = [p for p in ws.read.runs.predictions(run.id, example_ids=ids) if p.label_id is not None]
    rules = [
        Prediction(example_id=i, label_id=said[i], confidence=None, outcome=Outcome.OK) for i in ids
    ]
    by_model = {p.example_id: p.label_id for p in model}
    return [
        Pick(
            example_id=i,
            stream=Stream.DISAGREEMENT,
            why=Stream.DISAGREEMENT.why,
            behind=f"{run.title} says {task.name_of(by_model[i] or 0)}, "
            f"the rules {task.name_of(said[i])}.",
        )
        for i in disagreements(model, rules)
    ]
