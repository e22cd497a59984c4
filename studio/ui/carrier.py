"""Brings what was keyed in a labeling desk just before its page was left; it sits on every page."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import streamlit as st

from studio.ui.grid_state import applied, grid_state
from studio.ui.grid_store import take_left
from studio.ui.queue_state import queue_state, take_log
from studio.ui.session import who
from studio.workspace import Workspace

CARRIER = "carrier"
_JS = (Path(__file__).parent / "js" / "carrier.js").read_text(encoding="utf-8")


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component("rationale_studio_carrier", js=_JS)


def carry_labels(ws: Workspace, person: str) -> None:
    """Store what a desk wrote down and could not send any more; nothing is drawn.

    Args:
        ws: The workspace.
        person: Who looks; what another person left in this browser waits for them.
    """
    _take(ws, person)
    with st.sidebar:
        _carry(ws, person, _saved())


@st.fragment
def _carry(ws: Workspace, person: str, saved: int) -> None:
    """Listen in a part of its own: a run of the whole page could undo a click on another page."""
    if _saved() != saved:
        st.rerun()
    _component()(
        data={
            "who": who(ws, person),
            "cards": dict(queue_state().heard),
            "grids": applied().latest(person),
        },
        key=CARRIER,
        height=1,
        on_log_change=functools.partial(_take, ws, person),
    )


def _take(ws: Workspace, person: str) -> None:
    take_log(ws, queue_state(), person, CARRIER)
    value = getattr(st.session_state.get(CARRIER), "log", None)
    if isinstance(value, dict):
        take_left(ws, grid_state(), person, value.get("grids"))


def _saved() -> int:
    """Return how many decisions this session stored: the page shows figures of them."""
    return queue_state().saved + grid_state().saved
