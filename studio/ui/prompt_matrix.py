"""Versions of prompts against slices: a table whose cells open their errors."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from studio.actions.prompt_matrix import prompt_matrix, versions_tried
from studio.analysis.prompt_matrix import ALL, Cell, PromptMatrix
from studio.analysis.tried_versions import TriedVersions
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.evaluation_examples import draw_examples
from studio.ui.rationale_text import plain
from studio.workspace import Workspace

_KINDS = {"label": "Labels", "length": "Length", "metadata": "Columns of the data"}
_BETTER, _WORSE = "background-color: #0072b233", "background-color: #d55e0033"
_HELP = (
    "Accuracy with its interval and n, on gold of train and validation. ▲ and ▼ mark what is "
    "better or worse beyond luck, corrected for all cells of the table (Holm); the others may be "
    "chance."
)


def draw_matrix(ws: Workspace, task: Task) -> None:
    """Draw how the versions that were run do on labels, lengths and columns."""
    found = _matrix(str(ws.path), task.id, task.revision, ws)
    if found is None:
        st.caption("Run a version on all, with some gold in train and validation, to compare here.")
        return
    present = [kind for kind in _KINDS if any(s.kind == kind for s in found.columns)]
    kind = st.segmented_control(
        "Slices", present, default=present[0] if present else None, required=True,
        format_func=_KINDS.__getitem__, key="prompts_matrix_kind", label_visibility="collapsed",
    )  # fmt: skip
    columns = [i for i, s in enumerate(found.columns) if s.kind in (ALL, kind)]
    event: Any = st.dataframe(
        _table(found, columns),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        key=f"prompts_matrix_{kind}",
        column_config={
            "Version": st.column_config.TextColumn(pinned=True, width=140),
            **{found.columns[i].name: st.column_config.TextColumn(width=200) for i in columns},
        },
        alt="Versions against slices, with accuracy; select a cell to read its errors",
    )
    st.caption(
        f"Held against {plain(found.against)}. Select a cell to read its errors.", help=_HELP
    )
    cells = (event.get("selection") or {}).get("cells") or []
    if cells:
        _errors(ws, task, found, *cells[0])


def draw_tried(ws: Workspace, task: Task, version_id: int) -> None:
    """Say how many versions were tried on this gold, where that takes from a version's figure."""
    told = _tried(str(ws.path), task.id, task.revision, version_id, ws)
    if told is not None and told.tried > 1:
        st.caption(plain(told.sentence))


def _table(found: PromptMatrix, columns: list[int]) -> Any:
    """Return the cells as text, those that tell in a colour and with a sign."""
    import pandas as pd

    names = [found.columns[i].name for i in columns]
    shown = pd.DataFrame(
        [[row.title, *(_words(row.cells[i]) for i in columns)] for row in found.rows],
        columns=["Version", *names],
    )
    colours = [["", *(_colour(row.cells[i]) for i in columns)] for row in found.rows]
    styles = pd.DataFrame(colours, columns=shown.columns)
    return shown.style.apply(lambda _: styles, axis=None)


def _words(cell: Cell) -> str:
    a = cell.accuracy
    if math.isnan(a.value):
        return "no gold"
    sign = ("▲ " if (cell.difference or 0) > 0 else "▼ ") if cell.tells else ""
    return f"{sign}{a.value:.2f} [{a.low:.2f}, {a.high:.2f}] n={a.n:,}"


def _colour(cell: Cell) -> str:
    if not cell.tells:
        return ""
    return _BETTER if (cell.difference or 0) > 0 else _WORSE


def _errors(ws: Workspace, task: Task, found: PromptMatrix, row: int, column: str) -> None:
    names = [s.name for s in found.columns]
    if row >= len(found.rows) or column not in names:
        return
    version = found.rows[row]
    wrong = version.cells[names.index(column)].wrong
    what = f"errors of {version.title} on {column}"
    st.markdown(f"**{len(wrong):,} {plain(what)}**")
    draw_examples(
        ws, task, wrong, runs=(version.run_id,), what=what, key=f"prompts_matrix_{row}_{column}"
    )


@st.cache_resource(max_entries=16, ttl=3600, show_spinner=False)
def _matrix(path: str, task_id: int, revision: int, _ws: Workspace) -> PromptMatrix | None:
    try:
        return prompt_matrix(_ws, task_id)
    except InputError:
        return None


@st.cache_data(max_entries=64, ttl=3600, show_spinner=False)
def _tried(
    path: str, task_id: int, revision: int, version_id: int, _ws: Workspace
) -> TriedVersions | None:
    return versions_tried(_ws, task_id, version_id)
