"""The examples worth a look come first."""

from __future__ import annotations

from studio.analysis.ordering import disagreements, uncertain_first
from studio.domain.run import Method

from .builders import said


def test_no_label_then_no_confidence_then_the_least_sure():
    told = [*said({1: 1}, 0.9), *said({2: 1}, 0.4), *said({3: None}), *said({4: 2})]
    assert uncertain_first(told) == [3, 4, 2, 1]


def test_the_surest_disagreements_come_first():
    a = [*said({1: 1, 2: 1}, 0.5), *said({3: 1}, 0.9), *said({4: 1}), *said({8: 1})]
    b = [*said({1: 2, 2: 1}, 0.5), *said({3: 2}, 0.9), *said({4: None}), *said({9: 1})]
    assert disagreements(a, b) == [3, 1, 4]


def test_a_method_that_boasts_is_not_surer_than_one_that_does_not():
    """Rules say 1 of most they vote on; that is no probability and outdoes none."""
    modest = [*said({1: 1}, 0.51, Method.DECISION), *said({2: 1}, 0.60, Method.DECISION)]
    bold = [*said({3: 1}, 0.97, Method.RULES), *said({4: 1}, 1.0, Method.RULES)]
    assert uncertain_first([*modest, *bold]) == [1, 3, 2, 4]
    other = said({1: 2, 2: 2, 3: 2, 4: 2})
    assert disagreements([*modest, *bold], other) == [2, 4, 1, 3]
