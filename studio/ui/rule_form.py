"""Where an analyst writes a rule: a form or YAML on the left, what it would do on the right."""

from __future__ import annotations

import streamlit as st

from studio.actions.drafts import keep_draft, kept_draft
from studio.actions.rules import save_rule
from studio.domain.coded_rationale import CodedRationale, RuleBody
from studio.domain.rationale import Rationale
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.evaluation_view import side_by_side
from studio.ui.guard import kindly
from studio.ui.rationale_text import plain
from studio.ui.rule_draft import (
    FORM,
    YAML,
    RuleDraft,
    check_name,
    draft_of,
    drafted_of,
    kept_draft_of,
    new_draft,
)
from studio.ui.rule_fields import rule_condition, rule_head
from studio.ui.rule_preview import show_preview
from studio.workspace import Workspace

_STATE = "rationales_rule_drafts"
_OPEN = "rationales_rule_open"


def held_drafts(ws: Workspace, task: Task, person: str) -> dict[str, RuleDraft]:
    """Return the rules being written in this task, also those left behind in another session."""
    drafts: dict[int, dict[str, RuleDraft]] = st.session_state.setdefault(_STATE, {})
    if task.id not in drafts:
        kept = kept_draft(ws, task.id, "rules", by=person)
        drafts[task.id] = {name: kept_draft_of(values) for name, values in kept.items()}
    return drafts[task.id]


def open_draft(ws: Workspace, task: Task, person: str) -> RuleDraft | None:
    """Return the rule the editor shows, None while the table is shown."""
    return held_drafts(ws, task, person).get(st.session_state.get(_OPEN, "-"))


def open_rule(ws: Workspace, task: Task, person: str, rule: CodedRationale) -> None:
    """Open a saved rule in the editor, as it was left there; a callback."""
    _open(ws, task, person, draft_of(rule.body, rule.rationale_id))


def open_new(ws: Workspace, task: Task, person: str, rationale: Rationale | None = None) -> None:
    """Open an empty rule, or one that begins with what a rationale points at; a callback."""
    label = task.name_of(rationale.label_id) if rationale else None
    words = tuple(e.words for e in rationale.evidence) if rationale else ()
    number = rationale.id if rationale else None
    _open(ws, task, person, new_draft(label or task.label_names[0], number, words))


def open_drafted(ws: Workspace, task: Task, person: str, body: RuleBody, rationale_id: int) -> None:
    """Open a rule the studio drafted, as it was left in the editor; a callback."""
    _open(ws, task, person, drafted_of(body, rationale_id))


def open_again(name: str) -> None:
    """Go on with a rule that was left unsaved; a callback."""
    st.session_state[_OPEN] = name


def close_editor(ws: Workspace, task: Task, person: str) -> None:
    """Show the table again; what was typed stays a draft. A callback."""
    held = held_drafts(ws, task, person)
    for name in [name for name, draft in held.items() if not draft.is_changed]:
        del held[name]
    _keep(ws, task, person)
    st.session_state[_OPEN] = "-"


@st.fragment
def edit_rule(ws: Workspace, task: Task, person: str) -> None:
    """Draw the editor with its preview; only this part is drawn anew while somebody types."""
    draft = open_draft(ws, task, person)
    if draft is None:
        st.rerun()
    task = ws.read.tasks.get(task.id)  # labels given here change what the figures hang on
    if draft.is_read_only:
        st.info("These votes were made elsewhere: import them again to change them.")
        show_preview(ws, task, person, draft.read(), key="rationales_rule")
        return
    left, right = side_by_side("rationales_rule_editor", 370, "stretch")
    with left:
        _edit(ws, task, draft)
        body, problem = None, ""
        try:
            body = draft.read()
            task.label(body.label)
        except InputError as error:
            body, problem = None, str(error)
        if problem:  # what nobody has typed yet is no mistake
            (st.error if draft.is_changed else st.caption)(plain(problem))
        with st.container(horizontal=True):
            if st.button("Save the rule", type="primary", key="rationales_rule_save"):
                with kindly():
                    _save(ws, task, draft, person)
            if st.button("Discard", type="tertiary", key="rationales_rule_discard"):
                _forget(ws, task, person, draft)
    with right:
        if body is None:
            st.caption("What the rule does appears here as soon as it can be read.")
        else:
            show_preview(ws, task, person, body, key="rationales_rule")
    _keep(ws, task, person)


def _edit(ws: Workspace, task: Task, draft: RuleDraft) -> None:
    key = f"rationales_rule_mode_{draft.round}"
    st.segmented_control(
        "Write it in",
        [FORM, YAML],
        default=draft.mode,
        required=True,
        key=key,
        on_change=_switch,
        args=(draft, key),
        label_visibility="collapsed",
        help="Both write the same rule. YAML is a text form that can be copied and shared.",
    )
    if st.session_state.pop("rationales_rule_stuck", False):
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
    head = st.container()  # filled last: the name it suggests comes from the conditions
    for condition in draft.form["conditions"]:
        rule_condition(ws, task, draft, condition)
    with head:
        rule_head(ws, task, draft)
    st.button(
        "Add a condition",
        icon=":material/add:",
        key="rationales_rule_add",
        on_click=draft.add_condition,
    )


def _switch(draft: RuleDraft, key: str) -> None:
    """Go from form to YAML or back; YAML that cannot be read stays where it is. A callback."""
    try:
        draft.switch(st.session_state[key])
    except InputError:
        st.session_state["rationales_rule_stuck"] = True
        st.session_state[key] = draft.mode


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
    _forget(ws, task, person, draft)


def _forget(ws: Workspace, task: Task, person: str, draft: RuleDraft) -> None:
    held_drafts(ws, task, person).pop(draft.name, None)
    close_editor(ws, task, person)
    st.rerun()


def _open(ws: Workspace, task: Task, person: str, draft: RuleDraft) -> None:
    held = held_drafts(ws, task, person)
    if draft.name not in held:
        # New fields for new content: their keys must not be those of the draft before.
        draft.round = st.session_state.get("rationales_rule_rounds", 0) + 1000
        st.session_state["rationales_rule_rounds"] = draft.round
        draft.began = draft.content
        held[draft.name] = draft
    st.session_state[_OPEN] = draft.name


def _keep(ws: Workspace, task: Task, person: str) -> None:
    """Keep what was typed in the workspace, so that a refresh loses nothing."""
    held = held_drafts(ws, task, person)
    changed = {name: draft.to_dict() for name, draft in held.items() if draft.is_changed}
    keep_draft(ws, task.id, "rules", changed, by=person)
