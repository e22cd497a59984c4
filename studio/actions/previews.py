"""What business users do with drafts of prompts: try them on a sample before they are saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.analysis.sampling import spread
from studio.domain.estimate import Estimate
from studio.domain.example import Split
from studio.domain.prompt import PromptText
from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Task
from studio.errors import InputError
from studio.handlers.consenting import check_consent
from studio.handlers.estimating import SAMPLE, estimate
from studio.handlers.prompt_checks import check_prompt
from studio.providers.base import Provider
from studio.workspace import Workspace

PREVIEW_SIZE = 40
_OPEN = (Split.TRAIN.value, Split.VALIDATION.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A draft tried on a sample, beside the version before.

    Attributes:
        run_id: The run of the draft.
        before_id: The run of the version before on the same sample; None without one.
        example_ids: The sample, of train and validation.
    """

    run_id: int
    before_id: int | None
    example_ids: tuple[int, ...]


def preview_prompt(
    ws: Workspace,
    task_id: int,
    *,
    body: PromptText,
    before: PromptText | None = None,
    provider: str = "",
    n: int = PREVIEW_SIZE,
    seed: int = 0,
    consent: bool = False,
    by: str,
) -> Preview:
    """File runs of a draft, and of the version before it, on the same small sample.

    The sample is drawn from train and validation, each gold label in turn; never from test.
    With `consent` the person agrees to send this task's texts to the provider; it is recorded.

    Raises:
        InputError: If there are no examples, none are wished, or the draft is unusable.
        ConsentNeededError: If the provider is elsewhere and nobody agreed to send texts there.
    """
    task = ws.store.tasks.get(task_id)
    for draft in filter(None, (body, before)):
        check_prompt(ws, task, draft)
    if n < 1:
        raise InputError("A preview needs at least 1 example.", next_step="Ask for e.g. 40.")
    service = ws.provider(provider or ws.default_provider)
    ids = ws.store.examples.ids(task_id, _OPEN)
    if not ids:
        raise InputError(
            "There are no examples in train and validation to try the prompt on.",
            next_step="Import examples first.",
        )
    gold = {i: g.label_id for i, g in ws.store.labels.gold(task_id).items()}
    sample = spread(ids, gold, n, seed)

    def file(draft: PromptText, title: str) -> Run:
        run = replace(_run(task, service, title), created_at=ws.now(), created_by=by)
        params = {"body": draft.to_dict()}
        return ws.store.file_run(run, example_ids=sample, params=params, now=ws.clock())

    with ws.store.transaction():
        if not service.is_local:
            told = _estimate(ws, task, service, [body, before], n)
            check_consent(ws, task_id, service, told, what="A preview", consent=consent, by=by)
        first = file(before, "version before") if before is not None else None
        draft_run = file(body, "draft")
    ws.wake()
    return Preview(
        run_id=draft_run.id,
        before_id=first.id if first else None,
        example_ids=tuple(sample),
    )


def estimate_preview(
    ws: Workspace,
    task_id: int,
    *,
    body: PromptText,
    before: PromptText | None = None,
    provider: str = "",
    n: int = PREVIEW_SIZE,
) -> Estimate:
    """Return what such a preview would ask, cost and take; nothing is filed and nobody asked."""
    task = ws.store.tasks.get(task_id)
    service = ws.provider(provider or ws.default_provider)
    return _estimate(ws, task, service, [body, before], n)


def _estimate(
    ws: Workspace, task: Task, service: Provider, drafts: Sequence[PromptText | None], n: int
) -> Estimate:
    counts = ws.store.examples.counts(task.id)
    run = replace(_run(task, service, ""), total=min(n, sum(counts[split] for split in _OPEN)))
    sample = ws.store.examples.sample(task.id, _OPEN, min(n, SAMPLE))
    told = [estimate(ws, run, service, sample, body=draft) for draft in drafts if draft]
    return sum(told[1:], start=told[0])


def _run(task: Task, service: Provider, title: str) -> Run:
    return Run(
        id=0,
        task_id=task.id,
        kind=ClassifierKind.PROMPT,
        title=title,
        model=service.default_model,
        provider=service.name,
        splits=_OPEN,
        preview=True,
    )
