"""Votes weighed on gold or by agreement: what must hold whatever the rules are."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.analysis.joining import (
    EXPERT,
    Joining,
    compare_joinings,
    explain,
    fit_joining,
    join_votes,
    joined_predictions,
    posterior,
)
from studio.analysis.vote_matrix import VoteMatrix
from studio.analysis.vote_patterns import panel_of, patterns_of, rulings
from studio.domain.run import Method
from studio.errors import InputError

from .builders import rule

METHODS = ("expert", "weighted", "label_model")


def matrix_of(fires, rules):
    labels = np.array([r.label_id for r in rules], dtype=np.int32)
    return VoteMatrix(
        rule_ids=tuple(r.id for r in rules),
        example_ids=tuple(range(1, len(fires) + 1)),
        labels=np.where(fires, labels, 0).astype(np.int32),
        against=np.array([r.body.against for r in rules], dtype=np.bool_),
    )


def drawn(seed, kinds, n=400, size=3, shares=None):
    """Return a matrix, its rules and gold; kinds are (label, right, coverage, flags)."""
    chance = np.random.default_rng(seed)
    gold = chance.choice(size, n, p=shares) + 1
    rules, columns = [], []
    for i, (label, right, coverage, flags) in enumerate(kinds):
        is_right = (gold == label) != flags.get("against", False)
        # Precision `right` at about this coverage.
        odds = np.where(is_right, right, 1 - right)
        columns.append(chance.random(n) < coverage * odds / odds.mean())
        rules.append(rule(i + 1, label, **flags))
    matrix = matrix_of(np.stack(columns, axis=1), rules)
    return matrix, rules, dict(zip(matrix.example_ids, gold.tolist(), strict=True))


KINDS = [
    (1, 0.95, 0.4, {}),
    (1, 0.6, 0.5, {}),
    (2, 0.9, 0.3, {}),
    (2, 0.55, 0.5, {}),
    (3, 0.8, 0.3, {}),
    (3, 0.9, 0.2, {"against": True}),
    (2, 0.97, 0.05, {"decisive": True}),
    (1, 0.97, 0.05, {"decisive": True, "against": True}),
]
LABELS = (1, 2, 3)


@given(st.integers(0, 10**6), st.sampled_from(METHODS), st.sampled_from([None, 2]))
def test_probabilities_sum_to_one_and_belong_to_the_answer(seed, method, fallback):
    matrix, rules, gold = drawn(seed, KINDS)
    joining = fit_joining(method, matrix, rules, gold, LABELS, fallback)
    told = posterior(matrix, rules, LABELS, joining, fallback)
    assert told.shape == (400, 3)
    assert np.allclose(told.sum(axis=1), 1)
    assert (told > 0).all()
    for row, answer in zip(told, join_votes(matrix, rules, fallback, LABELS, joining), strict=True):
        if answer.method == method:
            assert answer.confidence == pytest.approx(row[answer.label_id - 1])


@given(st.integers(0, 10**6), st.permutations(LABELS), st.sampled_from(["weighted", "label_model"]))
def test_the_order_of_labels_changes_nothing(seed, order, method):
    matrix, rules, gold = drawn(seed, KINDS)
    one = fit_joining(method, matrix, rules, gold, LABELS)
    two = fit_joining(method, matrix, rules, gold, order)
    assert one.accuracy == pytest.approx(two.accuracy)
    assert one.prior == pytest.approx(two.prior)
    assert one.temperature == two.temperature
    said = [
        [j.label_id for j in join_votes(matrix, rules, None, labels, joining)]
        for labels, joining in ((LABELS, one), (order, two))
    ]
    assert said[0] == said[1]


@given(st.integers(0, 10**6), st.permutations(range(len(KINDS))), st.sampled_from(METHODS))
def test_the_order_of_other_rules_matters_in_ties_only(seed, order, method):
    kinds = [(label, right, coverage, {}) for label, right, coverage, _ in KINDS]
    matrix, rules, gold = drawn(seed, kinds)
    joining = fit_joining(method, matrix, rules, gold, LABELS)
    moved = [rule(r.id, r.label_id) for r in rules]
    moved = [type(r)(id=r.id, label_id=r.label_id, body=r.body, position=p)
             for r, p in zip(moved, order, strict=True)]  # fmt: skip
    before = join_votes(matrix, rules, None, LABELS, joining)
    after = join_votes(matrix, moved, None, LABELS, joining)
    for a, b in zip(before, after, strict=True):
        assert a.method == b.method
        if a.method != "tie" and (method == "expert" or a.confidence != b.confidence):
            assert a.label_id == b.label_id


@given(
    st.integers(0, 10**6),
    st.integers(0, len(KINDS) - 1),
    st.sampled_from(["weighted", "label_model"]),
)
def test_a_copy_of_a_rule_changes_no_weighed_answer(seed, which, method):
    matrix, rules, gold = drawn(seed, KINDS)
    label, _, _, flags = KINDS[which]
    copied = [*rules, rule(99, label, **flags)]
    fires = np.concatenate([matrix.fires, matrix.fires[:, [which]]], axis=1)
    more = matrix_of(fires, copied)
    one = fit_joining(method, matrix, rules, gold, LABELS)
    two = fit_joining(method, more, copied, gold, LABELS)
    assert np.allclose(
        posterior(matrix, rules, LABELS, one), posterior(more, copied, LABELS, two), atol=1e-6
    )


@given(st.integers(0, 10**6))
def test_of_two_labels_against_one_is_for_the_other(seed):
    kinds = [(1, 0.9, 0.4, {}), (2, 0.7, 0.5, {}), (1, 0.6, 0.5, {}), (2, 0.8, 0.3, {})]
    matrix, rules, gold = drawn(seed, kinds, size=2)
    turned = [rule(1, 1), rule(2, 1, against=True), rule(3, 2, against=True), rule(4, 2)]
    other = matrix_of(matrix.fires, turned)
    for method in ("weighted", "label_model"):
        one = fit_joining(method, matrix, rules, gold, (1, 2))
        two = fit_joining(method, other, turned, gold, (1, 2))
        assert one.accuracy == pytest.approx(two.accuracy)
        assert np.allclose(
            posterior(matrix, rules, (1, 2), one), posterior(other, turned, (1, 2), two)
        )


@given(st.lists(st.lists(st.booleans(), min_size=8, max_size=8), min_size=1, max_size=30))
def test_decisive_rules_decide_alike_under_every_method(fires):
    rules = [rule(i + 1, label, **flags) for i, (label, _, _, flags) in enumerate(KINDS)]
    matrix = matrix_of(np.array(fires), rules)
    _, whole, gold = drawn(1, KINDS)
    weighed = fit_joining("weighted", drawn(1, KINDS)[0], whole, gold, LABELS)
    expert = join_votes(matrix, rules, None, LABELS)
    for a, b in zip(expert, join_votes(matrix, rules, None, LABELS, weighed), strict=True):
        assert (a.method == "decisive") == (b.method == "decisive")
        if a.method == "decisive":
            assert (a.label_id, a.deciding) == (b.label_id, b.deciding)
    ruled = rulings(matrix.fires, panel_of(matrix, rules, LABELS))
    decided = [LABELS[i] if i >= 0 else None for i in ruled.label]
    assert decided == [a.label_id if a.method == "decisive" else None for a in expert]


def test_one_good_rule_outweighs_two_poor_ones():
    kinds = [(1, 0.97, 0.4, {}), (2, 0.4, 0.6, {}), (2, 0.4, 0.6, {})]
    matrix, rules, gold = drawn(3, kinds, n=2000)
    joining = fit_joining("weighted", matrix, rules, gold, LABELS)
    all_three = matrix_of(np.array([[True, True, True]]), rules)
    assert join_votes(all_three, rules, None, LABELS)[0].label_id == 2
    answer = join_votes(all_three, rules, None, LABELS, joining)[0]
    assert (answer.label_id, answer.deciding, answer.method) == (1, (1,), "weighted")


def test_a_vote_against_makes_its_label_less_likely_and_the_others_more():
    matrix, rules, gold = drawn(4, KINDS[:6], n=2000)
    joining = fit_joining("weighted", matrix, rules, gold, LABELS)
    fires = np.array([[False, False, True, False, False, against] for against in (False, True)])
    without, with_it = posterior(matrix_of(fires, rules), rules, LABELS, joining)
    assert with_it[2] < without[2]
    assert (with_it[:2] > without[:2]).all()
    only = matrix_of(np.array([[False] * 5 + [True]]), rules)
    assert join_votes(only, rules, None, LABELS, joining)[0].method == "silent"


def test_a_label_model_tells_good_rules_from_poor_ones_without_gold():
    kinds = [(label, right, 0.3, {}) for label in LABELS for right in (0.95, 0.9, 0.5)]
    matrix, rules, gold = drawn(15, kinds, n=20_000)
    model = fit_joining("label_model", matrix, rules, {}, LABELS)
    assert all(model.accuracy[i] > model.accuracy[i + 2] + 0.3 for i in (1, 4, 7))
    right = {}
    for name, joining in (("majority", EXPERT), ("model", model)):
        said = join_votes(matrix, rules, None, LABELS, joining)
        right[name] = np.mean([a.label_id == t for a, t in zip(said, gold.values(), strict=True)])
    assert right["model"] > right["majority"] + 0.01
    assert model == fit_joining("label_model", matrix, rules, {}, LABELS)


def test_a_lone_vote_is_as_likely_as_its_rule_is_right():
    matrix, rules, gold = drawn(5, [(1, 0.9, 0.1, {}), (2, 0.7, 0.1, {})], n=20_000)
    joining = fit_joining("weighted", matrix, rules, gold, LABELS)
    lone = matrix_of(np.array([[True, False], [False, True], [False, False]]), rules)
    told = posterior(lone, rules, LABELS, joining)
    for row, column in ((0, 0), (1, 1)):
        fired = matrix.fires[:, column] & ~matrix.fires[:, 1 - column]
        right = np.mean([gold[i + 1] == column + 1 for i in np.flatnonzero(fired)])
        assert told[row, column] == pytest.approx(right, abs=0.05)
    silent = [gold[i + 1] for i in np.flatnonzero(~matrix.fires.any(axis=1))]
    assert told[2, 0] == pytest.approx(silent.count(1) / len(silent), abs=0.01)


def test_silence_is_the_fallback_as_likely_as_it_is_right():
    matrix, rules, gold = drawn(6, KINDS, n=4000)
    joining = fit_joining("weighted", matrix, rules, gold, LABELS, 3)
    answers = join_votes(matrix, rules, 3, LABELS, joining)
    silent = [i for i, a in enumerate(answers) if a.method == "fallback"]
    right = np.mean([gold[i + 1] == 3 for i in silent])
    assert answers[silent[0]].label_id == 3
    assert answers[silent[0]].confidence == pytest.approx(right, abs=0.02)
    nobody = join_votes(matrix, rules, None, LABELS, joining)[silent[0]]
    assert (nobody.label_id, nobody.method, nobody.confidence) == (None, "silent", None)


def test_a_rule_worse_than_chance_has_no_weight():
    matrix, rules, gold = drawn(7, [(1, 0.95, 0.4, {}), (2, 0.1, 0.4, {})], n=2000)
    joining = fit_joining("weighted", matrix, rules, gold, LABELS)
    both = matrix_of(np.array([[False, True]]), rules)
    said = explain(both, rules, 1, LABELS, joining).votes
    assert [(v.rule_id, v.weight) for v in said] == [(2, 0.0)]


def test_an_explanation_tells_who_spoke_and_who_decided():
    matrix, rules, gold = drawn(8, KINDS[:5])
    copied = [*rules, rule(6, 1)]
    fires = np.concatenate([matrix.fires, matrix.fires[:, [0]]], axis=1)
    joining = fit_joining("weighted", matrix_of(fires, copied), copied, gold, LABELS)
    one = matrix_of(np.array([[True, False, False, True, False, True]]), copied)
    told = explain(one, copied, 1, LABELS, joining, 3)
    assert told.joined.label_id == 1
    assert [(v.rule_id, v.decided, v.shares_with) for v in told.votes] == [
        (1, True, (6,)),
        (4, False, ()),
        (6, True, (1,)),
    ]
    assert told.votes[0].weight == pytest.approx(told.votes[2].weight)
    assert sum(told.probabilities.values()) == pytest.approx(1)
    ordered = explain(one, copied, 1, LABELS, EXPERT, 3)
    assert [v.weight for v in ordered.votes] == [1.0, 1.0, 1.0]
    assert ordered.probabilities == {}
    with pytest.raises(InputError, match="not applied to example 7"):
        explain(one, copied, 7, LABELS)


@pytest.mark.parametrize("method", METHODS)
def test_what_was_fitted_is_kept_and_joins_alike(method):
    matrix, rules, gold = drawn(9, KINDS)
    joining = fit_joining(method, matrix, rules, gold, LABELS, 2)
    again = Joining.from_dict(json.loads(json.dumps(joining.to_dict())))
    assert again == joining
    assert join_votes(matrix, rules, 2, LABELS, again) == join_votes(
        matrix, rules, 2, LABELS, joining
    )


def test_weights_are_refused_where_nothing_tells_them():
    matrix, rules, gold = drawn(10, KINDS)
    few = dict(list(gold.items())[:49])
    with pytest.raises(InputError, match="50 blind gold labels or more, and there are 49"):
        fit_joining("weighted", matrix, rules, few, LABELS)
    with pytest.raises(InputError, match="No three rules"):
        fit_joining("label_model", *drawn(10, KINDS[:2]), LABELS)
    old = fit_joining("weighted", matrix, rules, gold, LABELS)
    newer = [*rules, rule(50, 1)]
    grown = matrix_of(np.ones((1, 9), dtype=bool), newer)
    with pytest.raises(InputError, match="before rule 50 was there"):
        join_votes(grown, newer, None, LABELS, old)


def test_a_share_of_votes_is_not_called_a_probability():
    matrix, rules, gold = drawn(11, KINDS)
    methods = {}
    for name in METHODS:
        joining = fit_joining(name, matrix, rules, gold, LABELS)
        joined = join_votes(matrix, rules, None, LABELS, joining)
        told = joined_predictions(matrix, joined, joining)
        methods[name] = {p.method for p in told if p.confidence is not None}
    assert methods == {
        "expert": {Method.RULES},
        "weighted": {Method.WEIGHED},
        "label_model": {Method.WEIGHED},
    }


def test_a_change_is_advised_beyond_chance_only():
    poor = [(1, 0.97, 0.5, {}), *[(2, 0.42, 0.6, {}), (2, 0.42, 0.6, {}), (3, 0.9, 0.3, {})]]
    matrix, rules, gold = drawn(12, poor, n=1500)
    choice = compare_joinings(matrix, rules, gold, LABELS, 1)
    assert choice.advised == "weighted"
    assert choice.of("weighted").more_macro_f1.low > 0
    assert "more than chance explains" in choice.why
    assert choice == compare_joinings(matrix, rules, gold, LABELS, 1)

    alike = [(1, 0.9, 0.4, {}), (2, 0.9, 0.4, {}), (3, 0.9, 0.4, {})]
    matrix, rules, gold = drawn(13, alike, n=300)
    assert compare_joinings(matrix, rules, gold, LABELS, 1).advised == "expert"

    few = dict(list(gold.items())[:20])
    choice = compare_joinings(matrix, rules, few, LABELS, 1)
    assert choice.advised == "expert"
    assert choice.of("weighted").missing
    assert "not offered" in choice.of("weighted").sentence
    assert compare_joinings(matrix, rules, {}, LABELS).of("expert").accuracy.n == 0


@pytest.mark.parametrize("rules", [3, 33, 70])
def test_patterns_are_the_rows(rules):
    chance = np.random.default_rng(rules)
    fires = chance.random((200, rules)) < 0.03
    matrix = matrix_of(fires, [rule(i + 1, 1) for i in range(rules)])
    found = patterns_of(matrix)
    assert (found.fires[found.of] == fires).all()
    assert len(np.unique(fires, axis=0)) == len(found.fires)
    assert found.counts.sum() == 200


@pytest.mark.parametrize("method", METHODS)
def test_nothing_to_join_is_no_trouble(method):
    matrix, rules, gold = drawn(14, KINDS)
    joining = fit_joining(method, matrix, rules, gold, LABELS)
    empty = matrix_of(np.zeros((0, 8), dtype=bool), rules)
    assert join_votes(empty, rules, None, LABELS, joining) == []
    assert posterior(empty, rules, LABELS, joining).shape == (0, 3)
    assert compare_joinings(empty, rules, gold, LABELS).advised == "expert"
    nobody = matrix_of(np.zeros((2, 0), dtype=bool), [])
    assert [a.method for a in join_votes(nobody, [], None, LABELS, joining)] == ["silent"] * 2
    assert compare_joinings(nobody, [], gold, LABELS).advised == "expert"
