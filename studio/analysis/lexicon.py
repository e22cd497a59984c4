"""The words of examples: in which texts they stand, their other forms, and whom they speak for."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from studio.analysis.sentence import is_content
from studio.domain.example import normalise

_ALIKE = 85
_LONG = 8
_PRIOR = 0.1


@dataclass(frozen=True, slots=True)
class WordOdds:
    """How much more a word stands in texts of a label than in others.

    Attributes:
        word: The word.
        inside, outside: Texts of the label, and others, that have it.
        z: Log-odds ratio over its standard error, shrunk towards what all texts use.
    """

    word: str
    inside: int
    outside: int
    z: float


class Lexicon:
    """The words of some texts.

    >>> words = Lexicon(["Fried rice", "rice noodles", "one noodle", "ricotta"])
    >>> words.forms("noodle"), words.forms("rice")
    (('noodle', 'noodles'), ('rice',))
    >>> words.where("fried rice").tolist()
    [0]
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.padded = [f" {normalise(text)} " for text in texts]

    @cached_property
    def counts(self) -> Counter[str]:
        """In how many texts each word stands."""
        return self._count(range(len(self.padded)))

    def _count(self, which: Iterable[int]) -> Counter[str]:
        return Counter(word for i in which for word in set(self.padded[i].split()))

    @cached_property
    def _kin(self) -> dict[str, list[str]]:
        kin = defaultdict(list)
        for word in self.counts:
            kin[stem(word)].append(word)
        return kin

    def forms(self, word: str) -> tuple[str, ...]:
        """Return the singular and plural of a word that the texts use, by how many use them."""
        found = self._kin.get(stem(word), [])
        return tuple(sorted(found, key=lambda w: (-self.counts[w], w)))

    def misspelt(self, word: str) -> tuple[str, ...]:
        """Return rarer words that look like a long word spelt wrong."""
        if len(word) < _LONG:
            return ()
        from rapidfuzz.fuzz import ratio

        # Same first letter and about the same length: people rarely err there, and it is quick.
        near = (
            w for w, n in self.counts.items()
            if w[0] == word[0] and abs(len(w) - len(word)) <= 2 and 4 * n <= self.counts[word]
            and stem(w) != stem(word)
        )  # fmt: skip
        return tuple(sorted(w for w in near if ratio(w, word) >= _ALIKE))

    def where(self, *phrases: str) -> NDArray[np.int64]:
        """Return which texts have one of the words or phrases."""
        needles = [f" {phrase} " for phrase in phrases]
        return np.array(
            [i for i, text in enumerate(self.padded) if any(n in text for n in needles)],
            dtype=np.int64,
        )

    def odds(self, inside: Iterable[int], outside: Iterable[int]) -> list[WordOdds]:
        """Return the content words by how clearly they speak for the texts inside, best first.

        Log-odds with a prior of what all texts use (Monroe, Colaresi and Quinn 2008), so that a
        rare word needs more than luck.
        """
        counted = [self._count(side) for side in (inside, outside)]
        total = sum(self.counts.values())
        strength = _PRIOR * total
        sizes = [sum(side.values()) for side in counted]
        found = []
        for word in counted[0].keys() | counted[1].keys():
            if not is_content(word):
                continue
            prior = strength * self.counts[word] / total
            terms = [
                (side[word] + prior, size + strength)
                for side, size in zip(counted, sizes, strict=True)
            ]
            odds = [math.log((k + 0.5) / (n - k + 0.5)) for k, n in terms]
            z = (odds[0] - odds[1]) / math.sqrt(sum(1 / k for k, _ in terms))
            found.append(WordOdds(word, counted[0][word], counted[1][word], z))
        return sorted(found, key=lambda w: (-w.z, w.word))


def stem(word: str) -> str:
    """Return a word without its plural ending.

    >>> [stem(word) for word in ("berries", "dishes", "noodles", "glass", "couscous", "pies")]
    ['berry', 'dish', 'noodle', 'glass', 'couscous', 'pie']
    """
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y" if len(word) > 5 else word[:-1]
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses", "zes", "oes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
