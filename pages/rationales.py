"""Rationales: the expert's reasons in words, and the rules that code them."""

from __future__ import annotations

import functools

import streamlit as st

from studio.domain.coded_rationale import CodedRationale
from studio.domain.rationale import Rationale
from studio.ui.held import hold
from studio.ui.page import Page, open_page
from studio.ui.rationale_list import list_rationales
from studio.ui.rationale_place import being_drafted, open_rules
from studio.ui.rationale_writer import write_rationale
from studio.ui.rule_desk import show_rules
from studio.ui.rule_drafts import show_drafts
from studio.ui.rule_form import open_new, open_rule


def main() -> None:
    page = open_page(
        "Rationales",
        "Say why a label fits, then turn rationales into rules and watch what they do.",
    )
    hold("rationales_tab")
    reasons, rules = st.tabs(["Rationales", "Rules"], key="rationales_tab", on_change="rerun")
    if reasons.open:
        with reasons:
            show_reasons(page)
    if rules.open:
        with rules:
            show_rules(page)


def show_reasons(page: Page) -> None:
    drafting = being_drafted(page.ws, page.task)
    if drafting is not None:
        show_drafts(page.ws, page.task, page.person, drafting)
        return
    write_rationale(page.ws, page.task, page.person)
    st.divider()
    list_rationales(page.ws, page.task, functools.partial(code, page))


def code(page: Page, rationale: Rationale, rule: CodedRationale | None) -> None:
    """Open a rule of a rationale, or begin one; a callback."""
    open_rules()
    if rule is not None:
        open_rule(page.ws, page.task, page.person, rule)
    else:
        open_new(page.ws, page.task, page.person, rationale)


main()
