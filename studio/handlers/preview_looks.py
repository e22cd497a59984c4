"""How often two texts of a prompt were compared on previews by now: each look may err anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from studio.analysis.sampling import Sample
from studio.domain.job import JobStatus
from studio.domain.prompt import PromptText
from studio.domain.task import Task
from studio.handlers.tried_texts import PARAM, previewed
from studio.workspace import Workspace


def count_looks(
    ws: Workspace,
    task: Task,
    body: PromptText,
    before: PromptText | None,
    sample: Sample,
    *,
    grown: bool = False,
) -> dict[str, int]:
    """Return the number of this look at two texts, and on how many samples they were looked at.

    It counts everybody's: the gold that errs by chance is the same. The same sample again is the
    same look.

    Args:
        ws: The workspace.
        task: The task.
        body: The draft.
        before: The version before.
        sample: What they are to be tried on.
        grown: The sample is one of before with more examples.

    Returns:
        `looks` and `samples`, as a preview's run keeps them.
    """
    wanted = body.hash, before.hash if before else None
    earlier = [told for pair, told in _previews(ws, task) if pair == wanted]
    drawn = {frozenset(told["sample"]["weights"]): told for told in earlier}
    same = drawn.get(frozenset(map(str, sample.weights)))
    if same is not None:
        return {"looks": same["looks"], "samples": same.get("samples", 1)}
    samples = max((told.get("samples", 1) for told in earlier), default=0)
    return {"looks": len(drawn) + 1, "samples": max(1, samples + (not grown))}


def _previews(ws: Workspace, task: Task) -> Iterator[tuple[tuple[str, str | None], dict[str, Any]]]:
    """Yield the two texts of each preview with gold that can be looked at, and what it kept."""
    for run in ws.read.runs.all(task.id, previews=True):
        if not run.preview or (JobStatus(run.status).is_final and not run.done):
            continue
        told = ws.read.runs.params(run.id).get(PARAM)
        if told and told["sample"]["weights"]:
            before = told["before"]
            then = previewed(ws, task, before).hash if before is not None else None
            yield (previewed(ws, task, run.id).hash, then), told
