"""Asking several times: each asking is a call, kept for itself; the shares are the confidence."""

import json

import pytest

from studio.actions.providers import add_provider
from studio.actions.runs import (
    Choice,
    estimate_run,
    export_run,
    needs_votes,
    run_status,
    start_run,
    steer_run,
)
from studio.domain.capability import Capabilities, Feature, Finding, State
from studio.domain.example import Split
from studio.domain.job import JobStatus, Want
from studio.domain.run import Answer, Method, Outcome, Usage
from studio.errors import AuthenticationError, InputError
from studio.handlers.asking import label_orders
from studio.handlers.repeating import tally
from studio.providers.scripted import ScriptedProvider

pytestmark = pytest.mark.usefixtures("quick")
USAGE = Usage(input_tokens=5, output_tokens=2)


def by_place(question):
    """Take the label that stands first, but know "number va 1" in any order."""
    text = json.loads(question.messages[-1]["content"])["text"]
    label = "spam" if text.endswith("number va 1") else question.label_names[0]
    return Answer(outcome=Outcome.OK, label=label, model="far-1", usage=USAGE)


@pytest.fixture
def far():
    service = ScriptedProvider(by_place, name="far")
    service.identity = "far@far.example"
    return service


@pytest.fixture
def ws(open_studio, far):
    ws = open_studio(provider={"far": far})
    add_provider(ws, name="far", base_url="http://127.0.0.1:9/v1", by="Ada")
    return ws


@pytest.fixture
def task(ws, fill):
    return fill(ws)


def start(ws, task, samples, **more):
    return start_run(
        ws, task.id, choice=Choice(), splits=("validation",), provider="far", samples=samples,
        by="Ada", **more,
    )  # fmt: skip


def can(ws, **features):
    """Keep what a test of the service would have found."""
    told = tuple(Finding(Feature(name), State(state), "") for name, state in features.items())
    found = Capabilities(model="scripted", findings=told, at="2026-11-22", version="1")
    ws.store.providers.save_capabilities("far", found)


def test_shares_are_the_confidence_and_every_call_is_told(ws, task, far, work):
    run = start(ws, task, 4)
    work(ws)
    said = run_status(ws, run.id)
    assert (said["status"], said["done"], said["total"], said["calls"]) == ("done", 6, 6, 24)
    assert (said["input_tokens"], far.calls) == (24 * 5, 24)
    (kind,) = said["confidence"]
    assert (kind["method"], kind["n"]) == ("votes", 6)
    assert kind["kind"] == "share of 4 votes of the model, not a probability"
    told = {row["text"]: (row["label"], row["confidence"]) for row in export_run(ws, run.id)}
    sure = [text for text in told if text.endswith("number va 1")]
    assert [told.pop(text) for text in sure] == [("spam", 1.0)]
    assert set(told.values()) == {("ham", 0.5)}, "who takes what stands first is found out"
    orders = {question.label_names for question in far.questions}
    assert orders == {("ham", "spam"), ("spam", "ham")}


def test_what_was_asked_before_is_not_asked_again(ws, task, far, work):
    start(ws, task, 1)
    work(ws)
    assert far.calls == 6
    start(ws, task, 3)
    work(ws)
    assert far.calls == 18, "the first asking of each is known"
    again = start(ws, task, 5)
    work(ws)
    assert far.calls == 30
    assert ws.read.runs.methods(again.id) == {Method.VOTES: 6}


def test_a_run_cut_short_keeps_each_vote(ws, task, far, work):
    asked = []

    def gone_at_ten(question):
        asked.append(question)
        if len(asked) == 10:
            raise AuthenticationError("The key is no good.", next_step="Mend it.")
        return by_place(question)

    far._answers = gone_at_ten
    run = start(ws, task, 4)
    work(ws)
    cut = ws.read.runs.get(run.id)
    assert cut.status == JobStatus.FAILED
    assert cut.done < 6
    steer_run(ws, run.id, Want.RUN)
    work(ws)
    assert run_status(ws, run.id)["outcomes"] == {"ok": 6}
    keys = [question.key("far") for question in asked]
    assert len(keys) - len(set(keys)) == 1, "only the refused question is asked twice"


def test_equal_texts_are_asked_about_once(ws, task, far, work):
    ws.store.examples.add(
        task.id, [(f"t{i}", "the very same", Split.VALIDATION, {}) for i in range(3)], ws.now()
    )
    run = start(ws, task, 2)
    work(ws)
    assert run_status(ws, run.id)["done"] == 9
    assert far.calls == 2 * 7


def test_the_estimate_counts_every_asking(ws, task, far, work):
    asked = {"choice": Choice(), "splits": ("validation",), "provider": "far"}
    once = estimate_run(ws, task.id, **asked)
    often = estimate_run(ws, task.id, samples=5, **asked)
    assert (once.questions, often.questions) == (6, 30)
    assert often.input_tokens == pytest.approx(5 * once.input_tokens, rel=0.01)
    assert "30 questions to this machine, 5 an example" in often.sentence()
    assert often.to_dict()["samples"] == 5


def test_consent_names_the_examples_and_how_often(ws, task, far):
    far.is_local, far.host = False, "far.example"
    far.identity = "far@far.example"
    start(ws, task, 1, consent=True)
    told = estimate_run(ws, task.id, choice=Choice(), provider="far", samples=3)
    assert told.questions == 54
    assert "of 18 examples, 3 times each (about" in told.consent_text()


@pytest.mark.parametrize(
    ("features", "needed"),
    [
        ({}, False),
        ({"logprobs": "unknown"}, False),
        ({"logprobs": "dropped"}, True),
        ({"logprobs": "no", "decisions": "no"}, True),
        ({"logprobs": "no", "decisions": "yes"}, False),
        ({"logprobs": "yes"}, False),
    ],
)
def test_votes_are_needed_where_a_test_found_no_probabilities(ws, task, features, needed):
    if features:
        can(ws, **features)
    assert needs_votes(ws, task.id, choice=Choice(), provider="far") is needed
    assert needs_votes(ws, task.id, choice=Choice(rules=True)) is False


def test_votes_are_refused_where_they_are_worse_or_impossible(ws, task):
    for samples in (0, 26):
        with pytest.raises(InputError, match="1 to 25 times"):
            start(ws, task, samples)
    with pytest.raises(InputError, match="asks about each example once"):
        start(ws, task, 3, batch=True)
    can(ws, logprobs="yes")
    with pytest.raises(InputError, match="tells probabilities itself"):
        start(ws, task, 3)
    assert ws.read.runs.all(task.id) == []


def said(*labels):
    return [Answer(outcome=Outcome.OK if name else Outcome.REFUSED, label=name) for name in labels]


@pytest.mark.parametrize(
    ("labels", "label", "share", "uncovered"),
    [
        (["b", "a", "b"], "b", 2 / 3, None),
        (["b", "a"], "a", 1 / 2, None),
        ([None, "b"], "b", 1 / 2, 1 / 2),
    ],
)
def test_shares_count_every_asking(labels, label, share, uncovered):
    answer = tally(said(*labels), ["a", "b"])
    assert (answer.label, answer.confidence) == (label, share)
    assert answer.detail.get("uncovered") == uncovered


def test_without_any_label_it_is_the_first_outcome():
    assert tally(said(None, None), ["a"]).outcome is Outcome.REFUSED


def test_more_askings_than_labels_begin_anew():
    assert [order[0] for order in label_orders(["a", "b", "c"], 5)] == ["a", "b", "c", "a", "b"]
