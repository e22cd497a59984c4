"""A fine-tune that people pause, go on with or cancel, here and at its provider."""

import asyncio

import pytest

from studio.actions.finetunes import (
    steer_finetune,
)
from studio.domain.finetune import FineTuneStatus
from studio.domain.job import Want
from studio.errors import (
    InputError,
    ProviderUnavailableError,
)
from tests.handlers.trainer import job_of, launch, launch_far

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def ws(open_studio, trainer):
    return open_studio(provider=trainer)


@pytest.fixture
def task(ws, fill):
    return fill(ws)


def test_cancelled_before_anything_was_sent(ws, task, work, trainer):
    finetune = launch(ws, task)
    assert steer_finetune(ws, finetune.id, Want.CANCEL).status is FineTuneStatus.CANCELLED
    work(ws)
    assert trainer.uploads == {}
    assert job_of(ws, finetune).status == "cancelled"


def test_cancelled_while_it_trains(ws, task, work, trainer):
    trainer.hold = True
    finetune = launch(ws, task)

    def cancelled():
        if trainer.polls > 2:
            steer_finetune(ws, finetune.id, Want.CANCEL)
        return job_of(ws, finetune).status == "cancelled"

    work(ws, until=cancelled)
    assert ws.read.finetunes.get(finetune.id).status is FineTuneStatus.CANCELLED
    assert trainer.cancels == 1
    with pytest.raises(InputError, match="cannot go on"):
        steer_finetune(ws, finetune.id, Want.RUN)


def test_cancelled_while_no_worker_lives_is_cancelled_at_the_provider_later(
    ws, task, work, trainer
):
    """It goes on elsewhere and costs money there: the next worker must end it."""
    trainer.hold = True
    finetune = launch(ws, task)
    work(ws, until=lambda: trainer.polls > 2)
    assert job_of(ws, finetune).status == "queued"
    steer_finetune(ws, finetune.id, Want.CANCEL)
    work(ws)
    assert ws.read.finetunes.get(finetune.id).status is FineTuneStatus.CANCELLED
    assert (job_of(ws, finetune).status, trainer.cancels) == ("cancelled", 1)


def test_cancelled_after_a_death_that_left_no_number(ws, task, work, trainer):
    finetune = launch(ws, task)
    trainer.after_create = ProviderUnavailableError("The line broke.")
    work(ws)
    with ws.store.transaction() as conn:  # as if the worker had died there
        conn.execute("UPDATE job SET status = 'running', lease_until = 0, owner = 'dead'")
    steer_finetune(ws, finetune.id, Want.CANCEL)
    trainer.after_create = None
    work(ws)
    assert (trainer.creates, trainer.cancels) == (1, 1)
    assert ws.read.finetunes.get(finetune.id).status is FineTuneStatus.CANCELLED


def test_a_training_that_ended_by_itself_cannot_be_cancelled_and_that_is_no_failure(
    ws, task, work, trainer
):
    trainer.hold = True
    finetune = launch(ws, task)

    def cancelled():
        if trainer.polls > 2 and trainer.hold:
            training = trainer._training("ftjob-1")
            trainer._move(training, FineTuneStatus.SUCCEEDED, "Done.", model="m")
            steer_finetune(ws, finetune.id, Want.CANCEL)
            trainer.hold = False
        return job_of(ws, finetune).status.is_final

    work(ws, until=cancelled)
    assert ws.read.finetunes.get(finetune.id).status.is_final


@pytest.mark.parametrize("place", ["here", "elsewhere"])
def test_paused_and_resumed_at_the_provider_too(ws, task, work, trainer, place):
    trainer.is_local = place == "here"
    trainer.hold = True
    finetune = launch_far(ws, task)
    work(ws, until=lambda: trainer.polls > 2)
    steer_finetune(ws, finetune.id, Want.PAUSE)
    work(ws, until=lambda: job_of(ws, finetune).status == "paused")
    assert ws.read.finetunes.get(finetune.id).status is FineTuneStatus.PAUSED
    assert trainer._training("ftjob-1").state.status is FineTuneStatus.PAUSED
    trainer.hold = False
    steer_finetune(ws, finetune.id, Want.RUN)
    work(ws)
    assert ws.read.finetunes.get(finetune.id).status is FineTuneStatus.SUCCEEDED
    assert trainer.creates == 1


@pytest.mark.parametrize("want", [Want.PAUSE, Want.CANCEL])
def test_a_wish_that_comes_after_the_last_look_reaches_the_provider(
    ws, task, work, far, monkeypatch, want
):
    far.hold = True
    finetune = launch_far(ws, task)
    work(ws, until=lambda: far.polls > 2)
    monkeypatch.setattr("studio.handlers.finetunes.POLL_REMOTE_S", 3600.0)
    inner = far.close

    async def close():
        await inner()
        if job_of(ws, finetune).want is Want.RUN:
            steer_finetune(ws, finetune.id, want)

    monkeypatch.setattr(far, "close", close)
    ends = {Want.PAUSE: FineTuneStatus.PAUSED, Want.CANCEL: FineTuneStatus.CANCELLED}
    work(ws, until=lambda: job_of(ws, finetune).status == ends[want].value)
    assert far._training("ftjob-1").state.status is ends[want]


def test_a_pause_is_told_to_a_provider_that_was_down(ws, task, work, far, monkeypatch):
    far.hold = True
    finetune = launch_far(ws, task)
    work(ws, until=lambda: far.polls > 2)
    inner, tries = far.pause_fine_tune, []

    async def down(remote_id):
        tries.append(remote_id)
        if len(tries) < 3:
            raise ProviderUnavailableError("Nobody answers.")
        return await inner(remote_id)

    monkeypatch.setattr(far, "pause_fine_tune", down)
    steer_finetune(ws, finetune.id, Want.PAUSE)
    work(ws, until=lambda: job_of(ws, finetune).status == "paused")
    assert far._training("ftjob-1").state.status is FineTuneStatus.PAUSED
    assert len(tries) == 3


def test_a_service_that_cannot_pause_says_so_and_goes_on(ws, task, work, far):
    far.hold, far.pauses = True, False
    finetune = launch_far(ws, task)
    work(ws, until=lambda: far.polls > 2)
    steer_finetune(ws, finetune.id, Want.PAUSE)
    said = set()

    def told():
        said.add(job_of(ws, finetune).message)
        return any("cannot pause this training" in message for message in said)

    work(ws, until=told)
    far.hold = False
    work(ws)
    assert ws.read.finetunes.get(finetune.id).status is FineTuneStatus.SUCCEEDED


def test_paused_at_the_provider_by_others_rests_here_too(ws, task, work, far):
    far.hold = True
    finetune = launch_far(ws, task)
    work(ws, until=lambda: far.polls > 2)
    asyncio.run(far.pause_fine_tune("ftjob-1"))
    work(ws, until=lambda: job_of(ws, finetune).status == "paused")
    assert job_of(ws, finetune).message == "It was paused at api.example.com."
    far.hold = False
    steer_finetune(ws, finetune.id, Want.RUN)
    work(ws)
    assert ws.read.finetunes.get(finetune.id).status is FineTuneStatus.SUCCEEDED
