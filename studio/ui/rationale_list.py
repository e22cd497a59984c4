"""The reasons of a task by label, each with what became of it once it is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

import streamlit as st

from studio.actions.rationales import retire_rationale
from studio.domain.coded_rationale import CodedRationale
from studio.domain.rationale import Rationale
from studio.domain.task import Task
from studio.ui.colours import label_colours
from studio.ui.figures import count
from studio.ui.rationale_entry import show_entry
from studio.ui.rationale_text import label_chip, plain, shortened
from studio.workspace import Workspace

PAGE_SIZE = 10
_CODED = {"": "Coded or not", "coded": "Coded as rules", "open": "Not coded yet"}


def list_rationales(
    ws: Workspace, task: Task, code: Callable[[Rationale, CodedRationale | None], None]
) -> None:
    """Show the reasons, filtered, ten at a time.

    Args:
        ws: The workspace.
        task: The task.
        code: Opens a rule of the reason in the rule editor, or a new one.
    """
    everything = ws.read.rationales.all(task.id)
    retired = ws.read.rationales.all(task.id, retired=True)
    if not everything and not retired:
        st.info("No rationales yet. Write the first one above: rules and prompts are made of them.")
        return
    rules: dict[int, list[CodedRationale]] = {}
    for rule in ws.read.rules.all(task.id):
        rules.setdefault(rule.rationale_id or 0, []).append(rule)
    shown = _filtered(task, everything, set(rules))
    _undo(ws, task, retired)
    pages = max(1, -(-len(shown) // PAGE_SIZE))
    page = st.pagination(pages, key=f"rationales_page_{pages}") if pages > 1 else 1
    here = shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    for label_id, some in groupby(here, key=lambda r: r.label_id):
        name = task.name_of(label_id) or "?"
        number = sum(r.label_id == label_id for r in shown)
        st.markdown(f"**{label_chip(name, label_colours(task)[name])}** · {number}")
        with st.container(gap="xsmall"):
            for rationale in some:
                _show(ws, task, rationale, rules.get(rationale.id, []), code)
    if not shown:
        st.caption("No rationale matches. Clear the search or choose less narrowly.")
    if retired:
        _show_retired(ws, task, retired)


def _filtered(task: Task, rationales: list[Rationale], coded: set[int]) -> list[Rationale]:
    """Draw what can be chosen, and return what fits it, by label."""
    authors = sorted({r.author for r in rationales}, key=str.casefold)
    with st.container(horizontal=True, vertical_alignment="center"):
        label = _choice("label", ["", *task.label_names], {"": "All labels"})
        author = _choice("author", ["", *authors], {"": "All authors"}) if len(authors) > 1 else ""
        state = _choice("coded", list(_CODED), _CODED)
        search = st.text_input(
            "Search the rationales",
            key="rationales_filter_text",
            type="search",
            live=True,
            placeholder="Search the rationales",
            label_visibility="collapsed",
            width=260,
            persist_state="session",
        )
    wanted = (search or "").casefold()
    order = {one.id: one.position for one in task.labels}
    kept = [
        r
        for r in rationales
        if (not label or task.name_of(r.label_id) == label)
        and (not author or r.author == author)
        and (not state or (r.id in coded) == (state == "coded"))
        and wanted in r.text.casefold()
    ]
    return sorted(kept, key=lambda r: (order.get(r.label_id, 0), r.id))


def _choice(what: str, options: Sequence[str], names: dict[str, str]) -> str:
    return st.selectbox(
        what.capitalize(),
        options,
        format_func=lambda name: names.get(name, name),
        key=f"rationales_filter_{what}",
        label_visibility="collapsed",
        width=170,
        persist_state="session",
    )


def _undo(ws: Workspace, task: Task, retired: list[Rationale]) -> None:
    """Offer to take the last retirement back, right where it happened."""
    last = st.session_state.get("rationales_retired")
    for rationale in retired:
        if rationale.id == last:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(f"Retired: “{plain(shortened(rationale.text))}”", width="content")
                st.button(
                    "Undo",
                    icon=":material/undo:",
                    type="tertiary",
                    key="rationales_undo",
                    on_click=retire_rationale,
                    args=(ws, task.id, rationale.id),
                    kwargs={"back": True},
                )


def _show(
    ws: Workspace,
    task: Task,
    rationale: Rationale,
    rules: list[CodedRationale],
    code: Callable[[Rationale, CodedRationale | None], None],
) -> None:
    """Draw one reason as a line, and what became of it below once it is opened."""
    coded = count(len(rules), "rule") if rules else "not coded yet"
    title = f"{plain(shortened(rationale.text, 110))} :gray[· {plain(rationale.author)} · {coded}]"
    entry = st.expander(title, key=f"rationales_entry_{rationale.id}", on_change="rerun")
    if entry.open:
        with entry:
            show_entry(ws, task, rationale, rules, code)


def _show_retired(ws: Workspace, task: Task, retired: list[Rationale]) -> None:
    with st.expander(f"Retired ({len(retired)})", type="compact"):
        for rationale in retired:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(rationale.text, width="stretch")
                st.button(
                    "Bring back",
                    key=f"rationales_back_{rationale.id}",
                    on_click=retire_rationale,
                    args=(ws, task.id, rationale.id),
                    kwargs={"back": True},
                )
