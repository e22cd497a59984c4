"""How far a pace can be trusted: seconds of work for each thing that came of it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from studio.domain.evaluation import Figure

Floats = NDArray[np.float64]
_DRAWS = 2000
_MANY = 2000
_WIDEST = 100.0


def seconds_each(took: Floats, kept: Floats, *, least: int = 20, seed: int = 0) -> Figure:
    """Return the seconds one kept thing took, with an interval by a bootstrap of pieces of work.

    The logarithm of the ratio is studentised, since times are skewed. Simulated with log-normal
    times, the interval holds the truth in 92 to 96 % of cases from 20 pieces of work on; in 90 %
    of 20 whose times vary a lot (their logarithm by 1.1).

    Args:
        took: Seconds of each piece of work.
        kept: How many things came of each; 0 where it was in vain.
        least: With fewer pieces the figure has no ends; nor has it where they would lie a
            hundredfold apart, as when one pause outweighs all the work.
        seed: Makes it repeatable.

    >>> seconds_each(np.array([2.0, 4.0]), np.array([1.0, 0.0])).value
    6.0
    """
    n = len(took)
    if not kept.sum() or not took.sum():
        return Figure(value=math.nan, low=math.nan, high=math.nan, n=n)
    value, spread = _ratios(took, kept, np.ones((1, n)))
    if n < least:
        return Figure(value=float(value[0]), low=math.nan, high=math.nan, n=n)
    low, high = -1.96, 1.96
    if n <= _MANY:
        drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=_DRAWS)
        values, spreads = _ratios(took, kept, drawn.astype(np.float64))
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (np.log(values) - math.log(value[0])) / spreads
        low, high = np.quantile(t[np.isfinite(t)], [0.025, 0.975]) if spread[0] else (0.0, 0.0)
    ends = np.exp(-np.array([high, low]) * spread[0]) * value[0]
    if ends[1] > _WIDEST * ends[0]:
        ends[:] = math.nan
    return Figure(value=float(value[0]), low=float(ends[0]), high=float(ends[1]), n=n)


def _ratios(took: Floats, kept: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return seconds by things for each row of weights, and the error of its logarithm."""
    with np.errstate(divide="ignore", invalid="ignore"):
        total = weights @ took
        ratio = total / (weights @ kept)
        # The weighted squares of took - ratio * kept, from sums of products.
        squares = (
            weights @ (took * took)
            - 2 * ratio * (weights @ (took * kept))
            + ratio * ratio * (weights @ (kept * kept))
        )
        n = len(took)
        return ratio, np.sqrt(np.maximum(squares, 0.0) * n / max(n - 1, 1)) / total
