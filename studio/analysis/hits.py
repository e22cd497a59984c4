"""Where in one text the words stand that make a rule fire, so that people can see them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from rapidfuzz import fuzz

from studio.analysis.corpus import numbers_at
from studio.analysis.patterns import places_of
from studio.analysis.words import words_of
from studio.domain.coded_rationale import RuleBody
from studio.domain.conditions import Condition, Fuzzy, Keywords, Number, Phrase, Regex
from studio.domain.example import normalise

MOST_LETTERS = 20_000
"""Of a longer text only the beginning is looked at."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Word:
    said: str
    start: int
    end: int


def find_hits(body: RuleBody, text: str) -> tuple[Span, ...]:
    """Return where the words of a rule's `all` and `any` stand in a text, in order.

    Conditions on length, columns, likeness, answers and votes point at no words.

    Args:
        body: The rule; it was checked.
        text: The text it reads.

    >>> from studio.domain.coded_rationale import parse_rule
    >>> words = {"words": ["rice", "noodle*"], "except": ["cauliflower rice"]}
    >>> rule = parse_rule({"name": "starch", "label": "a", "any": [{"keywords": words}]})
    >>> find_hits(rule, "Fried RICE, cauliflower rice")
    ((6, 10),)
    """
    text = text[:MOST_LETTERS]
    words = list(_words(text))
    found = {hit for c in (*body.all, *body.any) for hit in _hits(c, text, words)}
    return tuple(sorted(hit for hit in found if hit[1] > hit[0]))


def _hits(condition: Condition, text: str, words: Sequence[_Word]) -> Iterator[Span]:
    match condition:
        case Keywords(wanted, excepted):
            yield from _keywords(wanted, excepted, words)
        case Phrase(phrase):
            yield from _keywords((phrase.rstrip("* "),), (), words)
        case Fuzzy(wanted, least):
            yield from _fuzzy(wanted, least, words)
        case Regex(pattern):
            yield from places_of(pattern, text)
        case Number(low, high):
            for number, start, end in numbers_at(text):
                if (low is None or number >= low) and (high is None or number <= high):
                    yield start, end


def _words(text: str) -> Iterator[_Word]:
    """Yield the words as rules read them, each with its place in the text as it is written."""
    at = 0
    for is_word, letters in groupby(text, _is_letter):
        piece = "".join(letters)
        if is_word:
            for said in normalise(piece).split():
                yield _Word(said, at, at + len(piece))
        at += len(piece)


@lru_cache(maxsize=1 << 12)
def _is_letter(sign: str) -> bool:
    return bool(normalise(sign)) or bool(unicodedata.combining(sign))


def _keywords(wanted: Iterable[str], excepted: Iterable[str], words: Sequence[_Word]) -> list[Span]:
    hidden = {i for phrase in excepted for first, size in _places(phrase, words)
              for i in range(first, first + size)}  # fmt: skip
    return [
        (words[first].start, words[first + size - 1].end)
        for phrase in wanted
        for first, size in _places(phrase, words)
        if not hidden.intersection(range(first, first + size))
    ]


def _places(phrase: str, words: Sequence[_Word]) -> Iterator[tuple[int, int]]:
    """Yield where a phrase stands: its first word, and how many it has."""
    *before, last = words_of(phrase)
    open_end = phrase.rstrip().endswith("*")
    size = len(before) + 1
    for end in range(size - 1, len(words)):
        said = words[end].said
        if said != last and not (open_end and said.startswith(last)):
            continue
        first = end - size + 1
        if all(words[first + k].said == word for k, word in enumerate(before)):
            yield first, size


def _fuzzy(wanted: Iterable[str], least: float, words: Sequence[_Word]) -> Iterator[Span]:
    for needle in map(words_of, wanted):
        size = len(needle)
        for first in range(len(words) - size + 1):
            window = words[first : first + size]
            said = " ".join(word.said for word in window)
            if fuzz.ratio(" ".join(needle), said, score_cutoff=least):
                yield window[0].start, window[-1].end
