"""Whatever happens to a run, its pace, its counters and its ledger agree at the end."""

import asyncio
import random

import pytest

from studio.actions.runs import Choice, start_run, steer_run
from studio.bootstrap import make_worker
from studio.domain.job import Want
from studio.domain.price import Price
from studio.domain.run import Answer, Outcome, Usage
from studio.errors import (
    BadReplyError,
    NoAnswerError,
    ProviderUnavailableError,
    QuotaExhaustedError,
    RateLimitedError,
    RefusedRequestError,
    WorkspaceError,
)
from studio.handlers.asking import Asking
from studio.handlers.pacing import Pacer, Pacers
from studio.handlers.runs import run_handler
from studio.jobs.control import Control
from tests.handlers.test_runs import Scene, ham, text_of

pytestmark = pytest.mark.usefixtures("quick")
PRICE = Price(provider="embedded", model="scripted", input_usd=1e6, output_usd=1e6)


@pytest.fixture
def pacers(monkeypatch):
    """Every pacer that is made."""
    made, inner = [], Pacer.__init__

    def noted(self, **more):
        inner(self, **more)
        made.append(self)

    monkeypatch.setattr(Pacer, "__init__", noted)
    return made


def counters(ws, run):
    row = ws.store.db.one(
        "SELECT done, calls, round(spent_usd, 6), unpriced FROM run WHERE id = ?", (run.id,)
    )
    return tuple(row), ws.store.runs.outcomes(run.id)


def say(dice):
    """Return a provider's script in which anything may happen."""
    told = Usage(input_tokens=7, output_tokens=3)

    def answer(question):
        kind = dice.choices(
            ["ok", "untold", "odd", "slow", "down", "silent", "bad", "refused", "broke", "bug"],
            [60, 5, 8, 5, 5, 5, 5, 5, 0.3, 0.3],
        )[0]
        match kind:
            case "slow":
                raise RateLimitedError("slow", retry_after_s=dice.choice([None, 0.0, 0.001]))
            case "down":
                raise ProviderUnavailableError("down")
            case "silent":
                raise NoAnswerError("silence")
            case "bad":
                raise BadReplyError("what?")
            case "refused":
                raise RefusedRequestError("no")
            case "broke":
                raise QuotaExhaustedError("No money is left.")
            case "bug":
                raise ZeroDivisionError
        outcome = dice.choice(list(Outcome)) if kind == "odd" else Outcome.OK
        label = "ham" if outcome is Outcome.OK else None
        usage = Usage() if kind == "untold" else told
        return Answer(outcome=outcome, label=label, model="m", usage=usage)

    return answer


@pytest.mark.parametrize("seed", range(8))
def test_the_books_agree_after_anything(open_studio, fill, work, pacers, quick, monkeypatch, seed):
    dice = random.Random(seed)
    monkeypatch.setenv("STUDIO_CONCURRENCY", str(dice.choice([1, 3, 16, 100])))
    scene = Scene(say(dice), delay=dice.choice([0.0, 0.001]))
    ws = open_studio(provider=scene.provider)
    ws.store.prices.set(PRICE, by="Ada", at="2026")
    task = fill(ws, train=120, validation=0, test=0, gold=False)
    budget = dice.choice([None, 3_000.0, 60_000.0])
    run = start_run(ws, task.id, choice=Choice(), by="Ada", budget_usd=budget)
    worker = None
    for _ in range(6):
        worker = make_worker(ws)
        seen = ws.store.runs.get(run.id).done + dice.randrange(5, 60)
        wish = dice.choice([Want.PAUSE, Want.CANCEL, None])

        def reached(seen=seen, wish=wish):
            now = ws.store.runs.get(run.id)
            if wish and now.done >= seen:
                steer_run(ws, run.id, wish)
            return now.done >= seen or now.status not in ("queued", "running")

        work(ws, until=reached, worker=worker)
        assert {p._flying for p in pacers} == {0}
        left = ws.store.db.value("SELECT count(*) FROM ledger WHERE outcome = 'open'")
        assert left == 0
        kept = counters(ws, run)
        ws.store.runs.recount(run.id)
        assert counters(ws, run) == kept
        now = ws.store.runs.get(run.id)
        assert budget is None or now.spent_usd <= budget
        steer_run(ws, run.id, Want.RUN)
    assert len(scene.provider.questions) == ws.store.runs.get(run.id).calls


def test_what_cannot_be_prepared_leaves_no_place_taken(
    open_studio, fill, work, pacers, monkeypatch
):
    """All runs that ask a service share its pacer: a place lost there is lost to all of them."""
    monkeypatch.setenv("STUDIO_CONCURRENCY", "100")
    scene = Scene(ham)
    ws = open_studio(provider=scene.provider)
    task = fill(ws, train=300, validation=0, test=0, gold=False)
    inner, times = Asking.split, []

    def fails(self, examples):
        times.append(len(examples))
        if len(times) == 2:  # those of the first time are about to be asked
            raise WorkspaceError("The workspace stayed locked.")
        return inner(self, examples)

    monkeypatch.setattr(Asking, "split", fails)
    run = start_run(ws, task.id, choice=Choice(), by="Ada")
    work(ws)
    assert ws.read.runs.get(run.id).status == "failed"
    assert [pacer._flying for pacer in pacers] == [0]


@pytest.mark.parametrize("steps", range(6))
def test_a_wish_to_stop_is_heard_whenever_it_comes(open_studio, fill, steps):
    """Some steps of the event loop after an answer: it may come together with news."""
    scene = Scene(ham)
    ws = open_studio(provider=scene.provider)
    task = fill(ws, train=600, validation=0, test=0, gold=False)
    start_run(ws, task.id, choice=Choice(), by="Ada")
    inner = scene.provider.classify

    async def stopped():
        job = ws.store.jobs.claim("me", ws.clock(), 15.0)
        control = Control(ws.store.jobs, job, clock=ws.clock, lease_s=15.0)
        handler = asyncio.create_task(run_handler(ws, Pacers(), job, control))
        asked = []

        def stop(after):
            if after:
                asyncio.get_running_loop().call_soon(stop, after - 1)
            else:
                handler.cancel()

        async def classify(question):
            answer = await inner(question)
            asked.append(question)
            if len(asked) == 100:
                stop(steps)
            return answer

        scene.provider.classify = classify
        await asyncio.wait([handler])
        return handler.cancelled()

    assert asyncio.run(stopped())


def test_of_two_who_resume_a_failed_run_the_second_forgets_nothing(ws, fill, monkeypatch):
    """The first one's worker may have stored errors of its own by then."""
    task = fill(ws, train=4, validation=0, test=0)
    run = start_run(ws, task.id, choice=Choice(), by="Ada")
    with ws.store.transaction() as conn:
        conn.execute("UPDATE job SET status = 'failed'")
    inner, forgotten = ws.store.runs.get, []
    monkeypatch.setattr(ws.store.runs, "forget_errors", forgotten.append)

    def get(run_id):
        found = inner(run_id)
        ws.store.jobs.revive(run.job_id)  # the other one is faster
        return found

    monkeypatch.setattr(ws.store.runs, "get", get)
    steer_run(ws, run.id, Want.RUN)
    assert forgotten == []


def test_two_runs_at_once_each_show_the_reply_their_label_rests_on(open_studio, fill, work):
    said = set()

    def changes_its_mind(question):
        label = "spam" if text_of(question) in said else "ham"
        said.add(text_of(question))
        return Answer(outcome=Outcome.OK, label=label, probabilities={label: 0.9}, model="m")

    scene = Scene(changes_its_mind, delay=0.002)
    ws = open_studio(provider=scene.provider)
    task = fill(ws, train=40, validation=0, test=0, gold=False)
    runs = [start_run(ws, task.id, choice=Choice(), by="Ada") for _ in range(2)]
    work(ws)
    assert len(scene.texts) > 40
    for run in runs:
        told = ws.read.runs.predictions(run.id)
        assert len(told) == 40
        for p in told:
            assert task.name_of(p.label_id) == ws.read.runs.answer(run.id, p.example_id).label
