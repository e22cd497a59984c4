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
    from studio.handlers.votes import Voting

EXPERT_ORDER = "expert"


def joining_setting(task_id: int) -> str:
    """Return the name of the stored setting that holds how a task joins votes."""
    return f"joining:{task_id}"


def chosen_joining(ws: Workspace, task_id: int) -> str:
    """Return the way people chose to join the votes of a task's rules."""
    return ws.read.tasks.setting(joining_setting(task_id)) or EXPERT_ORDER


def fit_votes(
    ws: Workspace,
    task: Task,
    rules: Sequence[CodedRationale],
    method: str,
    *,
    before_run: int | None = None,
) -> Joining:
    """Return a way of joining the votes of these rules, fitted on blind gold; never on test.

    Args:
        ws: The workspace.
        task: The task.
        rules: The rules that vote.
        method: The way.
        before_run: Answers of prompts count only of runs before this one.

    Raises:
        InputError: If the gold there is does not do.
    """
    from studio.analysis.joining import fit_joining
    from studio.handlers.boards import open_corpus, open_gold
    from studio.handlers.votes import find_votes

    corpus = open_corpus(ws, task.id).corpus
    matrix = find_votes(ws.read, task.id, rules, corpus, before_run=before_run).matrix
    return fit_joining(
        method, matrix, rules, open_gold(ws, task.id),
        [label.id for label in task.labels], task.fallback_label_id,
    )  # fmt: skip


async def frozen_joining(
    ws: Workspace, run: Run, task: Task, rules: Sequence[CodedRationale], voting: Voting
) -> Joining:
    """Return how a run joins votes: as the task did when it was started, fitted once for it.

    Raises:
        LaterError: A rule asks for likeness, and the embedded server does not run yet.
    """
    import asyncio

    from studio.analysis.joining import EXPERT, Joining
    from studio.handlers.boards import open_ids

    told = ws.store.runs.params(run.id).get("joining") or {"method": EXPERT_ORDER}
    if told["method"] == EXPERT_ORDER:
        return EXPERT
    if "accuracy" in told:
        return Joining.from_dict(told)
    # A rule that asks for likeness would be weighed by votes it has not given yet.
    ids, _ = await asyncio.to_thread(open_ids, ws, task.id)
    await voting.know_likeness(ids.tolist())
    method = told["method"]
    fitted = await asyncio.to_thread(fit_votes, ws, task, rules, method, before_run=run.id)
    ws.store.runs.set_param(run.id, "joining", fitted.to_dict())
    return fitted
