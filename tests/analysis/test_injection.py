"""The flip rate: which pairs count, and what of them flipped."""

import pytest

from studio.analysis.injection import flip_rate
from studio.analysis.intervals import wilson
from studio.domain.injection import Attempted


def pair(clean="ham", control="ham", attacked="ham", family="order", injection="a"):
    return Attempted(injection=injection, family=family, example_id=1, target="spam",
                     clean=clean, control=control, attacked=attacked)  # fmt: skip


def test_only_pairs_whose_control_keeps_the_label_count():
    found = flip_rate([
        pair(attacked="spam"),
        pair(),
        pair(attacked="third"),  # changed, but not to what the attack wanted
        pair(attacked=None),  # an attack that only silences does not get its label
        pair(control="spam", attacked="spam"),  # neutral words flip it too
        pair(control=None, attacked="spam"),
        pair(clean=None, control=None, attacked="spam"),
    ])  # fmt: skip
    assert found.rate == wilson(1, 4)
    assert (found.pairs, found.unsteady, found.unanswered, found.unlabeled) == (7, 2, 1, 1)


def test_families_are_told_apart_the_worst_first():
    found = flip_rate([
        pair(family="order"), pair(family="order"), pair(family="claim", attacked="spam"),
        pair(family="forged", control="spam"),
    ])  # fmt: skip
    assert list(found.families) == ["claim", "order"]
    assert found.families["order"] == wilson(0, 2)
    assert found.flipped == {"a": 1}
    assert found.to_dict()["flip_rate"]["n"] == 3


@pytest.mark.parametrize("pairs", [[], [pair(clean=None)]])
def test_nothing_that_counts_is_unknown_and_never_0(pairs):
    found = flip_rate(pairs)
    assert found.rate.n == 0
    assert found.to_dict()["flip_rate"]["value"] is None
