"""The work behind a fine-tune: send the training set, launch, watch, keep what comes out."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Any

from studio.domain.finetune import FineTune, FineTuneStatus
from studio.domain.job import Job
from studio.domain.prompt import prompt_of, training_jsonl
from studio.errors import (
    InputError,
    ProviderError,
    ProviderUnavailableError,
    RateLimitedError,
    RefusedRequestError,
    RunFailedError,
)
from studio.jobs.control import CancelledJobError, Control
from studio.providers.base import FINE_TUNE_KEY, FineTuneState, Provider, RemoteEvent
from studio.workspace import Workspace

POLL_LOCAL_S = 0.4
POLL_REMOTE_S = 10.0
MOST_FAILED_POLLS = 10


async def finetune_handler(ws: Workspace, job: Job, control: Control) -> None:
    """Launch a fine-tune, or find the one launched before a restart, and watch it to its end."""
    finetune = ws.store.finetunes.get(job.subject_id)
    try:
        service = ws.provider(finetune.provider)
        try:
            await _see_through(ws, job, finetune, service, control)
        finally:
            await service.close()
    except (ProviderError, InputError) as error:
        ws.store.finetunes.update(finetune.id, status=FineTuneStatus.FAILED, error=str(error))
        raise
    await control.checkpoint(done=100, message="")


async def _see_through(
    ws: Workspace, job: Job, finetune: FineTune, service: Provider, control: Control
) -> None:
    try:
        await control.checkpoint(done=0, total=100, message="launching")
        remote_id = finetune.remote_id or await _launch(ws, finetune, service)
        state = await _watch(ws, finetune.id, remote_id, service, control)
    except CancelledJobError:
        await _cancel(ws, finetune.id, service)
        ws.store.finetunes.update(finetune.id, status=FineTuneStatus.CANCELLED, error="")
        raise
    await _settle(ws, job, finetune.id, state, service)


async def _cancel(ws: Workspace, finetune_id: int, service: Provider) -> None:
    """Cancel the training at its provider; one that has ended by itself is left alone."""
    remote_id = ws.store.finetunes.get(finetune_id).remote_id
    if not remote_id:  # it may have been launched by a worker that died before it wrote that down
        state = await service.find_fine_tune(_key(ws, finetune_id))
        remote_id = state.remote_id if state else ""
        ws.store.finetunes.update(finetune_id, remote_id=remote_id)
    if remote_id:
        with contextlib.suppress(RefusedRequestError):
            await service.cancel_fine_tune(remote_id)


def _key(ws: Workspace, finetune_id: int) -> str:
    """Return what names this fine-tune at its provider, whoever launches it."""
    return f"{ws.store.tasks.setting('workspace_id')}-{finetune_id}"


async def _launch(ws: Workspace, finetune: FineTune, service: Provider) -> str:
    """Create the training once, even if the worker died between asking and storing the answer."""
    key = _key(ws, finetune.id)
    state = await service.find_fine_tune(key)
    if state is None:
        task = ws.store.tasks.get(ws.store.finetunes.task_of(finetune.id))
        version_id = finetune.prompt_version_id
        body = (
            prompt_of(task)
            if version_id is None
            else ws.store.prompts.get(task.id, version_id).body
        )
        rows = ws.store.finetunes.training_rows(finetune.training_set_id)
        jsonl = training_jsonl(body, task.label_names, rows)
        file_id = await service.upload(
            jsonl.encode(), f"training-set-{finetune.training_set_id}.jsonl"
        )
        state = await service.create_fine_tune(
            file_id,
            finetune.base_model,
            suffix=_suffix(task.name, finetune.id),
            seed=0,
            metadata={FINE_TUNE_KEY: key},
        )
    ws.store.finetunes.update(finetune.id, remote_id=state.remote_id, status=state.status)
    return state.remote_id


async def _watch(
    ws: Workspace, finetune_id: int, remote_id: str, service: Provider, control: Control
) -> FineTuneState:
    """Copy status and events until the training has ended."""
    poll = POLL_LOCAL_S if service.is_local else POLL_REMOTE_S
    last: str | None = None
    seen = failures = 0
    while True:
        try:
            events = await service.fine_tune_events(remote_id, last)
            state = await service.fine_tune(remote_id)
        except (ProviderUnavailableError, RateLimitedError):
            # The training goes on elsewhere; a poll that fails says nothing of it.
            failures += 1
            if failures > MOST_FAILED_POLLS:
                raise
            await control.sleep(poll * failures)
            continue
        failures = 0
        if events:
            last = events[-1].id
            seen += len(events)
            ws.store.finetunes.add_events(finetune_id, [(e.id, e) for e in events])
        ws.store.finetunes.update(finetune_id, status=state.status)
        message = events[-1].message if events else control.message
        # How many events there will be is unknown: approach the end without reaching it.
        await control.checkpoint(done=int(95 * (1 - math.exp(-seen / 10))), message=message[:200])
        if state.status.is_final:
            return state
        await control.sleep(poll)


async def _settle(
    ws: Workspace, job: Job, finetune_id: int, state: FineTuneState, service: Provider
) -> None:
    events = await service.fine_tune_events(state.remote_id)
    ws.store.finetunes.add_events(finetune_id, [(e.id, e) for e in events])
    seconds = ws.clock() - (job.started_at or ws.clock())
    if state.status is not FineTuneStatus.SUCCEEDED:
        reason = state.error or f"the provider says {state.status.value}"
        ws.store.finetunes.update(finetune_id, status=state.status, error=reason, seconds=seconds)
        raise RunFailedError(f"The fine-tune ended without a model: {reason}")
    ws.store.finetunes.update(
        finetune_id,
        status=state.status,
        error="",
        model=state.model,
        seconds=seconds,
        metrics=_metrics(events, state),
    )


def _metrics(events: Sequence[RemoteEvent], state: FineTuneState) -> dict[str, Any]:
    """Return what the provider measured itself: the last value of each metric it reported."""
    metrics: dict[str, Any] = {}
    for event in events:
        metrics |= {k: v for k, v in event.data.items() if isinstance(v, int | float | str)}
    if state.trained_tokens is not None:
        metrics["trained_tokens"] = state.trained_tokens
    return metrics


def _suffix(name: str, number: int) -> str:
    """Return a model suffix the OpenAI protocol allows: short, letters, digits and dashes."""
    slug = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower()).strip("-")
    return f"{slug[:30] or 'task'}-{number}"
