"""Which examples a prompt shows with their labels: nobody can be measured on what it was told."""

from __future__ import annotations

from collections.abc import Sequence

from studio.domain.example import normalise
from studio.domain.prompt import PromptText
from studio.domain.run import ClassifierKind, Prediction, Run
from studio.domain.task import Task
from studio.handlers.asked import body_of
from studio.workspace import Workspace


def shown_of(
    ws: Workspace, task: Task, bodies: Sequence[PromptText], ids: Sequence[int]
) -> set[int]:
    """Return which of these examples stand among few-shots chosen by hand, by number or by words.

    Few-shots chosen by a policy are never the text itself, nor a copy of it.
    """
    shots = [shot for body in bodies for shot in body.few_shots]
    if not shots:
        return set()
    named = {shot.example_id for shot in shots}
    said = {normalise(shot.text) for shot in shots}
    examples = ws.read.examples.some(task.id, ids)
    return {e.id for e in examples if e.id in named or normalise(e.text) in said}


def without_shown(
    ws: Workspace, task: Task, run: Run, predictions: list[Prediction]
) -> list[Prediction]:
    """Return what a run said of examples that its prompt did not show with their labels."""
    if run.kind is not ClassifierKind.PROMPT:
        return predictions
    body = body_of(ws, run, task)
    shown = shown_of(ws, task, [body], [p.example_id for p in predictions])
    return [p for p in predictions if p.example_id not in shown] if shown else predictions
