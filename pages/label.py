"""Label: decide case by case, one key a row, with or without a model's label in sight."""

from __future__ import annotations

import streamlit as st

from studio.ui.address import is_news, tell
from studio.ui.empty import empty_state
from studio.ui.grid_desk import draw_grid_desk
from studio.ui.grid_state import grid_state
from studio.ui.grid_store import take_changes
from studio.ui.held import hold
from studio.ui.page import open_page

VIEWS = {"grid": "Grid", "queue": "One by one"}


def choose_view() -> str:
    """Draw the switch; an address with `?view=` turns it, and the address follows it."""
    named = st.query_params.get("view", "")
    if named in VIEWS and is_news("label_view_told", named):
        st.session_state["label_view"] = named
    st.session_state.setdefault("label_view", "grid")
    hold("label_view")
    picked = st.segmented_control(
        "How to label",
        list(VIEWS),
        format_func=VIEWS.__getitem__,
        required=True,
        key="label_view",
        label_visibility="collapsed",
        persist_state="session",
    )
    chosen = picked or "grid"
    if tell("label_view_told", named, chosen):
        st.query_params["view"] = chosen
    return chosen


page = open_page("Label", "Decide case by case. One key gives the label and moves on to the next.")
take_changes(page.ws, grid_state())
if not sum(page.ws.read.examples.counts(page.task.id).values()):
    empty_state(
        "There are no examples yet.",
        "Import the texts you want to label: a CSV, JSON lines or pasted lines.",
        page="data",
        button="Go to Data",
    )
    st.stop()
view = choose_view()
if view == "queue":
    from studio.ui.queue_desk import draw_queue

    draw_queue(page)
else:
    draw_grid_desk(page)
