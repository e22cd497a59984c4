"""Which rationale is being made into rules on the Rationales page, if any."""

from __future__ import annotations

import streamlit as st

from studio.domain.rationale import Rationale
from studio.domain.task import Task
from studio.workspace import Workspace

_DRAFTING = "rationales_drafting"
_TAB = "rationales_tab"


def open_drafts(rationale_id: int) -> None:
    """Show what rules might code a rationale, in place of the writer and the list; a callback."""
    st.session_state[_DRAFTING] = rationale_id
    st.session_state[_TAB] = "Rationales"


def close_drafts() -> None:
    """Show the writer and the list again; a callback."""
    st.session_state.pop(_DRAFTING, None)


def is_drafting(rationale_id: int) -> bool:
    """Return whether the rules of this rationale are what is shown."""
    drafting = st.session_state.get(_DRAFTING) == rationale_id
    return bool(drafting and st.session_state.get(_TAB, "Rationales") == "Rationales")


def open_rules() -> None:
    """Turn to the rules; a callback."""
    st.session_state[_TAB] = "Rules"


def being_drafted(ws: Workspace, task: Task) -> Rationale | None:
    """Return the rationale whose rules are drafted; None where it is not of this task."""
    wanted = st.session_state.get(_DRAFTING)
    known = ws.read.rationales.all(task.id) if wanted else []
    return next((rationale for rationale in known if rationale.id == wanted), None)
