"""The dialog in which a person writes why an example has its label."""

from __future__ import annotations

import streamlit as st

from studio.actions.rationales import record_rationale
from studio.domain.example import Split
from studio.ui.guard import kindly
from studio.ui.page import Page


@st.dialog("Why?", width="medium")
def why_dialog(page: Page, example_id: int) -> None:
    """Ask for the reason of a label and store it as a rationale.

    Args:
        page: The page it opens on.
        example_id: The example in question; of a test example only the reason is kept.
    """
    ws, task, person = page.ws, page.task, page.person
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
        label = st.selectbox("It speaks for", names, index=names.index(given) if given else None)
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
