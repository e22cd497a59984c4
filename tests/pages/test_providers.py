"""Providers on the settings page: never tested, under way, failed, found, old; consent."""

import dataclasses

import pytest

from studio.actions.providers import add_provider, choose_provider, start_probe
from studio.domain.capability import Capabilities, Feature, Finding, ListedModel, State
from studio.domain.job import JobStatus
from studio.domain.task import Task

STATES = dict(zip(Feature, list(State) * 3, strict=True))
FOUND = Capabilities(
    model="m",
    findings=tuple(
        Finding(feature, state, f"said **{feature}** :red[x]") for feature, state in STATES.items()
    ),
    models=(ListedModel("m", "2999-01-14"), ListedModel("later")),
    version="0.1",
)


@pytest.fixture
def keep(ws):
    """Keep what a test of "far" found on a day; today when none is named."""
    add_provider(ws, name="far", base_url="https://far.example/v1", model="m", by="Ada")

    def store(at="", **more):
        found = dataclasses.replace(FOUND, at=at or ws.now(), **more)
        ws.store.providers.save_capabilities("far", found)

    return store


@pytest.fixture
def far(open_app, keep):
    """Open the page at the provider "far"."""

    def start():
        at = open_app("settings")
        return at.selectbox(key="settings_provider").set_value("far").run()

    return start


def labels(at):
    return [button.label for button in at.button]


def test_what_a_test_costs_elsewhere_and_one_in_vain_are_told(far, keep):
    keep(failed_at="2026-11-22T09:00", failure="far.example cannot be reached.")
    at = far()
    assert any(c.value.startswith("A test: 5 questions to far") for c in at.caption)
    assert any("found out nothing" in w.value for w in at.warning)


def test_one_never_tested_says_so_and_its_test_is_filed(far, ws):
    at = far()
    assert any("Never tested" in caption.value for caption in at.caption)
    assert list(at.dataframe[0].value["Test"]) == ["never tested"] * 2
    at.button(key="settings_probe_start").click().run()
    assert not at.exception
    job = ws.read.jobs.open()[0]
    assert (job.kind, job.params["provider"]) == ("probe", "far")
    assert "Test connection" not in labels(at)
    assert "Cancel" in labels(at)
    at.button(key="settings_probe_cancel").click().run()
    assert ws.read.jobs.get(job.id).status is JobStatus.CANCELLED
    assert "Test connection" in labels(at)


def test_what_was_found_is_shown_in_words_with_its_evidence(far, keep):
    keep()
    at = far()
    assert not at.exception
    table = at.table[0].value
    assert list(table["Feature"]) == [feature.words for feature in Feature]
    assert [cell.split()[-1] for cell in table["State"]] == [s.value for s in STATES.values()]
    assert len({cell.split()[0] for cell in table["State"]}) == len(State)
    assert "**" not in table["Evidence"][0]
    assert ":red[" not in table["Evidence"][0]
    assert "Test again" in labels(at)
    assert "3 of 12 work" in at.dataframe[0].value["Test"][1]
    assert "today" in at.dataframe[0].value["Test"][1]
    ends = next(d.value for d in at.dataframe if "Days left" in d.value)
    assert list(ends["Model"]) == ["m"]
    assert not at.warning


def test_an_old_test_and_a_model_that_ended_are_warned_of(far, keep):
    keep("2020-01-01T00:00:00.000+00:00", models=(ListedModel("m", "2020-06-01"),))
    said = [warning.value for warning in far().warning]
    assert "days ago; test again to be sure." in said[0]
    assert "ended on 2020" in said[1]


def test_a_failed_test_says_why(far, ws, keep):
    keep()
    job_id = start_probe(ws, "far")
    claimed = ws.store.jobs.claim("w", ws.clock(), 30.0)
    ws.store.jobs.finish(job_id, claimed.fence, JobStatus.FAILED, "It is [gone](x).", ws.clock())
    at = far()
    assert at.error[0].value.startswith("The latest test failed: It is \\[gone")
    assert "Test again" in labels(at)
    assert at.table


def test_the_default_and_its_model_are_chosen(far, ws, keep):
    keep()
    at = far()
    at.selectbox(key="settings_model_far").set_value("later").run()
    at.button(key="settings_default").click().run()
    assert not at.exception
    assert (ws.default_provider, ws.read.providers.get("far").model) == ("far", "later")
    assert list(at.dataframe[0].value["Default"]) == ["", "✓ default"]
    assert any("“far”" in caption.value for caption in at.caption)


def test_the_embedded_one_is_made_the_default_again(open_app, ws, keep):
    choose_provider(ws, "far", by="Ada")
    at = open_app("settings")
    assert at.selectbox(key="settings_provider").value == "far"
    assert "Keep the model" not in labels(at)
    at.selectbox(key="settings_provider").set_value("embedded").run()
    at.button(key="settings_default").click().run()
    assert ws.default_provider == "embedded"
    assert "Make it the default" not in labels(at)


def test_consents_are_listed_and_withdrawn(open_app, ws, fill):
    assert any("Nobody agreed" in caption.value for caption in open_app("settings").caption)
    task = fill("task without examples")
    assert isinstance(task, Task)
    ws.store.providers.record_consent(
        task.id, provider="far", host="far.example", person="Bo",
        shown={"columns": ["text"], "examples": 3}, at="2026-11-22T10:00",
    )  # fmt: skip
    at = open_app("settings")
    line = next(m.value for m in at.markdown if "agreed by Bo" in m.value)
    assert "3 examples, column text" in line
    at.button(key="settings_withdraw_1").click().run()
    assert not ws.read.providers.has_consent(task.id, "far.example")
    assert any("Withdrawn by Ada" in m.value for m in at.markdown)
    assert "Withdraw" not in labels(at)


def test_a_provider_that_nothing_encrypts_is_warned_of(far, keep, ws):
    assert not [w for w in far().warning if "encrypts" in w.value]
    add_provider(ws, name="far", base_url="http://10.0.0.5/v1", by="Ada")
    (told,) = [w for w in far().warning if "encrypts" in w.value]
    assert "what is sent to 10\\.0\\.0\\.5" in told.value
