"""The tab of rules: the list, then what to do with it; or the rule being written."""

from __future__ import annotations

import streamlit as st

from studio.domain.coded_rationale import CodedRationale
from studio.domain.task import Task
from studio.ui.joining_view import show_joining
from studio.ui.page import Page
from studio.ui.rationale_text import plain
from studio.ui.rule_draft import RuleDraft
from studio.ui.rule_form import (
    close_editor,
    edit_rule,
    held_drafts,
    open_again,
    open_draft,
    open_new,
)
from studio.ui.rule_report_view import show_findings, show_gaps
from studio.ui.rule_run import last_rules_run, show_joined, start_rules
from studio.ui.rule_table import fallback_choice, rule_files, rule_table
from studio.workspace import Workspace

LIST, JOIN, MODEL, LOOK, GAPS = (
    "The rules", "How votes are joined", "With a model", "What to look at", "What no rule covers",
)  # fmt: skip


def show_rules(page: Page) -> None:
    """Draw the tab."""
    ws, task, person = page.ws, page.task, page.person
    if said := st.session_state.pop("rationales_rule_said", None):
        st.success(plain(said))
    draft = open_draft(ws, task, person)
    if draft is not None:
        _show_editor(ws, task, person, draft)
        return
    rules = ws.read.rules.all(task.id)
    some = any(rule.enabled for rule in rules)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "New rule",
            icon=":material/add:",
            type="primary",
            key="rationales_new_rule",
            on_click=open_new,
            args=(ws, task, person),
        )
        start_rules(ws, task, person, disabled=not some)
        fallback_choice(ws, task)
        rule_files(ws, task, rules, person)
    _show_unsaved(ws, task, person)
    if not rules:
        st.info(
            "No rules yet. A rule says a rationale so that a computer can check it: “not keto if "
            "it has one of the words rice, risotto”. Start one here, or press “Make rules of "
            "it” beside a rationale. You see at once how often it is right."
        )
        return
    _show_view(ws, task, person, rules)


def _show_view(ws: Workspace, task: Task, person: str, rules: list[CodedRationale]) -> None:
    """Draw the list, or what else was chosen; what is not shown costs nothing."""
    views = [LIST, JOIN, MODEL, LOOK, GAPS] if any(rule.enabled for rule in rules) else [LIST]
    view = st.segmented_control(
        "Show", views, default=LIST, required=True, key="rationales_rules_view",
        label_visibility="collapsed",
    )  # fmt: skip
    if view == JOIN:
        show_joining(ws, task)
    elif view == MODEL:
        show_joined(ws, task, person)
    elif view == LOOK:
        show_findings(ws, task, person)
    elif view == GAPS:
        show_gaps(ws, task, person)
    else:
        last_rules_run(ws, task)
        rule_table(ws, task, rules, person)


def _show_editor(ws: Workspace, task: Task, person: str, draft: RuleDraft) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "All rules",
            icon=":material/arrow_back:",
            type="tertiary",
            key="rationales_all_rules",
            on_click=close_editor,
            args=(ws, task, person),
            help="What you typed stays as a draft.",
        )
        what = f"Rule {plain(draft.original)}" if draft.original else "New rule"
        st.markdown(f"**{what}**", width="content")
    for rationale in ws.read.rationales.all(task.id):  # the reason stays in sight
        if rationale.id == draft.rationale_id:
            st.caption(f"It codes: “{plain(rationale.text)}” ({plain(rationale.author)})")
    edit_rule(ws, task, person)


def _show_unsaved(ws: Workspace, task: Task, person: str) -> None:
    """Offer the rules that were begun and not saved."""
    held = held_drafts(ws, task, person)
    if not held:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Not saved yet:", width="content")
        for name in held:
            st.button(
                plain(name or "new rule"),
                icon=":material/edit_note:",
                type="tertiary",
                key=f"rationales_go_on_{name}",
                on_click=open_again,
                args=(name,),
            )
