"""What rules are tried on, kept between reruns: examples long, gold and votes until a change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from studio.actions.rule_reports import compare_ways, review_task, task_joining, uncovered_groups
from studio.actions.rules import (
    OPEN_SPLITS,
    Board,
    OpenCorpus,
    RulePreview,
    chosen_joining,
    open_board,
    open_corpus,
    print_rule,
    try_rule,
)
from studio.analysis.joining import Joining, JoiningChoice
from studio.analysis.rule_review import Review
from studio.analysis.uncovered import Gap
from studio.domain.coded_rationale import RuleBody
from studio.domain.task import Task
from studio.workspace import Workspace

_keep: Callable[..., Any] = st.cache_resource(max_entries=4, ttl=3600, show_spinner=False)


def task_board(ws: Workspace, task: Task) -> Board:
    """Return what rules of a task are tried on, as it is at the task's revision.

    The first time after an import the examples are read, which takes about a second for 100,000;
    after any other change only gold and the votes of rules that changed are.
    """
    path = str(ws.path)
    examples = _examples(path, task.id, task.revision, ws)
    corpus = _corpus(path, task.id, examples, "", ws)
    if corpus.is_sample and (more := _gold_outside(ws, task.id, corpus)):
        corpus = _corpus(path, task.id, examples, more, ws)
    found: Board = _board(path, task.id, task.revision, ws, corpus)
    return found


def tried(ws: Workspace, task: Task, body: RuleBody) -> RulePreview:
    """Return what a rule would do beside the others; asked again of the same rule, at once.

    Raises:
        InputError: If a pattern or word cannot be used, or the task has no such label.
    """
    found: RulePreview = _tried(
        str(ws.path), task.id, task.revision, print_rule(body), ws, task, body
    )
    return found


def joining_now(ws: Workspace, task: Task) -> Joining:
    """Return how the task joins votes, with its weights."""
    found: Joining = _joining(*_state(ws, task), ws, task)
    return found


def joining_evidence(ws: Workspace, task: Task) -> JoiningChoice:
    """Return how each way of joining votes does on blind gold."""
    found: JoiningChoice = _evidence(*_state(ws, task), ws, task)
    return found


def review(ws: Workspace, task: Task) -> Review:
    """Return the report on the rules in force."""
    found: Review = _review(*_state(ws, task), ws, task)
    return found


def gaps(ws: Workspace, task: Task) -> list[Gap]:
    """Return the groups of examples that no rule speaks of."""
    found: list[Gap] = _gaps(*_state(ws, task), ws, task)
    return found


def _state(ws: Workspace, task: Task) -> tuple[str, int, int, str]:
    """Return what figures hang on; how votes are joined is no part of the revision."""
    return str(ws.path), task.id, task.revision, chosen_joining(ws, task.id)


def forget_boards() -> None:
    """Have votes read anew, because likeness was computed; a task's revision does not tell."""
    for kept in (_board, _tried, _joining, _evidence, _review, _gaps):
        kept.clear()


@st.cache_data(max_entries=16, ttl=3600, show_spinner=False)
def _examples(path: str, task_id: int, revision: int, _ws: Workspace) -> str:
    return _ws.read.examples.fingerprint(task_id, OPEN_SPLITS)


def _gold_outside(ws: Workspace, task_id: int, corpus: OpenCorpus) -> str:
    """Return what stands for the gold given since to examples outside of a sample; else empty."""
    gold = ws.read.labels.gold(task_id, OPEN_SPLITS, blind_only=True)
    outside = np.setdiff1d(np.array(list(gold), dtype=np.int64), corpus.corpus.ids)
    return hashlib.sha256(outside.tobytes()).hexdigest() if len(outside) else ""


@st.cache_resource(max_entries=2, ttl=3600, show_spinner="Reading the examples …")
def _corpus(path: str, task_id: int, examples: str, gold: str, _ws: Workspace) -> OpenCorpus:
    return open_corpus(_ws, task_id)


@st.cache_resource(max_entries=2, ttl=3600, show_spinner="Applying the rules …")
def _board(path: str, task_id: int, revision: int, _ws: Workspace, _opened: OpenCorpus) -> Board:
    return open_board(_ws, task_id, _opened)


@st.cache_resource(max_entries=4, ttl=3600, show_spinner=False)
def _tried(
    path: str, task_id: int, revision: int, rule: str, _ws: Workspace, _task: Task, _body: RuleBody
) -> RulePreview:
    return try_rule(task_board(_ws, _task), _body)


@_keep
def _joining(
    path: str, task_id: int, revision: int, joining: str, _ws: Workspace, _task: Task
) -> Joining:
    return task_joining(_ws, task_board(_ws, _task))


@_keep
def _evidence(
    path: str, task_id: int, revision: int, joining: str, _ws: Workspace, _task: Task
) -> JoiningChoice:
    return compare_ways(task_board(_ws, _task))


@_keep
def _review(
    path: str, task_id: int, revision: int, joining: str, _ws: Workspace, _task: Task
) -> Review:
    return review_task(_ws, task_id, task_board(_ws, _task))


@_keep
def _gaps(
    path: str, task_id: int, revision: int, joining: str, _ws: Workspace, _task: Task
) -> list[Gap]:
    return uncovered_groups(_ws, task_id, task_board(_ws, _task))
