"""Keywords and phrases, looked up in the index of all words."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from studio.analysis.corpus import Bools, Corpus
from studio.analysis.word_index import Places, WordIndex
from studio.domain.conditions import Keywords, Phrase
from studio.domain.example import normalise
from studio.errors import InputError


@lru_cache(maxsize=1 << 16)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a keyword or phrase as they are looked for.

    Raises:
        InputError: If it has none.

    >>> words_of("Ice-cream*")
    ('ice', 'cream')
    """
    words = tuple(normalise(text).split())
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
    if isinstance(condition, Phrase):
        condition = Keywords((condition.phrase.rstrip("* "),))
    inside = _inside(condition.excepted, index)
    found = []
    for size, starts in _spans(condition.words, index):
        hidden = None if inside is None else inside[starts + size] != inside[starts]
        found.append(starts if hidden is None else starts[~hidden])
    held = np.zeros(len(corpus), dtype=np.bool_)
    held[index.owner[np.concatenate(found)]] = True
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
