"""Good and bad prompts for the task's own type, a lesson at a time."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from studio.actions.prompt_advice import guided_tour
from studio.analysis.prompt_tour import Tour, TourStep, start_from
from studio.analysis.word_diff import diff_bodies
from studio.domain.prompt import PromptText
from studio.domain.task import Task
from studio.ui.rationale_text import marked_change, plain
from studio.workspace import Workspace

_PLACE = "prompts_tour_step"
Take = Callable[[PromptText], None]


def draw_tour(ws: Workspace, task: Task, body: PromptText, take: Take) -> None:
    """Draw the tour.

    Args:
        ws: The workspace.
        task: The task; its type and its labels decide what is shown.
        body: The prompt in the editor; it keeps what it says already.
        take: Puts a prompt into the editor.
    """
    tour = choose_tour(ws, task, key="prompts_tour")
    number = min(st.session_state.get(_PLACE, 0), len(tour.steps) - 1)
    step = tour.steps[number]
    st.markdown(f"**{number + 1} of {len(tour.steps)} · {plain(step.title)}**")
    st.write(plain(step.changes))
    _show_change(tour, step)
    with st.container(horizontal=True):
        # A button that is disabled loses the focus, and Escape would not close the dialog then.
        before, after = (number - 1) % len(tour.steps), (number + 1) % len(tour.steps)
        st.button("Back", on_click=_go, args=(before,), key="tour_back")
        st.button("Next", type="primary", on_click=_go, args=(after,), key="tour_next")
        if st.button(
            "Use this as a start",
            key="tour_take",
            help="Puts the good prompt into the editor as a new one. Definitions, rationales and "
            "few-shots you have already stay.",
        ):
            take(start_from(step, tour, body))


def choose_tour(ws: Workspace, task: Task, *, key: str) -> Tour:
    """Draw the types of task, the likeliest chosen, and return the lessons of the chosen one."""
    place = f"{key}_kind_{task.id}"
    kinds, tour = _lessons(str(ws.path), task, st.session_state.get(place, ""), ws)
    st.selectbox(
        "Type of task", list(kinds), index=list(kinds).index(tour.kind),
        format_func=kinds.__getitem__, key=place, on_change=_go, args=(0,), width=260,
    )  # fmt: skip
    if not tour.is_own:
        st.caption(
            f"Shown with labels of another task ({plain(', '.join(tour.labels))}): yours need a "
            "definition, or gold to learn their words from, before they can stand here."
        )
    return tour


@st.cache_data(max_entries=8, show_spinner=False)
def _lessons(path: str, task: Task, kind: str, _ws: Workspace) -> tuple[dict[str, str], Tour]:
    return guided_tour(_ws, task, kind)


def _show_change(tour: Tour, step: TourStep) -> None:
    """Draw the bad and the good prompt, and the words between them."""
    left, right = st.columns(2)
    for where, title, body in (
        (left, ":red[:material/close:] Bad", step.bad),
        (right, ":green[:material/check:] Good", step.good),
    ):
        with where.container(border=True):
            st.markdown(f"**{title}**")
            st.markdown(_words(body, tour.labels))
    for change in diff_bodies(step.bad, step.good, tour.labels):
        st.markdown(f"**{plain(change.part)}**  \n{marked_change(change.pieces)}")


def _words(body: PromptText, labels: tuple[str, ...]) -> str:
    lines = [plain(body.instructions) or ":gray[no instructions]"]
    for name in labels:
        told = body.definitions.get(name, "")
        lines.append(f"- **{plain(name)}**: {plain(told) if told else ':gray[no definition]'}")
    lines += [f"- rationale for {plain(label)}: {plain(told)}" for label, told in body.reasons]
    return "\n".join([lines[0], "", *lines[1:]])


def _go(number: int) -> None:
    st.session_state[_PLACE] = number
