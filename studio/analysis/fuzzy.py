"""Words that are nearly those of the text: a misspelt one is found too.

What is compared are the distinct words of all texts, or their distinct neighbours, not the texts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from studio.analysis.corpus import Bools, Corpus
from studio.analysis.word_index import WordIndex
from studio.analysis.words import words_of
from studio.domain.conditions import Fuzzy
from studio.errors import InputError

MAX_NEIGHBOURS = 5
# So many comparisons are held at a time, 4 bytes each.
_BLOCK = 4_000_000


def check_fuzzy(condition: Fuzzy) -> None:
    """Refuse words that cannot be compared.

    Raises:
        InputError: For words without a letter or digit, and for whole sentences.
    """
    for word in condition.words:
        if len(words_of(word)) > MAX_NEIGHBOURS:
            raise InputError(
                f"The fuzzy words {word!r} are more than {MAX_NEIGHBOURS}.",
                next_step="Give the words that matter, one by one or a few together.",
            )


def search_fuzzy(condition: Fuzzy, corpus: Corpus) -> Bools:
    """Tell in which texts some word, or some neighbouring words, are nearly those of a condition.

    Raises:
        InputError: As `check_fuzzy`.
    """
    check_fuzzy(condition)
    held = np.zeros(len(corpus), dtype=np.bool_)
    by_size: dict[int, list[str]] = {}
    for words in map(words_of, condition.words):
        by_size.setdefault(len(words), []).append(" ".join(words))
    for size, needles in by_size.items():
        held[_owners(size, list(dict.fromkeys(needles)), condition.min, corpus.words)] = True
    return held


def _owners(size: int, needles: list[str], least: float, index: WordIndex) -> NDArray[np.int32]:
    """Return the texts in which some `size` neighbouring words are nearly one of the needles."""
    windows = index.windows(size)
    lengths = index.lengths[index.ids[windows.first[:, None] + np.arange(size)]].sum(axis=1)
    lengths += size - 1
    # Two texts of n and m letters have at most 2 min(n, m) letters in common.
    sizes = np.array([len(needle) for needle in needles])
    factor = least / (200 - least)
    possible = np.flatnonzero(
        (lengths >= sizes.min() * factor - 1) & (lengths <= sizes.max() / factor + 1)
    )
    near = np.zeros(windows.first.size, dtype=np.bool_)
    step = max(1, _BLOCK // len(needles))
    for start in range(0, possible.size, step):
        block = possible[start : start + step]
        said = [
            " ".join(index.words[i] for i in index.ids[first : first + size].tolist())
            for first in windows.first[block].tolist()
        ]
        alike = process.cdist(needles, said, scorer=fuzz.ratio, score_cutoff=least)
        near[block] = (alike > 0).any(axis=0)
    return index.owner[windows.places[near[windows.which]]]
