"""Columns beside the instructions: a click on one lets its value travel with every text."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import streamlit as st

from studio.domain.prompt import PromptText
from studio.domain.task import Task
from studio.domain.variables import (
    TEXT,
    columns_named,
    unusable_in,
    unusable_words,
    usable,
    variable,
)
from studio.ui.rationale_text import plain
from studio.ui.rule_fields import metadata_columns
from studio.workspace import Workspace

_MOST = 12


def offer_columns(ws: Workspace, task: Task, field: str, *, key: str) -> None:
    """Draw the columns of the examples; a click puts one at the end of the instructions.

    Args:
        ws: The workspace.
        task: The task.
        field: The key of the field with the instructions.
        key: Begins the keys of the editor's widgets.
    """
    columns = usable(metadata_columns(ws, task))
    used = columns_named([str(st.session_state.get(field, ""))])
    offered = [name for name in columns if name not in used]
    if not offered:
        return
    place = f"{key}_column"

    def insert() -> None:
        if column := st.session_state.get(place):
            said = str(st.session_state.get(field, "")).rstrip()
            st.session_state[field] = f"{said} {variable(column)}".strip()
        st.session_state[place] = None

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            "Insert a column",
            width="content",
            help="The instructions then name the column, and its value goes to the model with each "
            "text. It may stand anywhere in the instructions, definitions and rationales.",
        )
        if len(offered) <= _MOST:
            st.pills(
                "Insert a column", offered, format_func=plain, key=place, on_change=insert,
                label_visibility="collapsed", wrap=True,
            )  # fmt: skip
        else:
            st.selectbox(
                "Insert a column", offered, index=None, key=place, on_change=insert,
                label_visibility="collapsed", placeholder="Choose a column", width=220,
            )  # fmt: skip


def tell_strangers(ws: Workspace, task: Task, body: PromptText) -> None:
    """Say which variables no example has, or cannot be one; nothing where each is a column."""
    columns = metadata_columns(ws, task)
    known = usable(columns)
    told = [stranger_text(name, known) for name in body.variables if name not in columns]
    lost = [column for text in body.texts for column, *_ in unusable_in(text, columns)]
    for said in [*told, *map(unusable_words, dict.fromkeys(lost))]:
        st.caption(f":orange[:material/warning:] {plain(said)}")


def stranger_text(name: str, columns: Sequence[str]) -> str:
    """Return that a variable names no column, which one was likely meant, and which there are.

    >>> stranger_text("Brnad", ["brand", "price"])
    'No example has a column “Brnad”. Did you mean {{brand}}? There are {{text}}, {{brand}} and \
{{price}}.'
    >>> stranger_text("x", [])
    'No example has a column “x”. There is only {{text}}.'
    """
    said = f"No example has a column “{name}”."
    folded = {column.casefold(): column for column in (TEXT, *columns)}
    if close := get_close_matches(name.casefold(), folded, n=1):
        said += f" Did you mean {variable(folded[close[0]])}?"
    *first, last = (variable(column) for column in (TEXT, *columns))
    if not first:
        return f"{said} There is only {last}."
    return f"{said} There are {', '.join(first)} and {last}."
