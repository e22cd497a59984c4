"""Where a new prompt begins: with the task's own words, a good example, or a file."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import streamlit as st

from studio.actions.examples import import_examples
from studio.actions.prompt_files import examples_file, look_into
from studio.analysis.example_rows import Columns
from studio.analysis.prompt_files import PromptFile
from studio.analysis.prompt_tour import start_from
from studio.domain.amounts import count
from studio.domain.prompt import PromptText, prompt_of, render_system
from studio.ui.guard import kindly
from studio.ui.prompt_advice_view import Desk
from studio.ui.prompt_draft import NEW, keep_drafts, put_body, turn_to
from studio.ui.prompt_tour import choose_tour, draw_tour
from studio.ui.rationale_text import plain

_FRESH, _GOOD, _FILE = "The task's own words", "A good example", "A file"
_TYPES = ["yaml", "yml", "json", "jsonl", "ndjson", "txt", "md"]
_SHOWN = 8
_OPENED, _NEW, _TOUR = "prompts_opened", "prompts_new", "prompts_tour"


def draw_starts(desk: Desk) -> None:
    """Draw the buttons that begin a new prompt and open the tour."""
    for name, title, icon, help in (
        (_NEW, "New prompt", "add", None),
        (
            _TOUR, "Good and bad prompts", "school",
            "Five or six short lessons for your type of task, with your own labels.",
        ),
    ):  # fmt: skip
        st.button(
            title, icon=f":material/{icon}:", key=name, on_click=_open, args=(name,), help=help,
            type="secondary" if name == _NEW else "tertiary",
        )  # fmt: skip
    if st.session_state.get(_OPENED) == _NEW:
        _new_prompt(desk)
    elif st.session_state.get(_OPENED) == _TOUR:
        _tour(desk)


def _open(name: str = "") -> None:
    """Keep what is open, or that nothing is: it stays open though the page is drawn anew."""
    st.session_state[_OPENED] = name


@st.dialog("Good and bad prompts", width="large", on_dismiss=_open)
def _tour(desk: Desk) -> None:
    draw_tour(desk.ws, desk.task, desk.body, lambda body: _take(desk, body))


@st.dialog("New prompt", width="large", on_dismiss=_open)
def _new_prompt(desk: Desk) -> None:
    """Ask where the prompt begins."""
    way = st.segmented_control(
        "Begin with", [_FRESH, _GOOD, _FILE], default=_FRESH, required=True, key="prompts_new_way"
    )
    if way == _FRESH:
        st.caption("The task's question and the definitions of its labels, as on the Data page.")
        _offer(desk, prompt_of(desk.task), "prompts_new_fresh")
    elif way == _GOOD:
        tour = choose_tour(desk.ws, desk.task, key="prompts_new_good")
        body = start_from(tour.steps[0], tour, prompt_of(desk.task))
        _offer(desk, body, "prompts_new_good_go")
    else:
        _from_file(desk)


def _from_file(desk: Desk) -> None:
    given: Any = st.file_uploader(
        "A prompt another tool wrote",
        type=_TYPES,
        key="prompts_new_file",
        help="A promptfoo config, OpenAI chat JSON (stored prompts, Evals and their items), "
        "fine-tune JSONL, our own YAML, or plain text. It is read here and sent nowhere.",
    )
    if given is None:
        return
    with kindly():
        found = look_into(desk.ws, desk.task.id, data=given.getvalue(), filename=given.name)
        _show_found(desk, found, given.name)


def _show_found(desk: Desk, found: PromptFile, filename: str) -> None:
    """Draw what was read of a file, what was not, and what can be done with it."""
    titles = [name or f"prompt {i}" for i, (name, _) in enumerate(found.prompts, 1)]
    place = 0
    if len(titles) > 1:
        place = st.selectbox(
            "Which of its prompts", range(len(titles)), format_func=titles.__getitem__,
            key="prompts_new_which",
        )  # fmt: skip
    name, body = found.prompts[place]
    parts = [
        count(len(body.definitions), "definition"), count(len(body.reasons), "rationale"),
        count(len(body.few_shots), "few-shot"), count(len(found.examples), "labeled text"),
    ]  # fmt: skip
    st.markdown(f":green[:material/check:] Read as {plain(found.kind)}: {', '.join(parts)}.")
    if found.unread:
        told = [f"- {plain(one.where)}: {plain(one.reason)}" for one in found.unread[:_SHOWN]]
        more = len(found.unread) - _SHOWN
        told += [f"- and {more} more"] if more > 0 else []
        st.markdown(":orange[:material/warning:] Not read:\n" + "\n".join(told))
    _offer(desk, body, "prompts_new_file_go", name=name or PurePath(filename).stem)
    if found.examples:
        _offer_examples(desk, found, filename)


def _offer_examples(desk: Desk, found: PromptFile, filename: str) -> None:
    if st.button(
        f"Import {count(len(found.examples), 'labeled text')} as examples of train",
        key="prompts_new_examples",
        help="With their labels as imported gold. Texts that the task has already are left out.",
    ):
        ready = examples_file(desk.ws, desk.task.id, found)
        columns = Columns(text="text", label="label", split="split", id="id")
        added, rejected = 0, []
        if ready.rows:
            came = import_examples(
                desk.ws, desk.task.id, data=ready.rows, filename=f"{PurePath(filename).stem}.jsonl",
                columns=columns, by=desk.person,
            )  # fmt: skip
            added, rejected = came.added, [reason for _, reason in came.rejected]
        why = ready.left_out(rejected)
        told = f"{count(added, 'example')} added{f'; {why}' if why else ''}."
        (st.success if added else st.info)(plain(told))


def _offer(desk: Desk, body: PromptText, key: str, *, name: str = "") -> None:
    """Show a prompt as the model would read it, and the button that begins with it."""
    st.code(render_system(body, desk.task.label_names), language=None, wrap_lines=True, height=260)
    if NEW in desk.drafts.texts:
        st.caption(":orange[It takes the place of the new prompt you have not saved.]")
    if st.button("Edit this", type="primary", key=key):
        _take(desk, body, name)


def _take(desk: Desk, body: PromptText, name: str = "") -> None:
    """Put a prompt into the editor as a new one, and close what was open."""
    _open()
    turn_to(desk.drafts, NEW)
    put_body(desk.task, desk.versions, desk.drafts, body)
    if name:
        desk.drafts.names[NEW] = name
    keep_drafts(desk.ws, desk.task, desk.drafts, desk.person)
    st.rerun()
