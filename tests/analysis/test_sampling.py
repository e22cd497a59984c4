"""A sample with hard examples in it still tells the truth of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.analysis.comparison import compare
from studio.analysis.sampling import Sample, draw_sample, weighted_share

from .builders import labels, said


class Whole:
    """900 examples of three labels, 200 without gold; what errs is harder in one kind."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        size = 900
        self.ids = range(size)
        label = rng.choice([1, 2, 3], size=size, p=[0.7, 0.22, 0.08])
        kind = rng.choice(["a", "b"], size=size, p=[0.8, 0.2])
        self.gold = {i: int(label[i]) for i in self.ids if i >= 200}
        self.kinds = {i: (kind[i],) for i in self.ids}
        before = rng.random(size) < np.where(kind == "a", 0.85, 0.5)
        # The draft mends half of what the version before errs on, and breaks a little.
        after = np.where(before, rng.random(size) < 0.94, rng.random(size) < 0.5)
        self.right = [{i for i in self.gold if hits[i]} for hits in (before, after)]
        self.hard = {i: "it erred before" for i in self.gold if not before[i]}
        self.truth = [len(right) / len(self.gold) for right in self.right]

    def sample(self, n: int, seed: int, earlier: Sample | None = None) -> Sample:
        return draw_sample(
            self.ids, self.gold, self.kinds, self.hard, n, seed=seed, earlier=earlier
        )


def grown(whole: Whole, seed: int) -> Sample:
    """Return a sample of 60 that was asked to grow to 120."""
    return whole.sample(120, seed + 1, whole.sample(60, seed))


@pytest.mark.parametrize("draw", [lambda w, s: w.sample(60, s), grown], ids=["once", "grown"])
def test_figures_are_of_the_whole_though_a_third_is_hard(draw):
    whole = Whole(1)
    shares, covered, naive = [], 0, []
    for seed in range(400):
        sample = draw(whole, seed)
        figure = weighted_share(whole.right[1], sample.weights)
        shares.append(figure.value)
        covered += figure.low <= whole.truth[1] <= figure.high
        judged = [i for i in sample.ids if i in whole.gold]
        naive.append(sum(i in whole.right[1] for i in judged) / len(judged))
    error = np.std(shares) / np.sqrt(len(shares))
    assert abs(np.mean(shares) - whole.truth[1]) < 3 * error
    assert covered / 400 >= 0.93
    assert np.mean(naive) < whole.truth[1] - 5 * error  # what counting the hard ones would say


def test_the_difference_to_the_version_before_is_of_the_whole():
    whole = Whole(2)
    names = labels("a", "b", "c")
    runs = [
        said({i: g if i in right else 1 + g % 3 for i, g in whole.gold.items()})
        for right in whole.right
    ]
    gains, covered = [], 0
    for seed in range(150):
        sample = whole.sample(90, seed)
        seen = [[p for p in run if p.example_id in {*sample.ids}] for run in runs]
        found = compare(1, 2, names, whole.gold, *seen, weights=sample.weights)
        gains.append(found.difference.value)
        covered += found.difference.low <= whole.truth[1] - whole.truth[0] <= found.difference.high
        assert found.n == len(sample.weights) < len(sample.ids)
        assert {*found.fixed} - {*sample.weights}  # the hard ones are listed all the same
    error = np.std(gains) / np.sqrt(len(gains))
    assert abs(np.mean(gains) - (whole.truth[1] - whole.truth[0])) < 3 * error
    assert covered / 150 >= 0.93


def test_every_label_and_kind_is_in_it_and_hard_ones_of_each_reason():
    whole = Whole(3)
    whole.hard |= dict.fromkeys(range(150), "rules differ")
    sample = whole.sample(40, 0)
    assert len(sample.ids) == 40
    assert {whole.gold[i] for i in sample.weights} == {1, 2, 3}
    assert {whole.kinds[i] for i in sample.weights} == {("a",), ("b",)}
    drawn_as_hard = {*sample.ids} - {*sample.weights}
    assert {whole.hard[i] for i in drawn_as_hard} == {"it erred before", "rules differ"}
    assert len(drawn_as_hard) == 13
    assert sample.ids != whole.sample(40, 1).ids
    assert sample == whole.sample(40, 0) == Sample.from_dict(sample.to_dict())


def test_without_gold_there_is_a_sample_and_no_figure():
    sample = draw_sample(range(100), {}, {}, {7: "the rules say otherwise"}, 10)
    assert len(sample.ids) == 10
    assert sample.hard == {7: "the rules say otherwise"}
    assert weighted_share({1}, sample.weights).n == 0


@given(
    n=st.integers(1, 60), more=st.integers(0, 60), size=st.integers(1, 80),
    known=st.sets(st.integers(0, 79)), hard=st.sets(st.integers(0, 79)), seed=st.integers(0, 9),
)  # fmt: skip
def test_any_sample_holds_what_it_promises(n, more, size, known, hard, seed):
    ids = range(size)
    gold = {i: 1 + i % 3 for i in known if i < size}
    reasons = dict.fromkeys(hard, "hard")
    first = draw_sample(ids, gold, {}, reasons, n, seed=seed)
    grown = draw_sample(ids, gold, {}, reasons, n + more, seed=seed, earlier=first)
    for sample, wished in ((first, n), (grown, n + more)):
        assert {*sample.ids} <= {*ids}
        assert {*sample.weights} <= {*gold}
        assert {*sample.hard} <= {*hard}
        assert len(sample.ids) <= wished + 2 * 3  # two of each label at least
        if sample.weights:
            assert sum(sample.weights.values()) == pytest.approx(len(gold))
    assert {*first.ids} <= {*grown.ids}
