"""How the labeling grid looks, chosen by a person for a task and kept in the workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from studio.actions.drafts import keep_draft, kept_draft
from studio.domain.task import Task
from studio.ui.grid import PAGE_SIZES
from studio.ui.guard import kindly
from studio.workspace import Workspace

_KEPT = "label view"


@dataclass(frozen=True, slots=True)
class Look:
    """What changes the look only.

    Attributes:
        size: Examples a page.
        columns: Metadata columns shown, in their order.
        whole_text: Whether rows grow with their text.
    """

    size: int = 50
    columns: tuple[str, ...] = ()
    whole_text: bool = False


def choose_look(ws: Workspace, task: Task, person: str) -> Look:
    """Draw rows a page, further columns and whole texts, as this person left them."""
    known = ws.read.examples.columns(task.id)
    size_key, columns_key, whole_key = (
        f"label_{name}_{task.id}" for name in ("size", "columns", "whole")
    )
    if size_key not in st.session_state:
        kept = kept_draft(ws, task.id, _KEPT, by=person)
        size = kept.get("size")
        st.session_state[size_key] = size if size in PAGE_SIZES else Look().size
        st.session_state[columns_key] = [c for c in kept.get("columns", []) if c in known]
        st.session_state[whole_key] = bool(kept.get("whole"))
    with st.popover("View"):
        picked: Any = st.segmented_control(
            "Examples a page", PAGE_SIZES, required=True, key=size_key, persist_state="session"
        )
        columns = st.multiselect(
            "Further columns, in this order", known, key=columns_key, persist_state="session"
        )
        whole = st.toggle(
            "Whole texts",
            key=whole_key,
            persist_state="session",
            help="Rows grow with their text; else two lines, and all of it when you point there.",
        )
    look = Look(int(picked or Look().size), tuple(columns), whole)
    told = {"size": look.size, "columns": list(look.columns), "whole": look.whole_text}
    with kindly():
        keep_draft(ws, task.id, _KEPT, told if look != Look() else {}, by=person)
    return look
