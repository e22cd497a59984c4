"""Of many equal versions one always looks best; nobody is told that it is."""

from __future__ import annotations

import numpy as np
import pytest

from studio.analysis.prompt_matrix import ALL, build_matrix
from studio.analysis.tried_versions import holm, tried_versions
from studio.domain.slicing import Slice

from .builders import said


def versions(rng, truths, n, alike=0.7):
    """Return what versions of these accuracies got right; most texts are as hard for all."""
    common = rng.random(n)
    told = {}
    for k, truth in enumerate(truths):
        own = np.where(rng.random(n) < alike, common, rng.random(n))
        told[f"v{k}"] = {i: bool(own[i] < truth) for i in range(n)}
    return told


def best_of(right):
    return max(right, key=lambda title: sum(right[title].values()))


@pytest.mark.parametrize(("k", "n"), [(3, 100), (8, 100), (20, 60)])
def test_of_equal_versions_the_best_is_not_said_to_beat_the_first(k, n):
    rng = np.random.default_rng(7)
    claims, looks, corrected = 0, [], []
    for _ in range(300):
        right = versions(rng, [0.85] * k, n)
        told = tried_versions(right, best_of(right), tried=k)
        claims += told.beats_first
        looks.append(told.accuracy.value - 0.85)
        corrected.append(told.corrected - 0.85)
    assert claims / 300 <= 0.05
    assert np.mean(looks) > 0.02  # the winner's curse
    assert abs(np.mean(corrected)) < np.mean(looks) / 2


def test_a_version_that_is_better_keeps_its_lead():
    rng = np.random.default_rng(8)
    claims, lost = 0, []
    for _ in range(100):
        right = versions(rng, [0.6, 0.62, 0.61, 0.85], 300)
        told = tried_versions(right, "v3", tried=4)
        claims += told.beats_first
        lost.append(told.accuracy.value - told.corrected)
    assert claims >= 95
    assert 0 <= np.mean(lost) < 0.01


def test_drafts_that_were_only_previewed_count():
    right = {"a": dict.fromkeys(range(40), False), "b": {i: i < 8 for i in range(40)}}
    few, many = (tried_versions(right, "b", tried=tried) for tried in (2, 30))
    assert few.beats_first
    assert not many.beats_first
    assert "30 versions were tried" in many.sentence
    assert "is not shown" in many.sentence
    assert tried_versions(right, "a", tried=2).p is None
    assert few.to_dict()["n"] == 2


def test_holm_is_the_known_one():
    from scipy.stats import false_discovery_control  # another correction: never stricter

    p = [0.001, 0.2, 0.03, 0.04, 0.9]
    assert holm(p) == pytest.approx([0.005, 0.4, 0.12, 0.12, 0.9])
    assert all(a >= b - 1e-12 for a, b in zip(holm(p), false_discovery_control(p), strict=True))
    assert holm([]) == []


def matrix_of(gold, answers, slices):
    told = [(title, k, 10 + k, said(a)) for k, (title, a) in enumerate(answers.items())]
    return build_matrix(told, gold, slices, next(iter(answers)))


def test_a_matrix_tells_where_a_version_is_better():
    gold = {i: 1 + i % 2 for i in range(200)}
    part = Slice(name="course = dessert", kind="metadata", example_ids=frozenset(range(60)))
    first = dict.fromkeys(range(200), 1)
    second = {i: gold[i] if i < 60 else 1 for i in range(150)} | {199: None}
    found = matrix_of(gold, {"first": first, "second": second}, [part])
    assert [s.name for s in found.columns] == [ALL, "course = dessert"]
    base, better = (row.cells[1] for row in found.rows)
    assert (base.accuracy.value, base.difference, base.tells) == (0.5, None, False)
    assert (better.accuracy.value, better.difference, better.tells) == (1.0, 0.5, True)
    assert better.wrong == ()
    whole = found.rows[1].cells[0]
    assert whole.accuracy.n == 151
    assert 199 in whole.wrong
    assert found.to_dict()["versions"][1]["cells"][1]["tells"]


def test_the_most_telling_slices_come_before_the_others():
    gold = dict.fromkeys(range(200), 1)
    part = {f"s{k}": frozenset(range(20 * k, 20 * k + 20)) for k in range(10)}
    slices = [Slice(name=n, kind="metadata", example_ids=ids) for n, ids in part.items()]
    first = {i: 2 if 100 <= i < 110 else 1 for i in gold}
    second = first | dict.fromkeys(range(140, 160), 2)
    found = matrix_of(gold, {"first": first, "second": second}, slices)

    def names(most):
        return [found.columns[i].name for i in found.telling(most)]

    assert names(1) == [ALL]
    assert names(2) == [ALL, "s7"]  # the one on which they differ beyond luck
    assert names(3) == [ALL, "s5", "s7"]  # the one on which both err
    assert names(99) == [s.name for s in found.columns]


def test_equal_versions_colour_a_matrix_in_few_of_many_cases():
    rng = np.random.default_rng(9)
    coloured = 0
    for _ in range(100):
        gold = dict.fromkeys(range(120), 1)
        answers = {f"v{k}": {i: int(rng.random() < 0.8) for i in gold} for k in range(5)}
        slices = [
            Slice(name=str(k), kind="metadata", example_ids=frozenset(range(k * 12, k * 12 + 12)))
            for k in range(10)
        ]
        found = matrix_of(gold, answers, slices)
        coloured += any(cell.tells for row in found.rows for cell in row.cells)
    assert coloured <= 9
