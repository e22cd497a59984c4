"""Confidences are held against gold, one method at a time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.analysis.calibration import LEAST, calibrate, methods_of, of_method
from studio.domain.run import Method, Outcome, Prediction

from .builders import said

shares = st.sampled_from([0.0, 0.2, 0.5, 0.6, 0.8, 1.0]) | st.floats(0, 1)
told = st.lists(st.tuples(st.none() | shares, st.booleans()), min_size=1, max_size=60)


def predictions(pairs, method=Method.LOGPROBS):
    return [
        Prediction(
            example_id=i, label_id=1 if right else 2, confidence=c, outcome=Outcome.OK,
            method=method if c is not None else None,
        )
        for i, (c, right) in enumerate(pairs)
    ]  # fmt: skip


@given(told, st.integers(1, 12))
@settings(max_examples=60)
def test_bins_part_the_examples_in_order_and_never_part_equals(pairs, bins):
    gold = dict.fromkeys(range(len(pairs)), 1)
    found = calibrate(1, "validation", gold, predictions(pairs), bins)
    known = {i: c for i, (c, _) in enumerate(pairs) if c is not None}
    ids = [i for b in found.bins for i in b.example_ids]
    assert sorted(ids) == sorted(known)
    assert len(found.bins) <= bins
    assert found.n == sum(b.accuracy.n for b in found.bins) == len(known)
    assert found.n + found.without == len(pairs)
    for before, after in zip(found.bins, found.bins[1:], strict=False):
        assert before.high < after.low
    for b in found.bins:
        assert b.low <= b.confidence + 1e-9
        assert b.confidence <= b.high + 1e-9
        assert b.accuracy.value == sum(pairs[i][1] for i in b.example_ids) / len(b.example_ids)
    if known:
        gap = abs(sum(known.values()) - sum(right for c, right in pairs if c is not None))
        assert gap / len(known) - 1e-9 <= found.ece <= 1


@given(told)
@settings(max_examples=60)
def test_what_is_accepted_is_what_one_would_count_by_hand(pairs):
    gold = dict.fromkeys(range(len(pairs)), 1)
    found = calibrate(1, "validation", gold, predictions(pairs))
    values = {c for c, _ in pairs if c is not None}
    assert {one.least for one in found.accepted} <= (set(LEAST) if len(values) > 8 else values)
    for one in found.accepted:
        taken = [right for c, right in pairs if c is not None and c >= one.least]
        assert one.share.value == len(taken) / len(pairs)
        assert one.accuracy.value == sum(taken) / len(taken)
        assert one.accuracy.low <= one.accuracy.value <= one.accuracy.high
    sizes = [one.accuracy.n for one in found.accepted]
    assert sizes == sorted(set(sizes), reverse=True)


def test_an_honest_confidence_has_no_error():
    gold = dict.fromkeys(range(10), 1)
    answers = said({i: 1 if i < 8 else 2 for i in range(10)}, 0.8, Method.SERVER)
    found = calibrate(1, "test", gold, answers)
    assert (found.ece, found.method, found.n) == (pytest.approx(0), Method.SERVER, 10)
    assert [(b.confidence, b.accuracy.value) for b in found.bins] == [(pytest.approx(0.8), 0.8)]
    assert not found.is_off


def test_a_boaster_is_told_from_bad_luck():
    few = calibrate(1, "v", {1: 1, 2: 1}, said({1: 1, 2: 2}, 0.7, Method.SERVER))
    many = {i: 1 if i % 2 else 2 for i in range(400)}
    boaster = calibrate(1, "v", dict.fromkeys(many, 1), said(many, 0.9, Method.SERVER))
    assert boaster.ece == pytest.approx(0.4)
    assert boaster.is_off
    assert not few.is_off


def test_chance_is_what_honest_samples_stay_below():
    """Drawn as honest as can be, about one sample in twenty is called off, not one in two."""
    import numpy as np

    rng = np.random.default_rng(3)
    off = 0
    for _ in range(200):
        confidences = rng.uniform(0.5, 1, 150)
        right = rng.uniform(size=150) < confidences
        pairs = list(zip(confidences.tolist(), right.tolist(), strict=True))
        off += calibrate(1, "v", dict.fromkeys(range(150), 1), predictions(pairs)).is_off
    assert 1 <= off <= 22


def test_methods_are_never_mixed():
    mixed = [*said({1: 1, 2: 1, 3: 1}, 0.9, Method.VOTES), *said({4: 2}, 0.9, Method.LOGPROBS)]
    mixed += [*said({5: 1}, 0.9), *said({6: None})]
    with pytest.raises(ValueError, match="votes, logprobs, unknown"):
        calibrate(1, "v", dict.fromkeys(range(9), 1), mixed)
    assert methods_of(mixed) == {Method.VOTES: 3, Method.LOGPROBS: 1, Method.UNKNOWN: 1}
    assert [p.example_id for p in of_method(mixed, Method.VOTES)] == [1, 2, 3]
    assert [p.example_id for p in of_method(mixed, Method.UNKNOWN)] == [5]


def test_nothing_to_judge_is_unknown():
    found = calibrate(1, "v", {1: 1, 2: 1}, said({1: 1, 3: 1}))
    assert (found.n, found.without, found.method, found.bins, found.accepted) == (
        0,
        1,
        None,
        (),
        (),
    )
    assert math.isnan(found.ece)
    assert found.to_dict()["ece"] is None
    assert not found.is_off
