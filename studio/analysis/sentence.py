"""What an expert's sentence names, denies, excepts and bounds: enough of it to draft rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from studio.domain.example import normalise

_DENY = frozenset({"no", "not", "without", "never", "lacks", "lacking", "minus", "nor", "neither"})
_EXCEPT = frozenset({"unless", "except", "excluding", "besides", "excepting"})
_EXCEPT_PAIRS = frozenset({"other than", "apart from", "but not", "rather than", "instead of"})
_PART = re.compile(r"[.;:!?()\n]|\bbut\b(?! not\b)")
_LIST = re.compile(r"\s*\w+(\s*,\s*\w+)*\s*,?\s*(or|nor)\s+\w+", re.IGNORECASE)
_LIMIT = re.compile(
    r"\b(?P<way>no more than|not more than|more than|over|above|at least|from|under|below|"
    r"less than|fewer than|at most|up to)\s+(?P<number>\d+(?:[.,]\d+)?)\s*(?P<unit>[^\W\d_]+)?",
    re.IGNORECASE,
)
_UPWARD = frozenset({"more than", "over", "above", "at least", "from"})
_REACH = 4
# What experts say about any example, and what says nothing about this one.
_PLAIN = frozenset(
    """
    also always behave behaves case come comes contain containing contains count counts
    decide decides did does done example fine forget goes include includes including judge
    just kind know label leave leaves left like likely look looks made mainly make makes mean
    meaning means mention mentioned mentioning mentions mostly nothing often people person
    put puts really replace replaced rest room said say saying says sit sits sort stay stays
    tell tells text thing things told type use used using usually very way whole word words
    """.split()  # noqa: SIM905 (as a list it would be ninety lines)
)


@dataclass(frozen=True, slots=True)
class Limit:
    """A number the sentence sets: at least `low` or at most `high`, of some unit."""

    low: float | None
    high: float | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a sentence says, in normalised words, each once, in its order.

    Attributes:
        said: Words it speaks of.
        denied: Words after "no", "not", "without" and before "free".
        excepted: Words after "unless", "except" and their like.
        limits: Numbers it sets.
    """

    said: tuple[str, ...]
    denied: tuple[str, ...]
    excepted: tuple[str, ...]
    limits: tuple[Limit, ...]


def read_sentence(text: str) -> Reading:
    """Return what a sentence names, denies, excepts and bounds.

    >>> read = read_sentence("Bread and rice decide it, unless it is cauliflower rice; no sugar.")
    >>> read.said, read.denied, read.excepted
    (('bread', 'rice'), ('sugar',), ('cauliflower rice',))
    >>> read_sentence("More than 30 words").limits
    (Limit(low=30.0, high=None, unit='words'),)
    """
    text = re.sub(r"n['’]t\b", " not", text)
    limits = tuple(_limit(found) for found in _LIMIT.finditer(text))
    found: dict[str, list[str]] = {"said": [], "denied": [], "excepted": []}
    for part in _PART.split(_LIMIT.sub(" ", text)):
        _read_part(part, found)
    aside = {*found["denied"], *found["excepted"]}
    return Reading(
        said=tuple(dict.fromkeys(w for w in found["said"] if w not in aside)),
        denied=tuple(dict.fromkeys(found["denied"])),
        excepted=tuple(dict.fromkeys(found["excepted"])),
        limits=limits,
    )


def is_content(word: str) -> bool:
    """Return whether a normalised word can tell examples apart: no stop word, no number.

    >>> [is_content(word) for word in ("rice", "without", "12", "it")]
    [True, False, False, False]
    """
    return len(word) > 2 and not word.isdigit() and word not in _stop_words()


def is_telling(word: str) -> bool:
    """Return whether a word beside another changes what that means: content, or a denial."""
    return word in _DENY or is_content(word)


@cache
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS) | _PLAIN | _DENY | _EXCEPT


def _limit(found: re.Match[str]) -> Limit:
    number = float(found["number"].replace(",", "."))
    upward = found["way"].casefold() in _UPWARD
    return Limit(number if upward else None, None if upward else number, found["unit"] or "")


def _read_part(part: str, found: dict[str, list[str]]) -> None:
    """Sort the content words of a part without full stop into what is said, denied, excepted."""
    mood, left = "said", 0
    phrase: list[str] = []
    for piece in re.finditer(r",|[^\s,]+", part):
        if piece[0] == ",":
            if mood != "denied" or not _LIST.match(part[piece.end() :]):
                mood = "said"
            continue
        for word in normalise(piece[0]).split():
            phrase = [*phrase[-1:], word]
            if word in _DENY and " ".join(phrase) not in _EXCEPT_PAIRS:
                mood, left = "denied", _REACH
            elif word in _EXCEPT or " ".join(phrase) in _EXCEPT_PAIRS:
                mood, left = "excepted", _REACH
            elif word == "free" and found["said"][-1:] == phrase[:-1]:
                found["denied"].append(found["said"].pop())
            elif is_content(word):
                _put(found, mood, word, phrase)
            left -= mood != "said"
            if left < 0:
                mood = "said"


def _put(found: dict[str, list[str]], mood: str, word: str, phrase: list[str]) -> None:
    """Add a word; an excepted one that follows another is one phrase with it."""
    last = found[mood][-1] if found[mood] else ""
    if mood == "excepted" and last and len(phrase) > 1 and last.split()[-1] == phrase[0]:
        found[mood][-1] = f"{last} {word}"
    else:
        found[mood].append(word)
