"""Which conditions of rules hold on which texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.analysis.corpus import Bools, Cells, Corpus
from studio.analysis.fuzzy import check_fuzzy, search_fuzzy
from studio.analysis.patterns import check_patterns, search_patterns
from studio.analysis.words import check_words, search_words
from studio.domain.conditions import (
    Column,
    Condition,
    Fuzzy,
    Keywords,
    Length,
    Number,
    Phrase,
    Regex,
)
from studio.errors import InputError


def holds(
    conditions: Sequence[Condition], corpus: Corpus, given: Mapping[Condition, Bools]
) -> dict[Condition, Bools]:
    """Tell of each condition on which texts it holds.

    Args:
        conditions: What to look for; repeated ones are looked for once.
        corpus: The n texts that text conditions read, and the rows that column conditions read.
        given: n truths of each condition that no text tells (`conditions.GIVEN`).

    Returns:
        For each condition, n truths. A column condition on a missing column is false.

    Raises:
        InputError: If a pattern or a keyword cannot be used, or truths are not given.
    """
    distinct = tuple(dict.fromkeys(conditions))
    found = search_patterns([c for c in distinct if isinstance(c, Regex)], corpus)
    return found | {c: _holds(c, corpus, given) for c in distinct if not isinstance(c, Regex)}


def _holds(condition: Condition, corpus: Corpus, given: Mapping[Condition, Bools]) -> Bools:
    match condition:
        case Keywords() | Phrase():
            return search_words(condition, corpus)
        case Fuzzy():
            return search_fuzzy(condition, corpus)
        case Length(unit, low, high):
            return _within(corpus.sizes[unit], low, high)
        case Number():
            return _holds_number(condition, corpus)
        case Column():
            return _holds_column(condition, corpus.column(condition.name))
    if condition not in given:
        raise InputError(
            f"It is not known yet which of the examples it {condition}.",
            next_step="Start a run of the rules: it finds out first.",
        )
    return given[condition]


def check_conditions(conditions: Sequence[Condition]) -> None:
    """Refuse conditions of a rule that can never be matched, or only at too high a cost.

    Raises:
        InputError: For a pattern that RE2 refuses, and for words without a letter or digit.
    """
    check_patterns(c.pattern for c in conditions if isinstance(c, Regex))
    for condition in conditions:
        if isinstance(condition, Keywords | Phrase):
            check_words(condition)
        elif isinstance(condition, Fuzzy):
            check_fuzzy(condition)


def _holds_number(condition: Number, corpus: Corpus) -> Bools:
    numbers, owner = corpus.numbers
    held = np.zeros(len(corpus), dtype=np.bool_)
    held[owner[_within(numbers, condition.min, condition.max)]] = True
    return held


def _holds_column(condition: Column, cells: Cells) -> Bools:
    values = {value.strip().casefold() for value in condition.values}
    known: dict[str | None, bool] = {None: False}
    truths = []
    for cell in cells:
        if cell not in known:
            known[cell] = _cell_holds(str(cell), condition, values)
        truths.append(known[cell])
    return np.array(truths, dtype=np.bool_)


def _cell_holds(cell: str, condition: Column, values: set[str]) -> bool:
    if values:
        return cell.strip().casefold() in values
    try:
        number = np.array([float(cell.strip().replace(",", ""))])
    except ValueError:
        return False
    return bool(_within(number, condition.min, condition.max)[0])


def _within(numbers: NDArray[Any], low: float | None, high: float | None) -> Bools:
    held: Bools = np.isfinite(numbers)
    if low is not None:
        held &= numbers >= low
    if high is not None:
        held &= numbers <= high
    return held
