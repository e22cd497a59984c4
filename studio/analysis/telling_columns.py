"""Columns that tell the label by themselves: where one comes from the answer, figures flatter."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

FEWEST = 40
SHARE = 0.97
"""A column tells the label when it is right of so many examples it was not learnt from."""
_FOLDS = 5


def tells_label(values: Sequence[str], labels: Sequence[str]) -> bool:
    """Return whether a column's value alone tells the label, of examples it was not learnt from.

    A number is cut into at most eight ranges, any other value stands for itself. Nothing is
    claimed of fewer than 40 examples with a value, nor where always naming the most frequent label
    errs less than four times as often.

    Args:
        values: The column's value of each example; empty where it has none.
        labels: Their gold labels.

    >>> grams = [str(n % 40) for n in range(200)]
    >>> tells_label(grams, ["keto" if int(g) <= 9 else "not_keto" for g in grams])
    True
    >>> tells_label([f"dish {n}" for n in range(200)], ["keto", "not_keto"] * 100)
    False
    """
    known = [(v.strip(), label) for v, label in zip(values, labels, strict=True) if v.strip()]
    if len(known) < FEWEST:
        return False
    numbers = [_number(value) for value, _ in known]
    named = [label for _, label in known]
    given = (
        _by_value([value for value, _ in known], named)
        if None in numbers
        else _by_range([n for n in numbers if n is not None], named)
    )
    right = sum(g == label for g, label in zip(given, named, strict=True)) / len(named)
    majority = Counter(named).most_common(1)[0][1] / len(named)
    return right >= SHARE and 0 < 1 - majority >= 4 * (1 - right)


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _by_value(values: Sequence[str], labels: Sequence[str]) -> list[str | None]:
    """Say of each example what the others of its value mostly are; None where there are none."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for value, label in zip(values, labels, strict=True):
        counts[value][label] += 1
    found: list[str | None] = []
    for value, label in zip(values, labels, strict=True):
        others = counts[value] - Counter([label])
        found.append(others.most_common(1)[0][0] if others else None)
    return found


def _by_range(values: Sequence[float], labels: Sequence[str]) -> list[str | None]:
    import numpy as np
    from sklearn.tree import DecisionTreeClassifier

    x, y = np.array(values).reshape(-1, 1), np.array(labels, dtype=object)
    fold = np.arange(len(y)) % _FOLDS
    said = np.empty(len(y), dtype=object)
    for k in range(_FOLDS):
        tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(x[fold != k], y[fold != k])
        said[fold == k] = tree.predict(x[fold == k])
    return list(said)
