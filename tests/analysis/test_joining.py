"""The rules' votes become one answer as the expert ordered them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from studio.analysis.votes import Joined, VoteMatrix, join_votes, joined_predictions
from studio.domain.run import Outcome

from .builders import rule

LABELS = (1, 2, 3)


def join(votes, rules, fallback=None, label_ids=LABELS):
    matrix = VoteMatrix(
        rule_ids=tuple(r.id for r in rules),
        example_ids=(9,),
        labels=np.array([votes], dtype=np.int32),
        against=np.array([r.body.against for r in rules], dtype=np.bool_),
    )
    return join_votes(matrix, rules, fallback, label_ids)[0]


def test_the_first_decisive_rule_wins_over_everything():
    rules = [rule(1, 1), rule(2, 1), rule(3, 2, decisive=True), rule(4, 3, decisive=True)]
    assert join([1, 1, 2, 3], rules) == Joined(2, (3,), "decisive", 1.0)
    assert join([1, 1, 0, 3], rules) == Joined(3, (4,), "decisive", 1.0)


def test_the_majority_of_the_others_wins():
    rules = [rule(1, 1), rule(2, 2), rule(3, 2)]
    assert join([1, 2, 2], rules) == Joined(2, (2, 3), "majority", 2 / 3)


def test_a_tie_goes_to_the_earliest_rule():
    rules = [rule(2, 2), rule(1, 1)]
    assert join([2, 1], rules) == Joined(1, (1,), "tie", 0.5)


def test_a_vote_against_removes_a_label():
    rules = [rule(1, 1), rule(2, 1), rule(3, 2), rule(4, 1, against=True)]
    assert join([1, 1, 2, 1], rules) == Joined(2, (3,), "majority", 1.0)


def test_a_vote_against_is_for_the_only_label_left():
    rules = [rule(1, 1, against=True), rule(2, 3, against=True)]
    assert join([1, 3], rules) == Joined(2, (1, 2), "majority", 1.0)
    assert join([1], rules[:1], label_ids=(1, 2)) == Joined(2, (1,), "majority", 1.0)
    assert join([1, 0], rules) == Joined(None, (), "silent", None)


def test_a_decisive_vote_against_rules_out_later_decisive_ones():
    rules = [rule(1, 1, against=True, decisive=True), rule(2, 1, decisive=True), rule(3, 2)]
    assert join([1, 1, 2], rules) == Joined(2, (3,), "majority", 1.0)
    assert join([1, 1, 0], rules, label_ids=(1, 2)) == Joined(2, (1,), "decisive", 1.0)


def test_silence_and_contradiction_are_the_fallback_or_nothing():
    rules = [rule(1, 1, against=True), rule(2, 2, against=True)]
    assert join([0, 0], rules, fallback=3) == Joined(3, (), "fallback", None)
    assert join([1, 2], rules, fallback=1, label_ids=(1, 2)) == Joined(1, (), "fallback", None)


@given(st.lists(st.sampled_from([0, 1, 2, 3]), min_size=1, max_size=6), st.data())
def test_a_silent_rule_changes_nothing(votes, data):
    flags = st.tuples(st.booleans(), st.booleans())
    rules = []
    for i, vote in enumerate(votes):
        against, decisive = data.draw(flags)
        rules.append(rule(i + 1, vote or 1, against=against, decisive=decisive))
    place = data.draw(st.integers(0, len(votes)))
    silent = rule(100, 1, decisive=data.draw(st.booleans()), against=data.draw(st.booleans()))
    more = [*rules[:place], silent, *rules[place:]]
    assert join([*votes[:place], 0, *votes[place:]], more) == join(votes, rules)


def test_answers_become_predictions():
    rules = [rule(1, 1)]
    matrix = VoteMatrix((1,), (4, 5), np.array([[1], [0]], np.int32), np.array([False]))
    first, second = joined_predictions(matrix, join_votes(matrix, rules, None, LABELS))
    assert (first.example_id, first.label_id, first.outcome) == (4, 1, Outcome.OK)
    assert (second.label_id, second.outcome) == (None, Outcome.ABSTAINED)
