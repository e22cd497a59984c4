"""Every shape of a reply has one outcome, and none raises."""

import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.run import Outcome
from studio.providers.replies import match_label, read_reply
from tests.providers.helpers import completion

LABELS = ("ham", "spam")


@pytest.mark.parametrize(
    ("reply", "outcome", "label"),
    [
        (completion(), Outcome.OK, "ham"),
        (completion('{"label": " SPAM "}'), Outcome.OK, "spam"),
        (completion('```json\n{"label": "spam"}\n```'), Outcome.OK, "spam"),
        (completion('```\n{"label": "spam"}```'), Outcome.OK, "spam"),
        (completion("Spam"), Outcome.OK, "spam"),
        (completion('"spam"'), Outcome.OK, "spam"),
        (completion('{"label": "spam."}'), Outcome.OFF_LABEL, None),
        (completion('{"label": "urgent"}'), Outcome.OFF_LABEL, None),
        (completion('{"answer": "spam"}'), Outcome.OFF_LABEL, None),
        (completion('{"label": ["spam"]}'), Outcome.OFF_LABEL, None),
        (completion("[1, 2]"), Outcome.OFF_LABEL, None),
        (completion('{"label": null}'), Outcome.ABSTAINED, None),
        (completion("I think it is spam"), Outcome.NOT_JSON, None),
        (completion('Sure! {"label": "spam"}'), Outcome.NOT_JSON, None),
        (completion("[" * 100_000), Outcome.NOT_JSON, None),
        (completion(""), Outcome.EMPTY, None),
        (completion(" \n"), Outcome.EMPTY, None),
        (completion(None), Outcome.EMPTY, None),
        (completion(None, refusal="I will not."), Outcome.REFUSED, None),
        (completion('{"lab', finish="length"), Outcome.TRUNCATED, None),
        (completion(None, finish="content_filter"), Outcome.FILTERED, None),
        ("<html>404</html>", Outcome.ERROR, None),
        (completion(choices=None), Outcome.ERROR, None),
        (completion(choices=[]), Outcome.ERROR, None),
        (completion(choices=["x"]), Outcome.ERROR, None),
        (completion(choices=[{"message": "x"}]), Outcome.ERROR, None),
        ([], Outcome.ERROR, None),
        (None, Outcome.ERROR, None),
    ],
)
def test_outcomes_are_told_apart(reply, outcome, label):
    answer = read_reply(reply, LABELS)
    assert (answer.outcome, answer.label) == (outcome, label)


def test_an_ok_answer_keeps_model_usage_and_text():
    answer = read_reply(completion(), LABELS, latency_ms=12.5)
    assert answer.model == "m-2026"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (7, 3)
    assert answer.usage.latency_ms == 12.5
    assert answer.usage.cost_usd is None  # unknown is never 0
    assert answer.raw == '{"label":"ham"}'


def test_a_refusal_keeps_its_words_and_its_cost():
    answer = read_reply(completion(None, refusal="I will not."), LABELS)
    assert answer.detail["error"] == "I will not."
    assert answer.usage.output_tokens == 3


def test_labels_that_differ_by_case_are_never_guessed():
    assert match_label("a", ["a", "A"]) == "a"
    assert match_label(" a", ["a", "A"]) is None


def test_the_extension_gives_probabilities_and_evidence():
    told = {
        "engine": "encoder",
        "probabilities": {"ham": 0.7, "spam": 0.299},
        "evidence": [{"line": 3}],
        "unused_lines": [1],
        "truncated": True,
        "not_english": False,
        "notes": ["long text"],
        "internal": "not for us",
    }
    answer = read_reply(completion(studio=told), LABELS)
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert answer.confidence == pytest.approx(0.7, abs=0.01)
    assert answer.detail == {
        key: told[key] for key in told if key not in ("probabilities", "internal")
    }


@pytest.mark.parametrize(
    "probabilities",
    [{"ham": 0.5, "spam": 0.3}, {"ham": 1.2, "spam": -0.2}, {"x": 1.0}, {"ham": math.nan}, [1]],
)
def test_probabilities_that_do_not_add_up_are_dropped(probabilities):
    answer = read_reply(completion(studio={"probabilities": probabilities}), LABELS)
    assert answer.outcome is Outcome.OK
    assert answer.probabilities == {}
    if isinstance(probabilities, dict):
        assert "left out" in answer.detail["notes"][0]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "content", "label", "usage", "studio", "logprobs", "token"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_reply_makes_it_fail(reply):
    answer = read_reply(reply, LABELS)
    assert (answer.label is not None) == (answer.outcome is Outcome.OK)


@given(JSON, JSON, JSON)
def test_no_part_of_a_completion_makes_it_fail(logprobs, usage, extension):
    reply = completion(logprobs=logprobs, studio=extension) | {"usage": usage}
    assert read_reply(reply, LABELS).label == "ham"


@given(st.text(min_size=1, max_size=30))
def test_any_label_survives_the_way_through_json(name):
    reply = completion(json.dumps({"label": name}))

    assert read_reply(reply, [name, "other label"]).label == name


def test_a_fence_that_never_closes_costs_no_time():
    """A model that runs on in line breaks must not hold up the worker."""
    started = time.process_time()
    answer = read_reply(completion("```" + "\n" * 200_000 + "x"), LABELS)
    assert answer.outcome is Outcome.NOT_JSON
    assert time.process_time() - started < 5


@pytest.mark.parametrize("logprob", [-(10**400), 10**400, -math.inf])
def test_logprobs_beyond_any_float_are_read(logprob):
    tokens = [{"token": '{"label":"ham"}', "logprob": logprob, "top_logprobs": []}]
    answer = read_reply(completion(logprobs={"content": tokens}), LABELS)
    assert answer.label == "ham"


def test_a_token_count_beyond_any_store_is_no_count():
    usage = {"prompt_tokens": 10**30, "completion_tokens": 2}
    answer = read_reply(completion(usage=usage), LABELS)
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (0, 2)
