"""No text and no group spans splits; shares and labels come out near what was wished."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.analysis.splits import assign_splits
from studio.domain.example import Split, normalise
from studio.errors import InputError

from .builders import example

rows = st.lists(
    st.tuples(
        st.sampled_from("abcdefgh!?"), st.integers(0, 3), st.sampled_from(["", "x", "y", "z"])
    ),
    max_size=40,
)


@given(rows, st.integers(0, 5))
def test_no_text_and_no_group_spans_splits(some, seed):
    examples = [example(i, text) for i, (text, _, _) in enumerate(some)]
    labels = {i: label for i, (_, label, _) in enumerate(some) if label}
    groups = {i: name for i, (_, _, name) in enumerate(some)}
    result = assign_splits(examples, labels, groups, seed=seed)
    assert set(result) == {e.id for e in examples}
    together = defaultdict(set)
    for e in examples:
        together["text", normalise(e.text) or e.text].add(result[e.id])
        if groups[e.id]:
            together["group", groups[e.id]].add(result[e.id])
    assert all(len(splits) == 1 for splits in together.values())
    assert result == assign_splits(examples[::-1], labels, groups, seed=seed)


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=120),
    st.sampled_from([(0.6, 0.2, 0.2), (0.8, 0.1, 0.1), (1.0, 0.0, 0.0), (0.34, 0.33, 0.33)]),
)
def test_each_label_is_shared_out_as_wished(several, shares):
    examples = [example(i, f"text {i}") for i in range(len(several))]
    labels = {i: label for i, label in enumerate(several) if label}
    result = assign_splits(examples, labels, shares=shares)
    for label, total in Counter(several).items():
        got = Counter(result[i] for i, own in enumerate(several) if own == label)
        for split, share in zip(Split, shares, strict=True):
            assert abs(got[split] - share * total) < 1


def test_groups_of_all_sizes_stay_near_the_shares():
    examples = [example(i, f"text {i}") for i in range(1000)]
    groups = {i: f"g{math.isqrt(i)}" for i in range(1000)}
    labels = {i: 1 + (i % 10 == 0) for i in range(1000)}
    got = Counter(assign_splits(examples, labels, groups).values())
    assert abs(got[Split.TRAIN] - 600) <= 20
    assert abs(got[Split.TEST] - 200) <= 20


def test_another_seed_draws_anew():
    examples = [example(i, f"text {i}") for i in range(100)]
    assert assign_splits(examples, seed=1) == assign_splits(examples, seed=1)
    assert assign_splits(examples, seed=1) != assign_splits(examples, seed=2)


@pytest.mark.parametrize(
    "shares", [(0.5, 0.5), (0.5, 0.6, -0.1), (0.5, 0.3, 0.3), (math.nan, 0.5, 0.5), ()]
)
def test_bad_shares_are_refused(shares):
    with pytest.raises(InputError, match="share"):
        assign_splits([example(1, "x")], shares=shares)
