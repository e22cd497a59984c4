"""Intervals hold what they promise, and say how many more examples would settle a question."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.analysis.intervals import (
    f1,
    macro_f1_interval,
    mid_p_mcnemar,
    needed_for,
    needed_to_tell,
    paired_difference,
    precision,
    recall,
    wilson,
)
from studio.domain.evaluation import Figure

counts = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    # Published: Newcombe 1998, table 1, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(k, n, low, high):
    figure = wilson(k, n)
    assert (figure.value, figure.n) == (k / n, n)
    assert (figure.low, figure.high) == pytest.approx((low, high), abs=5e-5)


@given(counts)
def test_wilson_solves_its_equation(pair):
    k, n = pair
    figure = wilson(k, n)
    if n == 0:
        assert math.isnan(figure.value)
        return
    assert 0 <= figure.low <= figure.value <= figure.high <= 1
    for end in {figure.low, figure.high} - {0.0, 1.0}:
        assert abs(figure.value - end) == pytest.approx(
            1.959964 * math.sqrt(end * (1 - end) / n), abs=1e-6
        )


def test_wilson_covers_the_truth():
    from scipy.stats import binom

    ends = [wilson(k, 100) for k in range(101)]
    shares = np.linspace(0.05, 0.95, 91)
    covered = [
        sum(binom.pmf(k, 100, p) for k, f in enumerate(ends) if f.low <= p <= f.high)
        for p in shares
    ]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.005)
    assert min(covered) > 0.92


def test_figures_of_a_label():
    assert precision(9, 1) == wilson(9, 10)
    assert recall(9, 0) == wilson(9, 9)
    assert math.isnan(precision(0, 0).value)
    assert f1(8, 1, 1).value == pytest.approx(16 / 18)
    assert math.isnan(f1(0, 0, 0).low)
    assert f1(0, 3, 2).value == 0


def test_macro_f1_covers_the_truth():
    rng = np.random.default_rng(1)
    truth = np.array([[0.42, 0.02, 0.01], [0.03, 0.27, 0.0], [0.02, 0.03, 0.2]])
    table = np.hstack([truth, [[0.0], [0.0], [0.0]]])
    true_value = macro_f1_interval((table * 100).astype(np.int64), draws=1).value
    covered = []
    for seed in range(200):
        drawn = rng.multinomial(300, table.ravel()).reshape(table.shape)
        figure = macro_f1_interval(drawn, draws=200, seed=seed)
        covered.append(figure.low <= true_value <= figure.high)
    assert 0.89 <= np.mean(covered) <= 0.99


def test_a_perfect_score_on_a_handful_is_not_certain():
    figure = macro_f1_interval(np.array([[5, 0, 0], [0, 5, 0]]))
    assert figure.value == figure.high == 1
    assert figure.low < 0.85


def test_macro_f1_is_repeatable_and_undefined_without_examples():
    table = np.array([[50, 9, 1], [4, 40, 0]])
    assert macro_f1_interval(table) == macro_f1_interval(table)
    assert math.isnan(macro_f1_interval(np.zeros((2, 3), dtype=np.int64)).value)


@given(
    st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.floats(0.5, 0.99),
)
def test_needed_is_what_brings_the_interval_off_the_threshold(pair, threshold):
    figure = wilson(*pair)
    more = needed_for(figure, threshold)
    if more is None:
        assert abs(figure.value - threshold) < 0.01
        return

    def outside(total: int) -> bool:
        z = 1.959964
        return abs(figure.value - threshold) >= z * math.sqrt(
            threshold * (1 - threshold) / total
        ) * (1 - 1e-8)

    assert outside(figure.n + more)
    assert more <= 1 or not outside(math.floor((figure.n + more) * 0.999) - 1)


def test_needed_is_none_on_the_threshold_and_zero_beyond():
    assert needed_for(wilson(80, 100), 0.8) is None
    assert needed_for(wilson(0, 0), 0.8) is None
    assert needed_for(wilson(99, 100), 0.8) == 0
    assert needed_for(Figure(value=0.80001, low=0.7, high=0.9, n=50), 0.8) is None


def test_needed_shrinks_other_intervals_with_the_root_of_n():
    assert needed_for(Figure(value=0.85, low=0.75, high=0.93, n=100), 0.8) == 300


@given(st.integers(0, 80), st.integers(0, 80))
def test_mid_p_is_the_exact_p_less_half_of_what_was_seen(b, c):
    from scipy.stats import binom, binomtest

    p = mid_p_mcnemar(b, c)
    assert 0 <= p <= 1
    assert p == mid_p_mcnemar(c, b)
    if b != c:
        exact = binomtest(b, b + c).pvalue
        assert p == pytest.approx(exact - binom.pmf(b, b + c, 0.5), abs=1e-9)


@pytest.mark.parametrize(("b", "c", "n", "total"), [(70, 40, 1000, 957), (500, 400, 10000, 7062)])
def test_the_sample_that_tells_is_the_published_one(b, c, n, total):
    scale = 10
    assert needed_to_tell(b // scale, c // scale, n // scale) == total - n // scale


def test_equal_runs_never_tell():
    assert needed_to_tell(5, 5, 100) is None
    assert needed_to_tell(0, 0, 0) is None
    assert needed_to_tell(501, 500, 100_000) is None


def codes(n: int, errors: range) -> np.ndarray:
    wrong = np.zeros(n, dtype=np.int64)
    wrong[list(errors)] = 1
    return wrong


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_a_clear_difference_is_told_and_a_handful_is_not(metric):
    gold = np.zeros(200, dtype=np.int64)
    gold[100:] = 2
    clear = paired_difference(
        gold, codes(200, range(0, 0)) + gold, gold + codes(200, range(40)), 3, metric
    )
    assert clear.high < 0
    few = paired_difference(gold, gold, gold + codes(200, range(4)), 3, metric)
    assert few.value < 0 <= few.high
    same = paired_difference(gold, gold, gold, 3, metric)
    assert same.value == 0
    assert same.high == -same.low == pytest.approx(3 / 200, rel=0.02)  # the rule of three


def test_equals_seldom_look_different():
    rng = np.random.default_rng(3)
    gold = np.zeros(200, dtype=np.int64)
    told = 0
    for seed in range(150):
        a, b = (rng.random((2, 200)) < 0.1).astype(np.int64)
        figure = paired_difference(gold, a, b, 2, draws=200, seed=seed)
        told += figure.low > 0 or figure.high < 0
    assert told <= 15
