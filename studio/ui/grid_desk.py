"""The Label page as a grid: what is shown, the bar above the rows, the rows."""

from __future__ import annotations

import streamlit as st

from studio.domain.example import Split
from studio.ui.desk_decisions import draw_refused
from studio.ui.grid import GridPage, draw_grid, read_page, turn_page
from studio.ui.grid_bulk import accept_dialog, bulk_dialog
from studio.ui.grid_changes import Deed
from studio.ui.grid_filters import choose_sight, show_keys
from studio.ui.grid_options import Sight
from studio.ui.grid_paste import paste_dialog
from studio.ui.grid_state import GridState, grid_state
from studio.ui.grid_store import settle_crossing, take_changes, turn_back
from studio.ui.guard import kindly
from studio.ui.label_why import why_dialog
from studio.ui.page import Page
from studio.ui.rationale_text import plain

_ANSWERS = {Deed.KEEP: "Keep mine · k", Deed.TAKE: "Take theirs · h", Deed.FLAG: "Flag it"}


def draw_grid_desk(page: Page) -> None:
    """Draw the grid of a task that has examples, and store what is done in it."""
    ws, task, person = page.ws, page.task, page.person
    state = grid_state()
    sight = choose_sight(ws, task)
    st.caption(sight.counts_as)
    with kindly(stop=True):
        view = read_page(ws, task, person, sight, state)
    if view.rows:
        _draw_desk(page, view, sight)
    elif sight.filter.show == "todo":
        st.success("Nothing is left to do here: you have labeled every example of this filter.")
    else:
        st.info("No example fits what is chosen above.")


@st.fragment
def _draw_desk(page: Page, view: GridPage, sight: Sight) -> None:
    ws, state = page.ws, grid_state()
    take_changes(ws, state)
    if state.must_draw(view.revision):
        st.rerun()
    why = _draw_bar(page, view, sight, state)
    _draw_crossing(page, view, state)
    if state.trouble:
        st.error(state.trouble, icon=":material/error:")
        st.button("Try again", key="label_again")
    draw_refused(state.refused)
    draw_grid(ws, view, sight, state)
    if any(row["split"] == Split.TEST for row in view.rows):
        st.caption(
            "Test examples stay blind: no model's label is shown beside them, whatever you choose."
        )
    asked = state.wish(Deed.WHY, Deed.HELP)
    if why or (asked and asked.deed is Deed.WHY):
        named = asked.example_id if asked else None
        why_dialog(page, named or state.looked_at or view.rows[0]["id"])
    elif asked:
        _keys_dialog()


def _draw_bar(page: Page, view: GridPage, sight: Sight, state: GridState) -> bool:
    """Draw how far one is and what can be done; return whether a reason is to be written."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="label_bar"):
        st.markdown(view.tally(state), width="content")
        if state.done:
            st.markdown(f":green[:material/check:] {plain(state.done)}", width="content")
        st.space("stretch")
        for deed in (Deed.UNDO, Deed.REDO):
            if st.button(
                deed.capitalize(), icon=f":material/{deed}:", key=f"label_{deed}", type="tertiary"
            ):
                with kindly():
                    turn_back(page.ws, page.task, page.person, state, deed)
                    st.rerun()
        why = st.button(
            "Why?",
            icon=":material/edit_note:",
            key="label_why_open",
            type="tertiary",
            help="Write a rationale for the example you look at",
        )
        _draw_many(page, view, sight, state)
        _draw_turning(view, state)
    return why


def _draw_many(page: Page, view: GridPage, sight: Sight, state: GridState) -> None:
    """Draw the menu of what is done to many examples at once."""
    ways = {"Label all that fit the filter": bulk_dialog}
    if sight.run_id is not None:
        ways["Accept the model's labels of this filter"] = accept_dialog
    paste = "Paste labels from a spreadsheet"
    chosen = st.menu_button("Many at once", [*ways, paste], key="label_many", type="tertiary")
    if chosen == paste:
        paste_dialog(page, view, sight, state)
    elif chosen:
        ways[chosen](page, sight, state)


def _draw_turning(view: GridPage, state: GridState) -> None:
    """Draw where in the filter one is, with a way to the pages beside."""
    if st.button("Previous", key="label_previous", type="tertiary", disabled=view.first == 1):
        turn_page(state, Deed.PREVIOUS)
    st.markdown(f"{view.first:,}–{view.first + len(view.rows) - 1:,}", width="content")
    if st.button("Next", key="label_next", type="tertiary", disabled=not view.more):
        turn_page(state, Deed.NEXT)


def _draw_crossing(page: Page, view: GridPage, state: GridState) -> None:
    """Draw what another person decided meanwhile of an example just decided, and the choice."""
    if not state.crossed:
        return
    crossed = state.crossed[0]
    text = page.ws.read.examples.get(page.task.id, crossed.example_id).text
    short = text if len(text) <= 40 else f"{text[:39]}…"
    more = f" {len(state.crossed) - 1} more after this." if len(state.crossed) > 1 else ""
    with st.container(gap="xsmall", border=True, key="label_crossed"):
        st.markdown(
            f"**{plain(crossed.person)}** gave **{plain(crossed.label)}** to “{plain(short)}” "
            f"while you looked; you gave **{plain(crossed.own)}**.{more}"
        )
        with st.container(horizontal=True, gap="small"):
            for deed, says in _ANSWERS.items():
                if st.button(says, key=f"label_crossed_{deed}", type="tertiary"):
                    with kindly():
                        settle_crossing(page.ws, page.task, view.mount, state, deed)
                        st.rerun()


@st.dialog("Keys", width="medium")
def _keys_dialog() -> None:
    show_keys()
