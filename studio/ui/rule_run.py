"""Labels everything with the rules, and shows what came of it where it was started."""

from __future__ import annotations

import streamlit as st

from studio.actions.evaluations import evaluate_run
from studio.actions.runs import Choice, start_run
from studio.domain.evaluation import Evaluation
from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.figures import figure_text, percent
from studio.ui.guard import kindly
from studio.ui.job_status import job_status
from studio.ui.notes import note
from studio.ui.rationale_text import plain
from studio.workspace import Workspace


def start_rules(ws: Workspace, task: Task, person: str, *, disabled: bool) -> None:
    """Draw the button that labels train and validation with the rules in force."""
    if st.button(
        "Label all with the rules",
        icon=":material/play_arrow:",
        disabled=disabled,
        key="rationales_run",
        help="All of train and validation. Test stays locked. Rules ask no model and cost nothing.",
    ):
        with kindly():
            start_run(ws, task.id, choice=Choice(rules=True), by=person)
            st.rerun()


def last_rules_run(ws: Workspace, task: Task) -> None:
    """Show the latest run of the rules: its progress while it works, then its figures."""
    runs = [r for r in ws.read.runs.all(task.id) if r.kind is ClassifierKind.RULES]
    if not runs:
        return
    run = runs[0]
    if run.job_id is not None and run.status != "done":
        job_status(ws, run.job_id, key=f"rationales_run_{run.id}", title="Labeling with the rules")
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        try:
            found = _figures(str(ws.path), run.id, task.revision, ws)
        except InputError as error:
            st.caption(plain(str(error)))
        else:
            _show(run, found)
        st.page_link(
            "pages/evaluate.py",
            label="See the errors on Evaluate",
            query_params={"run": str(run.id)},
        )


def _show(run: Run, found: Evaluation) -> None:
    st.markdown(f"**Rules on validation** (run {run.id})", width="content")
    st.markdown(f"accuracy {figure_text(found.accuracy)}", width="content", help=note("accuracy"))
    st.markdown(f"macro-F1 {figure_text(found.macro_f1)}", width="content", help=note("macro-F1"))
    if found.coverage < 1:
        st.markdown(f"coverage {percent(found.coverage)}", width="content", help=note("coverage"))
    st.markdown(
        f"always “{plain(found.majority_label)}” {found.majority:.3f}",
        width="content",
        help=note("majority"),
    )


@st.cache_data(max_entries=32, ttl=3600, show_spinner=False)
def _figures(path: str, run_id: int, revision: int, _ws: Workspace) -> Evaluation:
    return evaluate_run(_ws, run_id, split="validation", by="studio")
