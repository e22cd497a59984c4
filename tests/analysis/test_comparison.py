"""Two runs are told apart only where the examples allow it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from studio.analysis.comparison import Looks, compare
from studio.analysis.intervals import mid_p_mcnemar
from studio.errors import InputError

from .builders import labels, read_rows, said, shared

LABELS = labels("a", "b")


def test_only_examples_both_were_asked_about_count():
    gold = {1: 1, 2: 1, 3: 2, 4: 2}
    result = compare(
        5, 6, LABELS, gold, said({1: 2, 2: 1, 3: 2, 9: 1}), said({1: 1, 2: 2, 3: None, 4: 2})
    )
    assert (result.runs, result.n, result.changed) == ((5, 6), 3, 3)
    assert (result.fixed, result.broke) == ((1,), (2, 3))
    assert result.difference.value == pytest.approx(-1 / 3)
    assert result.p == mid_p_mcnemar(2, 1)
    assert not result.tells
    assert result.needed is not None


def test_equal_runs_need_nothing_more():
    same = said(dict.fromkeys(range(30), 1))
    for metric in ("accuracy", "macro_f1"):
        result = compare(1, 2, LABELS, dict.fromkeys(range(30), 1), same, same, metric)
        assert (result.p, result.difference.value, result.needed) == (1, 0, None)
        assert not result.tells


def test_as_many_fixed_as_broken_have_no_number_and_a_sentence_instead():
    gold = dict.fromkeys(range(60), 1)
    a, b = ({i: 2 if i in wrong else 1 for i in gold} for wrong in (range(7), range(7, 14)))
    alike = compare(1, 2, LABELS, gold, said(a), said(b), looks=Looks())
    assert (len(alike.fixed), len(alike.broke), alike.needed, alike.tells) == (7, 7, None, False)
    assert (
        alike.what_would_tell == "the two are so alike here that no sample within reach would tell"
    )
    open_ = compare(1, 2, LABELS, gold, said(a), said(b | {7: 1, 8: 1}), looks=Looks())
    assert open_.what_would_tell == f"about {open_.needed:,} more would tell"
    clear = compare(1, 2, LABELS, gold, said(dict.fromkeys(gold, 2)), said(gold))
    none = compare(1, 2, LABELS, {}, said({1: 1}), said({1: 1}))
    assert clear.what_would_tell == none.what_would_tell == ""


def test_nothing_in_common_is_unknown():
    result = compare(1, 2, LABELS, {}, said({1: 1}), said({1: 1}))
    assert (result.n, result.needed, result.tells) == (0, None, False)


def test_a_clear_winner_needs_no_more():
    gold = dict.fromkeys(range(200), 1)
    worse = said({i: 2 if i < 40 else 1 for i in range(200)})
    result = compare(1, 2, LABELS, gold, worse, said(dict(gold)), "macro_f1")
    assert result.tells
    assert result.needed is None
    assert len(result.fixed) == 40


def test_an_unknown_metric_is_refused():
    with pytest.raises(InputError, match="kappa"):
        compare(1, 2, LABELS, {}, [], [], "kappa")


@pytest.mark.parametrize(
    ("name", "fixed", "broke", "gain", "exact_p"),
    [
        ("ag_news", 122, 80, 0.021, 0.0038),
        ("emotion", 103, 78, 0.018, 0.074),
        ("rotten_tomatoes", 8, 8, 0.0, 1.0),
    ],
)
def test_published_comparisons_come_out_again(name, fixed, broke, gain, exact_p):
    from scipy.stats import binomtest

    rows = read_rows(shared("datasets", "gepa_predictions", f"{name}.csv"))
    names = sorted({row["expected"] for row in rows})
    known = {label.name: label.id for label in labels(*names)}
    gold = {i: known[row["expected"]] for i, row in enumerate(rows)}
    a, b = (
        said({i: known.get(row[f"{prompt}_predicted"]) for i, row in enumerate(rows)})
        for prompt in ("default", "confidence")
    )
    result = compare(1, 2, labels(*names), gold, a, b)
    assert (len(result.fixed), len(result.broke)) == (fixed, broke)
    assert result.difference.value == pytest.approx(gain, abs=5e-4)
    assert binomtest(fixed, fixed + broke).pvalue == pytest.approx(exact_p, abs=6e-4)
    assert result.p <= exact_p + 6e-4
    assert result.tells is (exact_p < 0.05)


def test_looking_again_and_again_on_more_examples_errs_in_at_most_5_of_100_cases():
    rng = np.random.default_rng(3)
    claims = 0
    for _ in range(200):
        gold = dict.fromkeys(range(480), 1)
        a, b = (np.where(rng.random(480) < 0.8, 1, 2).tolist() for _ in range(2))
        told = False
        for look, n in enumerate((30, 60, 120, 240, 480), 1):
            runs = [said(dict(enumerate(run[:n]))) for run in (a, b)]
            found = compare(1, 2, labels("a", "b"), gold, *runs, looks=Looks(n=look))
            told |= found.tells
        claims += told
    assert claims / 200 <= 0.05


@pytest.mark.parametrize("grown", [1, 2, 10])
def test_looking_at_sample_after_sample_errs_in_at_most_5_of_100_cases(grown):
    """The first sample grows so often, then each look is at another one."""
    rng = np.random.default_rng(4)
    steps = rng.standard_normal((20_000, 20))
    size = np.arange(1, 21)
    first = np.abs(steps.cumsum(axis=1)) / np.sqrt(size)
    seen = np.where(size <= grown, first, np.abs(steps))
    samples = [max(1, look - grown + 1) for look in size]
    looks = [Looks(n=n, samples=m) for n, m in zip(size.tolist(), samples, strict=True)]
    assert (seen > [norm.isf(look.may_err / 2) for look in looks]).any(axis=1).mean() <= 0.05
    uncounted = [norm.isf(Looks(n=min(look.n, grown)).may_err / 2) for look in looks]
    assert (seen > uncounted).any(axis=1).mean() > 0.06


def test_another_sample_widens_more_than_a_larger_one():
    gold = dict.fromkeys(range(60), 1)
    a, b = said({i: 1 + (i < 6) for i in gold}), said({i: 1 + (i > 55) for i in gold})
    once, grown, other = (
        compare(1, 2, labels("a", "b"), gold, a, b, looks=looks).difference
        for looks in (Looks(), Looks(n=2), Looks(n=2, samples=2))
    )
    assert other.low < grown.low < once.low
    assert once.high <= grown.high <= other.high


def test_what_is_needed_is_for_the_next_look_and_p_is_of_the_weights():
    gold = dict.fromkeys(range(100), 1)
    a = said({i: 2 if i < 10 else 1 for i in gold})
    b = said({i: 2 if 10 <= i < 14 else 1 for i in gold})
    settled, first, third = (
        compare(1, 2, labels("a", "b"), gold, a, b, looks=looks)
        for looks in (None, Looks(), Looks(n=3))
    )
    assert settled.needed < first.needed < third.needed
    assert settled.p < first.p < third.p
    # Nine of the ten that b fixes were drawn of a rare label that makes up little of the whole.
    light = {i: 0.1 if i < 9 else 1.0 for i in gold}
    assert compare(1, 2, labels("a", "b"), gold, a, b, weights=light).p > 2 * settled.p


def test_that_none_was_seen_to_differ_is_not_certain():
    gold = dict.fromkeys(range(39), 1)
    found = compare(1, 2, LABELS, gold, said(gold), said(gold))
    assert (found.difference.value, found.tells, found.needed) == (0, False, None)
    assert found.difference.high == -found.difference.low == pytest.approx(0.074, abs=0.001)
