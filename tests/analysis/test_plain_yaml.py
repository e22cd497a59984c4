"""Files of rules that anybody may have written are read, or refused in a sentence, at once."""

from __future__ import annotations

import pytest
import yaml

from studio.analysis import plain_yaml
from studio.analysis.plain_yaml import MAX_CHARACTERS, MAX_VALUES, load_words, load_yaml
from studio.domain.coded_rationale import parse_rule
from studio.errors import InputError

LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 10)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = {
    "billion laughs": (LAUGHS, "repeats a named part"),
    "merge": ("a: &a {x: 1}\nb: {<<: *a}", "repeats a named part"),
    "itself": ("&a [*a]", "repeats a named part"),
    "deep list": ("[" * 100_000, "nested more than 20"),
    "deep block": ("- " * 100_000, "nested more than 20"),
    "deep mapping": ("{a: " * 50_000, "nested more than 20"),
    "many values": ("[" + "x," * 400_000 + "]", f"more than {MAX_VALUES:,}"),
    "long": ("x" * (MAX_CHARACTERS + 1), "more than 1,000,000"),
    "huge number": ("a: " + "9" * 100_000, "number or date"),
    "no date": ("a: 2024-13-45", "number or date"),
    "null byte": ("a: \0", "cannot be read"),
    "half a character": ("a: \ud800", "half a character"),
    "python": ("!!python/object/apply:os.system [x]", "cannot be read in line 1"),
    "unclosed": ("name: [", "cannot be read in line"),
    "no truth": ("a: !!bool foo", "number or date"),
    "no moment": ("a: !!timestamp 9", "number or date"),
}
WORDS = {"huge number", "no date", "no truth", "no moment"}
"""These are texts where only words are read."""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence(name):
    text, words = HOSTILE[name]
    with pytest.raises(InputError) as caught:
        load_yaml(text)
    assert words in str(caught.value)
    assert caught.value.next_step
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("loader", [plain_yaml._Loader, yaml.SafeLoader])
@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - WORDS))
def test_a_hostile_file_is_refused_where_only_words_are_read(monkeypatch, loader, name):
    monkeypatch.setattr(plain_yaml, "_Loader", loader)
    with pytest.raises(InputError) as caught:
        load_words(HOSTILE[name][0], but=("a", "b"))
    assert caught.value.next_step


@pytest.mark.parametrize("name", sorted(WORDS))
def test_what_is_no_number_is_refused_where_one_belongs(name):
    text, words = HOSTILE[name]
    with pytest.raises(InputError, match=words):
        load_words(text, but=("a",))
    assert load_words(text)["a"] == text.rpartition(" ")[2]


@pytest.mark.parametrize("loader", [plain_yaml._Loader, yaml.SafeLoader])
def test_words_stay_as_they_were_written(monkeypatch, loader):
    monkeypatch.setattr(plain_yaml, "_Loader", loader)
    words = ["yes", "no", "on", "Off", "true", "False", "1.50", "010", "12:30", "0x1f", "1_000",
             "2024-01-02", ".inf", "<<", "="]  # fmt: skip
    assert load_words(f"[{', '.join(words)}]") == words
    assert list(load_words("".join(f"{word}: x\n" for word in [*words, "null"]))) == [
        *words,
        "null",
    ]
    assert load_words("a: \nb: ~\nc: null\nd: ''\n") == {"a": None, "b": None, "c": None, "d": ""}
    assert load_words("{min: 1.50, a: {min: '2'}, max: [3], no: {no: no}}", but=("min", "max")) == {
        "min": 1.5, "a": {"min": "2"}, "max": ["3"], "no": {"no": "no"},
    }  # fmt: skip
    assert load_words("") is None


def test_no_value_is_made_of_a_file_that_repeats_itself(monkeypatch):
    monkeypatch.setattr(yaml, "load", lambda *_, **__: pytest.fail("values were made"))
    monkeypatch.setattr(plain_yaml, "_words", lambda *_: pytest.fail("values were made"))
    for read in (load_yaml, load_words):
        with pytest.raises(InputError):
            read(LAUGHS)


def test_the_slow_loader_says_the_same(monkeypatch):
    monkeypatch.setattr(plain_yaml, "_Loader", yaml.SafeLoader)
    for name in ("billion laughs", "deep list", "huge number", "python", "unclosed"):
        with pytest.raises(InputError):
            load_yaml(HOSTILE[name][0])
    assert load_yaml("a: [1, yes, é]") == {"a": [1, True, "é"]}


BOMB = ["x"] * 10
for _ in range(9):
    BOMB = [BOMB] * 10
NAMED = {"name": "a", "label": "b", "any": [{"phrase": "c"}]}
VALUES = {"bomb": BOMB, "huge": 10**5000, "bytes": b"x" * 10**6, "long": "x" * 10**6}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize(
    "place",
    [
        lambda v: {**NAMED, "name": v},
        lambda v: {**NAMED, "label": v},
        lambda v: {**NAMED, "decisive": v},
        lambda v: {**NAMED, "any": v},
        lambda v: {**NAMED, "any": [v]},
        lambda v: {**NAMED, "any": [{"phrase": v}]},
        lambda v: {**NAMED, "any": [{"keywords": v}]},
        lambda v: {**NAMED, "any": [{"keywords": {"words": [v]}}]},
        lambda v: {**NAMED, "any": [{"fuzzy": {"words": ["a"], "min": v}}]},
        lambda v: {**NAMED, "any": [{"number": {"min": v}}]},
        lambda v: {**NAMED, "any": [{"length": {"unit": v, "min": 1}}]},
        lambda v: {**NAMED, "any": [{"answer": {"prompt": "p", "version": v, "is": ["b"]}}]},
        lambda v: {**NAMED, "any": [{"votes": {"source": "s", "hash": v}}]},
        lambda v: {**NAMED, "any": [{"regex": v}]},
    ],
)
def test_no_value_is_printed_whole_in_a_refusal(place, value):
    with pytest.raises(InputError) as caught:
        parse_rule(place(value))
    assert len(str(caught.value)) < 600
