"""Rationales: the expert's reasons in words, and the rules that code them."""

from __future__ import annotations

import functools

import streamlit as st

from studio.domain.rationale import Rationale
from studio.ui.page import Page, open_page
from studio.ui.rationale_list import list_rationales
from studio.ui.rationale_text import plain
from studio.ui.rationale_writer import write_rationale
from studio.ui.rule_form import (
    close_editor,
    edit_rule,
    held_drafts,
    open_again,
    open_draft,
    open_new,
    open_rule,
)
from studio.ui.rule_run import last_rules_run, start_rules
from studio.ui.rule_table import fallback_choice, rule_files, rule_table


def main() -> None:
    page = open_page(
        "Rationales",
        "Say why a label fits, then turn rationales into rules and watch what they do.",
    )
    reasons, rules = st.tabs(["Rationales", "Rules"], key="rationales_tab", on_change="rerun")
    if reasons.open:
        with reasons:
            show_reasons(page)
    if rules.open:
        with rules:
            show_rules(page)


def show_reasons(page: Page) -> None:
    write_rationale(page.ws, page.task, page.person)
    st.divider()
    list_rationales(page.ws, page.task, functools.partial(code, page))


def show_rules(page: Page) -> None:
    ws, task, person = page.ws, page.task, page.person
    if said := st.session_state.pop("rationales_rule_said", None):
        st.success(plain(said))
    draft = open_draft(ws, task, person)
    if draft is not None:
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
        show_reason(page, draft.rationale_id)
        edit_rule(ws, task, person)
        return
    rules = ws.read.rules.all(task.id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "New rule",
            icon=":material/add:",
            type="primary",
            key="rationales_new_rule",
            on_click=open_new,
            args=(ws, task, person),
        )
        start_rules(ws, task, person, disabled=not any(r.enabled for r in rules))
        fallback_choice(ws, task)
        rule_files(ws, task, rules, person)
    show_unsaved(page)
    last_rules_run(ws, task)
    if rules:
        rule_table(ws, task, rules, person)
    else:
        st.info(
            "No rules yet. A rule says a rationale so that a computer can check it: “not keto if "
            "it has one of the words rice, risotto”. Start one here, or press “Code it” beside a "
            "rationale. You see at once how often it is right."
        )


def show_unsaved(page: Page) -> None:
    """Offer the rules that were begun and not saved."""
    held = held_drafts(page.ws, page.task, page.person)
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


def show_reason(page: Page, rationale_id: int | None) -> None:
    """Keep the reason in sight while it is being coded."""
    for rationale in page.ws.read.rationales.all(page.task.id):
        if rationale.id == rationale_id:
            st.caption(f"It codes: “{plain(rationale.text)}” ({plain(rationale.author)})")


def code(page: Page, rationale: Rationale) -> None:
    """Open the rule of a rationale, or begin one; a callback."""
    st.session_state["rationales_tab"] = "Rules"
    for rule in page.ws.read.rules.all(page.task.id):
        if rule.rationale_id == rationale.id:
            open_rule(page.ws, page.task, page.person, rule)
            return
    open_new(page.ws, page.task, page.person, rationale)


main()
