"""Keeps what the studio chose in a widget from being lost on the way to the browser."""

from __future__ import annotations

import streamlit as st


def hold(*keys: str) -> None:
    """Have the browser told in every run what is chosen in these widgets; call it before them.

    Streamlit tells what was set through the session in the run that set it, and only then. A run
    that is interrupted by the next one may never reach the browser: that shows the widget's default
    instead, and sends it with the next click as if somebody had chosen it. So a task was left for
    the first one in the middle of labeling. Not for boxes that are typed in, where it would take
    back what is being typed.

    Args:
        keys: Keys of widgets that are chosen from, not typed in; one never set is left alone.
    """
    for key in keys:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]
