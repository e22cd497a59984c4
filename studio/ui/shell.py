"""What app.py draws around every page."""

from __future__ import annotations

import functools
import gc
import threading
from pathlib import Path

import streamlit as st

from studio.ui.session import forget_name, is_signed_in, person

ICON = str(Path(__file__).with_name("icon.png"))


@functools.cache
def warm_up() -> None:
    """Begin to import what is slow, once a process; nobody waits for it who does not need it."""
    threading.Thread(target=_import_early, name="imports", daemon=True).start()


def _import_early() -> None:
    """Import what charts and tables need, and spare the collector from looking at it again."""
    import altair  # noqa: F401
    import pandas  # noqa: F401

    gc.collect()
    gc.freeze()


def show_person() -> None:
    """Say in the sidebar as whom one works, and offer to be somebody else."""
    with st.sidebar.container(horizontal=True, vertical_alignment="center", key="who"):
        st.caption(f"You are {person()}", width="stretch")
        if is_signed_in():
            st.button("Sign out", type="tertiary", on_click=st.logout, key="sign_out")
        else:
            st.button("Change", type="tertiary", on_click=forget_name, key="forget_name")
