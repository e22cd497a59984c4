"""Columns that give the label away."""

import random

from hypothesis import given
from hypothesis import strategies as st

from studio.analysis.telling_columns import tells_label


def test_a_value_made_from_the_answer_tells_the_label():
    labels = ["keto", "not_keto", "unsure"] * 40
    assert tells_label([label[:3] for label in labels], labels)


def test_a_value_that_helps_but_errs_does_not_tell_it():
    rng = random.Random(1)
    labels = [rng.choice("ab") for _ in range(400)]
    values = [label if rng.random() < 0.85 else rng.choice("ab") for label in labels]
    assert not tells_label(values, labels)


def test_one_label_or_few_examples_prove_nothing():
    assert not tells_label(["x"] * 100, ["a"] * 100)
    assert not tells_label(["x", "y"] * 10, ["a", "b"] * 10)
    assert not tells_label([""] * 100, ["a", "b"] * 50)


def test_a_rare_label_is_not_told_by_naming_the_frequent_one():
    labels = ["a"] * 196 + ["b"] * 4
    assert not tells_label(["x"] * 200, labels)


@given(st.integers(0, 10_000))
def test_noise_never_tells(seed):
    rng = random.Random(seed)
    labels = [rng.choice("ab") for _ in range(80)]
    assert not tells_label([str(rng.random()) for _ in labels], labels)
