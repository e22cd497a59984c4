"""Numbers as people read them; an unknown one is "unknown", never 0."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from studio.domain.amounts import UNKNOWN, count, duration, money, percent
from studio.domain.evaluation import Figure
from studio.domain.report import METRIC_NAMES
from studio.domain.run import Method

__all__ = [
    "UNKNOWN", "confidence_help", "count", "duration", "figure_text", "metric_name", "money",
    "percent", "percent_span", "percent_text",
]  # fmt: skip


def figure_text(figure: Figure | None, *, digits: int = 3) -> str:
    """Return a figure with its interval and n, as it stands in one cell.

    >>> figure_text(Figure(value=0.812, low=0.7701, high=0.85, n=312))
    '0.812 [0.77, 0.85] n=312'
    >>> figure_text(None)
    'unknown'
    """
    if figure is None:
        return UNKNOWN
    if math.isnan(figure.value):
        return f"{UNKNOWN} n={figure.n:,}"
    ends = max(digits - 1, 1)
    return (
        f"{figure.value:.{digits}f} [{figure.low:.{ends}f}, {figure.high:.{ends}f}] n={figure.n:,}"
    )


def metric_name(metric: str) -> str:
    """Return a metric as people write it.

    >>> metric_name("macro_f1")
    'macro-F1'
    """
    return METRIC_NAMES.get(metric, metric)


def percent_span(figure: Figure) -> str:
    """Return the interval of a share, and n, to stand below it.

    >>> percent_span(Figure(value=0.708, low=0.594, high=0.8, n=312))
    '[59, 80] % n=312'
    """
    return f"{_ends(figure)} % n={figure.n:,}"


def percent_text(figure: Figure, *, digits: int = 1) -> str:
    """Return a share as percent with its interval; n has a cell of its own.

    >>> percent_text(Figure(value=0.708, low=0.594, high=0.8, n=312))
    '70.8 % [59, 80]'
    """
    return f"{percent(figure.value, digits=digits)} {_ends(figure)}"


def confidence_help(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return what kind the confidences of these rows are; different kinds do not compare.

    Args:
        rows: Each with a `method`, None where there is no confidence.

    >>> confidence_help([{"method": "votes"}, {"method": None}])
    'How sure the model is of its label: share of several votes of the model, not a probability'
    >>> confidence_help([{"method": "votes"}, {"method": "rules"}])[:57]
    'How sure the model is. Do not compare one kind with anoth'
    """
    kinds = Counter(row["method"] for row in rows if row["method"])
    if len(kinds) > 1:
        told = "; ".join(f"{n} × {Method(kind).words()}" for kind, n in kinds.most_common())
        return f"How sure the model is. Do not compare one kind with another: {told}"
    return ": ".join(["How sure the model is of its label", *(Method(k).words() for k in kinds)])


def _ends(share: Figure) -> str:
    return f"[{100 * share.low:.0f}, {100 * share.high:.0f}]"
