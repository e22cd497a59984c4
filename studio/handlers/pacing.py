"""How fast a service is asked: what it allows, what it refuses, and when it is left alone."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

from studio.errors import ProviderError
from studio.providers.base import Provider, RateLimits

MOST_MISSES = 8
PATIENCE_S = 120.0
BACKOFF_S = 0.5
LONGEST_S = 30.0
FIRST_WINDOW = 4.0
WINDOW_S = 60.0  # of what a service's limits are for; its reset times say when they are full again


class Bucket:
    """At most `rate` units a second, spread evenly: no burst larger than a second's worth.

    >>> bucket = Bucket(rate=2.0, now=0.0)
    >>> [bucket.take(1, 0.0), bucket.take(1, 0.0), bucket.take(1, 0.0)]
    [0.0, 0.0, 0.5]
    """

    def __init__(self, rate: float, now: float) -> None:
        self.rate, self._level, self._at = rate, max(1.0, rate), now

    def take(self, amount: float, now: float) -> float:
        """Take units and return 0, or take none and return the seconds until there are enough."""
        most = max(1.0, self.rate, amount)
        self._level = min(most, self._level + (now - self._at) * self.rate)
        self._at = now
        if self._level >= amount - 1e-9:
            self._level -= amount
            return 0.0
        return (amount - self._level) / self.rate

    def give_back(self, amount: float) -> None:
        """Return units that were taken and not used."""
        self._level += amount


class Pacer:
    """One service's pace, shared by everything in this process that asks it.

    A hosted service is asked a few questions at once at first, more with each answer, half as
    many after each 429, which also closes the gate for all until the service wants to be asked
    again. Where its replies tell limits, requests and tokens are spread evenly below them. After
    `MOST_MISSES` questions in a row that nobody answered only one at a time tries whether the
    service is back, more and more rarely, for `PATIENCE_S`.

    Attributes:
        misses: Questions in a row that nobody answered.

    Args:
        gentle: Start with a few questions; a server of this machine needs no such care.
        clock: Seconds of a clock that never jumps.
    """

    def __init__(self, *, gentle: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._window = FIRST_WINDOW if gentle else math.inf
        self._threshold = math.inf
        self._flying = 0
        self._requests: Bucket | None = None
        self._tokens: Bucket | None = None
        self._gate = 0.0
        self.misses = 0
        self._closures = 0
        self._silent_since: float | None = None
        self._failed_at = 0.0
        self._urgent_first_until = 0.0

    @property
    def is_broken(self) -> bool:
        """Whether so many questions in a row went unanswered that only one is tried at a time."""
        return self.misses >= MOST_MISSES

    def admit(self, tokens: int, *, urgent: bool = False) -> float:
        """Let one question go and return 0, or return the seconds after which to ask again.

        Args:
            tokens: About how many tokens it has.
            urgent: A short preview: it passes before long runs, though not through a closed gate.
        """
        now = self._clock()
        if now < self._gate:
            return self._gate - now
        if self.is_broken and self._flying:
            return 0.05
        if not urgent and (self._flying >= self._window or now < self._urgent_first_until):
            return 0.02
        wait = self._take(tokens, now)
        if wait and urgent:
            self._urgent_first_until = now + wait + 0.1
        if not wait:
            if not self._flying and now - max(self._gate, self._failed_at) > PATIENCE_S:
                self._silent_since, self._closures = None, 0  # nobody asked: that is no silence
            self._flying += 1
        return wait

    def _take(self, tokens: int, now: float) -> float:
        if self._requests is not None and (wait := self._requests.take(1, now)):
            return wait
        if self._tokens is not None and (wait := self._tokens.take(tokens, now)):
            if self._requests is not None:
                self._requests.give_back(1)
            return wait
        return 0.0

    def answered(self, limits: RateLimits | None = None) -> None:
        """Note an answer, whatever it said, and the limits told with it."""
        self._flying -= 1
        self.misses = self._closures = 0
        self._silent_since = None
        self._window += 1.0 if self._window < self._threshold else 1.0 / self._window
        self._hear(limits)

    def throttled(self, retry_after_s: float | None, limits: RateLimits | None = None) -> None:
        """Note a 429: nobody asks before the service wants it, and then at half the pace."""
        self._flying -= 1
        now = self._clock()
        if now >= self._gate:  # one closure halves the pace once, however many were under way
            flying = self._flying + 1.0
            self._window = self._threshold = max(1.0, min(self._window, flying) / 2)
            self._closures += 1
        wait = retry_after_s
        if wait is None:
            wait = _jittered(BACKOFF_S * 2 ** min(self._closures - 1, 8))
        self._gate = max(self._gate, now + wait)
        # A wait it names is when one may ask again; its reset is when all of a limit is free.
        self._hear(limits, waits=retry_after_s is None)
        self._silent_since, self._failed_at = self._silent_since or now, now

    def missed(self, retry_after_s: float | None = None) -> None:
        """Note a question nobody answered; after many in a row the service is left alone.

        Args:
            retry_after_s: How long it asked us to wait, all of us, with its failure.
        """
        self._flying -= 1
        self.misses += 1
        now = self._clock()
        self._silent_since, self._failed_at = self._silent_since or now, now
        self._gate = max(self._gate, now + (retry_after_s or 0.0))
        if self.is_broken:
            tries = self.misses - MOST_MISSES
            self._gate = max(self._gate, now + _jittered(BACKOFF_S * 2 ** min(tries, 8)))

    def dropped(self) -> None:
        """Note a question that was given up by us."""
        self._flying -= 1

    def is_hopeless(self, error: ProviderError) -> bool:
        """Return whether nothing was answered for so long that asking on is of no use."""
        waited = self._clock() - (self._silent_since or self._clock())
        named = getattr(error, "retry_after_s", None) or 0.0
        return waited >= max(PATIENCE_S, 2 * named) and (self.is_broken or self._closures > 2)

    def _hear(self, limits: RateLimits | None, *, waits: bool = True) -> None:
        if limits is None:
            return
        now = self._clock()
        self._requests = _adjusted(self._requests, limits.requests, now)
        self._tokens = _adjusted(self._tokens, limits.tokens, now)
        for left, reset in (
            (limits.requests_left, limits.requests_reset_s),
            (limits.tokens_left, limits.tokens_reset_s),
        ):
            if waits and left == 0 and reset:
                self._gate = max(self._gate, now + min(reset, WINDOW_S))


def _adjusted(bucket: Bucket | None, a_minute: int | None, now: float) -> Bucket | None:
    if not a_minute or a_minute < 0:
        return bucket
    rate = a_minute / WINDOW_S
    if bucket is None or bucket.rate != rate:
        return Bucket(rate, now)
    return bucket


def _jittered(seconds: float) -> float:
    """Return between half and all of it, so that many do not come back at one moment."""
    return min(seconds, LONGEST_S) * (0.5 + random.random() / 2)  # noqa: S311 - no secret


class Pacers:
    """The pacers of a worker: all its runs that ask one service share that service's pacer."""

    def __init__(self) -> None:
        self._known: dict[str, Pacer] = {}

    def of(self, service: Provider) -> Pacer:
        """Return the pacer of a service."""
        pacer = self._known.get(service.identity)
        if pacer is None:
            pacer = self._known[service.identity] = Pacer(gentle=not service.is_local)
        return pacer
