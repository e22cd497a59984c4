"""How fast a job goes lately."""

from __future__ import annotations

import math

MEMORY_S = 15.0
MEMORY_STEPS = 8.0


class Pace:
    """Steps a second over about the last 15 seconds, or the last 8 steps where these took longer.

    Steps and seconds are forgotten at the same speed, so that their ratio is right from the first
    moment; what takes minutes a step is not forgotten between two steps.

    Args:
        now: When the job was taken up; seconds.
        longest_gap_s: Time between two looks above this is a clock that jumped, or a process that
            was suspended: it does not count.
        before: The rate known from before, told until there is one of our own.

    >>> pace = Pace(0.0, longest_gap_s=15.0)
    >>> pace.start(100)
    >>> [pace.rate(100 + 5 * second, float(second)) for second in (1, 2, 3)]
    [5.0, 5.0, 5.0]
    """

    def __init__(self, now: float, *, longest_gap_s: float, before: float | None = None) -> None:
        self._at = now
        self._longest_gap_s = longest_gap_s
        self._before = before
        self._done: int | None = None
        self._steps = self._seconds = 0.0

    def start(self, done: int) -> None:
        """Say what was done when the job was taken up; only the first time counts."""
        if self._done is None:
            self._done = done

    def rate(self, done: int, now: float) -> float | None:
        """Return the steps a second lately; None while nothing can be said."""
        gap, self._at = now - self._at, now
        if self._done is None:
            return self._before
        fresh, self._done = max(0, done - self._done), done
        if not 0 <= gap <= self._longest_gap_s:
            return self._told()
        kept = math.exp(-gap / MEMORY_S)
        if self._steps * kept >= MEMORY_STEPS:
            self._steps *= kept
            self._seconds *= kept
        self._steps += fresh
        self._seconds += gap
        return self._told()

    def _told(self) -> float | None:
        if self._steps < 1 or self._seconds < 1:
            return self._before
        return self._steps / self._seconds
