"""What app.py draws around every page."""

from __future__ import annotations

import functools
import gc
import threading
from pathlib import Path

import streamlit as st

from studio.store.connection import tell_of_space
from studio.ui.session import forget_name, is_signed_in, person
from studio.workspace import Workspace

SIDEBAR_PX = 210
"""Width of the sidebar: as little as its words need, so that a tablet has room for tables."""
LITTLE_BYTES = 50_000_000
LOOK = Path(__file__).with_name("look.css")
ICON = str(Path(__file__).with_name("icon.png"))


@functools.cache
def begin_imports() -> threading.Thread:
    """Begin to import what every page needs, once a process."""
    thread = threading.Thread(target=_import, name="imports", daemon=True)
    thread.start()
    return thread


def warm_up() -> None:
    """Wait for the imports: libraries trip over modules that are only half there."""
    begin_imports().join()


def _import() -> None:
    """Import what is slow, and spare the collector from looking at it again."""
    import pandas  # noqa: F401, I001 (altair looks whether it is there)
    import altair  # noqa: F401

    gc.collect()
    gc.freeze()


def warn_of_disk(ws: Workspace) -> None:
    """Say above every page that hardly any space is left, before something cannot be stored."""
    if said := tell_of_space(ws.path, LITTLE_BYTES):
        st.warning(
            f"{said} Jobs wait, and soon labels cannot be stored.", icon=":material/hard_drive:"
        )


def show_person() -> None:
    """Say in the sidebar as whom one works, and offer to be somebody else."""
    with st.sidebar.container(horizontal=True, vertical_alignment="center", key="who"):
        st.caption(f"You are {person()}", width="stretch")
        if is_signed_in():
            st.button("Sign out", type="tertiary", on_click=st.logout, key="sign_out")
        else:
            st.button("Change", type="tertiary", on_click=forget_name, key="forget_name")
