"""Texts that many rules are tried on: what they have in common is made once and kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from studio.analysis.word_index import WordIndex, index_words
from studio.domain.example import Example

Bools = NDArray[np.bool_]
Cells = Sequence[str | None]

# 1,000.50 and -3 and .5, not the 12 of B12 and not the 15 of 3.14.15; units may follow. It begins
# with a look at one letter, which takes half the time of trying it everywhere.
_NUMBER = re.compile(
    r"(?=[-−.\d])(?:(?<!\S)[-−])?(?<!\w)(?<!\d\.)(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|\.\d+)"
)


@dataclass(frozen=True, eq=False)
class Corpus:
    """n texts with their metadata, and what rules read of them.

    Nothing is computed before a rule needs it, and nothing twice: the second rule that is tried on
    a corpus costs its own search only.

    Attributes:
        ids: int64, the examples' numbers in the workspace.
        texts: What text conditions read.
        column: Returns the n values of a metadata column, None where it is missing.
    """

    ids: NDArray[np.int64]
    texts: Sequence[str]
    column: Callable[[str], Cells]
    _kept: dict[str, tuple[Corpus, Bools]] = field(default_factory=dict, repr=False)

    @staticmethod
    def of(examples: Sequence[Example]) -> Corpus:
        """Return the corpus of these examples.

        >>> from studio.domain.example import Split
        >>> one = Example(id=7, external_id="a", text="Rice", split=Split.TRAIN)
        >>> corpus = Corpus.of([one])
        >>> corpus.ids.tolist(), corpus.column("course")
        ([7], [None])
        """
        return Corpus(
            ids=np.array([e.id for e in examples], dtype=np.int64),
            texts=[e.text for e in examples],
            column=lambda name: [e.metadata.get(name) for e in examples],
        )

    def __len__(self) -> int:
        return len(self.texts)

    def reading(self, scope: str) -> tuple[Corpus, Bools]:
        """Return what a rule of this scope reads, and where there is anything to read.

        Args:
            scope: "text", or a metadata column; an example without it has an empty text here.
        """
        if scope == "text":
            return self, np.ones(len(self), dtype=np.bool_)
        if scope not in self._kept:
            cells = self.column(scope)
            known = np.array([cell is not None for cell in cells], dtype=np.bool_)
            texts = [cell or "" for cell in cells]
            self._kept[scope] = (Corpus(self.ids, texts, self.column), known)
        return self._kept[scope]

    @cached_property
    def words(self) -> WordIndex:
        """Where each word stands."""
        return index_words(self.texts)

    @cached_property
    def encoded(self) -> list[bytes]:
        """The texts as RE2 reads them."""
        return [text.encode("utf-8", "replace") for text in self.texts]

    @cached_property
    def sizes(self) -> dict[str, NDArray[np.int64]]:
        """How long each text is in words, between blanks, and in characters."""
        return {
            "words": np.array([len(text.split()) for text in self.texts], dtype=np.int64),
            "characters": np.array([len(text) for text in self.texts], dtype=np.int64),
        }

    @cached_property
    def numbers(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """All numbers that stand in the texts, and the text each stands in."""
        found = [numbers_in(text) for text in self.texts]
        owner = np.repeat(np.arange(len(found)), [len(numbers) for numbers in found])
        return np.array([n for numbers in found for n in numbers], dtype=np.float64), owner


def numbers_in(text: str) -> list[float]:
    """Return the numbers that stand in a text, as people read them.

    >>> numbers_in("-3 of 1,200.50 kcal, 12g, no B12, v3.14.15")
    [-3.0, 1200.5, 12.0]
    """
    return [_value(number) for number in _NUMBER.findall(text)]


def numbers_at(text: str) -> list[tuple[float, int, int]]:
    """Return the same numbers, each with where it begins and ends in the text.

    >>> numbers_at("no B12, 12g")
    [(12.0, 8, 10)]
    """
    return [(_value(match[0]), *match.span()) for match in _NUMBER.finditer(text)]


def _value(number: str) -> float:
    return float(number.replace(",", "").replace("−", "-"))
