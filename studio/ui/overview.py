"""Parts of Home: the next step, what there is, and the runs."""

from __future__ import annotations

import streamlit as st

from studio.domain.finetune import FineTune
from studio.domain.next_step import Measured, NextStep, Standing
from studio.domain.run import Run
from studio.domain.task import Task
from studio.ui.figures import count, figure_text, metric_name, money, percent
from studio.ui.job_status import job_status
from studio.ui.label_marks import marked_cell, marks_of
from studio.ui.notes import note
from studio.ui.session import open_page_of
from studio.workspace import Workspace

_SHOWN = 10


def draw_next_step(step: NextStep) -> None:
    """Draw the one next step with its reason and a button to its page."""
    with st.container(border=True, key="next_step"):
        st.caption("Next step")
        st.markdown(f"**{step.action}.** {step.why}")
        if st.button(step.action, type="primary", key="next_step_go"):
            if step.page == "label":  # its view is the split to label
                st.session_state["label_split"] = [step.view] if step.view else []
                open_page_of(step.page)
            open_page_of(step.page, tab=step.view)


def draw_counts(now: Standing) -> None:
    """Draw what there is: examples by split, gold, reasons, rules, prompts, models."""
    splits = " · ".join(f"{split} {n:,}" for split, n in now.examples.items())
    labels = " · ".join(f"{name} {n:,}" for name, n in list(now.gold_labels.items())[:6])
    share = percent(now.total_gold / now.total if now.total else None, digits=0)
    with st.container(horizontal=True, key="counts"):
        _tile("Examples", now.total, splits, note("split"))
        people = f" · {now.by_people:,} by people here" if now.by_people else ""
        _tile("Gold labels", now.total_gold, f"{share} · {labels}{people}",
              note("gold"))  # fmt: skip
        _tile("Rationales", now.rationales, count(now.rules, "rule in force", "rules in force"),
              note("rationale"))  # fmt: skip
        _tile("Prompt versions", now.prompts, count(now.runs, "finished run"), note("prompt"))
        _tile("Models", now.models, "from fine-tunes", note("fine-tune"))


def draw_open_jobs(ws: Workspace, task: Task) -> None:
    """Draw the progress of every run and fine-tune of the task that still works."""
    for run in ws.read.runs.all(task.id, previews=False):
        if run.job_id is not None and run.status in ("queued", "running", "paused"):
            job_status(ws, run.job_id, key=f"home_run_{run.id}", title=_title(run))
    for tuned in ws.read.finetunes.all(task.id):
        if tuned.job_id is not None and not tuned.status.is_final:
            job_status(ws, tuned.job_id, key=f"home_finetune_{tuned.id}", title=_tuned(tuned))


def draw_runs(ws: Workspace, task: Task, now: Standing) -> None:
    """Draw the latest runs with their figure on validation."""
    runs = ws.read.runs.all(task.id)[:_SHOWN]
    if not runs:
        return
    st.subheader("Latest runs", anchor=False)
    figures = {m.run_id: m for m in now.measured}
    metric = metric_name(now.measured[0].metric if now.measured else "macro_f1")
    marks = marks_of(ws, task).runs
    rows = []
    for run in runs:
        measured = figures.get(run.id)
        rows.append(
            {
                "Run": run.id,
                "Classifier": run.title,
                "On": ", ".join(run.splits),
                "State": run.status,
                "Labeled": f"{run.done:,} of {run.total:,}",
                "Cost": _cost(run),
                f"{metric} on validation": _figure(measured, run),
                "By": run.created_by,
                "When": run.created_at[:16].replace("T", " "),
                **marked_cell(marks, run.id),
            }
        )
    st.dataframe(rows, hide_index=True, key="home_runs", alt="Latest runs")
    for run in runs:
        if run.error:
            st.error(f"Run {run.id} stopped: {run.error}")
            break


def _tile(name: str, value: int, below: str, help: str) -> None:
    with st.container(width=152, gap=None, key=f"tile_{name}"):
        st.metric(name, f"{value:,}", help=help)
        st.caption(below)


def _title(run: Run) -> str:
    return f"Run {run.id}: {run.title} on {', '.join(run.splits)}"


def _tuned(tuned: FineTune) -> str:
    return f"Fine-tune {tuned.id} of {tuned.base_model}"


def _cost(run: Run) -> str:
    if run.budget_usd is not None:
        return f"{money(run.cost_usd)} of {money(run.budget_usd)}"
    return "free" if run.cost_usd == 0 else money(run.cost_usd)


def _figure(measured: Measured | None, run: Run) -> str:
    if measured is not None:
        return figure_text(measured.figure)
    return "locked" if run.splits == ("test",) else ""
