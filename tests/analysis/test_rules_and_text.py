"""What decides, text or rules or both: gold that was held back says it."""

import numpy as np
import pytest

from studio.analysis.joined_evidence import RulesAndText, Way
from studio.analysis.rules_and_text import RulesSay, choose_way
from studio.analysis.vote_matrix import VoteMatrix

LABELS = {7: "keto", 9: "not_keto"}


def world(n, text_right, rules_right, seed=0, fires=0.8):
    """Return text probabilities, what rules say, votes and gold of a made world."""
    random = np.random.default_rng(seed)
    truth = np.arange(n) % 2
    said = np.where(random.random(n) < text_right, truth, 1 - truth)
    sure = random.uniform(0.6, 0.9, n)
    text = np.stack([np.where(said == k, sure, 1 - sure) for k in (0, 1)], axis=1)
    ruled = np.where(random.random(n) < rules_right, truth, 1 - truth)
    speaks = random.random(n) < fires
    chances = np.stack([np.where(ruled == k, 0.9, 0.1) for k in (0, 1)], axis=1)
    votes = np.where((np.arange(2) == ruled[:, None]) & speaks[:, None], [7, 9], 0)
    matrix = VoteMatrix(
        rule_ids=(1, 2), example_ids=tuple(range(n)), labels=votes.astype(np.int32),
        against=np.zeros(2, dtype=np.bool_),
    )  # fmt: skip
    told = RulesSay.of(chances, np.where(speaks, ruled, -1))
    return text, told, matrix, [list(LABELS)[k] for k in truth]


def choose(n, text_right, rules_right, **more):
    text, told, matrix, gold = world(n, text_right, rules_right, **more)
    return choose_way(text, lambda _: told, matrix, gold, LABELS)


def test_good_rules_beside_a_weak_text_are_joined():
    choice = choose(200, 0.7, 0.9)
    assert choice.way in (Way.JOINED, Way.WEIGHED)
    by_way = {c.way: c for c in choice.candidates}
    assert by_way[choice.way].macro_f1.value > by_way[Way.TEXT].macro_f1.value
    assert by_way[choice.way].gain.low > 0
    assert "beyond noise" in choice.why
    assert "200" in choice.why


@pytest.mark.parametrize("seed", range(5))
def test_rules_of_no_worth_leave_the_text_alone(seed):
    assert choose(120, 0.85, 0.5, seed=seed).way is Way.TEXT


def test_rules_decide_alone_where_text_knows_nothing():
    assert choose(200, 0.5, 0.97, fires=1.0).way is not Way.TEXT


def test_too_little_gold_keeps_the_text_and_says_so():
    choice = choose(12, 0.5, 1.0)
    assert choice.way is Way.TEXT
    assert not choice.candidates
    assert "12 gold labels" in choice.why
    assert "20 are needed" in choice.why


def test_a_label_without_gold_keeps_the_text_and_names_it():
    text, told, matrix, gold = world(60, 0.5, 1.0)
    choice = choose_way(text, lambda _: told, matrix, [7] * len(gold), LABELS)
    assert choice.way is Way.TEXT
    assert "'not_keto'" in choice.why


def test_the_rules_are_asked_without_the_gold_they_are_judged_on():
    text, told, matrix, gold = world(50, 0.7, 0.9)
    asked = []
    choose_way(text, lambda rows: asked.append(set(rows.tolist())) or told, matrix, gold, LABELS)
    assert set(range(50)) == set.union(*asked)
    assert all(len(rows) == 40 for rows in asked[:-1])


def test_what_is_frozen_gives_the_same_again_on_any_part():
    text, told, matrix, gold = world(200, 0.7, 0.9)
    choice = choose_way(text, lambda _: told, matrix, gold, LABELS)
    kept = RulesAndText.from_dict(choice.joined.to_dict())
    whole = kept.apply(text, told.chances, matrix)
    np.testing.assert_allclose(whole.sum(axis=1), 1)
    few = VoteMatrix(matrix.rule_ids, (0, 1, 2), matrix.labels[:3], matrix.against)
    np.testing.assert_allclose(kept.apply(text[:3], told.chances[:3], few), whole[:3])


def test_text_alone_is_left_as_it_is():
    text, told, matrix, _ = world(30, 0.7, 0.9)
    kept = RulesAndText(way=Way.TEXT, label_ids=(7, 9))
    assert kept.apply(text, told.chances, matrix) is text


def test_silence_of_the_rules_is_no_evidence():
    text, _, matrix, _ = world(4, 0.7, 0.9, fires=0.0)
    silent = RulesSay.of(np.full((4, 2), [0.99, 0.01]), np.full(4, -1))
    kept = RulesAndText(way=Way.JOINED, label_ids=(7, 9), bias=(0.0, 0.0))
    said = kept.apply(text, silent.chances, matrix).argmax(axis=1)
    assert said.tolist() == text.argmax(axis=1).tolist()


def test_a_vote_against_counts_against_its_label():
    kept = RulesAndText(
        way=Way.WEIGHED, label_ids=(7, 9), bias=(0.0, 0.0), weights={1: 3.0}, rules=0.0
    )
    even = np.full((1, 2), 0.5)
    matrix = VoteMatrix((1,), (0,), np.array([[7]], dtype=np.int32), np.array([True]))
    assert kept.apply(even, even, matrix)[0, 1] > 0.9
