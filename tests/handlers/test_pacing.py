"""How fast a service is asked: pure logic on a clock of the test's own."""

import hypothesis
import pytest
from hypothesis import strategies as st

from studio.errors import ProviderUnavailableError, RateLimitedError
from studio.handlers import pacing
from studio.handlers.pacing import FIRST_WINDOW, MOST_MISSES, PATIENCE_S, Bucket, Pacer
from studio.providers.base import RateLimits

GONE = ProviderUnavailableError("gone")


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pacer(clock):
    return Pacer(gentle=True, clock=clock)


def admitted(pacer, most=1000, tokens=10, **more):
    """Return how many questions may go now."""
    n = 0
    while n < most and pacer.admit(tokens, **more) == 0:
        n += 1
    return n


@hypothesis.given(
    rate=st.floats(0.5, 500), steps=st.lists(st.floats(0.0, 2.0), min_size=1, max_size=60)
)
def test_a_bucket_never_gives_more_than_its_rate_and_one_second_of_it(rate, steps):
    now = taken = 0.0
    bucket = Bucket(rate, now)
    for step in steps:
        now += step
        while bucket.take(1, now) == 0:
            taken += 1
        assert taken <= rate * now + max(1.0, rate) + 1e-6


def test_a_question_larger_than_a_second_of_the_limit_still_goes(clock):
    bucket = Bucket(10.0, 0.0)
    assert bucket.take(100, 0.0) == pytest.approx(9.0)
    assert bucket.take(100, 9.0) == 0.0


def test_a_hosted_service_is_asked_little_at_first_and_more_with_each_answer(pacer):
    assert admitted(pacer) == FIRST_WINDOW
    for _ in range(4):
        pacer.answered()
    assert admitted(pacer) == 2 * FIRST_WINDOW


def test_our_own_machine_needs_no_such_care(clock):
    assert admitted(Pacer(gentle=False, clock=clock), most=300) == 300


def test_one_429_closes_the_gate_for_all_and_halves_the_pace_once(pacer, clock):
    for _ in range(60):
        pacer.admit(1)
        pacer.answered()
    flying = admitted(pacer)
    assert flying > 60
    for _ in range(5):  # five that were under way come back refused
        pacer.throttled(3.0)
    assert pacer.admit(1) == pytest.approx(3.0)
    assert pacer.admit(1, urgent=True) == pytest.approx(3.0)
    clock.now += 3.0
    for _ in range(flying - 5):
        pacer.dropped()
    assert flying / 2 - 2 <= admitted(pacer) <= flying / 2 + 1


def test_without_a_named_wait_the_gate_closes_longer_each_time(pacer, clock):
    waits = []
    for _ in range(4):
        pacer.admit(1)
        pacer.throttled(None)
        waits.append(pacer.admit(1))
        clock.now += waits[-1]
    for number, wait in enumerate(waits):
        most = pacing.BACKOFF_S * 2**number
        assert most / 2 <= wait <= most


def test_told_limits_are_kept(pacer, clock):
    for _ in range(2000):
        pacer.admit(1)
        pacer.answered(RateLimits(requests=600, tokens=60_000))
    start, n = clock.now, 0
    while clock.now < start + 30:
        clock.now += 0.01
        n += admitted(pacer, tokens=50)
        for _ in range(pacer._flying):
            pacer.answered()
    assert 290 <= n <= 312  # ten a second, and a second's worth at first
    start, n = clock.now, 0
    while clock.now < start + 30:
        clock.now += 0.01
        n += admitted(pacer, tokens=500)
        for _ in range(pacer._flying):
            pacer.answered()
    assert 55 <= n <= 64  # now it is the tokens: a thousand a second


def test_nothing_left_means_to_wait_for_the_reset(pacer):
    pacer.admit(1)
    pacer.answered(RateLimits(requests=600, requests_left=0, requests_reset_s=7.0))
    assert pacer.admit(1) == pytest.approx(7.0)


def test_a_wait_that_is_named_goes_before_the_reset(pacer):
    empty = RateLimits(tokens=150_000, tokens_left=0, tokens_reset_s=360.0)
    pacer.admit(1)
    pacer.throttled(1.0, empty)
    assert pacer.admit(1) == pytest.approx(1.0)
    pacer.throttled(None, empty)
    assert pacer.admit(1) == pytest.approx(pacing.WINDOW_S)


def test_a_failure_that_names_a_wait_is_left_alone_as_long(pacer, clock):
    pacer.admit(1)
    pacer.missed(2.0)
    assert pacer.admit(1) == pytest.approx(2.0)
    clock.now += 2.0
    assert pacer.admit(1) == 0
    pacer.missed()
    assert pacer.admit(1) == 0


def test_a_preview_passes_long_runs_but_no_closed_gate(pacer):
    assert admitted(pacer) == FIRST_WINDOW
    assert pacer.admit(1) > 0
    assert pacer.admit(1, urgent=True) == 0


def test_a_preview_that_waits_for_the_limit_goes_before_long_runs(pacer, clock):
    for _ in range(200):
        pacer.admit(1)
        pacer.answered(RateLimits(requests=60))
    admitted(pacer)
    wait = pacer.admit(1, urgent=True)
    assert wait > 0
    clock.now += wait
    assert pacer.admit(1) > 0
    assert pacer.admit(1, urgent=True) == 0


def test_a_silent_service_is_tried_one_at_a_time_and_ever_more_rarely(pacer, clock):
    waits = []
    for _ in range(MOST_MISSES - 1):
        pacer.admit(1)
        pacer.missed()
    assert not pacer.is_broken
    pacer.admit(1)
    pacer.missed()
    assert pacer.is_broken
    for _ in range(6):
        waits.append(pacer.admit(1))
        clock.now += waits[-1]
        assert admitted(pacer) == 1
        pacer.missed()
    assert waits[-1] > 4 * waits[0]
    clock.now += pacing.LONGEST_S
    assert pacer.admit(1) == 0
    pacer.answered()
    assert not pacer.is_broken
    assert admitted(pacer) >= FIRST_WINDOW


def test_only_long_silence_is_hopeless(pacer, clock):
    for _ in range(MOST_MISSES):
        pacer.admit(1)
        pacer.missed()
    assert not pacer.is_hopeless(GONE)
    clock.now += PATIENCE_S - 1
    assert not pacer.is_hopeless(GONE)
    clock.now += 1
    assert pacer.is_hopeless(GONE)
    pacer.admit(1)
    pacer.answered()
    assert not pacer.is_hopeless(GONE)


def test_a_time_in_which_nobody_asked_is_no_silence(pacer, clock):
    """A run was paused while its service was of no use; people resume it the next day."""
    slow = RateLimitedError("slow", retry_after_s=0.5)
    for _ in range(MOST_MISSES - 1):
        assert pacer.admit(1) == 0
        pacer.missed()
    assert pacer.admit(1) == 0
    pacer.throttled(1.0)
    clock.now += 80_000.0
    for _ in range(3):
        assert pacer.admit(1) == 0
        pacer.throttled(0.5)
        assert not pacer.is_hopeless(slow)
        clock.now += 0.5
    assert pacer.admit(1) == 0
    pacer.missed()
    assert pacer.is_broken
    assert not pacer.is_hopeless(GONE)


def test_a_service_that_names_a_long_wait_gets_it(pacer, clock):
    slow = RateLimitedError("slow", retry_after_s=PATIENCE_S * 3)
    for _ in range(2):
        pacer.admit(1)
        pacer.throttled(slow.retry_after_s)
        clock.now += PATIENCE_S
        assert not pacer.is_hopeless(slow)
        clock.now += 2 * PATIENCE_S
