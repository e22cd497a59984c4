"""The life of a fine-tune: launched once, watched through failures, ended wherever it is."""

import asyncio
import dataclasses
import json

import pytest

from studio.actions.finetunes import (
    estimate_finetune,
    expected_of,
    launch_finetune,
    steer_finetune,
)
from studio.actions.runs import Choice, start_run
from studio.domain.finetune import FineTuneStatus
from studio.domain.job import Want
from studio.domain.price import Price
from studio.errors import (
    AuthenticationError,
    ConsentNeededError,
    InputError,
    ProviderUnavailableError,
)
from studio.handlers import finetunes
from studio.providers.failures import TrainingClosedError
from tests.handlers.trainer import job_of, launch, launch_far

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def ws(open_studio, trainer):
    return open_studio(provider=trainer)


@pytest.fixture
def task(ws, fill):
    return fill(ws)


def test_from_launch_to_a_model_that_labels(ws, task, work, trainer):
    finetune = launch(ws, task)
    assert finetune.status is FineTuneStatus.LAUNCHING
    work(ws)
    done = ws.read.finetunes.get(finetune.id)
    assert (done.status, done.error) == (FineTuneStatus.SUCCEEDED, "")
    assert done.model == f"ft:scripted:mail-{finetune.id}"
    assert done.seconds is not None
    assert job_of(ws, finetune).status == "done"
    assert [e.message for e in ws.read.finetunes.events(finetune.id)] == [
        "Queued.", "Training.", "Done."
    ]  # fmt: skip
    (uploaded,) = trainer.uploads.values()
    lines = [json.loads(line) for line in uploaded.decode().splitlines()]
    assert len(lines) == 12
    assert all("number tr" in line["messages"][1]["content"] for line in lines)
    run = start_run(ws, task.id, choice=Choice(model=str(done.id)), splits=["validation"], by="A")
    work(ws)
    assert {q.model for q in trainer.questions} == {done.model}
    assert ws.read.runs.get(run.id).done == 6


def test_a_death_between_create_and_writing_it_down_trains_once(ws, task, work, trainer):
    finetune = launch(ws, task)
    trainer.after_create = ProviderUnavailableError("The line broke.")
    work(ws)
    broken = ws.read.finetunes.get(finetune.id)
    assert (broken.status, broken.remote_id) == (FineTuneStatus.FAILED, "")
    assert "The line broke" in broken.error
    trainer.after_create = None
    steer_finetune(ws, finetune.id, Want.RUN)
    work(ws)
    done = ws.read.finetunes.get(finetune.id)
    assert (done.status, done.error, trainer.creates) == (FineTuneStatus.SUCCEEDED, "", 1)


def test_two_workspaces_never_find_each_others_trainings(open_studio, fill, work, trainer):
    for name in ("one.db", "two.db"):
        ws = open_studio(name, provider=trainer)
        launch(ws, fill(ws))
        work(ws)
    assert trainer.creates == 2


def test_a_poll_that_fails_says_nothing_of_the_training(ws, task, work, trainer):
    trainer.poll_failures = [ProviderUnavailableError("?")] * 5
    finetune = launch(ws, task)
    work(ws)
    assert ws.read.finetunes.get(finetune.id).status is FineTuneStatus.SUCCEEDED
    assert trainer.polls >= 7


def test_a_provider_that_stays_away_fails_it_and_it_can_go_on(ws, task, work, trainer, monkeypatch):
    monkeypatch.setattr(finetunes, "MOST_FAILED_POLLS", 2)
    trainer.poll_failures = [ProviderUnavailableError("Away.")] * 3
    finetune = launch(ws, task)
    work(ws)
    failed = ws.read.finetunes.get(finetune.id)
    assert (failed.status, failed.error) == (FineTuneStatus.FAILED, "Away.")
    assert job_of(ws, finetune).message == "Away."
    steer_finetune(ws, finetune.id, Want.RUN)
    work(ws)
    assert ws.read.finetunes.get(finetune.id).status is FineTuneStatus.SUCCEEDED
    assert trainer.creates == 1


def test_the_reason_of_a_failure_is_told(ws, task, work, trainer):
    trainer.ends = "the file has too few examples"
    finetune = launch(ws, task)
    work(ws)
    failed = ws.read.finetunes.get(finetune.id)
    assert (failed.status, failed.error) == (FineTuneStatus.FAILED, trainer.ends)
    assert "too few examples" in job_of(ws, finetune).message
    with pytest.raises(InputError, match="has no model"):
        start_run(ws, task.id, choice=Choice(model=str(finetune.id)), by="Ada")


def test_a_key_that_is_refused_fails_it_at_once(ws, task, work, trainer):
    trainer.poll_failures = [AuthenticationError("The key is refused.")]
    finetune = launch(ws, task)
    work(ws)
    assert ws.read.finetunes.get(finetune.id).error == "The key is refused."


def test_a_restart_goes_on_watching_without_a_second_training(ws, task, work, trainer):
    trainer.hold = True
    finetune = launch(ws, task)
    work(ws, until=lambda: trainer.polls > 2)
    assert ws.read.finetunes.get(finetune.id).remote_id == "ftjob-1"
    trainer.hold = False
    work(ws)
    assert ws.read.finetunes.get(finetune.id).status is FineTuneStatus.SUCCEEDED
    assert (trainer.creates, len(trainer.uploads)) == (1, 1)
    messages = [e.message for e in ws.read.finetunes.events(finetune.id)]
    assert len(messages) == len(set(messages))  # no event is copied twice


def test_a_training_elsewhere_gives_its_place_back_between_looks(ws, task, work, far):
    finetune = launch_far(ws, task)
    work(ws)
    done, job = ws.read.finetunes.get(finetune.id), job_of(ws, finetune)
    assert (done.status, job.status, far.creates) == (FineTuneStatus.SUCCEEDED, "done", 1)
    assert job.fence == far.polls == 2  # a claim a look
    messages = [e.message for e in ws.read.finetunes.events(finetune.id)]
    assert messages == ["Queued.", "Training.", "Done."]


def test_four_trainings_elsewhere_do_not_keep_a_run_waiting(ws, task, work, far, monkeypatch):
    far.hold = True
    four = [launch_far(ws, task) for _ in range(4)]
    work(ws, until=lambda: far.polls >= 4)
    monkeypatch.setattr(finetunes, "POLL_REMOTE_S", 3600.0)
    run = start_run(ws, task.id, choice=Choice(), consent=True, by="Ada")
    work(ws, until=lambda: job_of(ws, run).status == "done")
    assert {job_of(ws, f).status for f in four} == {"queued"}
    assert job_of(ws, four[0]).message == "Queued."


def test_a_service_elsewhere_that_stays_away_is_looked_for_again(ws, task, work, far):
    far.poll_failures = [ProviderUnavailableError("Away.")] * 4
    finetune = launch_far(ws, task)
    work(ws)
    assert ws.read.finetunes.get(finetune.id).status is FineTuneStatus.SUCCEEDED


def test_going_on_after_the_provider_failed_it_is_a_new_training(ws, task, work, trainer):
    trainer.ends = "server_error"
    finetune = launch(ws, task)
    work(ws)
    assert ws.read.finetunes.get(finetune.id).remote_id == "ftjob-1"
    trainer.ends = None
    steer_finetune(ws, finetune.id, Want.RUN)
    work(ws)
    done = ws.read.finetunes.get(finetune.id)
    assert (done.status, done.remote_id, done.error) == (FineTuneStatus.SUCCEEDED, "ftjob-2", "")
    assert trainer.creates == 2


def test_going_on_after_the_provider_forgot_it_is_a_new_training(ws, task, work, trainer):
    trainer.ends = "server_error"
    finetune = launch(ws, task)
    work(ws)
    trainer.ends = None
    trainer._trainings.clear()
    steer_finetune(ws, finetune.id, Want.RUN)
    work(ws)
    assert ws.read.finetunes.get(finetune.id).status is FineTuneStatus.SUCCEEDED
    assert trainer.creates == 2


def test_a_death_in_the_second_launch_trains_only_twice(ws, task, work, trainer):
    trainer.ends = "server_error"
    finetune = launch(ws, task)
    work(ws)
    trainer.ends, trainer.after_create = None, ProviderUnavailableError("The line broke.")
    steer_finetune(ws, finetune.id, Want.RUN)
    work(ws)
    assert ws.read.finetunes.get(finetune.id).remote_id == "ftjob-1"
    trainer.after_create = None
    steer_finetune(ws, finetune.id, Want.RUN)
    work(ws)
    assert ws.read.finetunes.get(finetune.id).remote_id == "ftjob-2"
    assert trainer.creates == 2


def test_a_service_that_trains_no_more_is_told_with_what_to_do_instead(ws, task, work, far):
    far.host = "api.openai.com"
    far.default_model = "gpt-4.1-mini"
    far.after_create = TrainingClosedError("api.openai.com does not let this key do that.")
    finetune = launch_far(ws, task)
    work(ws)
    error = ws.read.finetunes.get(finetune.id).error
    assert error.startswith("api.openai.com does not let this key do that. OpenAI trains")
    assert "Train with the embedded provider" in error


def test_a_provider_that_is_gone_from_the_workspace(open_studio, fill, work, trainer):
    known = {"embedded": trainer}
    ws = open_studio(provider=known)
    finetune = launch(ws, fill(ws))
    known.clear()
    work(ws)
    failed = ws.read.finetunes.get(finetune.id)
    assert failed.status is FineTuneStatus.FAILED
    assert "no provider 'embedded'" in failed.error


def test_nothing_is_waited_for_inside_a_transaction(ws, task, work, trainer):
    """Others write while the provider is asked: a handler never holds the file meanwhile."""
    inner = trainer.fine_tune

    async def slow(remote_id):
        assert not ws.store.db._connection("write").in_transaction
        await asyncio.sleep(0)
        return await inner(remote_id)

    trainer.fine_tune = slow
    finetune = launch(ws, task)
    work(ws)
    assert job_of(ws, finetune).status == "done"


def test_what_a_training_costs_is_told_before_and_after(ws, task, work, far, monkeypatch):
    price = Price(provider=far.host, model="scripted", kind="training", input_usd=5, output_usd=0)
    monkeypatch.setattr("studio.store.prices._shipped", lambda: (price,))
    told = estimate_finetune(ws, task.id)
    assert (told.examples, told.epochs, told.price) == (12, 8, price)
    assert told.cost_usd == pytest.approx(told.tokens * 5 / 1e6)
    with pytest.raises(ConsentNeededError, match=r"to .*, for about \$0"):
        launch_finetune(ws, task.id, by="Ada")
    inner = far.fine_tune

    async def billed(remote_id):
        return dataclasses.replace(await inner(remote_id), trained_tokens=10_000)

    far.fine_tune = billed
    finetune = launch_finetune(ws, task.id, consent=True, by="Ada")
    (consent,) = ws.read.providers.consents()
    assert consent.shown == told.to_dict()
    assert consent.shown["columns"] == ["text", "label"]
    assert expected_of(ws, finetune) == told.to_dict()
    work(ws)
    done = ws.read.finetunes.get(finetune.id)
    assert done.metrics["cost_usd"] == pytest.approx(0.05)
    assert ws.read.runs.spent(task.id) == pytest.approx(0.05)
    ws.store.ledger.add_training(task.id, finetune.id, cost_usd=0.05, tokens=1, at=ws.now())
    assert ws.read.runs.spent(task.id) == pytest.approx(0.05)  # a job that ends twice pays once


def test_an_unknown_price_of_training_is_unknown(ws, task, work, far):
    assert estimate_finetune(ws, task.id).cost_usd is None
    with pytest.raises(ConsentNeededError, match="at an unknown price"):
        launch_finetune(ws, task.id, by="Ada")
    finetune = launch_far(ws, task)
    work(ws)
    assert ws.read.finetunes.get(finetune.id).metrics["cost_usd"] is None
    assert ws.read.runs.spent(task.id) is None
