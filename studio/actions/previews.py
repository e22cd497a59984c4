"""What business users do with drafts of prompts: try them on a sample before they are saved."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from studio.analysis.sampling import Sample, check_seed
from studio.domain.estimate import Estimate
from studio.domain.prompt import PromptText
from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Task
from studio.errors import InputError
from studio.handlers.consenting import check_consent
from studio.handlers.estimating import SAMPLE, estimate, known_engine
from studio.handlers.preview_looks import count_looks
from studio.handlers.preview_sample import preview_sample
from studio.handlers.prompt_checks import check_prompt
from studio.handlers.tried_texts import OPEN, PARAM, previewed
from studio.providers.base import Provider
from studio.workspace import Workspace

PREVIEW_SIZE = 40


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What a preview would ask: one or two texts about one sample."""

    task: Task
    service: Provider
    body: PromptText
    before: PromptText | None
    sample: Sample
    seed: int
    looked: dict[str, int] = field(default_factory=dict)


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

    The sample is drawn from train and validation, never from test: a third of it examples known
    to be hard, the rest at random over gold labels and kinds of examples.
    Another `seed` tries the same texts on another sample: one look more, with a wider interval.
    With `consent` the person agrees to send this task's texts to the provider; it is recorded.

    Raises:
        InputError: If there are no examples, none are wished, or the draft is unusable.
        ConsentNeededError: If the provider is elsewhere and nobody agreed to send texts there.
    """
    plan = _plan(ws, task_id, body=body, before=before, provider=provider, n=n, seed=seed)
    looked = count_looks(ws, plan.task, body, before, plan.sample)
    return _file(ws, replace(plan, looked=looked), consent=consent, by=by)


def preview_more(
    ws: Workspace, run_id: int, *, more: int, consent: bool = False, by: str
) -> Preview:
    """File a preview of the same texts on the same sample and so many random examples more.

    What was asked before is not asked again. Each look at more examples widens the interval of the
    difference, so that looking until something shows does not make it true.

    Raises:
        InputError: If the run is no preview, or there are no further examples.
        ConsentNeededError: If the provider is elsewhere and nobody agreed to send texts there.
    """
    return _file(ws, _grown(ws, run_id, more), consent=consent, by=by)


def estimate_preview(
    ws: Workspace,
    task_id: int,
    *,
    body: PromptText,
    before: PromptText | None = None,
    provider: str = "",
    n: int = PREVIEW_SIZE,
    seed: int = 0,
    sample: Sample | None = None,
) -> Estimate:
    """Return what such a preview would ask, cost and take; nothing is filed and nobody asked.

    The arguments are those of `preview_prompt`; a sample from `sample_of_preview` spares drawing
    it anew for every letter typed.
    """
    plan = _plan(
        ws, task_id, body=body, before=before, provider=provider, n=n, seed=seed, sample=sample
    )
    told = _estimates(ws, plan)
    return sum(told[1:], start=told[0])


def sample_of_preview(
    ws: Workspace,
    task_id: int,
    *,
    before: PromptText | None = None,
    n: int = PREVIEW_SIZE,
    seed: int = 0,
) -> Sample:
    """Return the sample such a preview would be on; it does not depend on the draft."""
    return preview_sample(ws, ws.read.tasks.get(task_id), n, seed=seed, before=before)


def estimate_more(ws: Workspace, run_id: int, *, more: int) -> Estimate:
    """Return what previewing on so many examples more would ask, cost and take."""
    told = _estimates(ws, _grown(ws, run_id, more))
    return sum(told[1:], start=told[0])


def _plan(
    ws: Workspace,
    task_id: int,
    *,
    body: PromptText,
    before: PromptText | None,
    provider: str,
    n: int,
    seed: int,
    sample: Sample | None = None,
) -> _Plan:
    task = ws.store.tasks.get(task_id)
    for draft in filter(None, (body, before)):
        check_prompt(ws, task, draft)
    check_seed(seed)
    if n < 1:
        raise InputError("A preview needs at least 1 example.", next_step="Ask for e.g. 40.")
    service = ws.provider(provider or ws.default_provider)
    if sample is None:
        sample = preview_sample(ws, task, n, seed=seed, before=before)
    if not sample.ids:
        raise InputError(
            "There are no examples in train and validation to try the prompt on.",
            next_step="Import examples first.",
        )
    return _Plan(task=task, service=service, body=body, before=before, sample=sample, seed=seed)


def _grown(ws: Workspace, run_id: int, more: int) -> _Plan:
    run = ws.store.runs.get(run_id)
    if PARAM not in (params := ws.store.runs.params(run_id)):
        raise InputError(
            f"Run {run_id} is no preview of a draft.", next_step="Preview the draft first."
        )
    if more < 1:
        raise InputError("Name at least 1 example more.", next_step="Ask for e.g. 40.")
    task, told = ws.store.tasks.get(run.task_id), params[PARAM]
    earlier = Sample.from_dict(told["sample"])
    before = previewed(ws, task, told["before"]) if told["before"] is not None else None
    size = len(earlier.ids) + more
    sample = preview_sample(ws, task, size, seed=told["seed"], before=before, earlier=earlier)
    if len(sample.weights) == len(earlier.weights):
        raise InputError(
            "There is no further example with gold in train and validation.",
            next_step="Label more examples, then preview again.",
        )
    body = previewed(ws, task, run_id)
    return _Plan(
        task=task, service=ws.provider(run.provider), body=body, before=before, sample=sample,
        seed=told["seed"], looked=count_looks(ws, task, body, before, sample, grown=True),
    )  # fmt: skip


def _file(ws: Workspace, plan: _Plan, *, consent: bool, by: str) -> Preview:
    told = _estimates(ws, plan)

    def file(draft: PromptText, title: str, expected: Estimate, more: dict[str, Any]) -> Run:
        run = replace(_run(plan, title), created_at=ws.now(), created_by=by)
        params = {"body": draft.to_dict(), "estimate": expected.to_dict(), **more}
        return ws.store.file_run(run, example_ids=plan.sample.ids, params=params, now=ws.clock())

    with ws.store.transaction():
        whole = sum(told[1:], start=told[0])
        check_consent(
            ws, plan.task.id, plan.service, whole, what="A preview", consent=consent, by=by
        )
        first = None
        if plan.before is not None:
            first = file(plan.before, "version before", told[1], {})
        about = {
            "sample": plan.sample.to_dict(), "before": first.id if first else None,
            "seed": plan.seed, **plan.looked,
        }  # fmt: skip
        draft_run = file(plan.body, "draft", told[0], {PARAM: about})
    ws.wake()
    return Preview(
        run_id=draft_run.id, before_id=first.id if first else None, example_ids=plan.sample.ids
    )


def _estimates(ws: Workspace, plan: _Plan) -> list[Estimate]:
    """Return what the draft, and the version before it, would ask."""
    examples = ws.store.examples.some(plan.task.id, plan.sample.ids[:SAMPLE])
    run, engine = _run(plan, ""), known_engine(ws, plan.service)
    drafts = [plan.body, plan.before] if plan.before else [plan.body]
    return [
        estimate(ws, run, plan.service, examples, body=draft, engine=engine) for draft in drafts
    ]


def _run(plan: _Plan, title: str) -> Run:
    return Run(
        id=0,
        task_id=plan.task.id,
        kind=ClassifierKind.PROMPT,
        title=title,
        model=plan.service.default_model,
        provider=plan.service.name,
        splits=OPEN,
        preview=True,
        total=len(plan.sample.ids),
    )
