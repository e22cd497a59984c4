"""How versions of prompts compare: on which slices, and how much of a lead is luck."""

from __future__ import annotations

from studio.analysis.prompt_matrix import PromptMatrix, build_matrix
from studio.analysis.slices import label_slices, length_slices, metadata_slices
from studio.analysis.tried_versions import TriedVersions
from studio.errors import InputError
from studio.handlers.tried_texts import OPEN, find_tried, measured_versions
from studio.workspace import Workspace


def prompt_matrix(ws: Workspace, task_id: int) -> PromptMatrix:
    """Return the versions with a finished run against labels, columns and lengths.

    All are held against the champion where it is one of them, else against the first. Only gold of
    train and validation counts.

    Raises:
        InputError: If no version was run on examples with gold.
    """
    task = ws.read.tasks.get(task_id)
    measured = measured_versions(ws, task)
    if not measured:
        raise InputError(
            f"No prompt of {task.name!r} was run on examples with gold of train and validation.",
            next_step="Run a version on all with `studio run start`, or label some examples.",
        )
    gold = {i: g.label_id for i, g in ws.read.labels.gold(task.id, OPEN).items()}
    asked = {p.example_id for _, _, said in measured for p in said}
    gold = {i: label_id for i, label_id in gold.items() if i in asked}
    examples = ws.read.examples.some(task.id, sorted(gold))
    slices = [
        *label_slices(task.labels, gold), *length_slices(examples), *metadata_slices(examples),
    ]  # fmt: skip
    # "a = b = c" may be told of two columns; a table has each heading once.
    slices = [*{part.name: part for part in slices}.values()]
    champion = (v.title for v, _, _ in measured if task.champion == f"prompt:{v.id}")
    return build_matrix(
        [(v.title, v.id, run.id, said) for v, run, said in reversed(measured)],
        gold,
        slices,
        next(champion, measured[0][0].title),
    )


def versions_tried(
    ws: Workspace, task_id: int, version_id: int | None = None
) -> TriedVersions | None:
    """Return how many versions were tried on this gold, and what that makes of one's figure.

    Args:
        ws: The workspace.
        task_id: The task.
        version_id: The version; the one with the best accuracy when None.

    Returns:
        None where no version, or not this one, was measured.
    """
    return find_tried(ws, ws.read.tasks.get(task_id), version_id)
