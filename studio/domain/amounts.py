"""Amounts as people say them: numbers of things, money, time; unknown is "unknown", never 0."""

from __future__ import annotations

import math
from collections.abc import Sequence

UNKNOWN = "unknown"


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun.

    >>> count(1, "example"), count(1200, "example")
    ('1 example', '1,200 examples')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def some_of(names: Sequence[str], glue: str = ", ") -> str:
    """Return the first names of a list, and how many more there are.

    >>> some_of(["a", "b"], " or "), some_of("abcdefghij")
    ('a or b', 'a, b, c, d, e, f, g, h and 2 more')
    """
    return glue.join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


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


def percent(share: float | None, *, digits: int = 1) -> str:
    """Return a share as percent.

    >>> percent(0.4561), percent(0.4561, digits=0), percent(None)
    ('45.6 %', '46 %', 'unknown')
    """
    if share is None or math.isnan(share):
        return UNKNOWN
    return f"{100 * share:.{digits}f} %"


def roughly(seconds: float | None) -> str:
    """Return a time span that is a guess, and say so where it can be told from none.

    >>> roughly(0.4), roughly(42)
    ('under 1 s', 'about 42 s')
    """
    said = duration(seconds)
    return said if seconds is None or not seconds >= 1 else f"about {said}"


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
