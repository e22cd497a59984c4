"""Brings what was keyed in the queue just before its page was left; it sits on every page."""

from __future__ import annotations

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


def carry_queue(ws: Workspace, page: str) -> None:
    """Store what the queue's card could not send any more; nothing is drawn.

    Args:
        ws: The workspace.
        page: The page in sight, for the browser looks once a page.
    """
    state = queue_state()
    if state.choice is None:
        return

    def take() -> None:
        take_log(ws, state, CARRIER)

    take()
    with st.sidebar:
        _component()(
            data={"page": page, "who": who(state.choice.person), "ack": dict(state.heard)},
            key=CARRIER,
            height=1,
            on_log_change=take,
        )
