"""How a task joins the votes of its rules, fitted on gold and frozen with each run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from studio.domain.coded_rationale import CodedRationale
from studio.domain.run import Run
from studio.domain.task import Task
from studio.workspace import Workspace

if TYPE_CHECKING:
    from studio.analysis.joining import Joining

EXPERT_ORDER = "expert"


def joining_setting(task_id: int) -> str:
    """Return the name of the stored setting that holds how a task joins votes."""
    return f"joining:{task_id}"


def chosen_joining(ws: Workspace, task_id: int) -> str:
    """Return the way people chose to join the votes of a task's rules."""
    return ws.read.tasks.setting(joining_setting(task_id)) or EXPERT_ORDER


def fit_votes(ws: Workspace, task: Task, rules: Sequence[CodedRationale], method: str) -> Joining:
    """Return a way of joining the votes of these rules, fitted on blind gold; never on test.

    Raises:
        InputError: If the gold there is does not do.
    """
    from studio.analysis.joining import fit_joining
    from studio.handlers.boards import open_corpus, open_gold
    from studio.handlers.votes import find_votes

    matrix = find_votes(ws.read, task.id, rules, open_corpus(ws, task.id).corpus).matrix
    return fit_joining(
        method, matrix, rules, open_gold(ws, task.id),
        [label.id for label in task.labels], task.fallback_label_id,
    )  # fmt: skip


def frozen_joining(ws: Workspace, run: Run, task: Task, rules: Sequence[CodedRationale]) -> Joining:
    """Return how a run joins votes: as the task did when it was started, fitted once for it."""
    from studio.analysis.joining import EXPERT, Joining

    told = ws.store.runs.params(run.id).get("joining") or {"method": EXPERT_ORDER}
    if told["method"] == EXPERT_ORDER:
        return EXPERT
    if "accuracy" in told:
        return Joining.from_dict(told)
    fitted = fit_votes(ws, task, rules, told["method"])
    ws.store.runs.set_param(run.id, "joining", fitted.to_dict())
    return fitted
