"""Our client and worker against aimock, which keeps files, trainings and batches."""

import asyncio

import pytest

from studio.actions.finetunes import launch_finetune, steer_finetune
from studio.actions.runs import Choice, run_status, start_run, steer_run
from studio.domain.capability import Feature, State
from studio.domain.finetune import FineTuneStatus
from studio.domain.job import Want
from studio.domain.run import Question
from studio.errors import RateLimitedError, RefusedRequestError
from studio.providers.base import RateLimits

pytestmark = [pytest.mark.peer, pytest.mark.usefixtures("quick")]
CHAT = "/v1/chat/completions"
QUESTION = Question(
    model="gpt-4o",
    messages=({"role": "user", "content": "ham number 1"},),
    label_names=("ham", "spam"),
)
HEARD = RateLimits(
    requests=60, requests_left=0, requests_reset_s=1.0,
    tokens=150_000, tokens_left=0, tokens_reset_s=360.0,
)  # fmt: skip
NO_MONEY = {
    "message": "You exceeded your current quota.",
    "type": "insufficient_quota",
    "code": "insufficient_quota",
}


def asked(peer, path):
    """Return (method, status) of what the peer was asked at a path, in order."""
    entries = peer.ask(f"/__aimock/journal?path={path}&limit=1000")
    return [(entry["method"], entry["response"]["status"]) for entry in entries]


def speaking(ws, do):
    """Return what a provider's methods give, in an event loop of their own."""

    async def main():
        provider = ws.provider("peer")
        try:
            return await do(provider)
        finally:
            await provider.close()

    return asyncio.run(main())


def test_models_and_files(start_aimock, connect):
    peer = start_aimock()
    ws = connect(peer)
    lines = '{"messages": "Grüße 😀"}\n'.encode() * 2

    async def do(provider):
        return (
            await provider.models(),
            await provider.capabilities(),
            await provider.upload(lines, "t.jsonl"),
        )

    models, told, file_id = speaking(ws, do)
    assert "gpt-4o" in models
    assert told.state(Feature.MODELS) is State.YES
    assert told.state(Feature.LOGPROBS) in (State.NO, State.DROPPED)
    file = peer.ask(f"/v1/files/{file_id}")
    assert (file["purpose"], file["filename"], file["bytes"]) == (
        "fine-tune",
        "t.jsonl",
        len(lines),
    )


@pytest.fixture
def tuning(start_aimock, connect, fill):
    peer = start_aimock()
    ws = connect(peer)
    task = fill(ws)
    return peer, ws, lambda: launch_finetune(ws, task.id, provider="peer", by="Ada")


def test_the_life_of_a_training(tuning, work):
    peer, ws, launch = tuning
    finetune = launch()
    work(ws)
    done = ws.read.finetunes.get(finetune.id)
    assert (done.status, done.error) == (FineTuneStatus.SUCCEEDED, "")
    job = peer.ask(f"/v1/fine_tuning/jobs/{done.remote_id}")
    assert job["fine_tuned_model"] == done.model
    assert job["metadata"]["studio_key"].endswith(f"-{done.id}")
    events = ws.read.finetunes.events(done.id)
    assert [e.message for e in events][1:3] == [
        "Training file validated, job queued", "Training started"
    ]  # fmt: skip
    assert asked(peer, "/v1/fine_tuning/jobs").count(("POST", 200)) == 1

    async def cancel(provider):
        with pytest.raises(RefusedRequestError):
            await provider.cancel_fine_tune(done.remote_id)
        found = await provider.find_fine_tune(job["metadata"]["studio_key"])
        return found.remote_id

    assert speaking(ws, cancel) == done.remote_id


def test_a_training_is_cancelled_in_the_middle(tuning, work, monkeypatch):
    monkeypatch.setattr("studio.handlers.finetunes.POLL_LOCAL_S", 1.0)
    peer, ws, launch = tuning
    finetune = launch()

    def cancel_once_polled():
        state = ws.read.finetunes.get(finetune.id)
        if state.status is FineTuneStatus.QUEUED:
            steer_finetune(ws, finetune.id, Want.CANCEL)
        return state.status is FineTuneStatus.CANCELLED

    work(ws, until=cancel_once_polled)
    remote_id = ws.read.finetunes.get(finetune.id).remote_id
    assert peer.ask(f"/v1/fine_tuning/jobs/{remote_id}")["status"] == "cancelled"


@pytest.fixture
def labeling(connect, fill):
    def begin(peer, train=6, **more):
        ws = connect(peer)
        task = fill(ws, train=train, validation=0, test=0, gold=False)
        return ws, start_run(ws, task.id, choice=Choice(), provider="peer", by="Ada", **more)

    return begin


def test_a_batch_goes_there_and_comes_back(start_aimock, labeling, work, ledger, monkeypatch):
    """aimock answers every line of a batch with prose, so each is asked three times and kept."""
    monkeypatch.setattr("studio.handlers.batches.POLL_LOCAL_S", 0.02)
    peer = start_aimock()
    ws, run = labeling(peer, batch=True)
    work(ws)
    told = run_status(ws, run.id)
    assert (told["status"], told["outcomes"]) == ("done", {"not_json": 6})
    assert ledger(ws, run) == {"not_json": 18}
    assert told["input_tokens"] == 18  # one each, by aimock's count
    batches = peer.ask("/v1/batches")["data"]
    assert [batch["status"] for batch in batches] == ["completed"] * 3
    assert {batch["request_counts"]["total"] for batch in batches} == {6}
    assert asked(peer, CHAT) == []


def test_a_cancelled_batch_is_cancelled_there(start_aimock, labeling, work, monkeypatch):
    monkeypatch.setattr("studio.handlers.batches.POLL_LOCAL_S", 60.0)
    peer = start_aimock()
    ws, run = labeling(peer, batch=True)

    def cancel_once_sent():
        if peer.ask("/v1/batches")["data"]:
            steer_run(ws, run.id, Want.CANCEL)
        return ws.read.runs.get(run.id).status == "cancelled"

    work(ws, until=cancel_once_sent)
    (batch,) = peer.ask("/v1/batches")["data"]
    assert batch["status"] in ("cancelling", "cancelled")


def test_limits_are_heard_and_waited_for(start_aimock, labeling, work, ledger):
    peer = start_aimock("--chaos-ratelimit", "1")
    ws, run = labeling(peer)

    async def ask(provider):
        with pytest.raises(RateLimitedError) as refusal:
            await provider.classify(QUESTION)
        return refusal.value.retry_after_s, provider.limits

    assert speaking(ws, ask) == (1.0, HEARD)
    before = len(asked(peer, CHAT))

    def end_chaos_once_refused():
        if len(asked(peer, CHAT)) > before:
            peer.ask("/__aimock/chaos", {})
            return ws.read.runs.get(run.id).status == "done"
        return False

    work(ws, until=end_chaos_once_refused, seconds=40)
    told = run_status(ws, run.id)
    assert told["outcomes"] == {"ok": 6}
    statuses = [status for _, status in asked(peer, CHAT)[before:]]
    assert ledger(ws, run) == {"ok": statuses.count(200), "rate_limited": statuses.count(429)}


def test_no_money_stops_the_run_at_once(start_aimock, labeling, work, ledger):
    peer = start_aimock(
        fixtures={"fixtures": [{"match": {}, "response": {"error": NO_MONEY, "status": 429}}]}
    )
    ws, run = labeling(peer, train=60)
    work(ws)
    told = run_status(ws, run.id)
    assert told["status"] == "failed"
    assert told["error"].startswith("No money or quota is left at 127.0.0.1")
    calls = asked(peer, CHAT)
    assert set(calls) == {("POST", 429)}
    assert len(calls) == ledger(ws, run).total() <= ws.settings.concurrency
    assert told["done"] == 0
