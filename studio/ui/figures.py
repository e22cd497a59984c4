"""Numbers as people read them; an unknown one is "unknown", never 0."""

from __future__ import annotations

import math

from studio.domain.evaluation import Figure

UNKNOWN = "unknown"
METRIC_NAMES = {"accuracy": "accuracy", "macro_f1": "macro-F1"}


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


def percent(share: float | None, *, digits: int = 1) -> str:
    """Return a share as percent.

    >>> percent(0.4561)
    '45.6 %'
    >>> percent(None)
    'unknown'
    """
    if share is None or math.isnan(share):
        return UNKNOWN
    return f"{100 * share:.{digits}f} %"


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun.

    >>> count(1, "example"), count(1200, "example")
    ('1 example', '1,200 examples')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def money(usd: float | None) -> str:
    r"""Return an amount of money; small ones keep the digits that matter.

    >>> money(0), money(0.00123), money(12.5), money(None)
    ('$0', '$0.0012', '$12.50', 'unknown')
    """
    if usd is None or math.isnan(usd):
        return UNKNOWN
    if usd == 0:
        return "$0"
    return f"${usd:,.2f}" if abs(usd) >= 0.1 else f"${usd:.2g}"


def duration(seconds: float | None) -> str:
    """Return a time span in the unit people would say it in.

    >>> duration(0.4), duration(42), duration(150), duration(9000)
    ('under 1 s', '42 s', '2 min 30 s', '2 h 30 min')
    """
    if seconds is None or math.isnan(seconds):
        return UNKNOWN
    if seconds < 1:
        return "under 1 s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
