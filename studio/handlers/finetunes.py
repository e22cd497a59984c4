"""The work behind a fine-tune: send the training set, launch, watch, keep what comes out.

A training goes on at its provider whether or not anybody watches. So its job gives its place back
between two looks, and keeps it only while a service on this machine really trains, for seconds.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Any, NoReturn

from studio.domain.eligibility import eligibility
from studio.domain.finetune import FineTune, FineTuneStatus
from studio.domain.job import Job, Want
from studio.domain.price import TRAINING
from studio.domain.prompt import prompt_of, training_jsonl
from studio.errors import (
    InputError,
    ProviderError,
    ProviderUnavailableError,
    RateLimitedError,
    RefusedRequestError,
    RunFailedError,
)
from studio.handlers.asked import keep_model
from studio.handlers.rules_and_text import keep_held_out
from studio.handlers.shots import values_of
from studio.jobs.control import CancelledJobError, Control, LaterError, PausedError
from studio.providers.base import FINE_TUNE_KEY, FineTuneState, Provider, RemoteEvent
from studio.providers.failures import TrainingClosedError, UnknownThingError
from studio.workspace import Workspace

POLL_LOCAL_S = 0.4
POLL_REMOTE_S = 10.0
MOST_FAILED_POLLS = 10


async def finetune_handler(ws: Workspace, job: Job, control: Control) -> None:
    """Launch a fine-tune, or find the one launched before a restart, and watch it to its end.

    Raises:
        LaterError: The provider is at work; there is nothing to do but to look again.
        PausedError: It rests, at its provider too.
    """
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
        await control.checkpoint(total=100, message=None if finetune.remote_id else "launching")
        remote_id = await _take_up(ws, finetune, service)
        state = await _watch(ws, finetune.id, remote_id, service, control)
    except CancelledJobError:
        await _end_there(ws, finetune.id, service)
        ws.store.finetunes.update(finetune.id, status=FineTuneStatus.CANCELLED, error="")
        raise
    except PausedError as error:
        if not str(error):  # people wish it; else it rests there already
            await _pause_there(ws, job, finetune.id, service)
        raise
    await _settle(ws, job, finetune.id, state, service)


async def _take_up(ws: Workspace, finetune: FineTune, service: Provider) -> str:
    """Return the training to watch: the one under way, one that goes on, or a new one.

    People who go on with a fine-tune that its provider ended without a model want another try.
    """
    if not finetune.remote_id:
        return await _launch(ws, finetune, service)
    if finetune.status is FineTuneStatus.PAUSED:
        with contextlib.suppress(RefusedRequestError):  # somebody let it go on there
            state = await service.resume_fine_tune(finetune.remote_id)
            ws.store.finetunes.update(finetune.id, status=state.status)
    elif finetune.status.is_final:
        with contextlib.suppress(UnknownThingError):  # it was forgotten there
            state = await service.fine_tune(finetune.remote_id)
            if state.status not in (FineTuneStatus.FAILED, FineTuneStatus.CANCELLED):
                return finetune.remote_id
        return await _launch(ws, finetune, service)
    return finetune.remote_id


async def _remote_id(ws: Workspace, finetune_id: int, service: Provider) -> str:
    """Return the provider's id of a training, even if a worker died before it wrote that down."""
    remote_id = ws.store.finetunes.get(finetune_id).remote_id
    if not remote_id:
        state = await service.find_fine_tune(_key(ws, finetune_id))
        remote_id = state.remote_id if state else ""
        ws.store.finetunes.update(finetune_id, remote_id=remote_id)
    return remote_id


async def _end_there(ws: Workspace, finetune_id: int, service: Provider) -> None:
    """Cancel the training at its provider; one that has ended by itself is left alone."""
    try:
        if remote_id := await _remote_id(ws, finetune_id, service):
            with contextlib.suppress(RefusedRequestError):
                await service.cancel_fine_tune(remote_id)
    except (ProviderUnavailableError, RateLimitedError) as error:
        _try_later(service, error)


async def _pause_there(ws: Workspace, job: Job, finetune_id: int, service: Provider) -> None:
    """Let the training rest at its provider; where that is impossible it goes on.

    Raises:
        LaterError: It goes on.
    """
    try:
        remote_id = await _remote_id(ws, finetune_id, service)
        if remote_id:
            await service.pause_fine_tune(remote_id)
            ws.store.finetunes.update(finetune_id, status=FineTuneStatus.PAUSED)
    except (ProviderUnavailableError, RateLimitedError) as error:
        _try_later(service, error)
    except RefusedRequestError:
        ws.store.jobs.ask(job.id, Want.RUN, ws.clock())
        raise LaterError(
            f"{service.host} cannot pause this training, so it goes on.", _poll_s(service)
        ) from None


def _try_later(service: Provider, error: ProviderUnavailableError | RateLimitedError) -> NoReturn:
    """Come back to a service elsewhere that does not answer now; one that is here has failed."""
    if service.is_local:
        raise error
    raise LaterError(
        f"{error.message} It is tried again.", max(error.retry_after_s or 0.0, _poll_s(service))
    ) from None


def _poll_s(service: Provider) -> float:
    return POLL_LOCAL_S if service.is_local else POLL_REMOTE_S


def _key(ws: Workspace, finetune_id: int) -> str:
    """Return what names this fine-tune at its provider, whoever launches it."""
    return f"{ws.store.tasks.setting('workspace_id')}-{finetune_id}"


async def _launch(ws: Workspace, finetune: FineTune, service: Provider) -> str:
    """Create the training once, even if the worker died between asking and storing the answer."""
    key = _key(ws, finetune.id)
    state = await service.find_fine_tune(key)
    if state is None or state.remote_id == finetune.remote_id:
        state = await _create(ws, finetune, service, key)
    ws.store.finetunes.update(finetune.id, remote_id=state.remote_id, status=state.status, error="")
    return state.remote_id


async def _create(ws: Workspace, finetune: FineTune, service: Provider, key: str) -> FineTuneState:
    task = ws.store.tasks.get(ws.store.finetunes.task_of(finetune.id))
    version_id = finetune.prompt_version_id
    body = prompt_of(task) if version_id is None else ws.store.prompts.get(task.id, version_id).body
    rows = ws.store.finetunes.training_rows(finetune.training_set_id)
    keep_model(ws, finetune.id, task, body)
    values = values_of(ws, task.id, body, [row[0] for row in rows])
    jsonl = training_jsonl(body, task.label_names, rows, values)
    file_id = await service.upload(jsonl.encode(), f"training-set-{finetune.training_set_id}.jsonl")
    try:
        return await service.create_fine_tune(
            file_id,
            finetune.base_model,
            suffix=_suffix(task.name, finetune.id),
            seed=0,
            metadata={FINE_TUNE_KEY: key},
        )
    except TrainingClosedError as error:
        host = "" if service.is_local else service.host
        known = eligibility(host, finetune.base_model, ws.now()[:10])
        message = f"{error.message} {known.sentence}".strip()
        next_step = known.instead or error.next_step
        raise TrainingClosedError(message, next_step=next_step) from None


async def _watch(
    ws: Workspace, finetune_id: int, remote_id: str, service: Provider, control: Control
) -> FineTuneState:
    """Copy status and events until the training has ended.

    Raises:
        LaterError: It has not, and nothing on this machine trains.
        PausedError: It was paused at its provider, by nobody here.
    """
    failures = 0
    while True:
        try:
            state = await _look(ws, finetune_id, remote_id, service, control)
        except (ProviderUnavailableError, RateLimitedError) as error:
            # The training goes on elsewhere; a poll that fails says nothing of it.
            failures += 1
            if not service.is_local or failures > MOST_FAILED_POLLS:
                _try_later(service, error)
            await control.sleep(_poll_s(service) * failures)
            continue
        failures = 0
        if state.status.is_final:
            return state
        if state.status is FineTuneStatus.PAUSED:
            raise PausedError(f"It was paused at {service.host}.")
        if not (service.is_local and state.status is FineTuneStatus.RUNNING):
            raise LaterError(control.message, _poll_s(service))
        await control.sleep(_poll_s(service))


async def _look(
    ws: Workspace, finetune_id: int, remote_id: str, service: Provider, control: Control
) -> FineTuneState:
    """Look once at a training, and store where it stands and what is new."""
    last, _ = ws.store.finetunes.newest_event(finetune_id)
    events = await service.fine_tune_events(remote_id, last)
    state = await service.fine_tune(remote_id)
    ws.store.finetunes.add_events(finetune_id, [(e.id, e) for e in events])
    ws.store.finetunes.update(finetune_id, status=state.status)
    _, seen = ws.store.finetunes.newest_event(finetune_id)
    message = events[-1].message if events else control.message
    # How many events there will be is unknown: approach the end without reaching it.
    await control.checkpoint(done=int(95 * (1 - math.exp(-seen / 10))), message=message[:200])
    return state


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
    cost = _cost(ws, finetune_id, state, service)
    with ws.store.transaction():
        ws.store.finetunes.update(
            finetune_id, status=state.status, error="", model=state.model, seconds=seconds,
            metrics=_metrics(events, state) | {"cost_usd": cost},
        )  # fmt: skip
        ws.store.ledger.add_training(
            ws.store.finetunes.task_of(finetune_id), finetune_id, cost_usd=cost,
            tokens=state.trained_tokens or 0, at=ws.now(),
        )  # fmt: skip
    await keep_held_out(ws, ws.store.finetunes.get(finetune_id), service)


def _metrics(events: Sequence[RemoteEvent], state: FineTuneState) -> dict[str, Any]:
    """Return what the provider measured itself: the last value of each metric it reported."""
    metrics: dict[str, Any] = {}
    for event in events:
        metrics |= {k: v for k, v in event.data.items() if isinstance(v, int | float | str)}
    if state.trained_tokens is not None:
        metrics["trained_tokens"] = state.trained_tokens
    return metrics


def _cost(ws: Workspace, finetune_id: int, state: FineTuneState, service: Provider) -> float | None:
    """Return what the training cost by the tokens its provider told; None where that is unknown."""
    price = ws.price(service, ws.store.finetunes.get(finetune_id).base_model, TRAINING)
    if price is None or (state.trained_tokens is None and price.input_usd):
        return None
    return price.cost(state.trained_tokens or 0, 0)


def _suffix(name: str, number: int) -> str:
    """Return a model suffix the OpenAI protocol allows: short, letters, digits and dashes."""
    slug = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower()).strip("-")
    return f"{slug[:30] or 'task'}-{number}"
