"""Brings what was keyed in the queue just before its page was left; it sits on every page."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import streamlit as st

from studio.ui.queue_state import queue_state, take_log, who
from studio.workspace import Workspace

CARRIER = "queue_carrier"
_JS = (Path(__file__).parent / "js" / "queue_carrier.js").read_text(encoding="utf-8")


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component("rationale_studio_queue_carrier", js=_JS)


def carry_queue(ws: Workspace, person: str) -> None:
    """Store what the queue's card could not send any more; nothing is drawn.

    Args:
        ws: The workspace.
        person: Who looks; what another person left in this browser waits for them.
    """
    state = queue_state()
    take = functools.partial(take_log, ws, state, person, CARRIER)
    take()
    with st.sidebar:
        _component()(
            data={"who": who(person), "ack": dict(state.heard)},
            key=CARRIER,
            height=1,
            on_log_change=take,
        )
