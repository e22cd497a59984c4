"""What the app shows when the workspace is damaged: what is wrong, and the two ways on."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from studio.actions.workspaces import Found, find_backups, restore_backup, set_aside
from studio.config import Settings, load_settings
from studio.errors import DamagedError
from studio.ui.guard import kindly
from studio.ui.page import escape

_ASKED = "rescue_asked"


def draw_rescue(error: DamagedError) -> None:
    """Draw the page that stands in for all others while the workspace cannot be read."""
    settings = load_settings()
    st.title("The workspace is damaged", anchor=False)
    st.error(error.message, icon=":material/error:")
    st.write("Nothing more is written to it. Put a backup in its place, or begin with a new one.")
    st.caption("In a terminal: `studio doctor` says the same, `studio restore FILE` restores.")
    st.subheader("Backups beside it", anchor=False)
    with st.spinner("Reading them to their end …"):
        found = _backups(settings, _listing(settings.workspace.parent))
    if not found:
        st.write("None was found. If you keep them elsewhere, restore one in a terminal.")
    for backup in found:
        _draw_backup(settings, backup)
    st.subheader("Without a backup", anchor=False)
    if _asked(
        "Set the file aside and start anew", "anew", "The app begins with an empty workspace."
    ):
        with kindly():
            set_aside(settings)
            st.rerun()


def _draw_backup(settings: Settings, backup: Found) -> None:
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(backup.at))
    state = f":orange[{escape(backup.problem)}]" if backup.problem else ":green[whole]"
    with st.container(border=True):
        st.markdown(
            f"**{escape(backup.file.name)}**, {made}, {backup.bytes / 1e6:,.1f} MB, {state}"
        )
        loses = f"What was done after {made} is missing in it."
        if not backup.problem and _asked("Restore this backup", backup.file.name, loses):
            with kindly():
                restore_backup(settings, backup.file)
                st.rerun()


def _asked(label: str, key: str, loses: str) -> bool:
    """Draw a button that asks once more; return whether the answer was yes."""
    if st.button(label, key=f"rescue_{key}"):
        st.session_state[_ASKED] = key
    if st.session_state.get(_ASKED) != key:
        return False
    st.write(f"{loses} The damaged file is kept beside it under another name.")
    return st.button("Yes, do it", type="primary", key=f"rescue_yes_{key}")


def _listing(folder: Path) -> tuple[tuple[str, float], ...]:
    return tuple(sorted((f.name, f.stat().st_mtime) for f in folder.iterdir() if f.is_file()))


@st.cache_data(max_entries=4, ttl=600, show_spinner=False)
def _backups(_settings: Settings, listing: tuple[tuple[str, float], ...]) -> list[Found]:
    """Look at the backups again only when something beside the workspace changed."""
    return find_backups(_settings)
