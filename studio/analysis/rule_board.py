"""What a rule is tried on: examples, their gold, and what the other rules say of them.

All that does not depend on the rule being tried is found once, so that trying one costs little
more than looking for its own words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from studio.analysis.corpus import Corpus
from studio.analysis.intervals import wilson
from studio.analysis.joining import Joined, join_votes
from studio.analysis.rule_scores import RuleScore
from studio.analysis.vote_matrix import VoteMatrix
from studio.analysis.votes import check_rule, fires
from studio.domain.coded_rationale import CodedRationale, RuleBody
from studio.domain.conditions import Condition
from studio.domain.task import Task

Bools = NDArray[np.bool_]
Labels = NDArray[np.int32]
DRAFT = 0
"""The id of a rule that is tried and not stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePreview:
    """What a rule would do, before it is saved.

    Attributes:
        score: Coverage, conflicts, and accuracy on blind gold of train and validation.
        fires_on: Ids of the examples it votes on.
        wrong: Of these, those whose gold it is wrong on.
        conflicting: Of these, those on which another rule contradicts it.
        newly_decided: Of these, those that the other rules leave open and it decides.
        won: Of these, gold examples that all rules together get right only with it.
        lost: Of these, gold examples that the other rules get right only without it.
        misled: Of these, gold examples that get a wrong label with it, and none without it.
        looked_at: Number of examples looked at.
        of: Number of examples in train and validation; more than were looked at when a sample was.
        unknown: Its conditions whose likeness is still to be computed for some of the examples.
    """

    score: RuleScore
    fires_on: tuple[int, ...]
    wrong: tuple[int, ...] = ()
    conflicting: tuple[int, ...] = ()
    newly_decided: tuple[int, ...] = ()
    won: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    misled: tuple[int, ...] = ()
    looked_at: int
    of: int
    unknown: tuple[Condition, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Board:
    """What a rule is tried on.

    Attributes:
        task: The task.
        corpus: The examples.
        of: Number of examples in train and validation.
        rules: The rules in force.
        matrix: Their votes on the examples.
        gold: The gold label id of each example, 0 where there is none.
        given: Returns truths of conditions that no text tells, and those not known of all yet.
    """

    task: Task
    corpus: Corpus
    of: int
    rules: tuple[CodedRationale, ...]
    matrix: VoteMatrix
    gold: NDArray[np.int32]
    given: Callable[[Sequence[Condition]], tuple[Mapping[Condition, Bools], tuple[Condition, ...]]]
    _without: dict[str, Others] = field(default_factory=dict, init=False)

    def with_gold(self, task: Task, gold: NDArray[np.int32]) -> Board:
        """Return it with other gold; what was found of the rules' votes is kept."""
        board = replace(self, task=task, gold=gold)
        board._without.update(self._without)
        return board

    def without(self, name: str) -> Others:
        """Return what all rules but the one of this name say; kept for the next time.

        A new rule is called otherwise with each letter typed; all new rules have the same others.
        """
        known = name if any(rule.body.name == name for rule in self.rules) else ""
        if known not in self._without:
            self._without[known] = Others(self, known)
        return self._without[known]


def try_rule(board: Board, body: RuleBody) -> RulePreview:
    """Return what a rule would do beside the other rules in force; its own votes do not count.

    Votes are joined by the expert's order: fitted weights know no rule that is only tried.

    Raises:
        InputError: If a pattern or word cannot be used.
        NotFoundError: If the task has no such label.
    """
    check_rule(body)
    label_id = board.task.label(body.label).id
    truths, unknown = board.given(body.conditions)
    own = fires(body, board.corpus, truths)
    others = board.without(body.name)
    ids = board.corpus.ids
    judged = own & (board.gold != 0)
    right = (board.gold == label_id) != body.against
    wrong = _named(ids, judged & ~right)
    conflicting = own & others.contradict(label_id, against=body.against)
    size = max(1, len(ids))
    before, after = others.with_and_without(body, label_id, judged)
    changed = judged & (before != after)
    return RulePreview(
        score=RuleScore(
            rule_id=DRAFT,
            fires=int(own.sum()),
            coverage=float(own.sum() / size) if len(ids) else float("nan"),
            overlap=float((own & (others.speaking > 0)).sum() / size),
            conflict=float(conflicting.sum() / size),
            accuracy=wilson(int((judged & right).sum()), int(judged.sum())),
            wrong=wrong,
            alone=_named(ids, own & (others.speaking == 0)),
        ),
        fires_on=_named(ids, own),
        wrong=wrong,
        conflicting=_named(ids, conflicting),
        newly_decided=_named(ids, others.decided_by(body, label_id, own)),
        won=_named(ids, changed & (after == board.gold)),
        lost=_named(ids, changed & (before == board.gold)),
        misled=_named(ids, changed & (before == 0) & (after != board.gold)),
        looked_at=len(ids),
        of=board.of,
        unknown=unknown,
    )


class Others:
    """What the rules beside the one being tried say, added up."""

    def __init__(self, board: Board, name: str) -> None:
        self._board = board
        self._columns = [i for i, rule in enumerate(board.rules) if rule.body.name != name]
        self._rules = [board.rules[i] for i in self._columns]
        same = [rule.position for rule in board.rules if rule.body.name == name]
        last = max((rule.position for rule in board.rules), default=0)
        self._position = same[0] if same else last + 1
        counts = np.zeros(len(board.corpus), dtype=np.int32)
        self.speaking = counts
        self._for = {label.id: counts.copy() for label in board.task.labels}
        self._against = {label.id: counts.copy() for label in board.task.labels}
        for column, rule in zip(self._columns, self._rules, strict=True):
            said = board.matrix.labels[:, column] != 0
            (self._against if rule.body.against else self._for)[rule.label_id] += said
            self.speaking += said

    def contradict(self, label_id: int, *, against: bool) -> Bools:
        """Return where some rule cannot be right if this label is right, or wrong."""
        if against:
            return self._for[label_id] > 0
        others = sum(n for i, n in self._for.items() if i != label_id)
        return np.asarray((others > 0) | (self._against[label_id] > 0))

    @cached_property
    def open(self) -> Bools:
        """Where these rules decide nothing: silence and the fallback are no decision."""
        held: Bools = self.speaking == 0
        unsure = ~held
        for label_id, n in self._for.items():  # a label nobody denies decides, or a decisive rule
            unsure &= ~((n > 0) & (self._against[label_id] == 0))
        rows = np.flatnonzero(unsure)
        held[rows] = ~_decided(self._joined(self._some(rows), self._rules))
        return held

    def with_and_without(self, body: RuleBody, label_id: int, own: Bools) -> tuple[Labels, Labels]:
        """Return the labels of all examples without and with a rule that fires on some; 0 for none.

        Only what can differ is joined: where the others say what the rule says, and nothing else,
        their answer stays, and it is left 0 on both sides.
        """
        before, after = (np.zeros(len(own), dtype=np.int32) for _ in range(2))
        same = (self._for[label_id] > 0) & ~self.contradict(label_id, against=False)
        rows = np.flatnonzero(own if body.against else own & ~same)
        some = self._some(rows)
        before[rows] = _labels(self._joined(some, self._rules))
        after[rows] = _labels(self._joined_with(body, label_id, some))
        return before, after

    def decided_by(self, body: RuleBody, label_id: int, own: Bools) -> Bools:
        """Return which of the examples left open a rule decides where it fires."""
        held: Bools = own & self.open
        alone = held & (self.speaking == 0)
        rows = np.flatnonzero(held & ~alone)
        # All examples on which only it speaks have one answer.
        asked = np.concatenate([rows, np.flatnonzero(alone)[:1]])
        decided = _decided(self._joined_with(body, label_id, self._some(asked)))
        held[rows] = decided[: len(rows)]
        held[alone] = bool(len(decided) > len(rows) and decided[-1])
        return held

    def _joined_with(self, body: RuleBody, label_id: int, some: VoteMatrix) -> list[Joined]:
        """Return what the rules say of examples a rule fires on when it votes too."""
        draft = CodedRationale(id=DRAFT, label_id=label_id, body=body, position=self._position)
        own = np.full(len(some.example_ids), label_id, dtype=np.int32)
        some = replace(
            some,
            rule_ids=(*some.rule_ids, DRAFT),
            labels=np.column_stack([some.labels, own]),
            against=np.append(some.against, body.against),
        )
        return self._joined(some, [*self._rules, draft])

    def _some(self, rows: NDArray[np.intp]) -> VoteMatrix:
        """Return the votes of these rules on some of the examples."""
        matrix = self._board.matrix
        return VoteMatrix(
            rule_ids=tuple(rule.id for rule in self._rules),
            example_ids=tuple(self._board.corpus.ids[rows].tolist()),
            labels=matrix.labels[rows][:, self._columns],
            against=matrix.against[self._columns],
        )

    def _joined(self, matrix: VoteMatrix, rules: Sequence[CodedRationale]) -> list[Joined]:
        task = self._board.task
        label_ids = [label.id for label in task.labels]
        return join_votes(matrix, rules, task.fallback_label_id, label_ids)


def _decided(joined: Sequence[Joined]) -> Bools:
    return np.array([bool(answer.deciding) for answer in joined], dtype=np.bool_)


def _labels(joined: Sequence[Joined]) -> Labels:
    return np.array([answer.label_id or 0 for answer in joined], dtype=np.int32)


def _named(ids: NDArray[np.int64], held: Bools) -> tuple[int, ...]:
    return tuple(ids[held].tolist())
