"""The editor of a prompt: instructions, definitions, reasons and examples."""

from __future__ import annotations

import hashlib
from typing import Any

import streamlit as st

from studio.domain.example import Split
from studio.domain.prompt import FewShot, PromptText, render_system
from studio.domain.task import Task
from studio.store.examples import GridFilter
from studio.ui.colours import label_colours
from studio.ui.notes import note
from studio.ui.rationale_text import label_chip, plain, shortened
from studio.workspace import Workspace

_MATCHES = 40


def edit_prompt(ws: Workspace, task: Task, body: PromptText, key: str) -> PromptText:
    """Draw the fields of a prompt and return what stands in them.

    Args:
        ws: The workspace.
        task: The task.
        body: What the fields hold when they are first drawn.
        key: Other fields for other content: their widgets' keys begin with it.
    """
    instructions = st.text_area(
        "Instructions",
        value=body.instructions,
        key=f"{key}_instructions",
        height="content",
        placeholder="You are … Decide for each text whether …",
        help="What the model is told first. Say who it is, what counts, and what does not.",
    )
    definitions = {}
    for label in task.labels:
        text = st.text_area(
            f"When is it {plain(label.name)}?",
            value=body.definitions.get(label.name, ""),
            key=f"{key}_definition_{label.id}",
            height="content",
            placeholder="Name what belongs here, in the words of the texts.",
            help="The definition of this label. Words that stand in the texts work best.",
        )
        if text.strip() or label.name in body.definitions:
            definitions[label.name] = text
    return PromptText(
        instructions=instructions,
        definitions=definitions,
        reasons=_reasons(ws, task, body, key),
        few_shots=_few_shots(ws, task, body, key),
    )


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
        if not offered:
            st.caption("No rationales yet. The expert writes them on the Rationales page.")
        else:
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


def _few_shots(ws: Workspace, task: Task, body: PromptText, key: str) -> tuple[FewShot, ...]:
    """Let examples of train with gold be shown to the model."""
    shown = len(st.session_state.get(f"{key}_shot_ids", body.few_shots))
    with st.expander(f"Examples shown to the model · {shown}", key=f"{key}_shots"):
        search = st.text_input(
            "Find examples of train",
            key=f"{key}_shot_search",
            type="search",
            live=True,
            placeholder="Search the texts of train",
            label_visibility="collapsed",
        )
        rows = ws.read.examples.grid(
            task.id,
            run_id=None,
            person="",
            filter=GridFilter(splits=(Split.TRAIN.value,), search=search or ""),
            limit=_MATCHES,
        )
        found = {
            row["id"]: FewShot(text=row["text"], label=name, example_id=row["id"])
            for row in rows
            if (name := task.name_of(row["gold"]))
        }
        kept: dict[int | str, FewShot] = {s.example_id or s.text: s for s in body.few_shots}
        options = {**kept, **{i: s for i, s in found.items() if i not in kept}}
        chosen = st.multiselect(
            "Examples",
            list(options),
            default=list(kept),
            format_func=lambda i: (
                f"{options[i].label}: {shortened(options[i].text)}" if i in options else str(i)
            ),
            key=f"{key}_shot_ids",
            placeholder="Choose a few, some of every label",
            help="A few examples with their gold label, of train only: what is shown cannot be "
            f"measured on honestly. {note('train')}",
            label_visibility="collapsed",
            select_all=False,
        )
        return tuple(options[i] for i in chosen if i in options)


def show_rendered(task: Task, body: PromptText, unused: list[str]) -> None:
    """Draw the prompt as the model sees it, and which lines the embedded reader cannot use."""
    text = render_system(body, task.label_names)
    height: Any = 420 if len(text) > 600 else "content"
    st.code(text, language=None, wrap_lines=True, height=height)
    shots = len(body.few_shots)
    then = f"Then {shots} examples with their labels, then" if shots else "Then"
    st.caption(f'{then} the text: `{{"text": "…"}}`. The model answers with one of the labels.')
    if unused:
        st.markdown("**Read by chat models only**", help=
            "The embedded reader compares meanings; it cannot follow such lines. They change "
            "nothing here, but a chat model would read them.")  # fmt: skip
        for line in unused:
            st.caption(f":gray[{plain(line)}]")


def _place(pair: tuple[str, str]) -> str:
    return hashlib.sha256("\n".join(pair).encode()).hexdigest()[:12]
