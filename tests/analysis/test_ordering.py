"""The examples worth a look come first."""

from __future__ import annotations

from studio.analysis.ordering import disagreements, uncertain_first

from .builders import said


def test_no_label_then_no_confidence_then_the_least_sure():
    told = [*said({1: 1}, 0.9), *said({2: 1}, 0.4), *said({3: None}), *said({4: 2})]
    assert uncertain_first(told) == [3, 4, 2, 1]


def test_the_surest_disagreements_come_first():
    a = [*said({1: 1, 2: 1}, 0.5), *said({3: 1}, 0.9), *said({4: 1}), *said({8: 1})]
    b = [*said({1: 2, 2: 1}, 0.5), *said({3: 2}, 0.9), *said({4: None}), *said({9: 1})]
    assert disagreements(a, b) == [3, 1, 4]
