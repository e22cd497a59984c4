"""Votes over rotated label orders: shares, ties, and what gives no vote."""

import asyncio

import pytest

from studio.domain.prompt import PromptText
from studio.domain.run import Answer, Method, Outcome, Usage
from studio.providers.scripted import ScriptedProvider
from studio.providers.votes import ask_votes, rotations, tally

BODY = PromptText(instructions="Which?", definitions={"b": "bees"})


def said(*labels):
    return [
        Answer(outcome=Outcome.OK if label else Outcome.REFUSED, label=label, method=None)
        for label in labels
    ]


def test_every_asking_has_its_own_order_key_and_prompt():
    asked = rotations(BODY, ["a", "b", "c"], "hi", model="m", count=4)
    assert [one.label_names[0] for one in asked] == ["a", "b", "c", "a"]
    assert len({one.key("p") for one in asked}) == 4
    assert asked[1].messages[0]["content"].index("- b") < asked[1].messages[0]["content"].index(
        "- a"
    )


def test_a_model_that_takes_what_stands_first_is_found_out():
    provider = ScriptedProvider(
        lambda q: Answer(outcome=Outcome.OK, label=q.label_names[0], usage=Usage(input_tokens=5))
    )
    asked = rotations(BODY, ["a", "b", "c"], "hi", model="m", count=3)
    answer = asyncio.run(ask_votes(provider, asked))
    assert answer.method is Method.VOTES
    assert set(answer.probabilities.values()) == {1 / 3}
    assert (answer.label, answer.usage.input_tokens, provider.calls) == ("a", 15, 3)


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
