"""Where an analyst writes a rule: a form or YAML on the left, what it would do on the right."""

from __future__ import annotations

import streamlit as st

from studio.actions.drafts import keep_draft, kept_draft
from studio.actions.rules import save_rule
from studio.domain.coded_rationale import CodedRationale
from studio.domain.rationale import Rationale
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.guard import kindly
from studio.ui.rationale_text import plain
from studio.ui.rule_draft import (
    FORM,
    YAML,
    RuleDraft,
    check_name,
    draft_of,
    new_draft,
)
from studio.ui.rule_fields import rule_condition, rule_head
from studio.ui.rule_preview import show_preview
from studio.workspace import Workspace

_STATE = "rationales_rule_drafts"
_OPEN = "rationales_rule_open"


def current_draft(ws: Workspace, task: Task, person: str) -> RuleDraft | None:
    """Return the rule being written in this task, also one left behind in another session."""
    drafts: dict[int, RuleDraft | None] = st.session_state.setdefault(_STATE, {})
    if task.id not in drafts:
        kept = kept_draft(ws, task.id, "rule", by=person)
        drafts[task.id] = RuleDraft(**kept) if kept else None
    return drafts[task.id]


def is_open() -> bool:
    """Whether the editor is what the rules tab shows."""
    return bool(st.session_state.get(_OPEN))


def open_rule(task: Task, rule: CodedRationale) -> None:
    """Open a saved rule in the editor; a callback."""
    held: RuleDraft | None = st.session_state.setdefault(_STATE, {}).get(task.id)
    if held is None or held.original != rule.body.name:
        _put(task, draft_of(rule.body, rule.rationale_id))
    st.session_state[_OPEN] = True


def open_new(task: Task, rationale: Rationale | None = None) -> None:
    """Open an empty rule, or one that begins with what a rationale points at; a callback."""
    label = task.name_of(rationale.label_id) if rationale else None
    words = tuple(e.words for e in rationale.evidence) if rationale else ()
    _put(task, new_draft(label or task.label_names[0], rationale.id if rationale else None, words))
    st.session_state[_OPEN] = True


def open_again() -> None:
    """Go on with the rule that was left open; a callback."""
    st.session_state[_OPEN] = True


def close_editor() -> None:
    """Show the table again; what was typed stays a draft. A callback."""
    st.session_state[_OPEN] = False


@st.fragment
def edit_rule(ws: Workspace, task: Task, person: str) -> None:
    """Draw the editor with its preview; only this part is drawn anew while somebody types."""
    draft = current_draft(ws, task, person)
    assert draft is not None
    left, right = st.columns([6, 5], gap="medium")
    with left:
        _edit(ws, task, draft)
        body, problem = None, ""
        try:
            body = draft.read()
            task.label(body.label)
        except InputError as error:
            body, problem = None, str(error)
        if problem:
            st.error(plain(problem))
        with st.container(horizontal=True):
            if st.button("Save the rule", type="primary", key="rationales_rule_save"):
                with kindly():
                    _save(ws, task, draft, person)
            st.button("Close and keep as draft", key="rationales_rule_close", on_click=close_editor)
            if st.button("Discard", type="tertiary", key="rationales_rule_discard"):
                _forget(ws, task, person)
    with right:
        if body is None:
            st.caption("What the rule does appears here as soon as it can be read.")
        else:
            show_preview(ws, task, body)
    keep_draft(ws, task.id, "rule", draft.to_dict(), by=person)


def _edit(ws: Workspace, task: Task, draft: RuleDraft) -> None:
    mode = st.segmented_control(
        "Write it in",
        [FORM, YAML],
        default=draft.mode,
        required=True,
        key=f"rationales_rule_mode_{draft.round}",
        label_visibility="collapsed",
        help="Both write the same rule. YAML is a text form that can be copied and shared.",
    )
    if mode != draft.mode:
        try:
            draft.switch(str(mode))
            st.rerun(scope="fragment")
        except InputError:
            st.warning("The form can show the rule once its YAML can be read. Mend it first.")
    if draft.mode == YAML:
        draft.text = st.text_area(
            "The rule as YAML",
            value=draft.text,
            height=320,
            key=f"rationales_rule_yaml_{draft.round}",
            help="Press Ctrl+Enter to see what it does.",
        )
        return
    rule_head(ws, task, draft)
    for condition in draft.form["conditions"]:
        rule_condition(ws, task, draft, condition)
    if st.button("Add a condition", icon=":material/add:", key="rationales_rule_add"):
        draft.add_condition()
        st.rerun(scope="fragment")


def _save(ws: Workspace, task: Task, draft: RuleDraft, person: str) -> None:
    body = draft.read()
    check_name(draft, body, {rule.body.name for rule in ws.read.rules.all(task.id)})
    rule = save_rule(ws, task.id, body, rationale_id=draft.rationale_id, by=person)
    other = draft.original and draft.original != rule.body.name
    st.session_state["rationales_rule_said"] = (
        f"Saved {rule.body.name} as a new rule; {draft.original} stays as it was."
        if other
        else f"Saved {rule.body.name}, version {rule.version}."
    )
    _forget(ws, task, person)


def _forget(ws: Workspace, task: Task, person: str) -> None:
    _put(task, None)
    keep_draft(ws, task.id, "rule", {}, by=person)
    close_editor()
    st.rerun()


def _put(task: Task, draft: RuleDraft | None) -> None:
    if draft is not None:
        # New fields for new content: their keys must not be those of the draft before.
        draft.round = st.session_state.get("rationales_rule_rounds", 0) + 1000
        st.session_state["rationales_rule_rounds"] = draft.round
    st.session_state.setdefault(_STATE, {})[task.id] = draft
