"""Limits that services tell in headers, in all the forms they have."""

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import RefusedRequestError
from studio.providers.base import RateLimits
from studio.providers.rate_limits import read_rate_limits
from tests.providers.helpers import QUESTION, ask, completion, error


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("20ms", 0.02),
        ("1.5", 1.5),
        ("1h2m3.5s", 3723.5),
        ("0", 0.0),
        ("0s", 0.0),
        ("2d", 172_800.0),
        ("1760000000", None),  # a point in time
        ("2026-11-22T00:00:00Z", None),
        ("-1s", None),
        ("1s later", None),
        ("s", None),
        ("nan", None),
        ("٣s", None),
        ("", None),
    ],
)
def test_a_reset_is_seconds_or_unknown(told, seconds):
    assert read_rate_limits({"x-ratelimit-reset-tokens": told}).tokens_reset_s == seconds


@pytest.mark.parametrize(
    ("told", "count"),
    [
        ("0", 0),
        ("10000", 10_000),
        ("100, 100;w=60", 100),
        ("-1", None),
        ("many", None),
        ("1.5", None),
        ("9" * 400, None),
        ("²", None),
    ],
)
def test_a_count_is_a_whole_number_or_unknown(told, count):
    assert read_rate_limits({"x-ratelimit-limit-requests": told}).requests == count


@given(st.dictionaries(st.sampled_from(["limit", "remaining", "reset"]), st.text()))
def test_no_header_makes_it_fail(told):
    headers = {f"x-ratelimit-{what}-tokens": value for what, value in told.items()}
    read_rate_limits(headers)


def test_the_latest_reply_counts_errors_included():
    replies = [
        httpx2.Response(200, json=completion(), headers={"X-RateLimit-Limit-Requests": "60"}),
        httpx2.Response(200, json=completion()),
        error(400, headers={"x-ratelimit-remaining-tokens": "7"}),
    ]

    async def do(provider):
        seen = [provider.limits]
        for _ in range(2):
            await provider.classify(QUESTION)
            seen.append(provider.limits)
        with pytest.raises(RefusedRequestError):
            await provider.classify(QUESTION)
        return [*seen, provider.limits]

    seen = ask(lambda _: replies.pop(0), do)
    assert seen == [None, RateLimits(requests=60), RateLimits(), RateLimits(tokens_left=7)]
