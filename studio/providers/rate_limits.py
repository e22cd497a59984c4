"""What the headers of a reply say of a service's limits."""

from __future__ import annotations

import re
from collections.abc import Mapping

from studio.providers.base import RateLimits
from studio.providers.failures import first_of

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
