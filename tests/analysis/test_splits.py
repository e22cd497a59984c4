"""No text and no group spans splits; shares and labels come out near what was wished."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.analysis.splits import (
    OPEN,
    Settled,
    assign_splits,
    group_keys,
    split_by_key,
    split_keys,
)
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


@given(rows, st.data())
def test_what_is_settled_stays_and_what_belongs_to_it_follows(some, data):
    examples = [example(i, text) for i, (text, _, _) in enumerate(some)]
    groups = {i: name for i, (_, _, name) in enumerate(some)}
    drawn = assign_splits(examples, groups=groups, seed=7)
    kept = data.draw(st.sets(st.sampled_from(sorted(drawn)))) if drawn else set()
    settled = {i: drawn[i] for i in kept}
    result = assign_splits(examples, groups=groups, settled=settled, seed=1)
    assert {i: result[i] for i in kept} == settled
    together = defaultdict(set)
    for e in examples:
        together["text", normalise(e.text) or e.text].add(result[e.id])
        if groups[e.id]:
            together["group", groups[e.id]].add(result[e.id])
    assert all(len(splits) == 1 for splits in together.values())


@given(rows, st.data(), st.integers(0, 5))
def test_by_key_no_text_and_no_group_spans_splits(some, data, seed):
    texts = split_keys(text for text, _, _ in some)
    groups = group_keys(name for _, _, name in some)
    drawn = split_by_key(texts, groups, seed=seed)
    together = defaultdict(set)
    for (text, _, name), code in zip(some, drawn.tolist(), strict=True):
        together["text", normalise(text) or text].add(code)
        if name:
            together["group", name].add(code)
    assert all(len(codes) == 1 for codes in together.values())
    # Another draw moves nothing away from what is settled already.
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(some), max_size=len(some))))
    settled = np.where(kept.astype(bool), drawn, np.int8(OPEN))
    again = split_by_key(texts, groups, settled=settled, seed=seed + 1)
    assert (again[settled != OPEN] == drawn[settled != OPEN]).all()


@given(st.lists(st.sampled_from("abcdefgh!?"), max_size=40), st.integers(1, 40))
def test_by_key_chunks_make_no_difference(texts, size):
    parts = [texts[i : i + size] for i in range(0, len(texts), size)]
    chunked = [code for part in parts for code in split_by_key(split_keys(part), seed=3).tolist()]
    assert chunked == split_by_key(split_keys(texts), seed=3).tolist()


@pytest.mark.parametrize(
    "shares", [(0.6, 0.2, 0.2), (0.8, 0.1, 0.1), (1.0, 0.0, 0.0), (0, 0.5, 0.5)]
)
@pytest.mark.parametrize("seed", [0, 1, -3, 2**70])
def test_by_key_the_shares_come_out_within_chance(shares, seed):
    n = 50_000
    codes = split_by_key(split_keys(f"text {i}" for i in range(n)), shares=shares, seed=seed)
    for place, share in enumerate(shares):
        noise = 4 * math.sqrt(share * (1 - share) / n)
        assert abs((codes == place).mean() - share) <= noise


def test_by_key_another_seed_draws_anew():
    keys = split_keys(f"text {i}" for i in range(1000))
    assert (split_by_key(keys, seed=1) == split_by_key(keys, seed=1)).all()
    same = (split_by_key(keys, seed=1) == split_by_key(keys, seed=2)).mean()
    assert 0.36 < same < 0.52  # .44 when the draws are independent
    with pytest.raises(InputError, match="share"):
        split_by_key(keys, shares=(0.5, 0.6, -0.1))


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 2)), st.lists(st.text(max_size=3)))
def test_settled_finds_what_is_there(known, asked):
    places = {name: code for name, code in known.items() if name}
    codes = np.array(list(places.values()), dtype=np.int8)
    found = Settled(group_keys(places), codes).find(group_keys(asked))
    assert found.tolist() == [places.get(name, OPEN) for name in asked]
