"""What a run's confidences are worth: one method at a time, and no word of test without a look."""

import json

import pytest

from studio.actions.evaluations import calibrate_run, evaluate_run
from studio.actions.rules import import_rules
from studio.actions.runs import Choice, export_run, run_status, start_run
from studio.domain.run import Answer, Method, Outcome
from studio.errors import InputError, NotFoundError
from studio.providers.scripted import ScriptedProvider


def mostly_by_tokens(question):
    """Say the label in the text: each fifth by votes and boldly, the first nothing of itself."""
    text = json.loads(question.messages[-1]["content"])["text"]
    number = int(text.split()[-1])
    label = next(name for name in question.label_names if name in text)
    if number == 0:
        return Answer(outcome=Outcome.OK, label=label)
    bold = number % 5 == 0
    sure = 1.0 if bold else 0.75
    odds = dict.fromkeys(question.label_names, 1 - sure) | {label: sure}
    method = Method.VOTES if bold else Method.LOGPROBS
    return Answer(outcome=Outcome.OK, label=label, probabilities=odds, method=method)


@pytest.fixture
def ws(open_studio):
    return open_studio(provider=ScriptedProvider(mostly_by_tokens, name="embedded"))


@pytest.fixture
def run(ws, fill, work):
    task = fill(ws, validation=20)
    started = start_run(ws, task.id, choice=Choice(), splits=("validation",), by="Ada")
    work(ws)
    return ws.read.runs.get(started.id)


def test_only_the_main_method_makes_the_figure(ws, run):
    found = calibrate_run(ws, run.id)
    assert (found.method, found.n) == (Method.LOGPROBS, 16)
    assert found.others == {Method.VOTES: 3}
    assert found.without == 1
    assert found.ece == pytest.approx(0.25), "bold votes would have made it smaller"
    assert [b.high for b in found.bins] == [0.75]
    assert [(one.least, one.accuracy.n) for one in found.accepted] == [(0.75, 16)]
    assert found.accepted[0].share.n == 17
    assert "3 with another kind of confidence (share of several votes" in found.left_out


def test_a_slice_has_figures_of_its_own(ws, run):
    whole = evaluate_run(ws, run.id, by="Ada")
    part = calibrate_run(ws, run.id, slice_name="gold is ham")
    assert 0 < part.n < calibrate_run(ws, run.id).n < whole.n
    with pytest.raises(NotFoundError):
        calibrate_run(ws, run.id, slice_name="none such")


def test_rules_have_shares_of_votes_and_say_so(ws, run, work):
    rules = "rules:\n  - {name: s, label: spam, any: [{keywords: [spam]}]}\n"
    import_rules(ws, run.task_id, rules, by="Ada")
    started = start_run(ws, run.task_id, choice=Choice(rules=True), by="Ada")
    work(ws)
    found = calibrate_run(ws, started.id)
    assert (found.method, found.n, found.without) == (Method.RULES, 10, 10)
    assert found.kind == "share of the rules' votes, not a probability"


def test_without_gold_it_is_the_error_of_an_evaluation(ws, run):
    with pytest.raises(InputError, match="no labeled example with gold in test"):
        calibrate_run(ws, run.id, split="test")


def test_what_kind_a_confidence_is_stands_beside_it(ws, run):
    kinds = run_status(ws, run.id)["confidence"]
    assert [(one["method"], one["n"]) for one in kinds] == [("logprobs", 16), ("votes", 3)]
    assert kinds[0]["kind"] == "probability from the tokens the model wrote"
    rows = export_run(ws, run.id)
    told = {(row["confidence"], row["confidence_from"]) for row in rows}
    assert told == {
        (0.75, "probability from the tokens the model wrote"),
        (1.0, "share of several votes of the model, not a probability"),
        (None, ""),
    }
