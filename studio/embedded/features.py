"""Words and word pairs as numbers: the part of a trained model that knows single words."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

WEIGHT = 0.7
LIMIT = 50_000
_WORD = re.compile(r"\b\w\w+\b")


class Vocabulary:
    """Terms with their inverse document frequencies; the same arithmetic in training and serving.

    Args:
        terms: Words and word pairs.
        idf: The weight of each.
    """

    def __init__(self, terms: Sequence[str], idf: NDArray[np.float32]) -> None:
        self.terms = tuple(terms)
        self.idf = idf
        self._place = {term: number for number, term in enumerate(self.terms)}

    @classmethod
    def learn(cls, texts: Iterable[str]) -> Vocabulary:
        """Return the vocabulary of some texts, the rarest terms dropped beyond 50,000."""
        seen: Counter[str] = Counter()
        count = 0
        for text in texts:
            count += 1
            seen.update(set(_terms(text)))
        kept = sorted(seen, key=lambda term: (-seen[term], term))[:LIMIT]
        found = np.array([seen[term] for term in kept], dtype=np.float64)
        return cls(kept, (np.log((1 + count) / (1 + found)) + 1).astype(np.float32))

    def weigh(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the places and values of a text's known terms."""
        counts = Counter(
            place for term in _terms(text) if (place := self._place.get(term)) is not None
        )
        places = np.array(sorted(counts), dtype=np.int64)
        values = np.array([counts[place] for place in places.tolist()], dtype=np.float32)
        values = values * self.idf[places]
        length = float(np.sqrt((values**2).sum()))
        return places, (WEIGHT * values / max(length, 1e-9)).astype(np.float32)

    def matrix(self, texts: Sequence[str]) -> Any:
        """Return the terms of texts as a sparse matrix, a row a text."""
        from scipy import sparse

        rows = [self.weigh(text) for text in texts]
        ends = np.cumsum([0, *(len(places) for places, _ in rows)])
        places = np.concatenate([places for places, _ in rows])
        values = np.concatenate([values for _, values in rows]).astype(np.float64)
        return sparse.csr_matrix((values, places, ends), shape=(len(texts), len(self.terms)))


def _terms(text: str) -> list[str]:
    words = _WORD.findall(text.lower())
    return words + [f"{one} {other}" for one, other in itertools.pairwise(words)]
