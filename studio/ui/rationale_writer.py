"""Where an expert writes a reason while looking at an example."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from studio.actions.drafts import keep_draft, kept_draft
from studio.actions.rationales import record_rationale
from studio.domain.example import Example
from studio.domain.rationale import Evidence, find_evidence
from studio.domain.task import Task
from studio.errors import InputError, StudioError
from studio.store.examples import GridFilter
from studio.ui.colours import label_colours
from studio.ui.empty import empty_state
from studio.ui.rationale_text import label_chip, marked, plain, unjoined
from studio.workspace import Workspace

ABOUT, ALONE = "About an example", "On its own"
_OPEN = ("train", "validation")
_KEYS = ("text", "label", "about", "example", "evidence")


def write_rationale(ws: Workspace, task: Task, person: str) -> None:
    """Show an example on the left and the reason being written on the right."""
    _restore(ws, task, person)
    left, right = st.columns([5, 6], gap="medium")
    with left:
        about = st.segmented_control(
            "Write it",
            [ABOUT, ALONE],
            key=_key("about"),
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
        example = _show_example(ws, task, person) if about == ABOUT else None
        if about == ALONE:
            st.caption("A rationale that holds in general, without an example in sight.")
    with right:
        _write(ws, task, person, example)
    draft = {name: st.session_state.get(_key(name)) for name in _KEYS}
    typed = draft["text"] or draft["evidence"]
    keep_draft(ws, task.id, "rationale", draft if typed else {}, by=person)


def open_example(example_id: int) -> None:
    """Put an example in front of the writer, from wherever it was clicked."""
    st.session_state["rationales_tab"] = "Rationales"
    st.session_state[_key("about")] = ABOUT
    _turn_to(example_id)


def _show_example(ws: Workspace, task: Task, person: str) -> Example | None:
    search = st.text_input(
        "Find an example",
        key="rationales_search",
        type="search",
        live=True,
        placeholder="Search the texts",
        label_visibility="collapsed",
        on_change=lambda: _turn_to(None),
        persist_state="session",
    )
    row = _row(ws, task, person, search or "", st.session_state.get(_key("example")))
    if row is None:
        if search:
            st.info(f"No example of train or validation has “{plain(search)}” in its text.")
        else:
            empty_state(
                "No examples yet.",
                "Import some first, or write a rationale on its own.",
                page="data",
                button="Import examples",
            )
        return None
    st.session_state[_key("example")] = row["id"]
    evidence, _ = _evidence(row["text"], st.session_state.get(_key("evidence")) or [])
    with st.container(border=True):
        st.markdown(marked(row["text"], evidence))
    gold = task.name_of(row["gold"])
    facts = [label_chip(gold, label_colours(task)[gold]) + " (gold)" if gold else "no gold yet"]
    facts += [f"{plain(k)}: {plain(v)}" for k, v in list(row["metadata"].items())[:4]]
    st.caption(" · ".join([plain(row["external_id"]), *facts]))
    trail: list[int] = st.session_state.setdefault("rationales_trail", [])
    following = _after(ws, task, person, search or "", row["id"])
    with st.container(horizontal=True):
        st.button(
            "Previous",
            icon=":material/arrow_back:",
            key="rationales_previous",
            disabled=not trail,
            on_click=_back,
        )
        st.button(
            "Next example",
            icon=":material/arrow_forward:",
            key="rationales_next",
            disabled=following is None,
            on_click=_forward,
            args=(row["id"], following),
        )
    return ws.read.examples.get(task.id, row["id"])


def _write(ws: Workspace, task: Task, person: str, example: Example | None) -> None:
    st.segmented_control(
        "Which label does it speak for?",
        list(task.label_names),
        key=_key("label"),
        format_func=plain,
        persist_state="session",
    ) if len(task.labels) <= 8 else st.selectbox(
        "Which label does it speak for?",
        list(task.label_names),
        key=_key("label"),
        index=None,
        persist_state="session",
    )
    st.text_area(
        "Why?",
        key=_key("text"),
        height=110,
        persist_state="session",
        placeholder="Say it as you would to a new colleague. One reason at a time.",
    )
    if example is not None:
        st.multiselect(
            "Words it points at",
            _words(example.text),
            key=_key("evidence"),
            accept_new_options=True,
            select_all=False,
            persist_state="session",
            placeholder="Choose words, or paste a phrase of the text and press Enter",
            help="The words of the example that made you decide. They must stand in its text.",
        )
        _, missing = _evidence(example.text, st.session_state.get(_key("evidence")) or [])
        for words in missing:
            st.error(f"“{plain(words)}” does not stand in this example. Copy it from the text.")
    st.button(
        "Save the rationale",
        type="primary",
        key="rationales_save",
        on_click=_save,
        args=(ws, task, person, example.id if example else None),
    )
    if said := st.session_state.pop("rationales_error", None):
        st.error(plain(said))
    if done := st.session_state.pop("rationales_saved", None):
        st.success(plain(done))


def _save(ws: Workspace, task: Task, person: str, example_id: int | None) -> None:
    label = st.session_state.get(_key("label"))
    words = st.session_state.get(_key("evidence")) or []
    try:
        if not label:
            raise InputError("No label is chosen.", next_step="Choose the one it speaks for.")
        record_rationale(
            ws,
            task.id,
            label=label,
            text=st.session_state.get(_key("text")) or "",
            example_id=example_id,
            evidence=[unjoined(w) for w in words] if example_id is not None else [],
            by=person,
        )
    except StudioError as error:
        st.session_state["rationales_error"] = str(error)
        return
    st.session_state[_key("text")] = ""
    st.session_state[_key("evidence")] = []
    st.session_state["rationales_saved"] = "Saved. It stands in the list below."


def _restore(ws: Workspace, task: Task, person: str) -> None:
    """Bring back what was typed before the page was left or refreshed, once a session and task."""
    if st.session_state.get("rationales_task") == task.id:
        return
    kept: dict[str, Any] = kept_draft(ws, task.id, "rationale", by=person)
    if kept.get("label") not in task.label_names:
        kept["label"] = None
    kept = {"about": ABOUT, "text": "", "evidence": []} | {k: v for k, v in kept.items() if v}
    for name in _KEYS:
        st.session_state[_key(name)] = kept.get(name)
    st.session_state["rationales_trail"] = []
    asked = st.query_params.get("example", "")
    if asked.isdigit():
        st.session_state[_key("example")] = int(asked)
    # Marked last: a rerun may interrupt the script at any use of the session.
    st.session_state["rationales_task"] = task.id


def _row(
    ws: Workspace, task: Task, person: str, search: str, example_id: int | None
) -> dict[str, Any] | None:
    """Return the example in sight, or the first that the search finds; never one of test."""
    wanted = GridFilter(splits=_OPEN, ids=(example_id,)) if example_id else None
    for filter_ in (wanted, GridFilter(splits=_OPEN, search=search)):
        if filter_ is not None:
            rows = ws.read.examples.grid(
                task.id, run_id=None, person=person, filter=filter_, limit=1
            )
            if rows:
                return rows[0]
    return None


def _after(ws: Workspace, task: Task, person: str, search: str, example_id: int) -> int | None:
    rows = ws.read.examples.grid(
        task.id,
        run_id=None,
        person=person,
        filter=GridFilter(splits=_OPEN, search=search),
        after=(0.0, example_id),
        limit=1,
    )
    return int(rows[0]["id"]) if rows else None


def _evidence(text: str, words: list[str]) -> tuple[list[Evidence], list[str]]:
    """Return where the words stand, and those that do not stand in the text."""
    found: list[Evidence] = []
    missing = []
    for piece in (unjoined(w).strip() for w in words):
        try:
            found += find_evidence(text, [piece])
        except InputError:
            missing.append(piece)
    return found, missing


def _words(text: str) -> list[str]:
    """Return the words of a text in order, each once."""
    return list(dict.fromkeys(re.findall(r"[\w'’-]{3,}", text)))


def _turn_to(example_id: int | None) -> None:
    st.session_state[_key("example")] = example_id
    st.session_state[_key("evidence")] = []
    st.session_state["rationales_trail"] = []


def _forward(here: int, following: int) -> None:
    trail = [*st.session_state["rationales_trail"], here]
    _turn_to(following)
    st.session_state["rationales_trail"] = trail


def _back() -> None:
    trail = list(st.session_state["rationales_trail"])
    _turn_to(trail.pop())
    st.session_state["rationales_trail"] = trail


def _key(name: str) -> str:
    return f"rationales_new_{name}"
