"""Which conditions of rules hold on which texts, in a few passes over all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.analysis.patterns import check_pattern, search_patterns
from studio.analysis.words import check_words, search_words
from studio.domain.conditions import (
    Column,
    Condition,
    Keywords,
    Length,
    Number,
    Phrase,
    Regex,
)

Bools = NDArray[np.bool_]

# 1,000.50 and -3 and .5, not the 12 of B12 and not the 15 of 3.14.15; units may follow.
_NUMBER = re.compile(
    r"(?:(?<!\S)[-−])?(?<!\w)(?<!\d\.)(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|\.\d+)"
)


def holds(
    conditions: Sequence[Condition], texts: Sequence[str], rows: Sequence[dict[str, str]]
) -> dict[Condition, Bools]:
    """Tell of each condition on which texts it holds.

    Args:
        conditions: What to look for; repeated ones are looked for once.
        texts: The n texts that text conditions read.
        rows: The n metadata rows that column conditions read.

    Returns:
        For each condition, n truths. A column condition on a missing column is false.

    Raises:
        InputError: If a pattern or a keyword cannot be used.
    """
    distinct = tuple(dict.fromkeys(conditions))
    found: dict[Condition, Bools] = {}
    found |= search_words([c for c in distinct if isinstance(c, Keywords | Phrase)], texts)
    found |= search_patterns([c for c in distinct if isinstance(c, Regex)], texts)
    found |= _hold_lengths([c for c in distinct if isinstance(c, Length)], texts)
    found |= _hold_numbers([c for c in distinct if isinstance(c, Number)], texts)
    for condition in distinct:
        if isinstance(condition, Column):
            found[condition] = _holds_column(condition, rows)
    return found


def check_condition(condition: Condition) -> None:
    """Refuse a condition that can never be matched.

    Raises:
        InputError: For a pattern that RE2 refuses, and for words without a letter or digit.
    """
    if isinstance(condition, Regex):
        check_pattern(condition.pattern)
    elif isinstance(condition, Keywords | Phrase):
        check_words(condition)


def _hold_lengths(conditions: Sequence[Length], texts: Sequence[str]) -> dict[Condition, Bools]:
    units = {c.unit for c in conditions}
    sizes: dict[str, NDArray[Any]] = {}
    if "words" in units:
        sizes["words"] = np.array([len(text.split()) for text in texts])
    if "characters" in units:
        sizes["characters"] = np.array([len(text) for text in texts])
    return {c: _within(sizes[c.unit], c.min, c.max) for c in conditions}


def _hold_numbers(conditions: Sequence[Number], texts: Sequence[str]) -> dict[Condition, Bools]:
    if not conditions:
        return {}
    numbers = [numbers_in(text) for text in texts]
    where = np.repeat(np.arange(len(texts)), [len(found) for found in numbers])
    flat = np.array([number for found in numbers for number in found], dtype=np.float64)
    result: dict[Condition, Bools] = {}
    for condition in conditions:
        held = np.zeros(len(texts), dtype=np.bool_)
        held[where[_within(flat, condition.min, condition.max)]] = True
        result[condition] = held
    return result


def numbers_in(text: str) -> list[float]:
    """Return the numbers that stand in a text, as people read them.

    >>> numbers_in("-3 of 1,200.50 kcal, 12g, no B12, v3.14.15")
    [-3.0, 1200.5, 12.0]
    """
    return [float(n.replace(",", "").replace("−", "-")) for n in _NUMBER.findall(text)]


def _holds_column(condition: Column, rows: Iterable[dict[str, str]]) -> Bools:
    values = {value.strip().casefold() for value in condition.values}
    known: dict[str | None, bool] = {None: False}
    truths = []
    for row in rows:
        value = row.get(condition.name)
        if value not in known:
            known[value] = _cell_holds(str(value), condition, values)
        truths.append(known[value])
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
