"""What the page People reads of a task, kept until the task changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from studio.actions.agreement import TaskAgreement, people_agreement, where_labels_met
from studio.actions.assignments import RoundPlan, plan_round
from studio.domain.task import Task
from studio.workspace import Workspace

_keep: Callable[..., Any] = st.cache_resource(max_entries=8, ttl=3600, show_spinner=False)


def agreement(ws: Workspace, task: Task, split: str, *, blind_only: bool) -> TaskAgreement:
    """Return how far people agree.

    Raises:
        InputError: If no example was labeled by two people.
    """
    found: TaskAgreement = _agreement(str(ws.path), task.id, task.revision, split, blind_only, ws)
    return found


def labels_met(
    ws: Workspace, task: Task, people: tuple[str, str] | None, split: str, *, blind_only: bool
) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return on which examples which two labels met, of two people or of all."""
    found: dict[tuple[str, str], tuple[int, ...]] = _met(
        str(ws.path), task.id, task.revision, people, split, blind_only, ws
    )
    return found


def planned(ws: Workspace, task: Task, **wanted: Any) -> RoundPlan:
    """Return what a round would mean; `wanted` is what `plan_round` takes, of hashable values.

    Raises:
        InputError: If it cannot be.
    """
    found: RoundPlan = _planned(
        str(ws.path), task.id, task.revision, tuple(sorted(wanted.items())), ws
    )
    return found


def known_people(ws: Workspace, task: Task) -> list[str]:
    """Return the names of those who labeled or were asked to, sorted."""
    found: list[str] = _people(str(ws.path), task.id, task.revision, ws)
    return list(found)


@_keep
def _agreement(
    path: str, task_id: int, revision: int, split: str, blind_only: bool, _ws: Workspace
) -> TaskAgreement:
    return people_agreement(_ws, task_id, split=split, blind_only=blind_only, limit=0)


@_keep
def _met(
    path: str,
    task_id: int,
    revision: int,
    people: tuple[str, str] | None,
    split: str,
    blind_only: bool,
    _ws: Workspace,
) -> dict[tuple[str, str], tuple[int, ...]]:
    return where_labels_met(_ws, task_id, people=people, split=split, blind_only=blind_only)


@_keep
def _planned(
    path: str, task_id: int, revision: int, wanted: tuple[tuple[str, Any], ...], _ws: Workspace
) -> RoundPlan:
    return plan_round(_ws, task_id, **dict(wanted))


@_keep
def _people(path: str, task_id: int, revision: int, _ws: Workspace) -> list[str]:
    asked = {p for one in _ws.read.assignments.progress(task_id) for p in one.round.people}
    return sorted(asked | {*_ws.read.labels.said(task_id).people})
