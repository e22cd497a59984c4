"""Groups of examples for the grid's filter, found once and kept until rules or examples change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from studio.actions.groups import Group, slice_group, slice_names, stored_group, voted_group
from studio.domain.task import Task
from studio.ui.rule_boards import task_board
from studio.workspace import Workspace


def rule_group(ws: Workspace, task: Task, rule: str) -> Group:
    """Return the train and validation examples a rule votes on; with "" those none votes on.

    Of more than 100,000, it is all of them where the rules' votes are stored, else those of a
    sample.
    """
    stored: Group | None = _stored(str(ws.path), task.id, task.revision, rule, ws)
    return stored or voted_group(task_board(ws, task), rule)


def known_slices(ws: Workspace, task: Task) -> list[str]:
    """Return the slices by metadata and length there are."""
    found: list[str] = _names(str(ws.path), task.id, _size(ws, task), ws)
    return found


def slice_of(ws: Workspace, task: Task, name: str) -> Group:
    """Return all examples of a slice."""
    found: Group = _slice(str(ws.path), task.id, _size(ws, task), name, ws)
    return found


def _size(ws: Workspace, task: Task) -> int:
    """Return what tells that examples were added: neither texts nor metadata ever change."""
    return sum(ws.read.examples.counts(task.id).values())


_keep: Callable[..., Any] = st.cache_resource(
    max_entries=8, ttl=3600, show_spinner="Reading the examples …"
)


@_keep
def _stored(path: str, task_id: int, revision: int, rule: str, _ws: Workspace) -> Group | None:
    return stored_group(_ws, task_id, rule)


@_keep
def _slice(path: str, task_id: int, size: int, name: str, _ws: Workspace) -> Group:
    return slice_group(_ws, task_id, name)


@st.cache_data(max_entries=8, ttl=3600, show_spinner=False)
def _names(path: str, task_id: int, size: int, _ws: Workspace) -> list[str]:
    return slice_names(_ws, task_id)
