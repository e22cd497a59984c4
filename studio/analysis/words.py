"""Keywords and phrases, found by one Aho-Corasick pass over normalised texts.

A text is padded with spaces, so a word boundary is a space and knows every alphabet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ahocorasick
import numpy as np
from numpy.typing import NDArray

from studio.domain.conditions import Condition, Keywords, Phrase
from studio.domain.example import normalise
from studio.errors import InputError

_MARK = "\x1f"
_PLAIN = bytes(i if chr(i) == _MARK else ord(normalise(chr(i)) or " ") for i in range(128))
_PLAIN += bytes(128)  # bytes.translate wants 256


@dataclass(frozen=True)
class _Needles:
    """What to look for in ` padded text `: needles that count, and needles that blank out."""

    wanted: tuple[str, ...]
    excepted: tuple[str, ...]


def _needles(condition: Keywords | Phrase) -> _Needles:
    if isinstance(condition, Phrase):
        return _Needles(wanted=(f" {_words(condition.phrase)} ",), excepted=())
    return _Needles(
        wanted=tuple(_needle(word) for word in condition.words),
        excepted=tuple(_needle(word) for word in condition.excepted),
    )


def _needle(word: str) -> str:
    """Return ` word ` or, for `word*`, ` word` so that any ending follows.

    >>> _needle("Noodle*"), _needle("ice-cream")
    (' noodle', ' ice cream ')
    """
    return f" {_words(word)}" if word.rstrip().endswith("*") else f" {_words(word)} "


def _words(text: str) -> str:
    words = normalise(text)
    if not words:
        raise InputError(
            f"The keyword {text!r} has no letter and no digit.",
            next_step="Use words, or a regex for signs.",
        )
    return words


def check_words(condition: Keywords | Phrase) -> None:
    """Refuse words that can never be found.

    Raises:
        InputError: For words without a letter or digit.
    """
    _needles(condition)


def search_words(
    conditions: Sequence[Keywords | Phrase], texts: Sequence[str]
) -> dict[Condition, NDArray[np.bool_]]:
    """Tell of each condition in which texts its words stand.

    Raises:
        InputError: As `check_words`.
    """
    if not conditions:
        return {}
    needles = [_needles(c) for c in conditions]
    number = {n: i for i, n in enumerate({w: 0 for s in needles for w in (*s.wanted, *s.excepted)})}
    hits = _find(number, texts)
    held = np.zeros((len(conditions), len(texts)), dtype=np.bool_)
    owners, which = _owners([[number[w] for w in dict.fromkeys(s.wanted)] for s in needles], hits)
    held[owners, hits.text[which]] = True
    for row, needle in enumerate(needles):
        if needle.excepted:
            _hold_back(
                held[row], hits, [[number[w] for w in g] for g in (needle.wanted, needle.excepted)]
            )
    return dict(zip(conditions, held, strict=True))


@dataclass(frozen=True)
class _Hits:
    """All hits in text order: text, needle, and the span of its words without the padding."""

    text: NDArray[np.int64]
    needle: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


def _owners(wanted: list[list[int]], hits: _Hits) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs (condition, index of a hit): a hit counts for every condition that wants it."""
    pairs = sorted((needle, row) for row, needles in enumerate(wanted) for needle in needles)
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    low = np.searchsorted(table[:, 0], hits.needle, "left")
    times = np.searchsorted(table[:, 0], hits.needle, "right") - low
    within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    return table[np.repeat(low, times) + within, 1], np.repeat(np.arange(len(times)), times)


def _hold_back(held: NDArray[np.bool_], hits: _Hits, groups: list[list[int]]) -> None:
    """Take back, in place, the truths that rest only on words inside excepted phrases."""
    wanted, excepted = (np.isin(hits.needle, group) for group in groups)
    spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for i in np.flatnonzero(excepted).tolist():
        spans[int(hits.text[i])].append((int(hits.start[i]), int(hits.end[i])))
    free: set[int] = set()
    touched = np.zeros(len(held), dtype=np.bool_)
    touched[list(spans)] = True
    for i in np.flatnonzero(wanted & touched[hits.text]).tolist():
        text, start, end = int(hits.text[i]), int(hits.start[i]), int(hits.end[i])
        if text not in free and all(end <= low or start >= high for low, high in spans[text]):
            free.add(text)
    touched[list(free)] = False
    held[touched] = False


def _find(needles: dict[str, int], texts: Sequence[str]) -> _Hits:
    """Find all needles: many texts in one long string, a mark between them, so it is few calls."""
    automaton: Any = ahocorasick.Automaton()
    for needle, i in needles.items():
        automaton.add_word(needle, i)
    automaton.make_automaton()
    plain = np.array([text.isascii() and _MARK not in text for text in texts], dtype=np.bool_)
    found = [np.zeros((3, 0), dtype=np.int64)]
    for rows, join in ((np.flatnonzero(plain), _join_ascii), (np.flatnonzero(~plain), _join_any)):
        if rows.size:
            joined, bounds = join([texts[i] for i in rows.tolist()])
            hits = np.array(list(automaton.iter(joined)), dtype=np.int64).reshape(-1, 2)
            owners = rows[np.searchsorted(bounds, hits[:, 0], "right")]
            found.append(np.stack([owners, *hits.T]))
    text, last, which = np.concatenate(found, axis=1)
    lengths = np.array([len(n.strip()) for n in needles], dtype=np.int64)
    closed = np.array([n.endswith(" ") for n in needles], dtype=np.int64)
    end = last + 1 - closed[which]
    return _Hits(text=text, needle=which, start=end - lengths[which], end=end)


def _join_ascii(texts: Sequence[str]) -> tuple[str, NDArray[np.int64]]:
    """Return ASCII texts normalised and padded in one string, and where the marks stand in it.

    The same as `normalise` text by text, which would be most of the work of one rule.
    """
    joined = f" {f' {_MARK} '.join(texts)} ".encode("ascii").translate(_PLAIN)
    letters = np.frombuffer(joined, dtype=np.uint8)
    space = letters == ord(" ")
    space[1:] &= space[:-1]
    space[0] = False
    letters = letters[~space]
    return letters.tobytes().decode("ascii"), np.flatnonzero(letters == ord(_MARK))


def _join_any(texts: Sequence[str]) -> tuple[str, NDArray[np.int64]]:
    padded = [f" {normalise(text)} " for text in texts]
    return _MARK.join(padded), np.cumsum([len(text) + 1 for text in padded]) - 1
