"""What a run costs, on the pages: before the click, against its budget, after; and its progress."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from studio.actions.prices import edit_prices
from studio.actions.prompts import save_prompt
from studio.actions.providers import add_provider
from studio.actions.runs import Choice, start_run, steer_run
from studio.actions.samples import load_sample
from studio.bootstrap import make_worker
from studio.domain.capability import Capabilities, Feature, Finding, State
from studio.domain.job import JobStatus, Want
from studio.domain.price import Price
from studio.domain.prompt import PromptText
from studio.domain.run import Answer, Outcome, Usage
from studio.providers.scripted import ScriptedProvider
from studio.ui.job_status import job_status

PRICE = Price(provider="far", model="scripted", input_usd=10.0, output_usd=10.0, source="contract")

VOTES = "Ask so many times for a confidence from votes"


def answer(question) -> Answer:
    """Cost $0.011 at PRICE; refuse every text about rice."""
    used = Usage(input_tokens=1_000, output_tokens=100)
    if "rice" in question.messages[-1]["content"].lower():
        return Answer(outcome=Outcome.REFUSED, model="m-1", usage=used)
    return Answer(outcome=Outcome.OK, label="keto", model="m-1", usage=used)


@pytest.fixture
def far():
    service = ScriptedProvider(answer, name="far")
    service.host, service.is_local, service.identity = "far.example", False, "far@far.example"
    return service


pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def keto(ws):
    return load_sample(ws, by="Dr. Lind")


@pytest.fixture
def studio(ws, keto, far, monkeypatch):
    """The workspace with a service elsewhere as its default."""
    add_provider(ws, name="far", base_url="https://far.example/v1", by="Ada")
    settings = dataclasses.replace(ws.settings, provider="far", concurrency=4)
    found = dataclasses.replace(ws, settings=settings, provider=lambda _: far, wake=lambda: None)
    monkeypatch.setattr("studio.ui.session._open", lambda path: found)
    return found


@pytest.fixture
def work(studio):
    def until_idle():
        def idle():
            return not any(
                job.want is Want.RUN or job.status is JobStatus.RUNNING
                for job in studio.store.jobs.open()
            )

        async def run():
            worker = make_worker(studio)
            running = asyncio.create_task(worker.run())
            async with asyncio.timeout(30):
                while not idle():
                    await asyncio.sleep(0.005)
            worker.stop()
            await running

        asyncio.run(run())

    return until_idle


def said(at) -> str:
    kinds = ("error", "warning", "info", "success", "caption", "markdown", "text")
    parts = [element.value for kind in kinds for element in getattr(at, kind)]
    bars = [element.proto.text for element in at.get("progress")]
    return "\n".join(parts + bars).replace("\\", "").replace("\u2060", "")


def number(at, label):
    return next(n for n in at.number_input if n.label == label)


def test_with_no_price_the_cost_is_unknown_and_no_budget_is_offered(open_app, studio):
    at = open_app("prompts")
    assert not at.exception
    assert "Run on all: 627 questions to far.example" in said(at)
    assert "at an unknown price" in said(at)
    assert "no budget can be kept" in said(at)
    assert not at.number_input


def test_with_a_price_the_cost_is_told_before_the_click_and_a_budget_offered(open_app, studio):
    edit_prices(studio, put=[PRICE], by="Ada")
    at = open_app("prompts")
    assert ": 80 questions to far.example" in said(at)
    assert ", at most $" in said(at)
    assert number(at, "Budget in US dollars").value is None
    at.button(key="prompts_run_all").click().run()
    assert studio.read.runs.all(1)[0].budget_usd is None


def test_on_this_machine_it_is_free_and_nobody_is_asked_to_agree(open_app, studio, far):
    far.is_local = True
    at = open_app("prompts")
    assert "Run on all: 627 questions to this machine · free" in said(at)
    assert "would send" not in said(at)
    assert not at.number_input


def test_a_service_on_this_machine_with_a_price_takes_a_budget_without_consent(
    open_app, studio, far
):
    far.is_local = True
    edit_prices(studio, put=[PRICE], by="Ada")
    at = open_app("prompts")
    assert "would send" not in said(at)
    number(at, "Budget in US dollars").set_value(0.5)
    at.button(key="prompts_run_all").click().run()
    assert not at.exception
    (run,) = studio.read.runs.all(1)
    assert run.budget_usd == 0.5


def test_a_run_is_sent_as_a_batch_where_that_is_wished(open_app, studio):
    at = open_app("prompts")
    next(box for box in at.checkbox if box.label == "As a batch").check()
    at.button(key="prompts_run_all").click().run()
    assert not at.exception
    (run,) = studio.read.runs.all(1)
    assert studio.read.runs.params(run.id)["batch"] is True


@pytest.fixture
def no_odds(studio):
    """A test of the service found that it tells nothing of other answers."""
    told = (Finding(Feature.LOGPROBS, State.DROPPED, "asked for and left out"),)
    found = Capabilities(model="scripted", findings=told, at="2026-11-22", version="1")
    studio.store.providers.save_capabilities("far", found)


@pytest.mark.usefixtures("no_odds")
def test_a_service_that_tells_no_probabilities_can_be_asked_for_votes(open_app, studio, work):
    edit_prices(studio, put=[PRICE], by="Ada")
    at = open_app("prompts")
    before = said(at)
    assert "This run would send the column text of 627 examples (about" in before
    number(at, VOTES).set_value(3).run()
    assert not at.exception
    assert "1,881 questions to far.example, 3 an example" in said(at)
    assert "It costs 3 times as much." in said(at)
    assert "of 627 examples, 3 times each (about" in said(at)
    assert not any(box.label == "As a batch" for box in at.checkbox), "a batch asks once"
    at.button(key="prompts_run_all").click().run()
    assert not at.exception
    (run,) = studio.read.runs.all(1)
    assert studio.read.runs.params(run.id)["samples"] == 3
    assert studio.read.runs.params(run.id)["estimate"]["questions"] == 3 * 627


@pytest.mark.usefixtures("no_odds")
def test_votes_are_offered_on_this_machine_too(open_app, studio, far):
    far.is_local = True
    at = open_app("prompts")
    assert not at.exception
    assert number(at, VOTES).value == 1
    at.button(key="prompts_run_all").click().run()
    (run,) = studio.read.runs.all(1)
    assert "samples" not in studio.read.runs.params(run.id), "one asking is no vote"


def test_votes_are_not_offered_while_nobody_knows_whether_they_are_needed(open_app, studio):
    at = open_app("prompts")
    assert not any(n.label == VOTES for n in at.number_input)


def test_nothing_leaves_the_machine_before_somebody_agreed_to_what_is_shown(open_app, studio):
    edit_prices(studio, put=[PRICE], by="Ada")
    at = open_app("prompts")
    assert "This run would send the column text of 627 examples (about" in said(at)
    assert at.button(key="prompts_run_all").label == "Agree and run"
    assert at.button(key="prompts_preview_go").label == "Agree and preview"
    at.button(key="prompts_preview_go").click().run()
    assert not at.exception
    assert len(studio.read.runs.all(1, previews=True)) == 2
    assert studio.read.providers.has_consent(1, "far.example")
    assert "would send" not in said(at)
    assert at.button(key="prompts_run_all").label == "Run"


def test_a_run_rests_at_its_budget_and_goes_on_when_it_is_raised(open_app, studio, work):
    edit_prices(studio, put=[PRICE], by="Ada")
    at = open_app("prompts")
    number(at, "Budget in US dollars").set_value(0.5)
    at.button(key="prompts_run_all").click().run()
    assert not at.exception
    assert "Waiting for its turn · 0 of 627 · $0 of $0.50" in said(at)
    work()
    at.run()
    (run,) = studio.read.runs.all(1)
    assert (run.status, run.budget_usd) == ("paused", 0.5)
    assert 0 < run.spent_usd <= 0.5
    assert f"{run.done} of 627" in said(at)
    assert "of $0.50" in said(at)
    assert "The budget of $0.5 is used up" in at.warning[0].value.replace("\\", "")
    assert not any(b.label == "Resume" for b in at.button)  # it would rest again at once

    raise_to = number(at, "Raise to (US dollars)")
    assert raise_to.value == 1.0
    raise_to.set_value(20.0)
    next(b for b in at.button if b.label == "Raise and go on").click().run()
    assert not at.exception
    work()
    at.run()
    (run,) = studio.read.runs.all(1)
    assert (run.status, run.done) == ("done", 627)
    assert "627 calls · 689,700 tokens · $6.90 (about $" in said(at)


def test_raising_to_nothing_is_answered_with_a_sentence(open_app, studio, work):
    edit_prices(studio, put=[PRICE], by="Ada")
    start_run(studio, 1, choice=Choice(), budget_usd=0.2, consent=True, by="Ada")
    work()
    at = open_app("home")
    number(at, "Raise to (US dollars)").set_value(0.0)
    next(b for b in at.button if b.label == "Raise and go on").click().run()
    assert "above $0" in at.error[0].value
    assert studio.read.runs.all(1)[0].status == "paused"


def file(studio, **more):
    return start_run(studio, 1, choice=Choice(), consent=True, by="Ada", **more)


def claim(studio, **beat):
    """Let a worker take the job and tell how far it is."""
    now = studio.clock()
    job = studio.store.jobs.claim("host:1:1", now, 60.0)
    told = {"done": 0, "failed": 0, "total": job.total, "message": "labeling"} | beat
    studio.store.jobs.beat(job.id, job.fence, now, 60.0, **told)
    return job


def test_what_is_waited_for_is_told(open_app, studio):
    file(studio)
    slow = "far.example wants to be asked more slowly; it is asked again in 12 s"
    job = claim(studio, done=20, message=slow)
    at = open_app("home")
    assert "At work · 20 of 627" in said(at)
    assert slow in said(at)
    studio.store.jobs.release(
        job.id, job.fence + 0, studio.clock(), ready_at=studio.clock() + 60, message="batch 1 of 2"
    )
    at.run()
    assert "Waiting · 20 of 627" in said(at)
    assert "batch 1 of 2" in said(at)


def test_failures_are_told_by_their_outcome(open_app, studio, work):
    edit_prices(studio, put=[PRICE], by="Ada")
    run = file(studio, budget_usd=3.0)
    work()
    refused = studio.read.runs.outcomes(run.id)["refused"]
    at = open_app("home")
    assert f"{refused} without a label ({refused} refused)" in said(at)


def test_two_tabs_and_a_refreshed_page_show_the_same(open_app, studio, work):
    edit_prices(studio, put=[PRICE], by="Ada")
    file(studio, budget_usd=0.5)
    work()
    one, other = open_app("home"), open_app("home", person="Grace")
    bars = [[p.proto.text for p in at.get("progress")] for at in (one, other, one.run())]
    assert bars[0] == bars[1] == bars[2] != []


def test_a_fragment_reads_only_small_rows(open_app, studio, monkeypatch):
    """However many examples a run has, looking at it asks for the same few rows."""
    run = file(studio)
    claim(studio, done=5)
    asked: list[str] = []
    read = studio.read.db.read
    monkeypatch.setattr(studio.read.db, "read", lambda sql, *p: asked.append(sql) or read(sql, *p))
    job_status(studio, run.job_id, key="alone")
    assert asked
    for table in ("prediction", "run_example", "ledger", "FROM example"):
        assert not any(table in sql for sql in asked), table


def test_a_cancelled_run_keeps_what_it_cost_on_home(open_app, studio, work):
    edit_prices(studio, put=[PRICE], by="Ada")
    run = file(studio, budget_usd=0.5)
    work()
    steer_run(studio, run.id, Want.CANCEL)
    at = open_app("home")
    table = next(d.value for d in at.dataframe if "Cost" in d.value)
    spent = studio.read.runs.get(run.id).spent_usd
    assert list(table["Cost"]) == [f"${spent:.2f} of $0.50"]


def test_a_model_elsewhere_is_offered_with_its_cost(open_app, studio, work):
    edit_prices(studio, put=[PRICE], by="Ada")
    body = PromptText(instructions="Is it keto?")
    save_prompt(studio, 1, name="other", body=body, by="Ada")
    run = start_run(studio, 1, choice=Choice(prompt="other"), splits=["train"], consent=True,
                    by="Ada")  # fmt: skip
    work()
    at = open_app("evaluate")
    assert f"Run {run.id} left validation out" in said(at)
    assert "questions to far.example" in said(at)
    at.button(key="evaluate_run_more").click().run()
    assert not at.exception
    assert studio.read.runs.all(1)[0].splits == ("validation",)
