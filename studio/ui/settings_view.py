"""Parts of the settings page."""

from __future__ import annotations

import streamlit as st

from studio.actions.health import examine
from studio.bootstrap import is_worker_alive
from studio.config import SETTINGS
from studio.ui.figures import duration
from studio.ui.guard import kindly
from studio.ui.notes import note
from studio.ui.page import escape
from studio.ui.session import forget_name, is_signed_in
from studio.workspace import Workspace


def draw_person(person: str) -> None:
    """Draw who is at work here."""
    st.subheader("You", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"You work as **{escape(person)}**.", width="content")
        if not is_signed_in():
            st.button("Change the name", on_click=forget_name, key="settings_forget")
    st.caption("Labels, rationales and prompts are kept under this name; changing it moves none.")


def draw_worker(ws: Workspace) -> None:
    """Draw whether the worker lives, and start it."""
    st.subheader("Worker", anchor=False, help=note("worker"))
    latest = next(iter(ws.read.jobs.workers()), None)
    if latest is not None and is_worker_alive(ws):
        since = duration(max(0.0, ws.clock() - latest.started_at))
        st.markdown(f":green[At work] for {since}, process {latest.pid} on {escape(latest.host)}.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(":orange[Not running]: runs and fine-tunes wait.", width="content")
        if ws.settings.worker == "external":
            st.markdown("Start it in a terminal: `studio worker`.", width="content")
        elif st.button("Start the worker", key="settings_wake"):
            with kindly():
                ws.wake()
                st.toast("It is starting; this takes a few seconds.")


def draw_engine(ws: Workspace) -> None:
    """Draw what the embedded server answers with."""
    st.subheader("Embedded models", anchor=False)
    about = ws.engine()
    if "error" in about:
        st.markdown(f":orange[Not running]: {escape(str(about['error']))}")
        return
    st.markdown(f":green[At work] with **{escape(str(about.get('engine', 'unknown')))}**.")
    if about.get("fallback"):
        st.warning(f"This is a fallback: {about['fallback']}")
    st.caption("It labels and trains on this machine; nothing leaves it and nothing is charged.")


def draw_storage(ws: Workspace) -> None:
    """Draw where the workspace is, and check it."""
    st.subheader("Storage", anchor=False)
    st.text(str(ws.path))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Back it up with `studio backup FILE`.", width="content")
        if not st.button("Check the file", key="settings_examine"):
            return
    with kindly():
        st.dataframe(
            [
                {
                    "Check": f.check,
                    "Result": {True: "fine", False: "wrong", None: "note"}[f.ok],
                    "Says": f.says,
                    "What to do": f.next,
                }
                for f in examine(ws)
            ],
            hide_index=True,
            key="settings_findings",
            alt="Findings about the workspace file",
        )


def draw_settings(ws: Workspace) -> None:
    """Draw the settings in force and the variables that change them."""
    st.subheader("Settings in force", anchor=False)
    st.caption("Change one by setting its variable before the app starts.")
    st.dataframe(
        [
            {
                "Setting": setting.name,
                "Value": str(getattr(ws.settings, setting.name)),
                "Variable": setting.env,
                "What it is": setting.help,
            }
            for setting in SETTINGS
        ],
        hide_index=True,
        key="settings_table",
        alt="Settings in force",
        column_config={"What it is": st.column_config.TextColumn(width="large")},
    )
