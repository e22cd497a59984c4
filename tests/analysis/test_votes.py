"""Rules mean what an independent, slow reading of them with `re` means."""

from __future__ import annotations

import math
import re
import time
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.analysis import patterns, votes
from studio.analysis.corpus import Corpus
from studio.analysis.votes import apply_rules, check_rule, fires, matrix_of, rule_report
from studio.domain.conditions import (
    Answer,
    Column,
    Fuzzy,
    Keywords,
    Length,
    Number,
    Phrase,
    Regex,
    Similar,
    Votes,
)
from studio.domain.vote import Vote
from studio.errors import InputError

from .builders import bodies, example, examples, rule, texts


def tokens(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.findall(r"(?:[^\W_]|[\u0300-\u036f])+", folded)


def spans(word: str, said: list[str]) -> list[range]:
    """Where the words of `word` stand among the tokens; `*` opens the last one's end."""
    wanted = tokens(word)
    found = []
    for start in range(len(said) - len(wanted) + 1):
        part = said[start : start + len(wanted)]
        last = part[-1].startswith(wanted[-1]) if word.endswith("*") else part == wanted
        if part[:-1] == wanted[:-1] and last:
            found.append(range(start, start + len(wanted)))
    return found


def oracle(condition, text: str, row: dict[str, str]) -> bool:
    match condition:
        case Keywords() | Phrase() | Fuzzy():
            return oracle_of_words(condition, tokens(text))
        case Regex(pattern):
            # RE2's $ is the end of the text only, what `re` calls \Z.
            return bool(re.search(pattern.replace("$", r"\Z"), text, re.IGNORECASE))
        case Length(unit, low, high):
            return inside(len(text.split() if unit == "words" else text), low, high)
        case Number(low, high):
            return any(inside(float(n), low, high) for n in plain_numbers(text))
        case Column(name, values, low, high):
            cell = row.get(name)
            if cell is None:
                return False
            if values:
                return cell.strip().casefold() in {v.casefold() for v in values}
            try:
                number = float(cell.replace(",", ""))
            except ValueError:
                return False
            return not math.isnan(number) and inside(number, low, high)
    raise AssertionError(condition)


def oracle_of_words(condition, said: list[str]) -> bool:
    match condition:
        case Keywords(words, excepted):
            dead = {i for phrase in excepted for span in spans(phrase, said) for i in span}
            return any(not dead & set(span) for word in words for span in spans(word, said))
        case Phrase(phrase):
            return bool(spans(phrase, said))
        case Fuzzy(words, least):
            wanted = [tokens(word) for word in words]
            return any(
                alike(" ".join(word), " ".join(said[i : i + len(word)])) >= least
                for word in wanted
                for i in range(len(said) - len(word) + 1)
            )
    raise AssertionError(condition)


def alike(one: str, other: str) -> float:
    """Of 100: twice the longest common subsequence by the letters of both."""
    row = [0] * (len(other) + 1)
    for a in one:
        before, row = row, [0]
        for j, b in enumerate(other):
            row.append(before[j] + 1 if a == b else max(before[j + 1], row[j]))
    return 200 * row[-1] / (len(one) + len(other))


def plain_numbers(text: str) -> list[str]:
    """Only for texts whose numbers stand between blanks or at a word's end."""
    return re.findall(r"(?<![\w.])\d+(?:\.\d+)?", text)


def inside(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def fires_slowly(body, an_example) -> bool:
    row = an_example.metadata
    if body.scope != "text" and body.scope not in row:
        return False
    text = an_example.text if body.scope == "text" else row[body.scope]
    return (
        all(oracle(c, text, row) for c in body.all)
        and (not body.any or any(oracle(c, text, row) for c in body.any))
        and not any(oracle(c, text, row) for c in body.none)
    )


def ascii_words(an_example) -> bool:
    """Whether the slow reading of signs and numbers above is exact for this text."""
    told = an_example.text + an_example.metadata.get("note", "")
    strange = [c for c in told if not c.isascii() and c not in "éßÉ\u0301"]
    return not strange and not re.search(
        r"\d[.,-]|[.,-]\d\.|-\d|\.\d+\.|[^\d\s]\.\d|^\.\d|\s\.\d", told
    )


@given(bodies, st.lists(examples.filter(ascii_words), min_size=1, max_size=4))
def test_a_rule_means_what_a_slow_reading_of_it_means(body, some):
    some = [example(i, e.text, **e.metadata) for i, e in enumerate(some)]
    coded = rule(1, 7, any=body.any, all=body.all, none=body.none, scope=body.scope)
    matrix = apply_rules([coded], some)
    assert matrix.labels[:, 0].tolist() == [7 if fires_slowly(body, e) else 0 for e in some]


@given(bodies, st.lists(st.text(max_size=40), max_size=3))
@settings(max_examples=50)
def test_no_text_makes_a_rule_raise(body, some):
    coded = rule(1, 7, any=body.any, all=body.all, none=body.none)
    matrix = apply_rules([coded], [example(i, text) for i, text in enumerate(some)])
    assert matrix.labels.shape == (len(some), 1)


@given(st.lists(bodies, min_size=1, max_size=5), st.lists(texts, max_size=4))
@settings(max_examples=50)
def test_rules_do_not_disturb_one_another(several, some):
    rules = [
        rule(i, 1, any=b.any, all=b.all, none=b.none, scope=b.scope) for i, b in enumerate(several)
    ]
    some = [example(i, text, note=text) for i, text in enumerate(some)]
    together = apply_rules(rules, some).labels
    alone = [apply_rules([r], some).labels[:, 0] for r in rules]
    assert (together == np.stack(alone, axis=1)).all()


@pytest.mark.parametrize(
    ("condition", "text", "holds"),
    [
        (Keywords(("rice",)), "Fried RICE!", True),
        (Keywords(("rice",)), "licorice", False),
        (Keywords(("noodle*",)), "egg noodles", True),
        (Keywords(("rice",), ("cauliflower rice",)), "cauliflower rice", False),
        (Keywords(("rice",), ("cauliflower rice",)), "rice, cauliflower rice", True),
        (Keywords(("olive oil",), ("rice",)), "olive rice oil", False),
        (Keywords(("rice",), ("wild rice", "rice cake")), "wild rice cake", False),
        (Keywords(("étude",)), "Une E\u0301TUDE.", True),
        (Keywords(("c",)), "c\u0301", False),
        (Fuzzy(("mozzarella",)), "with Mozarela!", True),
        (Fuzzy(("mozzarella",), 95), "with mozarela", False),
        (Fuzzy(("fried rice",)), "some freid rice", True),
        (Fuzzy(("fried rice",)), "fried with rice", False),
        (Fuzzy(("risotto",)), "", False),
        (Phrase("check out"), "CHECK\n out", True),
        (Phrase("check out"), "checkout", False),
        (Regex("£\\d"), "it is £5", True),
        (Regex("URGENT"), "urgent", True),
        (Number(10, 20), "costs 15g", True),
        (Number(10, 20), "B12 and mp15", False),
        (Number(1000, None), "1,200 left", True),
        (Number(None, -1), "it is -3 outside", True),
        (Number(None, -1), "from 1-3", False),
        (Number(500, 500), "Rs.500", True),
        (Length("words", 2, 2), "two words", True),
        (Length("characters", None, 3), "four", False),
    ],
)
def test_conditions(condition, text, holds):
    matrix = apply_rules([rule(1, 7, any=(condition,))], [example(1, text)])
    assert bool(matrix.fires[0, 0]) is holds


def test_columns_are_compared_without_case_and_missing_ones_are_false():
    rules = [
        rule(1, 1, any=(Column("course", ("Dessert",)),)),
        rule(2, 1, any=(), all=(Column("kcal", (), 100, None),)),
        rule(3, 1, any=(Phrase("x"),), none=(Column("course", ("dessert",)),)),
        rule(4, 1, any=(Length("words", None, 9),), scope="note"),
    ]
    some = [example(1, "x", course=" DESSERT", kcal="1,200"), example(2, "x", note="")]
    assert apply_rules(rules, some).fires.tolist() == [
        [True, True, False, False],
        [False, False, True, True],
    ]


def test_the_columns_stand_in_the_experts_order_without_the_disabled():
    rules = [rule(3, 1), rule(1, 2, against=True), rule(2, 1, enabled=False)]
    matrix = apply_rules(rules, [example(5, "rice"), example(6, "soup")])
    assert matrix.rule_ids == (1, 3)
    assert matrix.votes(5) == [
        Vote(rule_id=1, label_id=2, against=True),
        Vote(rule_id=3, label_id=1),
    ]
    assert matrix.votes(6) == []
    assert matrix.votes(99) == []
    assert matrix.coverage == 0.5


@given(st.lists(bodies, min_size=1, max_size=4), st.lists(examples, max_size=6))
@settings(max_examples=50)
def test_a_corpus_tried_again_and_again_says_what_the_examples_say(several, some):
    some = [example(i, e.text, **e.metadata) for i, e in enumerate(some)]
    rules = [
        rule(i, 3, any=b.any, all=b.all, none=b.none, scope=b.scope) for i, b in enumerate(several)
    ]
    corpus = Corpus.of(some)
    told = apply_rules(rules, some)
    again = apply_rules(rules, corpus)
    assert (again.labels == told.labels).all()
    assert again.example_ids == told.example_ids
    for i, coded in enumerate(rules):
        assert fires(coded.body, corpus).tolist() == told.fires[:, i].tolist()


@given(st.lists(bodies, min_size=1, max_size=3), st.lists(examples, min_size=1, max_size=9))
@settings(max_examples=50)
def test_reading_in_parts_changes_nothing(several, some):
    some = [example(i, e.text, **e.metadata) for i, e in enumerate(some)]
    likeness = Similar(("e1",))
    given = {likeness: np.arange(len(some)) % 3 == 0}
    rules = [
        rule(i, 3, any=(*b.any, likeness), all=b.all, none=b.none, scope=b.scope)
        for i, b in enumerate(several)
    ]
    whole = apply_rules(rules, some, given).labels
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(votes, "_CHUNK", 2)
        assert (apply_rules(rules, some, given).labels == whole).all()


@pytest.mark.parametrize(
    "condition",
    [Similar(("e1", "e2"), 0.7), Answer("keto", 3, ("yes",), 0.8), Votes("crowd", "0123abcd")],
)
def test_what_no_text_tells_is_handed_in(condition):
    coded = rule(1, 7, any=(), all=(condition, Keywords(("rice",))))
    some = [example(1, "rice"), example(2, "rice"), example(3, "soup")]
    known = {condition: np.array([True, False, True])}
    assert apply_rules([coded], some, known).fires[:, 0].tolist() == [True, False, False]
    with pytest.raises(InputError, match="not known yet"):
        apply_rules([coded], some)


def test_votes_made_elsewhere_make_the_same_matrix():
    rules = [rule(1, 1), rule(2, 2, against=True)]
    made = apply_rules(rules, [example(5, "rice"), example(6, "soup")])
    votes = {i: made.votes(i) for i in (5, 6)} | {7: [Vote(rule_id=9, label_id=1)]}
    again = matrix_of(rules, [5, 6], votes)
    assert again.rule_ids == made.rule_ids
    assert (again.labels == made.labels).all()


def test_nothing_in_nothing_out():
    assert apply_rules([], [example(1, "x")]).labels.shape == (1, 0)
    assert math.isnan(apply_rules([rule(1, 1)], []).coverage)


HOSTILE = {
    "(": "missing )",
    "(?=a)b": "perl operator",
    r"(a)\1": "escape",
    "a{2000}": "repetition",
    "[z-a]": "range",
    "((a{100}){100}){100}": "repetition",
    r"\pL{900}": "too large",
    ".{900}x": "too large",
    "(a|b)*a(a|b){900}d": "too large",
    "[ab]{700}": "too large",
    "x" * 1_000_000: "Keep it under",
    "\ud800": "half a character",
}


@pytest.mark.parametrize("pattern", HOSTILE, ids=lambda p: ascii(p[:20]))
def test_a_hostile_pattern_is_refused_at_once_with_the_rules_name(pattern):
    start = time.perf_counter()
    with pytest.raises(InputError) as caught:
        check_rule(rule(1, 1, any=(Regex(pattern),)).body)
    assert time.perf_counter() - start < 1
    assert "r1" in str(caught.value)
    assert HOSTILE[pattern] in str(caught.value)
    assert len(str(caught.value)) < 1500


@pytest.mark.parametrize(
    "pattern", [r"^(a+)+$", r"(((((a*)*)*)*)*)*$", r"(a|aa)+$", r"(.*.*)*=x", r"a[ab]{590}c"]
)
@pytest.mark.parametrize(
    "text", ["a" * 100_000 + "!", "abb" * 33_000, "\0" * 1000, "a\ud800b" * 1000]
)
def test_a_hostile_text_is_answered_within_a_second(pattern, text):
    start = time.process_time()
    apply_rules([rule(1, 1, any=(Regex(pattern),))], [example(1, text)])
    assert time.process_time() - start < 1


def test_many_costly_patterns_in_a_rule_are_refused():
    costly = tuple(Regex(f"[ab]{{300}}{letter}") for letter in "xyz")
    check_rule(rule(1, 1, any=costly[:1]).body)
    with pytest.raises(InputError, match="too large"):
        check_rule(rule(1, 1, any=costly).body)


def test_a_pattern_that_is_slow_on_many_texts_is_stopped(monkeypatch):
    # RE2 is given no time at all, so that any pattern is too slow.
    monkeypatch.setattr(patterns, "_PATIENCE_S", -1)
    read = []
    texts = CountedTexts([b"a"] * 5000, read)
    with pytest.raises(InputError, match=r"'a\+' takes too long"):
        patterns._search(["a+"], texts)
    assert sum(read) <= 1000


class CountedTexts(list):
    def __init__(self, items, read):
        super().__init__(items)
        self.read = read

    def __getitem__(self, which):
        part = super().__getitem__(which)
        self.read.append(len(part))
        return part


@pytest.mark.parametrize(
    "condition",
    [
        Keywords(tuple(f"w{i}" for i in range(5000))),
        Keywords(tuple(f"w{i}*" for i in range(5000)), tuple(f"w{i} w{i}" for i in range(5000))),
        Fuzzy(tuple(f"word{i}" for i in range(200)), 60),
        Fuzzy(("w1 w2 w3 w4 w5",), 60),
        Number(1, 2),
    ],
    ids=["words", "beginnings", "fuzzy", "neighbours", "number"],
)
def test_long_lists_over_a_long_text_are_answered_within_a_second(condition):
    text = " ".join(f"w{i % 900}" for i in range(20_000)) + " " + "1,000." * 1000
    start = time.process_time()
    apply_rules([rule(1, 1, any=(condition,))], [example(1, text)])
    assert time.process_time() - start < 1


def test_a_hundred_large_patterns_fit_together():
    # RE2 would end the process if a set outgrew its memory.
    rules = [rule(i, 1, any=(Regex(rf"\pL{{2}}{i}x.{{10}}"),)) for i in range(120)]
    assert apply_rules(rules, [example(1, "ab7x0123456789")]).fires.sum() == 1


@pytest.mark.parametrize(
    "condition", [Keywords(("rice", "!?")), Phrase("--"), Keywords(("*",)), Fuzzy(("?",))]
)
def test_words_without_letters_are_refused(condition):
    with pytest.raises(InputError, match="no letter"):
        check_rule(rule(1, 1, any=(condition,)).body)


def test_a_report_counts_votes_overlaps_conflicts_and_errors():
    rules = [
        rule(1, 1, any=(Phrase("a"),)),
        rule(2, 2, any=(Phrase("b"),)),
        rule(3, 1, against=True, any=(Phrase("c"),)),
    ]
    some = [example(i, text) for i, text in enumerate(["a", "a b", "a c", "b c", "c", ""])]
    scores = rule_report(apply_rules(rules, some), rules, {0: 1, 1: 2, 4: 1, 3: 2})
    first, second, third = scores
    assert (first.fires, first.coverage, first.overlap) == (3, 0.5, 2 / 6)
    assert (first.conflict, second.conflict, third.conflict) == (2 / 6, 1 / 6, 1 / 6)
    assert (first.accuracy.value, first.accuracy.n, first.wrong) == (0.5, 2, (1,))
    assert (second.accuracy.value, second.wrong, second.alone) == (1.0, (), ())
    assert (third.accuracy.value, third.wrong, third.alone) == (0.5, (4,), (4,))
    assert first.alone == (0,)


def test_a_rule_that_never_fires_has_an_unknown_accuracy():
    score = rule_report(apply_rules([rule(1, 1)], [example(1, "x")]), [rule(1, 1)], {1: 1})[0]
    assert score.fires == 0
    assert math.isnan(score.accuracy.value)
