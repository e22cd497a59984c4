"""What the next minutes should bring, held against simulations in which it is known."""

import math

import numpy as np
import pytest

from studio.analysis.intervals import macro_f1_interval
from studio.analysis.queue_forecast import forecast, half_width, labels_in, narrowed
from studio.domain.evaluation import Figure


def test_the_labels_of_ten_minutes_fall_into_the_interval():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        known = rng.lognormal(2.3, 0.7, 40)
        came = int(np.searchsorted(np.cumsum(rng.lognormal(2.3, 0.7, 400)), 600))
        told = labels_in(known.tolist())
        held += told.low - 0.5 <= came <= told.high + 0.5
    assert 0.88 <= held / 300 <= 0.98


def test_a_pace_is_not_told_of_a_handful():
    assert math.isnan(labels_in([3.0] * 9).value)
    assert math.isnan(labels_in([0.0] * 20).value)  # nobody measured these


@pytest.mark.parametrize("n", [60, 200])
def test_an_interval_narrows_about_as_told(n):
    rng = np.random.default_rng(n)
    shares = np.array([[0.4, 0.1, 0.0], [0.08, 0.42, 0.0]])

    def measured(size):
        drawn = rng.multinomial(size, shares.ravel()).reshape(shares.shape)
        return macro_f1_interval(drawn, draws=400)

    told = [narrowed(measured(n), 2 * n) for _ in range(30)]
    came = [half_width(measured(3 * n)) for _ in range(30)]
    assert np.mean(told) == pytest.approx(np.mean(came), rel=0.12)
    assert math.isnan(narrowed(Figure(value=math.nan, low=math.nan, high=math.nan, n=0), 10))


def pairs(rng, n):
    """Return texts of two kinds that share most of their words, some with the wrong label."""
    found = []
    for _ in range(n):
        kind = int(rng.random() < 0.5)
        words = [f"w{rng.integers(40)}" for _ in range(6)]
        words += [f"k{kind}{rng.integers(25)}" for _ in range(rng.integers(0, 3))]
        found.append((" ".join(words), 1 + (kind if rng.random() > 0.08 else 1 - kind)))
    return found


def test_what_a_classifier_gains_is_about_what_was_told():
    told, came = [], []
    for seed in range(2):
        labels = pairs(np.random.default_rng(seed), 300)
        gain = forecast(labels[:200], seed=seed).gain(100)
        later = forecast(labels, seed=seed + 100).gain(1).now.value
        told.append(gain.then.value)
        came.append(later)
        assert gain.now.value <= gain.then.value  # a curve never falls
        assert gain.then.low - 0.02 <= later <= gain.then.high + 0.02
    assert np.mean(told) == pytest.approx(np.mean(came), abs=0.03)


def test_too_few_labels_or_one_label_tell_nothing():
    rng = np.random.default_rng(0)
    assert not forecast(pairs(rng, 199)).gain(20).is_told
    rare = [(text, 1 + (i < 14)) for i, (text, _) in enumerate(pairs(rng, 220))]
    assert not forecast(rare).gain(20).is_told
    assert not forecast([(text, 1) for text, _ in pairs(rng, 200)]).gain(20).is_told
    assert not forecast(pairs(rng, 200)).gain(0).is_told
