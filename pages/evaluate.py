"""Evaluate: how good a run is, where it errs, and whether another one is better."""

from __future__ import annotations

import streamlit as st

from studio.actions.evaluations import evaluate_run
from studio.actions.tasks import choose_champion
from studio.domain.evaluation import Evaluation
from studio.domain.run import Run
from studio.errors import InputError
from studio.ui.empty import empty_state
from studio.ui.evaluation_compare import NEXT_RUN, draw_comparison
from studio.ui.evaluation_data import SPLIT_NAMES, figures, measured_runs, run_title
from studio.ui.evaluation_run import draw_uncovered
from studio.ui.evaluation_slices import draw_slices
from studio.ui.evaluation_test import look_at_test
from studio.ui.evaluation_trust import draw_trust
from studio.ui.evaluation_view import draw_errors, draw_headline, draw_labels
from studio.ui.guard import kindly
from studio.ui.held import hold
from studio.ui.label_marks import draw_mark, marks_of
from studio.ui.notes import note
from studio.ui.page import open_page

page = open_page(
    "Evaluate", "See how good a run is against gold, where it errs, and whether another is better."
)
ws, task = page.ws, page.task

runs = measured_runs(ws, task)
if not runs:
    empty_state(
        "No run has labeled anything yet.",
        "A run asks a prompt, the rules or a model about your examples; gold then tells how good "
        "it is.",
        page="prompts",
        button="Run a prompt",
    )
    st.stop()


def draw_champion(run: Run) -> None:
    if ws.read.runs.classifier(run.id) == task.champion:
        st.badge("Champion", icon=":material/check:", help=note("champion"))
    elif st.button("Make champion", key="evaluate_champion", help=note("champion")):
        with kindly():
            choose_champion(ws, task.id, run.id)
            st.rerun()


by_id = {run.id: run for run in runs}
first = next((i for i, run in enumerate(runs) if "validation" in run.splits), 0)
run_key = f"evaluate_run_{task.id}"
asked = st.query_params.get("run", "")
if asked.isdigit() and int(asked) in by_id:  # a link of another page; what is chosen here wins
    st.session_state[NEXT_RUN] = int(asked)
    del st.query_params["run"]
if st.session_state.get(NEXT_RUN) in by_id:
    st.session_state[run_key] = st.session_state.pop(NEXT_RUN)
hold(run_key)
with st.container(horizontal=True, vertical_alignment="bottom", key="evaluate_choice"):
    run_id = st.selectbox(
        "Run", list(by_id), index=0 if run_key in st.session_state else first,
        format_func=lambda i: run_title(by_id[i]), key=run_key, help=note("run"),
        persist_state="session", width=310,
    )  # fmt: skip
    split = st.segmented_control(
        "Split", list(SPLIT_NAMES), format_func=SPLIT_NAMES.__getitem__, default="validation",
        required=True, key="evaluate_split", help=note("split"),
    )  # fmt: skip
    draw_champion(by_id[run_id])
    draw_mark(marks_of(ws, task).runs.get(run_id))
run, split = by_id[run_id], split or "validation"


def measure() -> Evaluation | None:
    if split != "test":
        return figures(ws, task, run.id, split)
    found: Evaluation | None = look_at_test(
        ws, task, name=f"run {run.id}", looks=1,
        read=lambda: evaluate_run(ws, run.id, split="test", by=page.person),
    )  # fmt: skip
    return found


if not set(split.split("+")) & set(run.splits):
    draw_uncovered(ws, task, run, split, page.person)
    st.stop()
try:
    evaluation = measure()
except InputError:
    empty_state(
        f"No example of {split} that this run labeled has gold.",
        "Gold is what the run is held against: give labels yourself, or import a file with them.",
        page="label",
        button="Give gold labels",
    )
    st.stop()
if evaluation is None:
    st.stop()

draw_headline(task, run, evaluation)
errors, labels, slices, trust, compare = st.tabs(
    ["Errors", "Labels", "Slices", "Confidence", "Compare"], key="evaluate_tab", on_change="rerun"
)
with errors:
    if errors.open:
        draw_errors(ws, task, run, evaluation)
with labels:
    if labels.open:
        draw_labels(task, evaluation)
with slices:
    if slices.open:
        draw_slices(ws, task, run, evaluation)
with trust:
    if trust.open:
        draw_trust(ws, task, run, evaluation)
with compare:
    if compare.open:
        draw_comparison(ws, task, runs, run, evaluation, page.person)
