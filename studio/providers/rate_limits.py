"""What the headers of a reply say of a service's limits, and of when to ask again."""

from __future__ import annotations

import datetime
import email.utils
import re
from collections.abc import Mapping

from studio.providers.base import RateLimits

_LONGEST_S = 31 * 86_400.0  # beyond, it is a point in time and no wait
_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)(ms|us|ns|[dhms])", re.ASCII)
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,15})?", re.ASCII)


def read_rate_limits(headers: Mapping[str, str]) -> RateLimits:
    """Return what the x-ratelimit headers say; what cannot be read is None.

    Args:
        headers: Of a reply; the names may be asked for in any case.

    >>> told = {"x-ratelimit-remaining-requests": "59", "x-ratelimit-reset-requests": "1m0.5s"}
    >>> limits = read_rate_limits(told)
    >>> limits.requests_left, limits.requests_reset_s, limits.tokens
    (59, 60.5, None)
    """
    return RateLimits(
        requests=_count(first_of(headers, "x-ratelimit-limit-requests")),
        requests_left=_count(first_of(headers, "x-ratelimit-remaining-requests")),
        requests_reset_s=_duration(first_of(headers, "x-ratelimit-reset-requests")),
        tokens=_count(first_of(headers, "x-ratelimit-limit-tokens")),
        tokens_left=_count(first_of(headers, "x-ratelimit-remaining-tokens")),
        tokens_reset_s=_duration(first_of(headers, "x-ratelimit-reset-tokens")),
    )


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a service asked us to wait; None when it named none we can read.

    It may name a moment instead, which is taken by its own clock where it tells that.

    >>> day = "Wed, 21 Oct 2026"
    >>> retry_after_s({"retry-after": f"{day} 07:28:30 GMT", "date": f"{day} 07:28:00 GMT"})
    30.0
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        told = first_of(headers, name)
        try:
            seconds = float(told) * unit
        except ValueError:
            continue
        if told.isascii() and 0 <= seconds < 1e6:
            return seconds
    moment, now = _moment(headers.get("retry-after", "")), _moment(headers.get("date", ""))
    if moment is None:
        return None
    seconds = (moment - (now or datetime.datetime.now(datetime.UTC))).total_seconds()
    return seconds if 0 < seconds < 1e6 else None  # one that has passed is no wait


def first_of(headers: Mapping[str, str], name: str) -> str:
    """Return a header's first value; one given twice is joined by some transports only.

    >>> first_of({"retry-after": "1, 2"}, "retry-after"), first_of({}, "retry-after")
    ('1', '')
    """
    return headers.get(name, "").partition(",")[0].strip(" \t")


def _moment(told: str) -> datetime.datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(told)
        return (
            found.astimezone(datetime.UTC) if found.tzinfo else found.replace(tzinfo=datetime.UTC)
        )
    except (ValueError, OverflowError):
        return None


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _duration(text: str) -> float | None:
    """Return seconds: "20ms", "1s", "6m0s", or a plain number of seconds."""
    if len(text) > 64:
        return None
    if _NUMBER.fullmatch(text):
        seconds = float(text)
    elif text and not _PART.sub("", text):
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    else:
        return None
    return seconds if seconds <= _LONGEST_S else None
