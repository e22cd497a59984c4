"""The reasons of a task by label, with the rules that code them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from studio.actions.rationales import retire_rationale
from studio.domain.rationale import Rationale
from studio.domain.task import Task
from studio.ui.colours import label_colours
from studio.ui.rationale_text import label_chip, marked, plain, shortened
from studio.workspace import Workspace

PAGE_SIZE = 10


def list_rationales(ws: Workspace, task: Task, code: Callable[[Rationale], None]) -> None:
    """Show the reasons, filtered, ten at a time; `code` opens one in the rule editor."""
    everything = ws.read.rationales.all(task.id)
    retired = ws.read.rationales.all(task.id, retired=True)
    if not everything and not retired:
        st.info("No rationales yet. Write the first one above: rules and prompts are made of them.")
        return
    shown = _filtered(task, everything)
    _undo(ws, task, retired)
    pages = max(1, -(-len(shown) // PAGE_SIZE))
    page = st.pagination(pages, key=f"rationales_page_{pages}") if pages > 1 else 1
    here = shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    rules: dict[int, list[str]] = {}
    for rule in ws.read.rules.all(task.id):
        rules.setdefault(rule.rationale_id or 0, []).append(rule.body.name)
    ids = [r.example_id for r in here if r.example_id is not None]
    texts = {e.id: e.text for e in ws.read.examples.some(task.id, ids)}
    label_id = None
    for rationale in here:
        if rationale.label_id != label_id:
            label_id = rationale.label_id
            name = task.name_of(label_id) or "?"
            count = sum(r.label_id == label_id for r in shown)
            st.markdown(f"**{label_chip(name, label_colours(task)[name])}** · {count}")
        _show(ws, task, rationale, rules.get(rationale.id, []), texts, code)
    if not shown:
        st.caption("No rationale matches. Clear the search or choose another label.")
    if retired:
        with st.expander(f"Retired ({len(retired)})"):
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


def _filtered(task: Task, rationales: list[Rationale]) -> list[Rationale]:
    with st.container(horizontal=True, vertical_alignment="center"):
        label = st.selectbox(
            "Label",
            ["", *task.label_names],
            format_func=lambda name: name or "All labels",
            key="rationales_filter_label",
            label_visibility="collapsed",
            width=200,
        )
        search = st.text_input(
            "Search the rationales",
            key="rationales_filter_text",
            type="search",
            live=True,
            placeholder="Search the rationales",
            label_visibility="collapsed",
            width=320,
        )
    wanted = (search or "").casefold()
    order = {one.id: one.position for one in task.labels}
    kept = [
        r
        for r in rationales
        if (not label or task.name_of(r.label_id) == label)
        and (wanted in r.text.casefold() or wanted in r.author.casefold())
    ]
    return sorted(kept, key=lambda r: (order.get(r.label_id, 0), r.id))


def _undo(ws: Workspace, task: Task, retired: list[Rationale]) -> None:
    """Offer to take the last retirement back, right where it happened."""
    last = st.session_state.get("rationales_retired")
    for rationale in retired:
        if rationale.id == last:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(f"Retired: “{plain(shortened(rationale.text))}”")
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
    rules: list[str],
    texts: dict[int, str],
    code: Callable[[Rationale], None],
) -> None:
    words, buttons = st.columns([7, 2], vertical_alignment="center")
    with words.container(gap="xxsmall"):
        st.text(rationale.text)
        facts = [plain(rationale.author)]
        if rationale.example_id in texts:
            text = texts[rationale.example_id]
            if all(e.end <= 90 for e in rationale.evidence):
                facts.append(marked(shortened(text), rationale.evidence))
            else:
                facts.append(plain(" … ".join(e.words for e in rationale.evidence)))
        facts += [f"rule {plain(name)}" for name in rules]
        st.caption(" · ".join(facts if rules else [*facts, "not coded as a rule yet"]))
    with buttons.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            "Open rule" if rules else "Code it",
            key=f"rationales_code_{rationale.id}",
            type="tertiary",
            on_click=code,
            args=(rationale,),
            help="A rule says the same in words a computer can check.",
        )
        st.button(
            "Retire",
            key=f"rationales_retire_{rationale.id}",
            type="tertiary",
            on_click=_retire,
            args=(ws, task.id, rationale.id),
        )


def _retire(ws: Workspace, task_id: int, rationale_id: int) -> None:
    retire_rationale(ws, task_id, rationale_id)
    st.session_state["rationales_retired"] = rationale_id
