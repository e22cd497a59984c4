"""studio provider test | default | consents."""

import pytest

from studio.domain.capability import Capabilities, Feature, Finding, ListedModel, State
from studio.providers.scripted import ScriptedProvider

FOUND = Capabilities(
    model="m",
    findings=tuple(
        Finding(feature, State.DROPPED if feature is Feature.LOGPROBS else State.YES, "as seen")
        for feature in Feature
    ),
    models=(ListedModel("m", "2020-01-14"), ListedModel("later")),
    questions=5,
    input_tokens=1234,
)


@pytest.fixture
def far(studio):
    """A way to run commands where "far" is a provider."""
    scripts = {
        "far": ScriptedProvider({}, name="far", capabilities=FOUND),
        "embedded": ScriptedProvider({}, name="embedded"),
    }
    added = studio("provider", "add", "far", "--base-url", "https://far.example/v1", "--model", "m")
    assert added.code == 0
    return lambda *words: studio("provider", *words, provider=scripts)


def test_a_test_prints_a_table_or_one_document(far):
    said = far("test", "far")
    assert (said.code, said.err) == (0, "")
    lines = [line.split() for line in said.out.splitlines()]
    assert ["Likelihoods", "of", "other", "answers", "dropped", "as", "seen"] in lines
    assert "5 questions with sentences of ours, 1,234 tokens sent and 0 back" in said.out
    assert "Warning: m ended on 2020-01-14." in said.out
    told = far("test", "far", "--json").json
    assert told["provider"] == "far"
    assert list(told["features"]) == [feature.value for feature in Feature]
    assert told["features"]["logprobs"] == {"state": "dropped", "evidence": "as seen"}
    assert told["models"][0]["shutdown_date"] == "2020-01-14"
    assert told["models"][0]["days_left"] < -2000
    assert told["models"][1] == {"id": "later", "shutdown_date": None, "days_left": None}
    assert told["warning"] == "m ended on 2020-01-14."
    assert told["version"]
    expected = far("test", "far", "--estimate", "--json").json
    assert (expected["questions"], expected["cost_usd"]) == (5, 0.0)
    listed = {row["name"]: row for row in far("list", "--json").json}
    assert listed["far"]["found"] == "11 of 12 work, 1 dropped"
    assert listed["embedded"]["tested"] is None


def test_a_test_of_nobody_is_bad_use(far):
    said = far("test", "nobody", "--json")
    assert (said.code, said.error["code"]) == (2, "not_found")


def test_the_default_is_told_and_chosen(far):
    assert far("default", "--json").json["provider"] == "embedded"
    told = far("default", "far", "--model", "later", "--json").json
    assert told == {"provider": "far", "model": "later", "warning": None}
    assert far("default").out == "far is used when none is named, with later.\n"
    assert far("default", "--model", "x").code == 2
    assert [row["name"] for row in far("list", "--json").json if row["default"]] == ["far"]


def test_consents_are_listed_and_withdrawn(far, studio, mail, opened):
    assert far("consents").out == "Nobody agreed to send anything.\n"
    script = ScriptedProvider({}, name="far")
    script.is_local, script.host = False, "far.example"
    start = ("run", "start", mail, "--provider", "far", "--limit", "2")
    assert studio(*start, "--yes", provider={"far": script}, worker=False).code == 0
    assert studio(*start, provider={"far": script}, worker=False).code == 0
    assert "far.example" in far("consents").out
    told = far("consents", "--withdraw", "1", "--json").json
    assert (told[0]["host"], told[0]["withdrawn_by"]) == ("far.example", "Ada")
    assert far("consents", "--withdraw", "1").code == 2
    again = studio(*start, "--json", provider={"far": script}, worker=False)
    assert again.error["code"] == "consent_needed"


def test_an_address_that_nothing_encrypts_is_warned_of_and_agreed_to_as_such(studio, mail, opened):
    said = studio("provider", "add", "box", "--base-url", "http://10.0.0.5:8000/v1", "--model", "m",
                  provider=None)  # fmt: skip
    assert "Warning: Nothing encrypts what is sent to 10.0.0.5:8000" in said.out
    start = ("run", "start", mail, "--provider", "box", "--limit", 2)
    said = studio(*start, "--json", provider=None)
    assert "to 10.0.0.5:8000 (not encrypted)" in said.error["message"]
    assert studio(*start, "--yes", provider=None).code == 0
    (consent,) = studio("provider", "consents", "--json", provider=None).json
    assert consent["host"] == "10.0.0.5:8000 (not encrypted)"
    said = studio("provider", "add", "safe", "--base-url", "https://10.0.0.5/v1", "--json",
                  provider=None)  # fmt: skip
    assert said.json["warning"] is None
