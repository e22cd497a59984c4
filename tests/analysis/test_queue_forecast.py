"""What the next minutes should bring, held against simulations in which it is known."""

import math

import numpy as np
import pytest

from studio.analysis.intervals import macro_f1_interval
from studio.analysis.queue_forecast import forecast, half_width, labels_in, narrowed
from studio.analysis.ten_minutes import Outlook, goal_of
from studio.domain.evaluation import Figure
from studio.domain.example import Split


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


PACE = Figure(value=98.0, low=91.2, high=105.1, n=40)
UNKNOWN = Figure(value=math.nan, low=math.nan, high=math.nan, n=0)


def told(pace, left, **more):
    of = {"split": Split.TRAIN, "is_list": False, "is_open": True} | more
    return Outlook(pace=pace, left=left, goal=goal_of(pace, left), **of).words


@pytest.mark.parametrize(
    ("pace", "left", "goal"),
    [
        (PACE, None, 100), (PACE, 500, 100), (PACE, 94, 94), (PACE, 8, 8), (PACE, 0, 0),
        (UNKNOWN, None, 20), (UNKNOWN, 500, 20), (UNKNOWN, 1, 1), (UNKNOWN, 0, 0),
    ],
)  # fmt: skip
def test_no_more_labels_are_promised_than_examples_are_left(pace, left, goal):
    assert goal_of(pace, left) == goal


def test_the_words_say_how_far_it_is_to_the_end():
    assert told(PACE, None).startswith("Next ten minutes: about 100 labels at your pace (91 to 105")
    assert told(PACE, 94).startswith("Next ten minutes: about 94 labels at your pace (91 to 94)")
    assert told(PACE, 8).startswith("8 labels to the end of train, less than ten minutes at")
    assert told(UNKNOWN, 8).startswith("8 labels to the end of train (your pace is told after ten)")
    assert told(UNKNOWN, 1, is_list=True) == (
        "1 label to the end of this list (your pace is told after ten)."
    )
    assert told(PACE, 0) == "Nothing is left of train."
    assert told(UNKNOWN, 0, is_list=True) == "Nothing is left of this list."


def test_a_rounded_pace_is_not_taken_for_the_end():
    pace = Figure(value=52.0, low=51.0, high=53.0, n=4000)
    assert told(pace, 500).startswith("Next ten minutes: about 50 labels")
