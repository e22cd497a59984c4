"""What everyone does with figures: evaluate, compare, find slices."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

from studio.analysis.calibration import calibrate, methods_of, of_method
from studio.analysis.comparison import compare
from studio.analysis.corpus import Corpus
from studio.analysis.metrics import evaluate, wrong_examples
from studio.analysis.slices import (
    label_slices,
    length_slices,
    metadata_slices,
    rule_slices,
    score_slices,
)
from studio.domain.calibration import Calibration
from studio.domain.evaluation import NO_LABEL, Comparison, Evaluation
from studio.domain.example import Split
from studio.domain.job import JobStatus
from studio.domain.next_step import Measured
from studio.domain.run import Prediction, Run
from studio.domain.slicing import Slice, SliceScore
from studio.domain.task import Task
from studio.errors import InputError, NotFoundError, WorkspaceError
from studio.handlers.shown import without_shown
from studio.handlers.votes import find_votes
from studio.workspace import Workspace

_LATEST = 12
WORTH_KEEPING = 2_000
"""Examples from which on figures are kept: below, computing them takes no time."""


def evaluate_run(
    ws: Workspace, run_id: int, *, split: str = "validation", slice_name: str = "", by: str
) -> Evaluation:
    """Return a run's metrics against gold; a look at test is counted.

    Args:
        ws: The workspace.
        run_id: The run.
        split: train, validation or test, or several joined by "+".
        slice_name: Only the examples of this slice, e.g. "course = dessert"; all when empty.
        by: Who looks.

    Raises:
        InputError: If the run has no example with gold there.
        NotFoundError: If there is no such slice.
    """
    run = ws.read.runs.get(run_id)
    task = ws.read.tasks.get(run.task_id)
    version = _version(ws, run, task)
    kept = None if slice_name else ws.read.runs.figure(run_id, f"evaluation {split}", version)
    if kept is not None:
        found = Evaluation.from_json(kept)
    else:
        gold, predictions = _measured(ws, run, split, slice_name)
        found = evaluate(run_id, split, task.labels, gold, predictions)
        if not slice_name and JobStatus(run.status).is_final and found.n >= WORTH_KEEPING:
            with contextlib.suppress(WorkspaceError):  # a file that cannot be written can be read
                ws.store.runs.keep_figure(run_id, f"evaluation {split}", version, found.to_json())
    if Split.TEST.value in split.split("+"):
        ws.store.labels.record_look(task.id, run_id, by, ws.now())
    return found


def measured_lately(ws: Workspace, task: Task, runs: Sequence[Run]) -> tuple[Measured, ...]:
    """Return the latest of these finished runs with their figure on validation, never of test."""
    metric = task.criterion.metric if task.criterion else "macro_f1"
    found = []
    for run in [run for run in runs if Split.VALIDATION in run.splits][:_LATEST]:
        try:
            evaluation = evaluate_run(ws, run.id, split=Split.VALIDATION.value, by="studio")
        except InputError:  # a sample of the split may hold no gold
            continue
        found.append(
            Measured(
                run_id=run.id,
                title=run.title,
                metric=metric,
                figure=evaluation.metric(metric),
                majority=evaluation.majority,
            )
        )
    return tuple(found)


def calibrate_run(
    ws: Workspace, run_id: int, *, split: str = "validation", slice_name: str = ""
) -> Calibration:
    """Return how far a run's confidences can be trusted, those of its main method.

    It belongs beside an evaluation, which counts a look at test.

    Args:
        ws: The workspace.
        run_id: The run.
        split: As in `evaluate_run`.
        slice_name: As in `evaluate_run`.

    Raises:
        InputError: If the run has no example with gold there.
        NotFoundError: If there is no such slice.
    """
    run = ws.read.runs.get(run_id)
    known = {label.id for label in ws.read.tasks.get(run.task_id).labels}
    gold, predictions = _measured(ws, run, split, slice_name)
    gold = {i: label_id for i, label_id in gold.items() if label_id in known}
    judged = [p for p in predictions if p.example_id in gold]
    methods = methods_of(judged)
    main = next(iter(methods), None)
    unsure = [p for p in judged if p.confidence is None]
    found = calibrate(run_id, split, gold, [*of_method(judged, main), *unsure])
    others = {method: n for method, n in methods.items() if method is not main}
    votes = ws.read.runs.params(run_id).get("samples", 0)
    return replace(found, others=others, votes=votes)


def compare_runs(
    ws: Workspace,
    run_a: int,
    run_b: int,
    *,
    split: str = "train+validation",
    metric: str = "macro_f1",
    by: str,
) -> Comparison:
    """Return B against A on the examples both labeled and gold is known of.

    Raises:
        InputError: If the runs are of different tasks or share no example with gold.
    """
    first, second = ws.read.runs.get(run_a), ws.read.runs.get(run_b)
    if first.task_id != second.task_id:
        raise InputError(
            "The runs belong to different tasks.", next_step="Compare two of one task."
        )
    task = ws.read.tasks.get(first.task_id)
    gold, before = _measured(ws, first, split)
    _, after = _measured(ws, second, split)
    shared = {p.example_id for p in before} & {p.example_id for p in after} & set(gold)
    if not shared:
        raise InputError(
            f"Runs {run_a} and {run_b} share no example with gold in {split}.",
            next_step="Run both on the same split.",
        )
    if Split.TEST.value in split.split("+"):
        for run in (first, second):
            ws.store.labels.record_look(task.id, run.id, by, ws.now())
    return compare(run_a, run_b, task.labels, gold, before, after, metric)


def find_slices(
    ws: Workspace, run_id: int, *, split: str = "validation", by: str = ""
) -> list[SliceScore]:
    """Return the run's slices by metadata, rules, labels and length, the worst first.

    Args:
        ws: The workspace.
        run_id: The run.
        split: As in `evaluate_run`.
        by: Who looks, so that a look at test is counted; empty beside an evaluation, which counts.

    Raises:
        InputError: If the run has no example with gold there.
    """
    run = ws.read.runs.get(run_id)
    gold, predictions = _measured(ws, run, split)
    wrong = wrong_examples(gold, predictions)
    known = {p.example_id for p in predictions if p.example_id in gold}
    if by and Split.TEST.value in split.split("+"):
        ws.store.labels.record_look(run.task_id, run_id, by, ws.now())
    return score_slices(_slices(ws, run, split, known, gold), wrong, known)


def examples_of_cells(
    ws: Workspace, run_id: int, *, split: str
) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return (gold, predicted) to the ids of its examples, for all cells that are not empty."""
    run = ws.read.runs.get(run_id)
    task = ws.read.tasks.get(run.task_id)
    labels, predictions = _measured(ws, run, split)
    name = {label.id: label.name for label in task.labels}
    cells: dict[tuple[str, str], list[int]] = {}
    for p in predictions:
        gold = name.get(labels.get(p.example_id, 0))
        if gold is not None:
            said = NO_LABEL if p.label_id is None else name.get(p.label_id, NO_LABEL)
            cells.setdefault((gold, said), []).append(p.example_id)
    return {cell: tuple(ids) for cell, ids in cells.items()}


def _version(ws: Workspace, run: Run, task: Task) -> str:
    """Return what a run's figures depend on: its predictions, all labels given, their names."""
    names = [(label.id, label.name) for label in task.labels]
    told = json.dumps([run.done, ws.read.runs.last_label_event(), names])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _measured(
    ws: Workspace, run: Run, split: str, slice_name: str = ""
) -> tuple[dict[int, int], list[Prediction]]:
    """Return gold and predictions of the splits or a slice; on test only blind gold counts.

    Examples that the run's prompt shows with their labels are left out.
    """
    if slice_name:
        gold, predictions = _measured(ws, run, split)
        ids = _slice(ws, run, split, slice_name).example_ids
        gold = {i: label_id for i, label_id in gold.items() if i in ids}
        return gold, [p for p in predictions if p.example_id in ids]
    splits = _splits(split)
    blind = Split.TEST.value in splits
    found = ws.read.labels.gold(run.task_id, splits, blind_only=blind)
    gold = {i: g.label_id for i, g in found.items()}
    predictions = ws.read.runs.predictions(run.id, splits=splits, with_gold=True)
    predictions = without_shown(ws, ws.read.tasks.get(run.task_id), run, predictions)
    if not any(p.example_id in gold for p in predictions):
        covered = ", ".join(run.splits) or "nothing"
        raise InputError(
            f"Run {run.id} has no labeled example with gold in {split}; it covers {covered}.",
            next_step="Run the classifier there, or import or give gold labels.",
        )
    return gold, predictions


def _splits(split: str) -> tuple[str, ...]:
    names = tuple(split.split("+"))
    known = [s.value for s in Split]
    for name in names:
        if name not in known:
            raise InputError(f"There is no split {name!r}.", next_step=f"Use {', '.join(known)}.")
    return names


def _slices(
    ws: Workspace, run: Run, split: str, ids: set[int], gold: dict[int, int]
) -> list[Slice]:
    examples = ws.read.examples.some(run.task_id, sorted(ids))
    rules = ws.read.rules.all(run.task_id, enabled_only=True)
    task = ws.read.tasks.get(run.task_id)
    found: list[Slice] = [*metadata_slices(examples), *length_slices(examples)]
    found += label_slices(task.labels, gold)
    if rules:
        votes = find_votes(ws.read, task.id, rules, Corpus.of(examples))
        found += rule_slices(votes.matrix, rules)
    return found


def _slice(ws: Workspace, run: Run, split: str, name: str) -> Slice:
    gold, predictions = _measured(ws, run, split)
    ids: Sequence[int] = [p.example_id for p in predictions if p.example_id in gold]
    found = _slices(ws, run, split, set(ids), gold)
    for candidate in found:
        if candidate.name.casefold() == name.casefold():
            return candidate
    raise NotFoundError(
        f"There is no slice {name!r}.",
        next_step=f"There are {', '.join(s.name for s in found[:6])} …; see `studio slices`.",
    )
