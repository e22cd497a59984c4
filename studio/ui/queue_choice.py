"""What stands above the card of the queue: in which order, and what is in sight meanwhile."""

from __future__ import annotations

import streamlit as st

from studio.actions.queue import offered_runs
from studio.analysis.queue_streams import Strategy
from studio.domain.example import Split
from studio.domain.run import Run
from studio.domain.task import Task
from studio.ui.queue_card import KEYS
from studio.ui.queue_sitting import Choice
from studio.ui.rationale_text import plain
from studio.workspace import Workspace

_SPLITS = {
    Split.TRAIN: "teaches; the order is chosen for it",
    Split.VALIDATION: "measures while you work; the order is random",
    Split.TEST: "decides in the end; the order is random, and it is always blind",
}
_BLIND, _ASSISTED = "Blind", "Assisted"


def choose_queue(ws: Workspace, task: Task, person: str) -> Choice:
    """Draw the choices and return what they say."""
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="queue_choice"
    ):
        runs = offered_runs(ws, task.id)
        mode = st.segmented_control(
            "What is in sight", [_BLIND, _ASSISTED], default=_BLIND, required=True,
            key="queue_mode", label_visibility="collapsed", persist_state="session",
            disabled=not runs,
            help="Blind: no model's label is in sight, and your label counts as blind gold. "
            "Assisted: a run's label is proposed; Enter accepts it, and it counts as assisted.",
        )  # fmt: skip
        strategy, split, run = _choose_order(runs, task, assisted=mode == _ASSISTED)
        with st.popover("Keys", type="tertiary"):
            show_keys()
    choice = Choice(
        task_id=task.id,
        person=person,
        strategy=strategy,
        split=split,
        run_id=run.id if run else None,
    )  # fmt: skip
    st.caption(_counts_as(choice, assisted=mode == _ASSISTED))
    return choice


def show_keys() -> None:
    """Draw what every key does."""
    st.caption("The keys work as long as you are not typing somewhere else.")
    for key, does in KEYS:
        with st.container(horizontal=True, gap="small"):
            st.markdown(f"**{plain(key)}**", width=120)
            st.markdown(does, width="stretch")


def _choose_order(
    runs: list[Run], task: Task, *, assisted: bool
) -> tuple[Strategy, Split, Run | None]:
    """Draw the popover of the order; its name is the order chosen."""
    known = str(st.session_state.get("queue_strategy") or Strategy.AUTO)
    with st.popover(Strategy(known).heading, icon=":material/sort:", help="Which ones come first"):
        strategy = st.radio(
            "Which ones come first",
            [one.value for one in Strategy],
            format_func=lambda name: Strategy(name).heading,
            captions=[one.about for one in Strategy],
            key="queue_strategy",
            persist_state="session",
        )
    wanted = Strategy(strategy or Strategy.AUTO)
    split = Split.TRAIN
    if not wanted.is_list:
        named = st.selectbox(
            "Split", [one.value for one in Split], key="queue_split", width=150,
            label_visibility="collapsed", persist_state="session",
            help="\n".join(f"- **{one.value}** {does}" for one, does in _SPLITS.items()),
        )  # fmt: skip
        split = Split(named or Split.TRAIN)
    run = None
    fitting = [one for one in runs if wanted.is_list or split.value in one.splits]
    if assisted and fitting and split is not Split.TEST:
        run = st.selectbox(
            "Whose labels are proposed", fitting, width=200,
            key=f"queue_run_{task.id}_{split.value}_{len(fitting)}",
            format_func=lambda one: f"{one.title} · run {one.id}", label_visibility="collapsed",
        )  # fmt: skip
    return wanted, split, run


def _counts_as(choice: Choice, *, assisted: bool) -> str:
    if choice.split is Split.TEST and not choice.strategy.is_list:
        return "Test is always blind: no model's label is shown, before or after yours."
    if choice.run_id is None and assisted:
        return (
            f"No run has labeled {choice.split.value}, so none is proposed: what you give counts "
            "as blind gold."
        )
    if choice.run_id is None:
        return "No model's label is in sight: what you give counts as blind gold."
    return "A run's label is proposed: what you give counts as assisted gold, on test as blind."
