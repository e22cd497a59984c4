"""The job behind "Test connection": filed once, done by the worker, kept with its date."""

import dataclasses

import pytest

from studio import __version__
from studio.actions.jobs import steer_job
from studio.actions.prices import edit_prices
from studio.actions.providers import (
    add_provider,
    choose_provider,
    ending_model,
    estimate_probe,
    probe_result,
    start_probe,
    withdraw_consent,
)
from studio.domain.capability import Capabilities, Feature, Finding, ListedModel, State
from studio.domain.job import JobStatus, Want
from studio.domain.price import Price
from studio.errors import ConsentNeededError, InputError, NotFoundError, ProviderUnavailableError
from studio.providers.scripted import ScriptedProvider

FOUND = Capabilities(
    model="m",
    findings=tuple(Finding(feature, State.YES, "seen") for feature in Feature),
    models=(ListedModel("m", "2027-01-14"), ListedModel("later")),
    questions=5,
)
NOON = 1_795_435_200.0  # 2026-11-23


@pytest.fixture
def studio(open_studio):
    """A workspace with a provider "far" that is tested to have all."""
    far = ScriptedProvider({}, name="far", capabilities=FOUND)
    ws = open_studio(provider={"far": far, "embedded": ScriptedProvider({})}, clock=lambda: NOON)
    add_provider(ws, name="far", base_url="https://far.example/v1", model="m", by="Ada")
    return ws


def test_what_is_found_is_kept_with_date_and_version(studio, work):
    job_id = start_probe(studio, "far")
    assert start_probe(studio, "far") == job_id
    with pytest.raises(NotFoundError, match="never tested"):
        probe_result(studio, "far")
    work(studio)
    job = studio.store.jobs.get(job_id)
    assert (job.status, job.done, job.total) == (JobStatus.DONE, 12, 12)
    kept = probe_result(studio, "far")
    assert kept == dataclasses.replace(FOUND, at=kept.at, version=__version__, cost_usd=0.0)
    assert (kept.at[:10], kept.is_stale("2026-11-23")) == ("2026-11-23", False)
    assert (kept.is_stale("2026-12-23"), kept.is_stale("2026-12-24")) == (False, True)
    assert start_probe(studio, "far") != job_id


def test_who_is_unknown_is_not_tested(studio):
    with pytest.raises(NotFoundError):
        start_probe(studio, "nobody")
    assert studio.store.jobs.open() == []


def test_a_test_that_fails_says_why_and_keeps_the_one_before(studio, work):
    start_probe(studio, "far")
    work(studio)

    class Gone(ScriptedProvider):
        async def capabilities(self, tell=None):
            raise ProviderUnavailableError("It does not run.")

    broken = dataclasses.replace(studio, provider=lambda _: Gone({}))
    job_id = start_probe(broken, "far")
    work(broken)
    job = studio.store.jobs.get(job_id)
    assert (job.status, job.message) == (JobStatus.FAILED, "It does not run.")
    assert probe_result(studio, "far").model == "m"


def silence(*features):
    """What a test finds where all, or some features, gave no answer."""
    return dataclasses.replace(
        FOUND,
        models=(),
        findings=tuple(
            Finding(one.feature, State.UNKNOWN, "far.example cannot be reached.")
            if not features or one.feature in features
            else dataclasses.replace(one, evidence="seen again")
            for one in FOUND.findings
        ),
    )


def test_what_was_found_before_is_kept_where_a_service_is_silent_now(studio, work):
    def probe(found, clock):
        far = ScriptedProvider({}, name="far", capabilities=found)
        ws = dataclasses.replace(studio, provider=lambda _: far, clock=lambda: clock)
        start_probe(ws, "far")
        work(ws)
        return probe_result(ws, "far")

    first = probe(FOUND, NOON)
    down = probe(silence(), NOON + 86_400)
    assert (down.findings, down.models, down.at) == (first.findings, first.models, first.at)
    assert down.failure_text().startswith("A test on 2026-11-24 found out nothing: far.example can")
    part = probe(silence(Feature.BATCHES, Feature.FILES), NOON + 2 * 86_400)
    told = {one.feature: one.told() for one in part.findings}
    assert told[Feature.BATCHES] == told[Feature.FILES] == "On 2026-11-23: seen"
    assert told[Feature.CHAT] == "seen again"
    assert (part.at[:10], part.failure_text(), part.models) == ("2026-11-25", "", FOUND.models)


def test_what_a_test_costs_is_told_before_and_after(studio, work):
    priced = dataclasses.replace(FOUND, input_tokens=900, output_tokens=40)
    far = ScriptedProvider({}, name="far", capabilities=priced)
    far.is_local, far.host, far.default_model = False, "far.example", "m"
    ws = dataclasses.replace(studio, provider=lambda _: far)
    unpriced = estimate_probe(ws, "far")
    assert unpriced.cost_usd is unpriced.most_usd is None
    price = Price(provider="far", model="m", input_usd=1.0, output_usd=10.0)
    edit_prices(ws, put=[price], by="Ada")
    before = estimate_probe(ws, "far")
    assert before.sentence().startswith("5 questions to far.example")
    start_probe(ws, "far")
    work(ws)
    found = probe_result(ws, "far")
    assert found.cost_usd == pytest.approx(0.0013)
    assert found.cost_usd / 3 < before.cost_usd < found.cost_usd * 3
    assert before.most_usd > found.cost_usd
    assert "40 back, cost $0.0013" in found.cost_text()


def test_a_test_can_be_cancelled(studio, work):
    job_id = start_probe(studio, "far")
    assert steer_job(studio, job_id, Want.CANCEL).status is JobStatus.CANCELLED
    work(studio)
    with pytest.raises(NotFoundError):
        probe_result(studio, "far")


def test_what_was_found_elsewhere_is_forgotten(studio, work):
    start_probe(studio, "far")
    work(studio)
    choose_provider(studio, "far", model="other", by="Ada")
    assert probe_result(studio, "far")
    add_provider(studio, name="far", base_url="https://elsewhere.example/v1", by="Ada")
    with pytest.raises(NotFoundError):
        probe_result(studio, "far")


def test_the_chosen_provider_goes_before_that_of_the_settings(studio):
    assert studio.default_provider == studio.settings.provider == "embedded"
    assert choose_provider(studio, "far", by="Ada") == "m"
    assert studio.default_provider == "far"
    assert choose_provider(studio, "far", model="later", by="Ada") == "later"
    assert studio.read.providers.get("far").base_url == "https://far.example/v1"
    assert choose_provider(studio, "embedded", by="Ada") == ""
    assert studio.default_provider == "embedded"
    with pytest.raises(NotFoundError):
        choose_provider(studio, "nobody", by="Ada")
    with pytest.raises(InputError, match="one model"):
        choose_provider(studio, "embedded", model="x", by="Ada")


def test_a_model_that_ends_is_warned_of(studio, work):
    assert ending_model(studio, "far") == ""
    start_probe(studio, "far")
    work(studio)
    assert ending_model(studio, "far") == "m ends on 2027-01-14, in 52 days."
    assert ending_model(studio, "far", "later") == ""
    assert ending_model(studio) == ""
    choose_provider(studio, "far", by="Ada")
    assert ending_model(studio) == "m ends on 2027-01-14, in 52 days."


def test_a_consent_that_is_withdrawn_must_be_given_anew(studio, fill):
    task = fill(studio)

    def agree(host="far.example"):
        studio.store.providers.record_consent(
            task.id, provider="far", host=host, person="Ada", shown={"examples": 3}, at="2026-11-22"
        )

    agree()
    agree()
    agree("other.example")
    first = studio.read.providers.consents()[-1]
    assert (first.task, first.host, first.shown) == ("mail", "far.example", {"examples": 3})
    taken = withdraw_consent(studio, first.id, by="Bo")
    assert [(one.host, one.withdrawn_by) for one in taken] == [("far.example", "Bo")] * 2
    assert not studio.read.providers.has_consent(task.id, "far.example")
    assert studio.read.providers.has_consent(task.id, "other.example")
    for wrong in (first.id, 99):
        with pytest.raises(InputError, match="in force"):
            withdraw_consent(studio, wrong, by="Bo")
    agree()
    assert studio.read.providers.has_consent(task.id, "far.example")


def test_a_run_after_a_withdrawal_asks_again(open_studio, fill):
    from studio.actions.runs import Choice, start_run

    far = ScriptedProvider({}, name="far")
    far.is_local, far.host = False, "far.example"
    ws = open_studio(provider={"far": far})
    task = fill(ws)
    start_run(ws, task.id, choice=Choice(), provider="far", consent=True, by="Ada")
    start_run(ws, task.id, choice=Choice(), provider="far", limit=3, by="Ada")
    withdraw_consent(ws, ws.read.providers.consents()[0].id, by="Ada")
    with pytest.raises(ConsentNeededError):
        start_run(ws, task.id, choice=Choice(), provider="far", limit=4, by="Ada")
