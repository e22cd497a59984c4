"""Saves a draft as the next version, and shows what it says otherwise than the one before."""

from __future__ import annotations

import streamlit as st

from studio.actions.prompts import save_prompt
from studio.analysis.word_diff import diff_bodies
from studio.domain.prompt import PromptText, PromptVersion
from studio.domain.task import Task
from studio.ui.guard import kindly
from studio.ui.prompt_draft import PromptDrafts, discard, keep_drafts, turn_to
from studio.ui.rationale_text import marked_change, plain
from studio.workspace import Workspace


def save(
    ws: Workspace,
    task: Task,
    versions: list[PromptVersion],
    drafts: PromptDrafts,
    body: PromptText,
    person: str,
) -> None:
    """Draw name, note and the button that saves the next version."""
    base = drafts.base
    now = next((v.name for v in versions if v.id == base), "")
    drafts.names[base] = st.text_input(
        "Name", value=drafts.names.get(base, now), key=f"prompts_name_{base}_{drafts.round}",
        placeholder="first", help="Versions of one name are numbered: better v1, better v2.",
    )  # fmt: skip
    drafts.notes[base] = st.text_input(
        "What did you change, and why?",
        value=drafts.notes.get(base, ""),
        key=f"prompts_note_{base}_{drafts.round}",
        placeholder="Named the foods the model confused",
    )
    if st.button("Save as a new version", type="primary", key="prompts_save"):
        with kindly():
            version = save_prompt(
                ws, task.id, name=drafts.names[base], body=body,
                note=drafts.notes[base], by=person,
            )  # fmt: skip
            discard(drafts)
            turn_to(drafts, version.id)
            keep_drafts(ws, task, drafts, person)
            st.session_state["prompts_said"] = f"Saved as {version.title}."
            st.rerun()


def show_diff(task: Task, before: PromptVersion | None, body: PromptText) -> None:
    """Show what the draft says otherwise than the version before."""
    if before is None:
        st.caption("There is no earlier version to compare with.")
        return
    st.caption(f"Against {plain(before.title)}: green is new, red was there before.")
    changes = diff_bodies(before.body, body, task.label_names)
    for change in changes:
        st.markdown(f"**{plain(change.part)}**  \n{marked_change(change.pieces)}")
    if not changes:
        st.caption("Nothing changed.")
