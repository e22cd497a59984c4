"""Bad slices are found, and chance is not taken for one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from studio.analysis.slices import (
    benjamini_hochberg,
    label_slices,
    length_slices,
    metadata_slices,
    rule_slices,
    score_slices,
)
from studio.analysis.votes import apply_rules
from studio.domain.slicing import Slice

from .builders import example, labels, rule


def group(name: str, members) -> Slice:
    return Slice(name=name, kind="metadata", example_ids=frozenset(int(i) for i in members))


def features(rng: np.random.Generator, n: int, number: int) -> list[Slice]:
    return [
        group(f"f{i}", np.flatnonzero(rng.random(n) < rng.uniform(0.01, 0.3)))
        for i in range(number)
    ]


def test_a_planted_slice_is_found_first():
    rng = np.random.default_rng(0)
    some = features(rng, 5000, 200)
    planted = group("planted", range(100, 240))
    rate = np.full(5000, 0.1)
    rate[100:240] = 0.3
    wrong = set(np.flatnonzero(rng.random(5000) < rate).tolist())
    scores = score_slices([*some, planted], wrong, set(range(5000)))
    assert scores[0].slice.name == "planted"
    assert scores[0].is_worse
    assert scores[0].lift == pytest.approx(scores[0].error.value / (len(wrong) / 5000))
    assert sum(s.is_worse for s in scores) <= 2


def test_chance_is_seldom_reported():
    rng = np.random.default_rng(1)
    some = features(rng, 2000, 100)
    everything = set(range(2000))
    reported = 0
    for _ in range(40):
        wrong = set(np.flatnonzero(rng.random(2000) < 0.1).tolist())
        reported += any(s.is_worse for s in score_slices(some, wrong, everything))
    assert reported <= 4


def test_q_agrees_with_scipy():
    from scipy.stats import false_discovery_control

    p = np.random.default_rng(2).random(50) ** 3
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p))


def test_p_is_the_chance_of_as_many_errors():
    from scipy.stats import hypergeom

    score = score_slices([group("g", range(10))], set(range(6)), set(range(100)))[0]
    assert score.p == pytest.approx(hypergeom(100, 6, 10).sf(5))
    assert (score.error.value, score.error.n) == (0.6, 10)


def test_slices_that_say_nothing_are_left_out():
    some = [group("small", range(7)), group("all", range(50)), group("elsewhere", range(90, 200))]
    assert score_slices(some, {1}, set(range(50))) == []
    assert score_slices([], set(), set()) == []


def test_without_errors_nothing_is_worse():
    score = score_slices([group("g", range(10))], set(), set(range(100)))[0]
    assert math.isnan(score.lift)
    assert not score.is_worse


def test_metadata_is_cut_by_value_or_quartile():
    some = [
        example(i, "x", course=["soup", "cake "][i % 2], kcal=str(i), empty=" ", rare=str(i > 95))
        for i in range(100)
    ]
    slices = {s.name: s for s in metadata_slices(some)}
    assert len(slices["course = cake"].example_ids) == 50
    assert slices["kcal 0 to 24"].example_ids == frozenset(range(25))
    assert set(slices) == {
        "course = soup", "course = cake", "rare = False",
        "kcal 0 to 24", "kcal 25 to 49", "kcal 50 to 74", "kcal 75 to 99",
    }  # fmt: skip


def test_words_of_a_full_column_keep_its_most_frequent_values():
    some = [example(i, "x", source=f"s{i if i < 40 else 1}") for i in range(60)]
    assert [s.name for s in metadata_slices(some)] == ["source = s1"]


def test_lengths_rules_and_labels_make_slices():
    some = [example(i, "rice " * (1 + i % 4) if i % 2 else "x") for i in range(64)]
    assert sum(len(s.example_ids) for s in length_slices(some)) == 64
    matrix = apply_rules([rule(1, 1)], some)
    fires, none = rule_slices(matrix, [rule(1, 1)])
    assert (fires.name, none.name) == ("rule r1 fires", "no rule fires")
    assert fires.example_ids | none.example_ids == frozenset(range(64))
    (keto,) = label_slices(labels("keto", "rest"), dict.fromkeys(range(9), 1) | {70: 2})
    assert (keto.name, keto.kind) == ("gold is keto", "label")
    assert length_slices([]) == []
