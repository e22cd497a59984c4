"""Reads where a task stands; once for each revision of the task."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from studio.actions.evaluations import measured_lately
from studio.domain.finetune import FineTuneStatus
from studio.domain.job import JobStatus
from studio.domain.next_step import Measured, Standing
from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Task
from studio.workspace import Workspace

_FROM_FILES = ("imported", "computed")


def standing(ws: Workspace, task: Task) -> Standing:
    """Return where the task stands; computed anew when anything of it was written."""
    kept = _standing(str(ws.path), task.id, task.revision, ws, task)
    return replace(kept, open_jobs=_open_jobs(ws, task))


@st.cache_data(max_entries=64, show_spinner=False)
def _standing(path: str, task_id: int, revision: int, _ws: Workspace, _task: Task) -> Standing:
    read = _ws.read
    gold = dict.fromkeys(("train", "validation", "test"), 0)
    gold_labels = dict.fromkeys(_task.label_names, 0)
    by_people = 0
    for row in read.labels.counts(task_id):
        gold[row["split"]] += row["n"]
        name = _task.name_of(row["label_id"]) or ""
        gold_labels[name] = gold_labels.get(name, 0) + row["n"]
        by_people += 0 if row["origin"] in _FROM_FILES else row["n"]
    runs = read.runs.all(task_id)
    finished = [run for run in runs if run.done >= run.total > 0]
    finetunes = read.finetunes.all(task_id)
    measured = measured_lately(_ws, _task, finished) if gold["validation"] else ()
    return Standing(
        examples=read.examples.counts(task_id),
        gold=gold,
        gold_labels=gold_labels,
        by_people=by_people,
        undefined=tuple(label.name for label in _task.labels if not label.definition),
        rationales=len(read.rationales.all(task_id)),
        rules=len(read.rules.all(task_id, enabled_only=True)),
        prompts=len(read.prompts.all(task_id)),
        models=sum(f.status is FineTuneStatus.SUCCEEDED for f in finetunes),
        runs=len(finished),
        measured=measured,
        criterion=_task.criterion,
        unmeasured=_unmeasured(_ws, _task, finished),
        test_measured=_is_tested(_ws, _task, finished, measured),
    )


def _unmeasured(ws: Workspace, task: Task, finished: list[Run]) -> tuple[str, ...]:
    """Return which of the rules and the latest model were never run on all of validation."""
    runs = [run for run in finished if "validation" in run.splits]
    found = []
    if ws.read.rules.all(task.id, enabled_only=True) and not any(
        run.kind is ClassifierKind.RULES for run in runs
    ):
        found.append("rules")
    models = [f.model for f in ws.read.finetunes.all(task.id) if f.model]
    if models and not {run.model for run in runs}.intersection(models):
        found.append("model")
    return tuple(found)


def _open_jobs(ws: Workspace, task: Task) -> int:
    """Count the task's work under way; it ends without a new revision, so it is never kept."""
    tasks = {
        "run": lambda job: ws.read.runs.get(job.subject_id).task_id,
        "finetune": lambda job: ws.read.finetunes.task_of(job.subject_id),
    }
    busy = [job for job in ws.read.jobs.open() if job.status is not JobStatus.PAUSED]
    return sum(job.kind in tasks and tasks[job.kind](job) == task.id for job in busy)


def _is_tested(
    ws: Workspace, task: Task, finished: list[Run], measured: tuple[Measured, ...]
) -> bool:
    """Tell whether the classifier the verdict should be about was run on test."""
    best = max(measured, key=lambda m: m.figure.value, default=None)
    wanted = task.champion or (ws.read.runs.classifier(best.run_id) if best else "")
    on_test = [run for run in finished if "test" in run.splits]
    return any(not wanted or ws.read.runs.classifier(run.id) == wanted for run in on_test)
