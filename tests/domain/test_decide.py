"""Go, no-go or not yet: the whole table."""

from __future__ import annotations

import math

import pytest

from studio.domain.evaluation import Figure
from studio.domain.report import Verdict, decide
from studio.domain.task import Criterion
from studio.errors import InputError

CRITERION = Criterion(metric="macro_f1", threshold=0.8)


def figure(low: float, high: float, n: int = 100) -> Figure:
    return Figure(value=(low + high) / 2, low=low, high=high, n=n)


@pytest.mark.parametrize(
    ("criterion", "measured", "verdict"),
    [
        (CRITERION, figure(0.81, 0.9), Verdict.GO),
        (CRITERION, figure(0.8, 0.9), Verdict.GO),
        (CRITERION, figure(0.7, 0.79), Verdict.NO_GO),
        (CRITERION, figure(0.7, 0.8), Verdict.NOT_YET),
        (CRITERION, figure(0.79, 0.9), Verdict.NOT_YET),
        (CRITERION, None, Verdict.NOT_YET),
        (CRITERION, figure(0.9, 0.99, n=0), Verdict.NOT_YET),
        (CRITERION, figure(math.nan, math.nan), Verdict.NOT_YET),
        (None, figure(0.9, 0.99), Verdict.NOT_YET),
        (None, None, Verdict.NOT_YET),
    ],
)
def test_the_verdict(criterion, measured, verdict):
    decision = decide(criterion, measured, 40)
    assert decision.verdict is verdict
    assert decision.reason.endswith(".")


def test_only_not_yet_with_a_figure_says_how_many_more():
    assert decide(CRITERION, figure(0.7, 0.9), 40).needed == 40
    assert decide(CRITERION, figure(0.81, 0.9), 40).needed is None
    assert decide(None, None, 40).needed is None


@pytest.mark.parametrize(
    ("text", "metric", "threshold"),
    [("accuracy>=.9", "accuracy", 0.9), (" macro_f1 >= 85 % ", "macro_f1", 0.85)],
)
def test_a_criterion_is_read_and_written(text, metric, threshold):
    criterion = Criterion.parse(text)
    assert (criterion.metric, criterion.threshold) == (metric, threshold)
    assert Criterion.parse(str(criterion)) == criterion


@pytest.mark.parametrize(
    "text", ["", "accuracy", "accuracy>0.9", "f1>=0.9", "accuracy>=0", "accuracy>=85"]
)
def test_a_bad_criterion_is_refused(text):
    with pytest.raises(InputError):
        Criterion.parse(text)
