"""Label: decide case by case, one key a row, with or without a model's label in sight."""

from __future__ import annotations

import streamlit as st

from studio.actions.rationales import record_rationale
from studio.domain.example import Split
from studio.ui.empty import empty_state
from studio.ui.grid import (
    GridPage,
    draw_grid,
    grid_state,
    read_page,
    take_changes,
    turn_page,
    undo_last,
)
from studio.ui.grid_changes import Deed
from studio.ui.grid_filters import choose_sight, show_keys
from studio.ui.grid_options import Sight
from studio.ui.guard import kindly
from studio.ui.page import open_page
from studio.ui.rationale_text import plain

page = open_page("Label", "Decide case by case. One key gives the label and moves on to the next.")
ws, task, person = page.ws, page.task, page.person
state = grid_state()


@st.dialog("Keys", width="medium")
def keys_dialog() -> None:
    show_keys()


@st.dialog("Why?", width="medium")
def why_dialog(example_id: int) -> None:
    example = ws.read.examples.get(task.id, example_id)
    blind = example.split is Split.TEST
    decided = [
        c.label_id
        for c in ws.read.labels.history(task.id, example_id=example_id)
        if c.person == person
    ]
    with st.container(border=True, height=180 if len(example.text) > 500 else "content"):
        st.text(example.text)
    if blind:
        st.info("A test example stays out of prompts: the rationale is kept without it.")
    with st.form("label_why", border=False):
        names = list(task.label_names)
        given = task.name_of(decided[-1]) if decided else None
        label = st.selectbox(
            "It speaks for", names, index=names.index(given) if given else None, format_func=plain
        )
        text = st.text_area("Because", placeholder="Say it as you would to a new colleague.")
        words = "" if blind else st.text_input("Its words, copied; commas between several")
        if st.form_submit_button("Save the rationale", type="primary"):
            with kindly():
                record_rationale(
                    ws,
                    task.id,
                    label=label or names[0],
                    text=text if label else "",
                    example_id=None if blind else example_id,
                    evidence=words.split(","),
                    by=person,
                )
                st.toast("The rationale is saved. It stands on the Rationales page.")
                st.rerun()


def draw_bar(view: GridPage) -> bool:
    """Draw how far one is and what can be done; return whether a reason is to be written."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="label_bar"):
        st.markdown(view.tally(state), width="content")
        if state.saved:
            st.markdown(f":green[:material/check:] {state.saved:,} saved", width="content")
        st.space("stretch")
        if st.button(
            "Undo",
            icon=":material/undo:",
            key="label_undo",
            type="tertiary",
            help="Your last decision",
        ):
            with kindly():
                undo_last(ws, task, person, state)
                st.rerun()
        why = st.button(
            "Why?",
            icon=":material/edit_note:",
            key="label_why_open",
            type="tertiary",
            help="Write a rationale for the example you look at",
        )
        for deed, possible in ((Deed.PREVIOUS, view.first > 1), (Deed.NEXT, view.more)):
            if deed is Deed.NEXT:
                last = view.first + len(view.rows) - 1
                st.markdown(f"{view.first:,}–{last:,}", width="content")
            name = deed.capitalize()
            if st.button(name, key=f"label_{deed}", type="tertiary", disabled=not possible):
                turn_page(state, deed)
    return why


@st.fragment
def desk(view: GridPage, sight: Sight) -> None:
    take_changes(ws, state)
    if state.must_draw(view):
        st.rerun()
    why = draw_bar(view)
    if state.trouble:
        st.error(state.trouble, icon=":material/error:")
        st.button("Try again", key="label_again")
    draw_grid(ws, task, view, sight, state)
    if any(row["split"] == Split.TEST for row in view.rows):
        st.caption(
            "Test examples stay blind: no model's label is shown beside them, whatever you choose."
        )
    asked = state.wish(Deed.WHY, Deed.HELP)
    if why or (asked and asked.deed is Deed.WHY):
        why_dialog(
            asked.example_id
            if asked and asked.example_id
            else state.looked_at or view.rows[0]["id"]
        )
    elif asked:
        keys_dialog()


take_changes(ws, state)
if not sum(ws.read.examples.counts(task.id).values()):
    empty_state(
        "There are no examples yet.",
        "Import the texts you want to label: a CSV, JSON lines or pasted lines.",
        page="data",
        button="Go to Data",
    )
    st.stop()
sight = choose_sight(ws, task)
st.caption(sight.counts_as)
with kindly(stop=True):
    view = read_page(ws, task, person, sight, state)
if view.rows:
    desk(view, sight)
elif sight.filter.show == "todo":
    st.success("Nothing is left to do here: you have labeled every example of this filter.")
else:
    st.info("No example fits what is chosen above.")
