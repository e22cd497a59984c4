"""What the rules of a task are worth, and what they do not speak of yet."""

from __future__ import annotations

import numpy as np

from studio.analysis.joining import EXPERT, Joining, JoiningChoice, compare_joinings, fit_joining
from studio.analysis.rule_board import Board
from studio.analysis.rule_review import Review, review_rules
from studio.analysis.uncovered import Gap, find_gaps
from studio.errors import InputError
from studio.handlers.boards import open_board, open_corpus
from studio.handlers.joined import chosen_joining
from studio.workspace import Workspace


def review_task(ws: Workspace, task_id: int, board: Board | None = None) -> Review:
    """Return the report on the rules in force, on train and validation and their blind gold.

    Won and lost examples are told of the way the task joins votes now; where that cannot be fitted
    any more, of the expert's order, and the report names which.

    Args:
        ws: The workspace.
        task_id: The task.
        board: What rules are tried on; opened when None.
    """
    board = board or open_board(ws, task_id, open_corpus(ws, task_id))
    return review_rules(
        board.matrix,
        board.rules,
        _gold(board),
        fallback_label_id=board.task.fallback_label_id,
        label_ids=[label.id for label in board.task.labels],
        joining=task_joining(ws, board),
    )


def uncovered_groups(ws: Workspace, task_id: int, board: Board | None = None) -> list[Gap]:
    """Return the groups of train and validation examples no rule speaks of, the best to ask first.

    Args:
        ws: The workspace.
        task_id: The task.
        board: What rules are tried on; opened when None.
    """
    board = board or open_board(ws, task_id, open_corpus(ws, task_id))
    rows = np.flatnonzero(~board.matrix.fires.any(axis=1)).tolist()
    return find_gaps(
        [int(board.corpus.ids[i]) for i in rows],
        [board.corpus.texts[i] for i in rows],
        _gold(board),
        label_names={label.id: label.name for label in board.task.labels},
        fallback_label_id=board.task.fallback_label_id,
    )


def compare_ways(board: Board) -> JoiningChoice:
    """Return how each way of joining votes does on blind gold, and which one is advised."""
    task = board.task
    label_ids = [label.id for label in task.labels]
    return compare_joinings(
        board.matrix, board.rules, _gold(board), label_ids, task.fallback_label_id
    )


def _gold(board: Board) -> dict[int, int]:
    pairs = zip(board.corpus.ids.tolist(), board.gold.tolist(), strict=True)
    return {example_id: label_id for example_id, label_id in pairs if label_id}


def task_joining(ws: Workspace, board: Board) -> Joining:
    """Return how the task joins votes now, fitted on the blind gold of its board.

    Where gold was taken back so that it cannot be fitted any more, it is the expert's order.
    """
    method = chosen_joining(ws, board.task.id)
    if method == EXPERT.method:
        return EXPERT
    label_ids = [label.id for label in board.task.labels]
    try:
        return fit_joining(
            method, board.matrix, board.rules, _gold(board), label_ids,
            board.task.fallback_label_id,
        )  # fmt: skip
    except InputError:  # gold was taken back since it was chosen
        return EXPERT
