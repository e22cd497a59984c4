"""Figures of a run agree with scikit-learn, and nothing is dropped or divided by zero."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.analysis.metrics import (
    confusion_counts,
    evaluate,
    most_confused,
    wrong_examples,
)
from studio.domain.evaluation import NO_LABEL

from .builders import labels, said

LABELS = labels("keto", "not_keto", "unsure", "other")
answers = st.lists(
    st.tuples(st.integers(1, 4), st.none() | st.integers(1, 4)), min_size=1, max_size=40
)


@given(answers)
@settings(max_examples=15)
def test_figures_agree_with_scikit_learn(pairs):
    from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

    gold = {i: g for i, (g, _) in enumerate(pairs)}
    result = evaluate(1, "test", LABELS, gold, said({i: p for i, (_, p) in enumerate(pairs)}))
    true = [g for g, _ in pairs]
    told = [p or 9 for _, p in pairs]
    assert result.accuracy.value == pytest.approx(accuracy_score(true, told))
    present = sorted({*true, *told} - {9})
    _, _, scores, _ = precision_recall_fscore_support(true, told, labels=present, zero_division=0)
    assert result.macro_f1.value == pytest.approx(np.mean(scores))
    p, r, f, support = precision_recall_fscore_support(
        true, told, labels=[1, 2, 3, 4], zero_division=np.nan
    )
    for i, label in enumerate(result.labels):
        assert label.support == support[i]
        assert label.precision.value == pytest.approx(p[i], nan_ok=True)
        assert label.recall.value == pytest.approx(r[i], nan_ok=True)
        if i + 1 in present:
            assert label.f1.value == pytest.approx(0 if math.isnan(f[i]) else f[i])
        else:
            assert math.isnan(label.f1.value)
    table = confusion_matrix(true, told, labels=[1, 2, 3, 4, 9])[:4]
    assert result.confusion.counts == tuple(map(tuple, table.tolist()))
    assert result.coverage == pytest.approx(np.mean([t != 9 for t in told]))
    assert result.macro_f1.low <= result.macro_f1.value <= result.macro_f1.high


def test_nothing_in_common_is_unknown_and_warns_of_nothing():
    result = evaluate(1, "test", LABELS, {1: 1}, said({2: 1}))
    assert (result.n, result.majority_label) == (0, "")
    for number in (result.coverage, result.majority, result.accuracy.value, result.macro_f1.low):
        assert math.isnan(number)
    assert all(math.isnan(s.precision.value) for s in result.labels)


def test_no_label_is_an_error_counted_and_shown():
    result = evaluate(
        7, "test", LABELS, {1: 1, 2: 1, 3: 2, 4: 99}, said({1: 1, 2: None, 3: 2, 4: 1})
    )
    assert (result.run_id, result.split, result.n) == (7, "test", 3)
    assert result.accuracy.value == result.coverage == pytest.approx(2 / 3)
    assert (result.majority_label, result.majority) == ("keto", pytest.approx(2 / 3))
    assert result.confusion.to_dict()["keto"][NO_LABEL] == 1
    assert result.outcomes == {"ok": 2, "abstained": 1}
    assert most_confused(result) == [("keto", NO_LABEL, 1)]


def test_no_label_and_another_label_are_wrong():
    gold, told = {1: 1, 2: 1, 3: 2, 4: 1}, said({1: 2, 2: None, 3: 2, 4: 2})
    assert wrong_examples(gold, told) == {1, 2, 4}
    assert confusion_counts(LABELS, gold, told)[0].tolist() == [0, 2, 0, 0, 1]
