"""Label probabilities from tokens: exact, or none."""

import math

import pytest

from studio.providers.logprobs import label_masses
from studio.providers.replies import read_reply
from tests.providers.helpers import completion


def token(text, *others):
    """One chosen token; `others` are (text, probability), the chosen one among them."""
    shares = dict(others) or {text: 1.0}
    return {
        "token": text,
        "logprob": math.log(shares[text]),
        "top_logprobs": [{"token": t, "logprob": math.log(p)} for t, p in shares.items()],
    }


def reply(tokens):
    text = "".join(entry["token"] for entry in tokens)
    return completion(text, logprobs={"content": tokens})


HEAD = [token('{"'), token("label"), token('":"')]


def test_labels_with_different_first_tokens():
    tokens = [*HEAD, token("k", ("k", 0.6), ("not", 0.4)), token("eto"), token('"}')]
    answer = read_reply(reply(tokens), ["keto", "not_keto"])
    assert answer.probabilities == pytest.approx({"keto": 0.6, "not_keto": 0.4})


def test_a_label_that_begins_another_one_needs_the_closing_quote():
    tokens = [
        *HEAD,
        token("billing", ("billing", 0.9), ("other", 0.1)),
        token('"}', ('"}', 0.25), ("_dispute", 0.75)),
    ]
    answer = read_reply(reply(tokens), ["billing", "billing_dispute", "other"])
    expected = {"billing": 0.225, "billing_dispute": 0.675, "other": 0.1}
    assert answer.probabilities == pytest.approx(expected)


def test_the_opening_quote_may_stand_in_the_labels_token():
    tokens = [
        token('{"label"'),
        token(":"),
        token(' "ham', (' "ham', 0.75), (' "sp', 0.25)),
        token('"}'),
    ]
    answer = read_reply(reply(tokens), ["ham", "spam"])
    assert answer.probabilities == pytest.approx({"ham": 0.75, "spam": 0.25})


def test_mass_on_a_path_not_walked_is_given_to_nobody():
    tokens = [*HEAD, token("o", ("o", 0.6), ("bil", 0.4)), token('ther"}')]
    answer = read_reply(reply(tokens), ["billing", "bill_pay", "other"])
    assert answer.probabilities == {}
    assert answer.detail["notes"] == ["Its probabilities sum to 0.60 and were left out."]


def test_a_little_missing_mass_is_shared_out():
    tokens = [*HEAD, token("ham", ("ham", 0.74), ("sp", 0.25), ("?", 0.01)), token('"}')]
    answer = read_reply(reply(tokens), ["ham", "spam"])
    assert sum(answer.probabilities.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ([token("ham")], "ham"),
        ([*HEAD, token('ham"}')], '{"label":"spam"}'),
        ([*HEAD, token('Ham"}')], '{"label":"Ham"}'),
        ([*HEAD, token("sp")], '{"label":"sp'),
        ([{"token": '{"label":"ham"}', "logprob": None}], '{"label":"ham"}'),
        ([{"token": '{"label":"ham"}', "logprob": math.nan}], '{"label":"ham"}'),
        (["x"], '{"label":"ham"}'),
        ([], ""),
    ],
)
def test_what_cannot_be_told_exactly_is_left_empty(tokens, text):
    assert not any(label_masses(tokens, text, ["ham", "spam", "spa"]).values())
