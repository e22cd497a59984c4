"""Letting a run's classifier label a split that the run left out."""

from __future__ import annotations

import streamlit as st

from studio.actions.runs import Choice
from studio.domain.run import Run
from studio.domain.task import Task
from studio.ui.evaluation_compare import NEXT_RUN
from studio.ui.figures import count
from studio.ui.job_status import job_status
from studio.ui.rationale_text import plain
from studio.ui.run_start import Offer, draw_start, run_estimate
from studio.workspace import Workspace


def draw_uncovered(ws: Workspace, task: Task, run: Run, split: str, person: str) -> None:
    """Say that a run left a split out, and let the same classifier label it.

    Args:
        ws: The workspace.
        task: The task.
        run: The run.
        split: What it left out, one split or several joined by "+".
        person: Who would start the run.
    """
    wanted = tuple(split.split("+"))
    classifier = ws.read.runs.classifier(run.id)
    same = [
        other
        for other in ws.read.runs.all(task.id)
        if set(wanted) <= set(other.splits) and ws.read.runs.classifier(other.id) == classifier
    ]
    name = " and ".join(wanted)
    with st.container(border=True, key="evaluate_uncovered"):
        st.markdown(f"**Run {run.id} left {name} out.** It covers {' and '.join(run.splits)}.")
        if done := next((other for other in same if other.status == "done"), None):
            st.write(f"Run {done.id} of the same classifier covers {name}.")
            st.button(f"Go to run {done.id}", type="primary", on_click=_go_to, args=(done.id,),
                      key="evaluate_covered")  # fmt: skip
            return
        if same and same[0].job_id is not None:
            job_status(
                ws, same[0].job_id, key=f"evaluate_run_{same[0].id}", title=f"Run {same[0].id}",
                on_done=lambda: _go_to(same[0].id),
            )  # fmt: skip
            return
        number = sum(ws.read.examples.counts(task.id)[one] for one in wanted)
        locked = " Labeling shows nothing: the figures stay locked until somebody looks."
        st.write(
            f"The same classifier can label the {count(number, 'example')} of {name}."
            + (locked if "test" in wanted else "")
        )
        choice = Choice.of(classifier)
        offer = Offer(
            words=f"Run it on {name}", choice=choice, splits=wanted, provider=run.provider,
            is_primary=True,
        )  # fmt: skip
        if told := run_estimate(ws, task, choice, wanted, run.provider):
            st.caption(plain(told.sentence()))
        if draw_start(ws, task, offer, person=person, key="evaluate_run_more"):
            st.rerun()


def _go_to(run_id: int) -> None:
    st.session_state[NEXT_RUN] = run_id
