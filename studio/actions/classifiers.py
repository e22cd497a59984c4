"""What people learn of classifiers before they run one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.errors import InputError
from studio.handlers.rules_and_text import choose
from studio.workspace import Workspace

if TYPE_CHECKING:
    from studio.analysis.rules_and_text import Choice


def compare_classifiers(ws: Workspace, task_id: int, model: str) -> Choice:
    """Return how a model alone, the rules alone and both do on gold held back, and what to take.

    It is what a run of the rules with this model would choose now. Nobody is asked: it rests on
    blind gold of train and validation whose examples the model has told of without having learnt
    them, in its training's out-of-fold answers or in its runs.

    Args:
        ws: The workspace.
        task_id: The task.
        model: A fine-tune's number or its model's name.

    Raises:
        InputError: If the task has no rules.
        NotFoundError: If it has no such model.
    """
    task = ws.read.tasks.get(task_id)
    rules = ws.read.rules.all(task_id, enabled_only=True)
    if not rules:
        raise InputError(
            f"The task {task.name!r} has no rules.", next_step="Code a rationale first."
        )
    return choose(ws.read, task, ws.read.finetunes.find(task_id, model), rules).choice
