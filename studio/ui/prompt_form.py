"""The editor of a prompt: instructions, definitions, reasons and examples."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import streamlit as st

from studio.actions.prompt_advice import Reader, reader_of
from studio.domain.prompt import PromptText, render_system, user_turn
from studio.domain.prompt_parts import Part
from studio.domain.task import Task
from studio.ui.colours import label_colours
from studio.ui.prompt_parts import locked_parts, part_head
from studio.ui.prompt_shots import choose_shots
from studio.ui.prompt_variables import offer_columns, tell_strangers
from studio.ui.rationale_text import label_chip, plain, shortened
from studio.workspace import Workspace

_LINES, _LETTERS = 6, 90


def edit_prompt(ws: Workspace, task: Task, body: PromptText, key: str) -> PromptText:
    """Draw the fields of a prompt and return what stands in them.

    Args:
        ws: The workspace.
        task: The task.
        body: What the fields hold when they are first drawn.
        key: Other fields for other content: their widgets' keys begin with it.
    """
    frozen = locked_parts(body, key)
    field = f"{key}_instructions"
    locked = part_head(
        Part.INSTRUCTIONS, key, "",
        help="What the model is told first. Say who it is, what counts, and what does not.",
    )  # fmt: skip
    instructions = st.text_area(
        "Instructions",
        value=body.instructions,
        key=field,
        height="content",
        placeholder="You are … Decide for each text whether …",
        label_visibility="collapsed",
        disabled=locked,
    )
    if not locked:
        offer_columns(ws, task, field, key=key)
    reading = st.container()
    edited = PromptText(
        instructions=instructions,
        definitions=_definitions(task, body, key),
        reasons=_reasons(ws, task, body, key),
        frozen=frozen,
    )
    few_shots, policy = choose_shots(ws, task, body, key)
    edited = replace(edited, few_shots=few_shots, policy=policy)
    with reading:
        tell_strangers(ws, task, edited)
        _show_reader(reader_of(ws, task, edited))
    return edited


def _definitions(task: Task, body: PromptText, key: str) -> dict[str, str]:
    locked = part_head(
        Part.DEFINITIONS, key, "",
        help="When each label applies. Words that stand in the texts work best.",
    )  # fmt: skip
    definitions = {}
    for label in task.labels:
        text = st.text_area(
            f"When is it {plain(label.name)}?",
            value=body.definitions.get(label.name, ""),
            key=f"{key}_definition_{label.id}",
            height="content",
            placeholder="Name what belongs here, in the words of the texts.",
            disabled=locked,
        )
        if text.strip() or label.name in body.definitions:
            definitions[label.name] = text
    return definitions


def _reasons(ws: Workspace, task: Task, body: PromptText, key: str) -> tuple[tuple[str, str], ...]:
    """Let the expert's reasons be ticked; those of the prompt that are no longer listed stay."""
    listed = [
        (name, " ".join(r.text.split()))
        for r in ws.read.rationales.all(task.id)
        if (name := task.name_of(r.label_id))
    ]
    offered = list(dict.fromkeys([*body.reasons, *listed]))
    order = {name: i for i, name in enumerate(task.label_names)}
    places = {pair: i for i, pair in enumerate(body.reasons)}
    chosen = []
    ticked = sum(
        bool(st.session_state.get(f"{key}_reason_{_place(pair)}", pair in places))
        for pair in offered
    )
    with st.expander(
        f"Rationales told to the model · {ticked} of {len(offered)}",
        key=f"{key}_reasons",
        expanded=bool(offered) and len(offered) <= 4,
    ):
        locked = part_head(Part.REASONS, key, "", title="Which of them")
        if not offered:
            st.caption("No rationales yet. The expert writes them on the Rationales page.")
        elif not locked:
            _all_or_none([f"{key}_reason_{_place(p)}" for p in offered], key)
        label = ""
        for pair in sorted(offered, key=lambda p: order.get(p[0], 99)):
            if pair[0] != label:
                label = pair[0]
                st.markdown(f"**{label_chip(label, label_colours(task).get(label, 'gray'))}**")
            gone = "" if pair in listed else " :gray[(no longer listed)]"
            if st.checkbox(
                plain(pair[1]) + gone,
                value=pair in places,
                key=f"{key}_reason_{_place(pair)}",
                width="stretch",
                disabled=locked,
            ):
                chosen.append(pair)
    # Those that were in keep their order: the order is part of the text.
    return tuple(sorted(chosen, key=lambda p: places.get(p, len(places) + offered.index(p))))


def _all_or_none(boxes: list[str], key: str) -> None:
    def tick(value: bool) -> None:
        for box in boxes:
            st.session_state[box] = value

    with st.container(horizontal=True):
        st.button("All", key=f"{key}_all", type="tertiary", on_click=tick, args=(True,))
        st.button("None", key=f"{key}_none", type="tertiary", on_click=tick, args=(False,))


def show_rendered(task: Task, body: PromptText) -> None:
    """Draw the prompt as the model sees it, and what follows with each text."""
    text = render_system(body, task.label_names)
    height: Any = 420 if len(text) > 600 else "content"
    st.code(text, language=None, wrap_lines=True, height=height)
    shown = [f"{len(body.few_shots)} examples chosen by hand"] if body.few_shots else []
    shown += [f"{body.policy}"] if body.policy else []
    then = f"Then {' and '.join(shown)}, with their labels, then" if shown else "Then"
    turn = user_turn("…", dict.fromkeys(body.variables, "…"), body.variables)
    st.caption(f"{then} the text: `{turn}`. The model answers with one of the labels.")


def _show_reader(reader: Reader) -> None:
    """Say what the reading model can use, and grey the lines that only chat models read."""
    if reader.is_chat:
        st.caption(f"Read by {plain(reader.name)}: a chat model reads all of it.")
        return
    st.caption(
        f"Read by {reader.name}: {', '.join(reader.reads)}. By chat models only: "
        f"{', '.join(reader.chat_only)}.",
        help="The embedded encoder compares meanings; it cannot follow prose. What it does not "
        "read changes nothing here, but a chat model would read it.",
    )
    lines = [shortened(line, _LETTERS) for line in reader.lines]
    lines += [f"column {name}" for name in reader.columns]
    if len(lines) > _LINES:
        lines = [*lines[:_LINES], f"and {len(lines) - _LINES} more"]
    if lines:
        told = "".join(f"  \n:material/visibility_off: {plain(line)}" for line in lines)
        st.markdown(f":small[:gray[**Read by chat models only**{told}]]")


def _place(pair: tuple[str, str]) -> str:
    return hashlib.sha256("\n".join(pair).encode()).hexdigest()[:12]
