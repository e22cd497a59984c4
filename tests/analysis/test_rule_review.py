"""The report names what each rule wins and loses, and what to do with it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.analysis.joining import join_votes
from studio.analysis.rule_review import review_rules
from studio.analysis.vote_matrix import VoteMatrix

from .builders import rule

LABELS = [1, 2]


def matrix(rows, rules):
    return VoteMatrix(
        rule_ids=tuple(r.id for r in rules),
        example_ids=tuple(range(1, len(rows) + 1)),
        labels=np.array(rows, dtype=np.int32).reshape(len(rows), len(rules))
        * np.array([r.label_id for r in rules], dtype=np.int32),
        against=np.array([r.body.against for r in rules], dtype=bool),
    )


def review(rows, rules, gold, fallback=None):
    return review_rules(
        matrix(rows, rules), rules, gold, fallback_label_id=fallback, label_ids=LABELS
    )


votes = st.lists(st.tuples(*[st.integers(0, 1)] * 4), max_size=12)


@settings(max_examples=80)
@given(votes, st.lists(st.sampled_from([0, 1, 2]), min_size=12, max_size=12), st.booleans())
def test_won_and_lost_are_what_joining_without_the_rule_says(rows, truth, decisive):
    rules = [rule(1, 1), rule(2, 2, decisive=decisive), rule(3, 2), rule(4, 1, against=True)]
    gold = {i + 1: t for i, t in enumerate(truth[: len(rows)]) if t}
    told = review(rows, rules, gold, fallback=2)
    whole = matrix(rows, rules)

    def said(columns):
        some = VoteMatrix(
            tuple(rules[i].id for i in columns), whole.example_ids,
            whole.labels[:, columns], whole.against[columns],
        )  # fmt: skip
        return [j.label_id for j in join_votes(some, rules, 2, LABELS)]

    everyone = said([0, 1, 2, 3])
    for i, one in enumerate(told.rules):
        rest = said([k for k in range(4) if k != i])
        pairs = list(zip(whole.example_ids, everyone, rest, strict=True))
        assert one.won == tuple(e for e, a, b in pairs if a == gold.get(e) != b)
        assert one.lost == tuple(e for e, a, b in pairs if b == gold.get(e) != a)


def test_dead_doubled_and_useless_rules_are_told():
    rules = [rule(1, 1), rule(2, 1), rule(3, 2), rule(4, 2)]
    rows = [(1, 1, 0, 0)] * 6 + [(0, 0, 1, 0)] * 6
    told = review(rows, rules, dict.fromkeys(range(1, 13), 1))
    first, second, wrong, dead = told.rules
    assert (first.duplicates, second.duplicates) == ((2,), (1,))
    assert any("r2" in line for line in first.advice)
    assert any("wrong more often" in line for line in wrong.advice)
    assert dead.score.fires == 0
    assert "never fires" in dead.advice[0]
    assert (told.looked_at, told.judged) == (12, 12)


def test_contradictions_say_who_is_right():
    rules = [rule(1, 1), rule(2, 2), rule(3, 1, against=True), rule(4, 2, against=True)]
    rows = [(1, 1, 0, 0)] * 3 + [(1, 0, 1, 0)] * 2 + [(0, 0, 1, 1)] * 4 + [(1, 0, 0, 1)]
    told = review(rows, rules, {1: 1, 2: 1, 3: 2, 4: 2})
    pairs = {c.rule_ids: c for c in told.contradictions}
    assert set(pairs) == {(1, 2), (1, 3)}  # two against never contradict, nor do A and not B
    assert told.contradictions[0].rule_ids == (1, 2)
    assert (pairs[1, 2].judged, pairs[1, 2].right) == (3, (2, 1))
    assert (pairs[1, 3].judged, pairs[1, 3].right) == (1, (0, 1))


def test_buckets_hold_the_examples_to_open():
    rules = [rule(1, 1), rule(2, 1)]
    rows = [(1, 1), (1, 0), (1, 0), (0, 0), (0, 0)]
    buckets = review(rows, rules, {1: 2, 3: 2, 5: 1}).buckets
    found = {(b.name, b.rule_id): b.example_ids for b in buckets}
    assert found == {("all_wrong", None): (1,), ("none_votes", None): (5, 4), ("only", 1): (3, 2)}


@pytest.mark.parametrize(("newest", "stale"), [(0, True), (60, False)])
def test_a_rule_that_fires_no_more_on_new_examples_is_stale(newest, stale):
    rows = [(1,)] * 120 + [(0,)] * 80 + [(1,)] * newest + [(0,)] * (100 - newest)
    (told,) = review(rows, [rule(1, 1)], {}).rules
    assert told.freshness.fires_less is stale
    assert any("went stale" in line for line in told.advice) is stale


def test_a_rule_that_errs_on_new_gold_is_stale_and_few_errors_are_not():
    rows = [(1,)] * 90
    bad = review(rows, [rule(1, 1)], {i: 1 if i <= 60 else 2 for i in range(1, 91)}).rules[0]
    assert bad.freshness.errs_more
    assert any("newest errors" in line for line in bad.advice)
    fine = review(rows, [rule(1, 1)], {i: 1 if i <= 88 else 2 for i in range(1, 91)}).rules[0]
    assert not fine.freshness.errs_more


def test_chance_alone_seldom_looks_stale():
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(40):
        rows = (rng.random((300, 8)) < 0.3).astype(int).tolist()
        rules = [rule(i + 1, 1) for i in range(8)]
        gold = {i: int(rng.integers(1, 3)) for i in range(1, 301)}
        fresh = [r.freshness for r in review(rows, rules, gold).rules]
        alarms += any(f.fires_less or f.errs_more for f in fresh)
    assert alarms <= 5


@pytest.mark.parametrize("rows", [[], [(0, 0)]])
def test_nothing_to_look_at_is_no_error(rows):
    told = review(rows, [rule(1, 1), rule(2, 2)], {})
    assert [r.score.fires for r in told.rules] == [0, 0]
    assert review([()] * len(rows), [], {}).rules == ()
