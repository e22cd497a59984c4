"""The words of many texts as numbers, and where each word stands: built once, asked many times.

Words are those of `normalise`, so a boundary is a space in every alphabet. The index of 100,000
short texts takes a few MB, and asking it for a word takes microseconds, whatever the texts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from studio.domain.example import normalise

Places = NDArray[np.int64]

_MARK = "\x01"
_PLAIN = bytes(i if chr(i) == _MARK else ord(normalise(chr(i)) or " ") for i in range(128))
# What is not ASCII was normalised before, and stays as it is.
_PLAIN += bytes(range(128, 256))
# A split text takes ten times its room, so few are split at a time.
_PIECE = 4_000_000
_NOWHERE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Windows:
    """The runs of some neighbouring words that stand in the texts.

    Attributes:
        places: Where a run begins.
        which: The number of the distinct run that begins there.
        first: Of each distinct run one place where it begins.
    """

    places: Places
    which: Places
    first: Places


@dataclass(frozen=True, eq=False)
class WordIndex:
    """Where the words of n texts stand.

    Attributes:
        ids: int32, every text's words in order as numbers, and a 0 after each text.
        vocabulary: Word to its number, in order of the numbers; the first, 0, is no word.
    """

    ids: NDArray[np.int32]
    vocabulary: dict[str, int]
    _windows: dict[int, Windows] = field(default_factory=dict, repr=False)

    @cached_property
    def owner(self) -> NDArray[np.int32]:
        """The text that each place belongs to."""
        ends = self.ids == 0
        owner: NDArray[np.int32] = np.cumsum(ends, dtype=np.int32) - ends
        return owner

    @cached_property
    def words(self) -> list[str]:
        """The words by their numbers."""
        return list(self.vocabulary)

    def places(self, number: int) -> Places:
        """Return where a word stands, in order."""
        order, first = self._inverted
        return order[first[number] : first[number + 1]]

    def starts(self, needle: Sequence[str], *, open_end: bool = False) -> Places:
        """Return where these words stand next to each other: the places of the first, in order.

        Args:
            needle: One word or more, normalised.
            open_end: Whether any ending of the last word counts.
        """
        if len(needle) == 1 and not open_end:
            number = self.vocabulary.get(needle[0])
            return _NOWHERE if number is None else self.places(number)
        last = self._with_prefix(needle[-1]) if open_end else self._numbers(needle[-1:])
        rest = self._numbers(needle[:-1])
        if not last or len(rest) < len(needle) - 1:
            return _NOWHERE
        if not rest:
            found = [self.places(number) for number in last]
            return found[0] if len(found) == 1 else np.sort(np.concatenate(found))
        rarest = min(range(len(rest)), key=lambda k: self.places(rest[k]).size)
        starts = self.places(rest[rarest]) - rarest
        starts = starts[(starts >= 0) & (starts + len(rest) < self.ids.size)]
        for k, number in enumerate(rest):
            starts = starts[self.ids[starts + k] == number]
        return starts[np.isin(self.ids[starts + len(rest)], last)]

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """How many letters each word has, by its number."""
        return np.array([len(word) for word in self.words], dtype=np.int64)

    def windows(self, size: int) -> Windows:
        """Return all runs of so many words, within one text each."""
        if size not in self._windows:
            places = np.arange(max(0, self.ids.size - size + 1))
            for k in range(size):
                places = places[self.ids[places + k] != 0]
            order, begins = self._inverted
            which, first = self.ids[places].astype(np.int64) - 1, order[begins[1:-1]]
            # Numbered anew with each further word, so that the product stays small.
            for k in range(1, size):
                pairs = which * len(self.vocabulary) + self.ids[places + k]
                _, first, which = np.unique(pairs, return_index=True, return_inverse=True)
                first = places[first]
            self._windows[size] = Windows(places=places, which=which, first=first)
        return self._windows[size]

    def _numbers(self, words: Sequence[str]) -> list[int]:
        return [self.vocabulary[word] for word in words if word in self.vocabulary]

    def _with_prefix(self, prefix: str) -> list[int]:
        ordered = self._ordered
        low = bisect_left(ordered, prefix)
        high = bisect_left(ordered, prefix + "\U0010ffff", low)
        return [self.vocabulary[word] for word in ordered[low:high]]

    @cached_property
    def _ordered(self) -> list[str]:
        return sorted(self.words[1:])

    @cached_property
    def _inverted(self) -> tuple[Places, list[int]]:
        """All places ordered by the number of the word there, and where each number begins.

        numpy sorts 16 bits by counting, ten times as fast as more: so the halves one by one.
        """
        order = np.argsort((self.ids & 0xFFFF).astype(np.uint16), kind="stable")
        if len(self.vocabulary) > 1 << 16:
            high = (self.ids[order] >> 16).astype(np.uint16)
            order = order[np.argsort(high, kind="stable")]
        counts = np.bincount(self.ids, minlength=len(self.vocabulary))
        return order, [0, *np.cumsum(counts).tolist()]


def index_words(texts: Sequence[str]) -> WordIndex:
    """Return where the words of these texts stand.

    >>> index = index_words(["Fried RICE!", "rice, fried"])
    >>> index.owner[index.starts(["fried", "rice"])].tolist()
    [0]
    """
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    numbers[_MARK] = 0
    parts = [np.zeros(0, dtype=np.int32)]
    for piece in _pieces(texts):
        words = _split(piece)
        parts.append(np.fromiter(map(numbers.__getitem__, words), np.int32, len(words)))
    return WordIndex(ids=np.concatenate(parts), vocabulary=dict(numbers))


def _pieces(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    start = size = 0
    for end, text in enumerate(texts, 1):
        size += len(text)
        if size >= _PIECE or end == len(texts):
            yield texts[start:end]
            start, size = end, 0


def _split(texts: Sequence[str]) -> list[str]:
    """Return the words of the texts, a mark after each text.

    The same as `normalise` text by text, which would take longer than all the rest.
    """
    plain = [t if t.isascii() and _MARK not in t else normalise(t) for t in texts]
    joined = f"{f' {_MARK} '.join(plain)} {_MARK}".encode()
    return joined.translate(_PLAIN).decode().split()
