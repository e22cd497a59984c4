"""Keywords and phrases, looked up in the index of all words."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from studio.analysis.corpus import Bools, Corpus
from studio.analysis.word_index import Places, WordIndex
from studio.domain.conditions import Keywords, Phrase
from studio.domain.example import normalise
from studio.errors import InputError


def words_of(text: str) -> list[str]:
    """Return the words of a keyword or phrase as they are looked for.

    Raises:
        InputError: If it has none.

    >>> words_of("Ice-cream*")
    ['ice', 'cream']
    """
    words = normalise(text).split()
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
    phrases = (condition.phrase,) if isinstance(condition, Phrase) else condition.words
    for phrase in (*phrases, *(getattr(condition, "excepted", ()))):
        words_of(phrase)


def search_words(condition: Keywords | Phrase, corpus: Corpus) -> Bools:
    """Tell in which texts the words of a condition stand.

    Raises:
        InputError: As `check_words`.
    """
    index = corpus.words
    held = np.zeros(len(corpus), dtype=np.bool_)
    if isinstance(condition, Phrase):
        held[index.owner[index.starts(words_of(condition.phrase))]] = True
        return held
    dead = _inside(condition.excepted, index)
    for size, starts in _spans(condition.words, index):
        alive = starts
        if dead is not None:
            alive = starts[dead[starts + size] == dead[starts]]
        held[index.owner[alive]] = True
    return held


def _inside(phrases: Iterable[str], index: WordIndex) -> NDArray[np.int64] | None:
    """Return of each place how many before it lie inside one of the phrases; None for none."""
    spans = list(_spans(phrases, index))
    if not any(starts.size for _, starts in spans):
        return None
    inside = np.zeros(index.ids.size + 1, dtype=np.int64)
    for size, starts in spans:
        for k in range(size):
            inside[starts + k + 1] = 1
    return np.cumsum(inside)


def _spans(phrases: Iterable[str], index: WordIndex) -> Iterable[tuple[int, Places]]:
    """Yield of each phrase how many words it has and where it stands."""
    for phrase in phrases:
        words = words_of(phrase)
        yield len(words), index.starts(words, open_end=phrase.rstrip().endswith("*"))
