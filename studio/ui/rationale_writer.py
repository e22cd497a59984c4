"""Where an expert writes a reason while looking at an example: by keys alone, or with a mouse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from studio.actions.drafts import keep_draft, kept_draft
from studio.actions.rationales import record_rationale
from studio.domain.rationale import Evidence
from studio.domain.task import Task
from studio.errors import InputError, StudioError
from studio.store.examples import GridFilter
from studio.ui.colours import label_colours
from studio.ui.empty import empty_state
from studio.ui.held import hold
from studio.ui.rationale_place import close_drafts, open_drafts
from studio.ui.rationale_text import label_chip, plain, shortened
from studio.ui.word_marker import word_marker
from studio.workspace import Workspace

ABOUT, ALONE = "About an example", "On its own"
_OPEN = ("train", "validation")
_KEYS = ("text", "label", "about", "example", "marks")
_KEYED = 9
_SAVED, _ERROR, _WHOLE = "rationales_saved", "rationales_error", "rationales_whole"
_TRAIL, _BEGAN = "rationales_trail", "rationales_marks_began"
_OPENED = "rationales_opened"


@st.fragment
def write_rationale(ws: Workspace, task: Task, person: str) -> None:
    """Show an example on the left and the reason being written on the right.

    Only this part is drawn anew while somebody marks and types; a saved reason draws all.
    """
    if st.session_state.pop(_WHOLE, False):
        st.rerun()
    _restore(ws, task, person)
    _take_opened()
    hold(_key("about"))
    left, right = st.columns(2, gap="medium")
    with left:
        about = st.segmented_control(
            "Write it",
            [ABOUT, ALONE],
            key=_key("about"),
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
        row = _show_example(ws, task, person) if about == ABOUT else None
        if about == ALONE:
            st.caption("A rationale that holds in general, without an example in sight.")
    with right:
        _write(ws, task, person, row)
    draft = {name: st.session_state.get(_key(name)) for name in _KEYS}
    typed = draft["text"] or draft["marks"]
    keep_draft(ws, task.id, "rationale", draft if typed else {}, by=person)


def open_example(example_id: int) -> None:
    """Put an example in front of the writer, from wherever it was clicked."""
    close_drafts()
    st.session_state["rationales_tab"] = "Rationales"
    st.session_state[_OPENED] = example_id


def _take_opened() -> None:
    """Turn to the example that was clicked elsewhere, perhaps before this was ever drawn."""
    opened = st.session_state.get(_OPENED)
    if opened is None:
        return
    st.session_state[_key("about")] = ABOUT
    _turn_to(opened)
    # Forgotten last: a rerun may interrupt the script at any use of the session.
    st.session_state[_OPENED] = None


def _show_example(ws: Workspace, task: Task, person: str) -> dict[str, Any] | None:
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
    _mark(row)
    gold = task.name_of(row["gold"])
    facts = [label_chip(gold, label_colours(task)[gold]) + " (gold)" if gold else "no gold yet"]
    facts += [f"{plain(k)}: {plain(v)}" for k, v in list(row["metadata"].items())[:4]]
    st.caption(" · ".join([plain(row["external_id"]), *facts]))
    row["following"] = _after(ws, task, person, search or "", row["id"])
    _walk(row)
    return row


def _mark(row: dict[str, Any]) -> None:
    """Draw the text whose words are marked, and keep the marks."""
    number = st.session_state.setdefault("rationales_marker", 0)
    key = f"rationales_words_{number}_{row['id']}"
    if key not in st.session_state:
        # Drawn for the first time, or again after another page: from here on marks are the
        # browser's, and what it begins with must not change under it.
        st.session_state[_BEGAN] = st.session_state.get(_key("marks")) or []
    began = _evidence(row["text"], st.session_state.get(_BEGAN) or [])
    marked = word_marker(row["text"], began, key=key)
    st.session_state[_key("marks")] = [[piece.start, piece.end] for piece in marked]
    st.caption(
        "Mark the words that decide: drag over them; or arrows go from word to word, "
        "Shift with arrows chooses, Enter marks."
    )


def _walk(row: dict[str, Any]) -> None:
    trail: list[int] = st.session_state.setdefault(_TRAIL, [])
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
            disabled=row["following"] is None,
            on_click=_forward,
            args=(row["id"], row["following"]),
        )


def _write(ws: Workspace, task: Task, person: str, row: dict[str, Any] | None) -> None:
    _choose_label(task)
    st.text_area(
        "Why?",
        key=_key("text"),
        height=110,
        persist_state="session",
        placeholder="Say it as you would to a new colleague. One reason at a time.",
    )
    if pieces := _marked(row):
        st.caption("Points at " + ", ".join(f"“{plain(piece.words)}”" for piece in pieces))
    st.button(
        "Save the rationale",
        type="primary",
        key="rationales_save",
        shortcut="Ctrl+Enter",
        on_click=_save,
        args=(ws, task, person, row),
    )
    if said := st.session_state.pop(_ERROR, None):
        st.error(plain(said))
    _offer_rules(ws, task)


def _choose_label(task: Task) -> None:
    """Draw the labels, each under the key of its number; many are chosen by typing."""
    asked = "Which label does it speak for?"
    if len(task.labels) > _KEYED:
        st.selectbox(
            asked, list(task.label_names), key=_key("label"), index=None,
            persist_state="session",
        )  # fmt: skip
        return
    chosen, colours = st.session_state.get(_key("label")), label_colours(task)
    st.markdown(asked)
    with st.container(horizontal=True, gap="xsmall", key="rationales_labels"):
        for number, name in enumerate(task.label_names, 1):
            sign = "checked" if name == chosen else "unchecked"
            st.button(
                label_chip(name, colours[name]),
                icon=f":material/radio_button_{sign}:",
                key=f"rationales_label_{number}",
                shortcut=str(number),
                on_click=_choose,
                args=(name,),
            )


def _choose(name: str) -> None:
    st.session_state[_key("label")] = name


def _offer_rules(ws: Workspace, task: Task) -> None:
    """Say what was saved last, and offer to go on with it right there."""
    saved = st.session_state.get(_SAVED)
    for rationale in ws.read.rationales.all(task.id) if saved else []:
        if rationale.id == saved:
            with st.container(horizontal=True, vertical_alignment="center", key="rationales_done"):
                st.markdown(
                    f":green[:material/check:] Saved: “{plain(shortened(rationale.text, 60))}”",
                    width="content",
                )
                st.button(
                    "Make rules of it",
                    key="rationales_make_rules",
                    icon=":material/rule:",
                    on_click=_make_rules,
                    args=(rationale.id,),
                    help="Drafts rules from its words and from gold. You see what each would do "
                    "before it counts.",
                )


def _make_rules(rationale_id: int) -> None:
    open_drafts(rationale_id)
    st.session_state[_WHOLE] = True


def _save(ws: Workspace, task: Task, person: str, row: dict[str, Any] | None) -> None:
    label = st.session_state.get(_key("label"))
    try:
        if not label:
            raise InputError("No label is chosen.", next_step="Choose the one it speaks for.")
        saved = record_rationale(
            ws,
            task.id,
            label=label,
            text=st.session_state.get(_key("text")) or "",
            example_id=row["id"] if row else None,
            evidence=_marked(row),
            by=person,
        )
    except StudioError as error:
        st.session_state[_ERROR] = str(error)
        return
    if row and row["following"]:
        _forward(row["id"], row["following"])
    else:
        _begin_anew()
    for name, value in {_key("text"): "", _key("label"): None, _SAVED: saved, _WHOLE: True}.items():
        st.session_state[name] = value


def _restore(ws: Workspace, task: Task, person: str) -> None:
    """Bring back what was typed before the page was left or refreshed, once a session and task."""
    if st.session_state.get("rationales_task") == task.id:
        return
    kept: dict[str, Any] = kept_draft(ws, task.id, "rationale", by=person)
    if kept.get("label") not in task.label_names:
        kept["label"] = None
    kept = {"about": ABOUT, "text": "", "marks": []} | {k: v for k, v in kept.items() if v}
    _begin_anew()
    for name in _KEYS:
        st.session_state[_key(name)] = kept.get(name)
    st.session_state[_TRAIL] = []
    st.session_state.pop(_SAVED, None)
    asked = st.query_params.get("example", "")
    if asked.isdigit() and int(asked) != kept.get("example"):
        _turn_to(int(asked))
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


def _marked(row: dict[str, Any] | None) -> list[Evidence]:
    return _evidence(row["text"], st.session_state.get(_key("marks")) or []) if row else []


def _evidence(text: str, marks: Sequence[Any]) -> list[Evidence]:
    """Return the words between these places; a draft may be of another text, or of long ago."""
    return [
        Evidence(start=mark[0], end=mark[1], words=text[mark[0] : mark[1]])
        for mark in marks
        if isinstance(mark, list) and len(mark) == 2 and 0 <= mark[0] < mark[1] <= len(text)
    ]


def _begin_anew() -> None:
    """Begin without marks, also where the same text stays in sight."""
    st.session_state["rationales_marker"] = st.session_state.get("rationales_marker", 0) + 1
    st.session_state[_key("marks")] = []


def _turn_to(example_id: int | None) -> None:
    _begin_anew()
    st.session_state[_key("example")] = example_id
    st.session_state[_TRAIL] = []


def _forward(here: int, following: int) -> None:
    trail = [*st.session_state[_TRAIL], here]
    _turn_to(following)
    st.session_state[_TRAIL] = trail


def _back() -> None:
    trail = list(st.session_state[_TRAIL])
    _turn_to(trail.pop())
    st.session_state[_TRAIL] = trail


def _key(name: str) -> str:
    return f"rationales_new_{name}"
