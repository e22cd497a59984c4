"""A small sign at what was made before the label set was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from studio.domain.label_change import Marks
from studio.domain.task import Task
from studio.ui.rationale_text import plain
from studio.workspace import Workspace

SIGN = "label set changed since"


def marks_of(ws: Workspace, task: Task) -> Marks:
    """Return what of a task was made before its label set changed; read once a revision."""
    return _marks(str(ws.path), task.id, task.revision, ws)


@st.cache_data(max_entries=64, show_spinner=False)
def _marks(path: str, task_id: int, revision: int, _ws: Workspace) -> Marks:
    return _ws.read.label_sets.marks(task_id)


def draw_mark(text: str | None) -> None:
    """Draw the sign with what changed; nothing where nothing did."""
    if text:
        st.badge(SIGN, icon=":material/history:", color="orange", help=plain(text))


def marked_cell(marks: Mapping[int, str], number: int) -> dict[str, str]:
    """Return a table's cell that says it; no column where nothing is marked.

    >>> marked_cell({3: "The label set changed since: …"}, 4)
    {'Label set': ''}
    >>> marked_cell({}, 4)
    {}
    """
    return {"Label set": "changed since" if number in marks else ""} if marks else {}


def marked_column(marks: Mapping[int, str], numbers: Sequence[int]) -> dict[str, list[str]]:
    """Return a table's column that says it of several; none where nothing is marked."""
    return {"Label set": [marked_cell(marks, n)["Label set"] for n in numbers]} if marks else {}
