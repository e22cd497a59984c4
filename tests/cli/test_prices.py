"""studio provider prices."""

import json

import pytest


@pytest.fixture
def openai(studio):
    said = studio("provider", "add", "openai", "--base-url", "https://api.openai.com/v1")
    assert said.code == 0
    return "openai"


def test_prices_are_listed_with_their_source_and_age(studio):
    text = studio("provider", "prices").out
    assert "gpt-6-luna (decisions)" in text
    assert "days old" in text
    assert "genai-prices 0.2.3" in text
    rows = studio("provider", "prices", "--json").json
    luna = next(r for r in rows if (r["model"], r["kind"]) == ("gpt-6-luna", "chat"))
    assert (luna["input"], luna["output"], luna["batch_input"]) == (0.1, 0.5, 0.05)
    assert luna["as_of"] == "2026-10-14"
    assert luna["age_days"] >= 0
    tuned = next(r for r in rows if r["model"] == "ft:gpt-4o")
    assert tuned["batch_input"] is None
    assert not any(r["own"] for r in rows)


def test_a_price_is_set_and_taken_back(studio, openai):
    said = studio("provider", "prices", "--provider", openai, "--set", "m", "--input", "0.5",
                  "--output", "1.5", "--source", "our contract", "--json")  # fmt: skip
    assert said.code == 0
    (own,) = [row for row in said.json if row["own"]]
    assert (own["model"], own["input"], own["source"]) == ("m", 0.5, "our contract")
    assert "here" in studio("provider", "prices", "--provider", openai).out
    said = studio("provider", "prices", "--provider", openai, "--unset", "m", "--json")
    assert not any(row["own"] for row in said.json)


def test_a_training_has_a_price_of_its_own(studio, openai):
    said = studio("provider", "prices", "--provider", openai, "--set", "m", "--kind", "training",
                  "--input", "4", "--json")  # fmt: skip
    assert said.code == 0
    (own,) = [row for row in said.json if row["own"]]
    assert (own["model"], own["kind"], own["input"], own["output"]) == ("m", "training", 4.0, 0.0)
    said = studio("provider", "prices", "--provider", openai, "--unset", "m")
    assert "No price of your own" in said.err
    said = studio("provider", "prices", "--provider", openai, "--unset", "m", "--kind", "training",
                  "--json")  # fmt: skip
    assert not any(row["own"] for row in said.json)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--set", "m", "--input", "1", "--output", "2"], "one provider"),
        (["--provider", "openai", "--set", "m", "--input", "1"], "both --input and --output"),
        (["--provider", "openai", "--set", "m", "--unset", "m"], "one model of one provider"),
        (["--provider", "openai", "--set", "m", "--input", "-1", "--output", "1"], "0 or more"),
        (["--provider", "openai", "--unset", "m"], "No price of your own"),
        (["--provider", "nobody"], "no provider 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(studio, openai, words, says):
    said = studio("provider", "prices", *words, "--json")
    assert said.code in (1, 2)
    assert says in said.error["message"]


def test_a_service_on_this_machine_is_said_to_be_free(studio):
    said = studio("provider", "prices", "--provider", "embedded")
    assert "on this machine is free" in said.out
    assert json.loads(studio("provider", "prices", "--provider", "embedded", "--json").out) == []
