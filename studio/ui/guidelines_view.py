"""Guideline notes on screen: a popover beside the work, and the list where they are kept."""

from __future__ import annotations

import streamlit as st

from studio.actions.guidelines import (
    add_guideline,
    guideline_to_definition,
    retire_guideline,
)
from studio.domain.guideline import MOST_LETTERS, Guideline
from studio.domain.task import Task
from studio.ui.empty import empty_state
from studio.ui.guard import kindly
from studio.ui.rationale_text import plain
from studio.workspace import Workspace


def guidelines_popover(ws: Workspace, task: Task) -> None:
    """Draw a button that shows the notes in use; nothing where there are none."""
    notes = ws.read.guidelines.all(task.id)
    if not notes:
        return
    with st.popover(
        f"Guidelines {len(notes)}", icon=":material/menu_book:", type="tertiary",
        help="What people agreed on about doubtful cases", key="guidelines_open",
    ):  # fmt: skip
        for note in reversed(notes):
            st.markdown(_words(note, task))


def draw_guidelines(ws: Workspace, task: Task, person: str) -> None:
    """Draw all notes with what can be done with them, and the form for a new one."""
    notes = ws.read.guidelines.all(task.id)
    if st.button("Write a note", key="guideline_new", icon=":material/edit_note:", type="primary"):
        guideline_dialog(ws, task, person)
    if not notes:
        empty_state(
            "There is no guideline note yet.",
            "When people differ on a case and one of them settles it, write down what follows for "
            "the next such case: everybody sees it beside the labels, and it can become part of a "
            "definition that prompts read. Press W under Adjudicate, or write one here.",
        )
    for note in reversed(notes):
        _draw(ws, task, note)
    if retired := ws.read.guidelines.all(task.id, retired=True):
        with st.expander(f"Out of use: {len(retired)}"):
            for note in reversed(retired):
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.markdown(_words(note, task), width="stretch")
                    if st.button("Bring back", key=f"guideline_back_{note.id}", type="tertiary"):
                        retire_guideline(ws, task.id, note.id, back=True)
                        st.rerun()


@st.dialog("Guideline note", width="medium")
def guideline_dialog(
    ws: Workspace,
    task: Task,
    person: str,
    *,
    example_id: int | None = None,
    text: str = "",
    label: str | None = None,
    other: str | None = None,
) -> None:
    """Ask for a note, about an example and its labels where there is one."""
    if example_id is not None:
        with st.container(border=True, height=160 if len(text) > 400 else "content"):
            st.text(text)
    names = list(task.label_names)
    with st.form("guideline_form", border=False):
        said = st.text_area(
            "What holds from now on", max_chars=MOST_LETTERS,
            placeholder="Say it so that the next such case is clear, without naming anybody.",
        )  # fmt: skip
        left, right = st.columns(2)
        first = left.selectbox(
            "It speaks for", names, index=names.index(label) if label in names else None,
            placeholder="Any label",
        )  # fmt: skip
        second = right.selectbox(
            "and not for", names, index=names.index(other) if other in names else None,
            placeholder="No other one",
        )  # fmt: skip
        if st.form_submit_button("Save the note", type="primary"):
            with kindly():
                add_guideline(
                    ws, task.id, text=said, label=first or "", other=second or "",
                    example_id=example_id, by=person,
                )  # fmt: skip
                st.toast("The note is saved. It stands under Guidelines.")
                st.rerun()


def _draw(ws: Workspace, task: Task, note: Guideline) -> None:
    label = next((one for one in task.labels if one.id == note.label_id), None)
    is_defined = label is not None and note.text.casefold() in label.definition.casefold()
    with (
        st.container(border=True, key=f"guideline_{note.id}"),
        st.container(horizontal=True, vertical_alignment="center"),
    ):
        with st.container(width="stretch", gap=None):
            st.markdown(_words(note, task))
            st.caption(f"{plain(note.author)}, {note.at[:10]}")
        if is_defined:
            st.badge("In the definition", icon=":material/check:")
        elif label is not None and st.button(
            "Add to the definition", key=f"guideline_define_{note.id}", icon=":material/add:",
            help=f"Adds it to what {plain(label.name)} means; prompts made from now on say it.",
        ):  # fmt: skip
            with kindly():
                guideline_to_definition(ws, task.id, note.id)
                st.rerun()
        if st.button(
            "Retire", key=f"guideline_retire_{note.id}", type="tertiary",
            help="It is kept and can be brought back",
        ):  # fmt: skip
            retire_guideline(ws, task.id, note.id)
            st.rerun()


def _words(note: Guideline, task: Task) -> str:
    about = note.about(task)
    return f"**{plain(about)}**  \n{plain(note.text)}" if about else plain(note.text)
