"""Uncovered examples are grouped, named by their own words, and asked about in order of use."""

import random

from studio.analysis.uncovered import MOST, find_gaps

TOPICS = {
    "soup": ("soup", "broth", "ladle", "bouillon", "leek"),
    "cake": ("cake", "icing", "sponge", "sprinkles", "frosting"),
}
NAMES = {1: "keto", 2: "not_keto"}


def corpus(n, seed=0):
    rng = random.Random(seed)
    topics = [("soup", "cake")[i % 2] for i in range(n)]
    return topics, [" ".join(rng.choices(TOPICS[t], k=6)) for t in topics]


def test_groups_are_found_named_and_asked_about():
    topics, texts = corpus(120)
    ids = list(range(1, 121))
    gold = {i: 2 for i in ids[:40] if topics[i - 1] == "cake"}
    gaps = find_gaps(ids, texts, gold, label_names=NAMES)
    for gap in gaps:
        inside = {topics[i - 1] for i in gap.example_ids}
        assert len(inside) == 1
        assert set(gap.name.split(", ")) <= set(TOPICS[inside.pop()])
        assert gap.size == len(gap.example_ids)
        assert len(gap.typical) == 3
        assert set(gap.typical) <= set(gap.example_ids)
    judged = next(gap for gap in gaps if gap.gold)
    assert judged.likely == 2
    n = judged.gold[2]
    assert f"{n} of {n} with gold are not_keto. Why?" in judged.question
    assert any("none of them has gold" in gap.question for gap in gaps)
    assert find_gaps(ids, texts, gold, label_names=NAMES) == gaps


def test_what_the_fallback_says_rightly_is_asked_about_last():
    topics, texts = corpus(120)
    gold = {i + 1: 1 if topic == "soup" else 2 for i, topic in enumerate(topics)}
    gaps = find_gaps(range(1, 121), texts, gold, label_names=NAMES, fallback_label_id=2)
    assert [gap.likely for gap in gaps] == sorted(gap.likely for gap in gaps)
    assert gaps[0].likely == 1


def test_mixed_groups_ask_what_tells_them_apart():
    gaps = find_gaps(range(10), ["soup broth leek"] * 10, {0: 1, 1: 2}, label_names=NAMES)
    assert gaps[0].likely is None
    assert "what tells them apart?" in gaps[0].question


def test_few_or_wordless_examples_make_no_group():
    assert find_gaps([], [], {}, label_names=NAMES) == []
    assert find_gaps([1, 2], ["soup", "soup"], {}, label_names=NAMES) == []
    assert find_gaps(range(9), ["12 !!"] * 9, {}, label_names=NAMES) == []
    assert find_gaps(range(9), [f"word{c}" for c in "abcdefghi"], {}, label_names=NAMES) == []


def test_a_sample_stands_for_all_and_says_so():
    _, texts = corpus(MOST + 5_000)
    gaps = find_gaps(range(len(texts)), texts, {}, label_names=NAMES)
    assert sum(len(gap.example_ids) for gap in gaps) <= MOST
    assert abs(sum(gap.size for gap in gaps) - len(texts)) < 100
    assert all(gap.question.startswith("About ") for gap in gaps)
