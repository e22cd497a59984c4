"""What rules are tried on and reported of: examples of train and validation, and their gold.

Test is never looked at here. Nothing is written: a screen opens a corpus once and keeps it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from studio.analysis.corpus import Corpus
from studio.analysis.rule_board import Board
from studio.analysis.vote_matrix import VoteMatrix
from studio.domain.coded_rationale import CodedRationale
from studio.domain.conditions import Condition
from studio.domain.example import Split
from studio.domain.task import Task
from studio.handlers.given import read_given
from studio.handlers.votes import find_votes, has_given
from studio.workspace import Workspace

OPEN_SPLITS = (Split.TRAIN.value, Split.VALIDATION.value)
MOST_EXAMPLES = 100_000
"""Of more examples than these, a sample is looked at."""
_AT_ONCE = 20_000


@dataclass(frozen=True, eq=False, slots=True)
class OpenCorpus:
    """The examples that rules are tried on, prepared for searching.

    Attributes:
        corpus: All examples of train and validation, or a sample of them.
        of: How many there are in all.
        fires: Rule hash to where it fires; what was looked for once is not looked for again.
        boards: The last board opened on it.
    """

    corpus: Corpus
    of: int
    fires: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    boards: deque[Board] = field(default_factory=partial(deque, maxlen=1))

    @property
    def is_sample(self) -> bool:
        """Whether not all examples are looked at."""
        return len(self.corpus.ids) < self.of


def open_corpus(ws: Workspace, task_id: int) -> OpenCorpus:
    """Read the examples of train and validation; keep it as long as no example is added or moved.

    Of more than 100,000 it is a sample of so many, the same each time, and all that have blind
    gold.
    """
    ids, of = open_ids(ws, task_id)
    texts: list[str] = []
    for start in range(0, len(ids), _AT_ONCE):
        texts += ws.read.examples.texts(task_id, ids[start : start + _AT_ONCE].tolist())
    return OpenCorpus(Corpus(ids, texts, cache(partial(_column, ws, task_id, ids))), of)


def open_ids(ws: Workspace, task_id: int) -> tuple[NDArray[np.int64], int]:
    """Return the examples of an open corpus, and how many there are of train and validation."""
    ids = np.array(ws.read.examples.ids(task_id, OPEN_SPLITS), dtype=np.int64)
    of = len(ids)
    if of > MOST_EXAMPLES:
        drawn = np.random.default_rng(task_id).choice(ids, MOST_EXAMPLES, replace=False)
        gold = list(open_gold(ws, task_id))
        ids = np.union1d(drawn, np.array(gold, dtype=np.int64))
    return ids, of


def open_board(ws: Workspace, task_id: int, corpus: OpenCorpus) -> Board:
    """Return what rules are tried on: the examples, their gold, the votes of the rules in force.

    Keep it as long as the task's revision does not change. Votes that are stored, or were found
    for an earlier board on the same corpus, are not looked for again.
    """
    task = ws.read.tasks.get(task_id)
    rules = ws.read.rules.all(task_id, enabled_only=True)
    known = open_gold(ws, task_id)
    gold = np.array([known.get(i, 0) for i in corpus.corpus.ids.tolist()], dtype=np.int32)
    last = corpus.boards[0] if corpus.boards else None
    if last is not None and _says_the_same(last, task, rules):
        board = last.with_gold(task, gold)
    else:
        board = Board(
            task=task,
            corpus=corpus.corpus,
            of=corpus.of,
            rules=tuple(rules),
            matrix=_votes(ws, task_id, rules, corpus),
            gold=gold,
            given=partial(_given, ws, task_id, corpus.corpus.ids),
        )
    corpus.boards.append(board)
    return board


def _says_the_same(board: Board, task: Task, rules: Sequence[CodedRationale]) -> bool:
    """Return whether the votes on a board, and all that follows from them, still hold."""
    same = (board.task.labels, board.task.fallback_label_id, board.rules)
    answered = any(has_given(rule.body) for rule in rules)  # what is given may have changed
    return not answered and same == (task.labels, task.fallback_label_id, tuple(rules))


def open_gold(ws: Workspace, task_id: int) -> dict[int, int]:
    """Return example id to label id of the blind gold of train and validation."""
    gold = ws.read.labels.gold(task_id, OPEN_SPLITS, blind_only=True)
    return {example_id: g.label_id for example_id, g in gold.items()}


def _votes(
    ws: Workspace, task_id: int, rules: Sequence[CodedRationale], opened: OpenCorpus
) -> VoteMatrix:
    new = [r for r in rules if has_given(r.body) or r.body.hash not in opened.fires]
    found = find_votes(ws.read, task_id, new, opened.corpus).matrix
    fires = dict(zip(found.rule_ids, found.fires.T, strict=True))
    for rule in new:
        if not has_given(rule.body):
            opened.fires[rule.body.hash] = fires[rule.id]
    columns = [fires[r.id] if r.id in fires else opened.fires[r.body.hash] for r in rules]
    ids = opened.corpus.ids
    labels = np.zeros((len(ids), len(rules)), dtype=np.int32)
    for column, (rule, held) in enumerate(zip(rules, columns, strict=True)):
        labels[held, column] = rule.label_id
    return VoteMatrix(
        rule_ids=tuple(rule.id for rule in rules),
        example_ids=tuple(ids.tolist()),
        labels=labels,
        against=np.array([rule.body.against for rule in rules], dtype=np.bool_),
    )


def _given(
    ws: Workspace, task_id: int, ids: NDArray[np.int64], conditions: Sequence[Condition]
) -> tuple[Mapping[Condition, NDArray[np.bool_]], tuple[Condition, ...]]:
    given = read_given(ws.read, task_id, conditions, ids)
    return given.truths, given.unknown


def _column(ws: Workspace, task_id: int, ids: NDArray[np.int64], name: str) -> list[str | None]:
    found: list[str | None] = []
    for start in range(0, len(ids), _AT_ONCE):
        found += ws.read.examples.column(task_id, ids[start : start + _AT_ONCE].tolist(), name)
    return found
