"""What is highlighted is what made a rule fire."""

from __future__ import annotations

import numpy as np
import pytest

from studio.analysis.corpus import Corpus
from studio.analysis.hits import find_hits
from studio.analysis.votes import fires
from studio.domain.coded_rationale import parse_rule

TEXTS = (
    "Fried RICE with cauliflower rice, 12g of sugar-free syrup",
    "Crème BRÛLÉE — ½ portion, risoto; NOODLES",
    "weiße Nudeln und Straße 1,200.50",
    "e\u0301clair x2 ｒｉｃｅ",
    "",
)
CONDITIONS = (
    {"keywords": {"words": ["rice", "noodle*"], "except": ["cauliflower rice"]}},
    {"keywords": ["sugar free", "crème brûlée", "éclair", "WEISSE"]},
    {"phrase": "sugar-free syrup"},
    {"fuzzy": {"words": ["risotto"], "min": 85}},
    {"regex": r"straße|\bx\d"},
    {"number": {"min": 10, "max": 2000}},
)


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: next(iter(c)))
def test_something_is_highlighted_exactly_where_the_rule_fires(condition):
    rule = parse_rule({"name": "a", "label": "b", "any": [condition]})
    corpus = Corpus(np.arange(len(TEXTS)), TEXTS, lambda name: [None] * len(TEXTS))
    assert [bool(find_hits(rule, text)) for text in TEXTS] == fires(rule, corpus).tolist()


def test_the_words_stand_where_they_are_said_to_stand():
    body = {"name": "a", "label": "b", "any": list(CONDITIONS)}
    found = [[text[a:b] for a, b in find_hits(parse_rule(body), text)] for text in TEXTS]
    assert found[0] == ["RICE", "12", "sugar-free", "sugar-free syrup"]
    assert found[1] == ["Crème BRÛLÉE", "risoto", "NOODLES"]
    assert found[2] == ["weiße", "Straße", "1,200.50"]
    assert found[3] == ["e\u0301clair", "x2", "ｒｉｃｅ"]


def test_what_must_not_hold_is_not_highlighted():
    rule = parse_rule(
        {"name": "a", "label": "b", "any": [{"phrase": "rice"}], "none": [{"phrase": "fried"}]}
    )
    assert find_hits(rule, "fried rice") == ((6, 10),)
