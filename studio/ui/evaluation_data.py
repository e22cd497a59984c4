"""What the Evaluate page reads, kept as long as nothing of the task changes.

Everything is keyed by workspace, run, split and the task's revision. Figures on test are not kept
here: each look at them is counted, so the page keeps what a look showed by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from studio.actions.evaluations import (
    calibrate_run,
    compare_runs,
    evaluate_run,
    examples_of_cells,
    find_slices,
)
from studio.domain.calibration import Calibration
from studio.domain.evaluation import Comparison, Evaluation
from studio.domain.run import Run
from studio.domain.slicing import SliceScore
from studio.domain.task import Task
from studio.errors import InputError
from studio.workspace import Workspace

SHOWN = 200
SPLIT_NAMES = {
    "validation": "Validation",
    "train": "Train",
    "train+validation": "Train + validation",
    "test": "Test (locked)",
}
_KEPT = 256
_FOR_S = 3600

# The kept objects are frozen, so they are shared rather than copied.
_keep: Callable[..., Any] = st.cache_resource(max_entries=_KEPT, ttl=_FOR_S, show_spinner=False)


def run_title(run: Run) -> str:
    """Return a run as people pick it from a list."""
    sample = f" · {run.done:,} of {run.total:,}" if run.done < run.total else ""
    return f"{run.id} · {run.title} · {' + '.join(run.splits)}{sample}"


def metric_of(task: Task) -> str:
    """Return the metric of the task's criterion, macro_f1 without one."""
    return task.criterion.metric if task.criterion else "macro_f1"


def measured_runs(ws: Workspace, task: Task) -> list[Run]:
    """Return the runs that labeled something, newest first; previews are left out."""
    found: list[Run] = _runs(str(ws.path), task.id, task.revision, ws)
    return found


def figures(ws: Workspace, task: Task, run_id: int, split: str) -> Evaluation:
    """Return a run's figures on splits other than test.

    Raises:
        InputError: If the run has no example with gold there.
    """
    assert "test" not in split.split("+"), "a look at test is counted: see `evaluation_test`"
    found: Evaluation = _figures(str(ws.path), run_id, split, task.revision, ws)
    return found


def figures_of_all(
    ws: Workspace, task: Task, runs: Sequence[Run], split: str
) -> dict[int, Evaluation]:
    """Return run id to figures, of the runs that have any on this split."""
    found = {}
    for run in runs:
        try:
            found[run.id] = figures(ws, task, run.id, split)
        except InputError:
            continue
    return found


def slices(ws: Workspace, task: Task, run_id: int, split: str) -> list[SliceScore]:
    """Return a run's slices, the worst first."""
    found: list[SliceScore] = _slices(str(ws.path), run_id, split, task.revision, ws)
    return found


def calibration(ws: Workspace, task: Task, run_id: int, split: str) -> Calibration:
    """Return how far a run's confidences can be trusted; beside an evaluation, which counts."""
    found: Calibration = _calibration(str(ws.path), run_id, split, task.revision, ws)
    return found


def comparison(
    ws: Workspace, task: Task, runs: tuple[int, int], split: str, metric: str
) -> Comparison:
    """Return B against A on splits other than test.

    Raises:
        InputError: If they share no example with gold there.
    """
    assert "test" not in split.split("+"), "a look at test is counted: see `evaluation_test`"
    found: Comparison = _comparison(str(ws.path), runs, split, metric, task.revision, ws)
    return found


def cells(
    ws: Workspace, task: Task, run_id: int, split: str
) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return (gold, predicted) to the examples of that cell of the confusion matrix."""
    found: dict[tuple[str, str], tuple[int, ...]] = _cells(
        str(ws.path), run_id, split, task.revision, ws
    )
    return found


def example_rows(
    ws: Workspace, task: Task, run_ids: tuple[int, ...], ids: tuple[int, ...]
) -> list[dict[str, Any]]:
    """Return what is shown of examples: text, gold, and what each of the runs says.

    Args:
        ws: The workspace.
        task: The task.
        run_ids: One run, or the two that are compared.
        ids: The examples; the caller keeps their number within `SHOWN`.

    Returns:
        Dicts with id, external_id, text, gold, and for the last run predicted, confidence, method,
        confidence_from (the method in words) and outcome; `before` is what the first of two runs
        says.
    """
    found: list[dict[str, Any]] = _rows(
        str(ws.path), task.id, run_ids, ids, task.revision, ws, task
    )
    return found


@_keep
def _runs(path: str, task_id: int, revision: int, _ws: Workspace) -> list[Run]:
    return [run for run in _ws.read.runs.all(task_id) if run.done]


@_keep
def _figures(path: str, run_id: int, split: str, revision: int, _ws: Workspace) -> Evaluation:
    return evaluate_run(_ws, run_id, split=split, by="")


@_keep
def _slices(path: str, run_id: int, split: str, revision: int, _ws: Workspace) -> list[SliceScore]:
    return find_slices(_ws, run_id, split=split)


@_keep
def _calibration(path: str, run_id: int, split: str, revision: int, _ws: Workspace) -> Calibration:
    return calibrate_run(_ws, run_id, split=split)


@_keep
def _comparison(
    path: str, runs: tuple[int, int], split: str, metric: str, revision: int, _ws: Workspace
) -> Comparison:
    return compare_runs(_ws, *runs, split=split, metric=metric, by="")


@_keep
def _cells(
    path: str, run_id: int, split: str, revision: int, _ws: Workspace
) -> dict[tuple[str, str], tuple[int, ...]]:
    return examples_of_cells(_ws, run_id, split=split)


@_keep
def _rows(
    path: str, task_id: int, run_ids: tuple[int, ...], ids: tuple[int, ...], revision: int,
    _ws: Workspace, _task: Task,
) -> list[dict[str, Any]]:  # fmt: skip
    gold = _ws.read.labels.gold(task_id, ids=ids)
    said = [
        {p.example_id: p for p in _ws.read.runs.predictions(run_id, example_ids=ids)}
        for run_id in run_ids
    ]
    rows = []
    for example in _ws.read.examples.some(task_id, ids):
        prediction = said[-1].get(example.id)
        row = {
            "id": example.id,
            "external_id": example.external_id,
            "text": example.text,
            "gold": _task.name_of(gold[example.id].label_id) if example.id in gold else "",
            "predicted": _task.name_of(prediction.label_id) or "" if prediction else "",
            "confidence": prediction.confidence if prediction else None,
            "method": prediction.method if prediction else None,
            "confidence_from": prediction.method.words()
            if prediction and prediction.method
            else "",
            "outcome": prediction.outcome.value if prediction else "",
            "metadata": dict(example.metadata),
        }
        if len(run_ids) == 2:
            before = said[0].get(example.id)
            row["before"] = _task.name_of(before.label_id) or "" if before else ""
        rows.append(row)
    return rows
