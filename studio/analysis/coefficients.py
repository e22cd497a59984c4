"""Agreement beyond chance, with intervals.

Sources: Krippendorff 2011 (alpha, nominal, missing data allowed), Fleiss 1971, Cohen 1960. The
intervals are percentiles of a bootstrap over examples, for two votes on one example are not two
findings. So that full agreement on a handful does not look certain, half an example on which
people differ is added for the draws (never to the value).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from studio.analysis.intervals import UNDEFINED
from studio.domain.evaluation import Figure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_DOUBT = 0.5


def krippendorff_alpha(counts: Ints) -> float:
    """Return Krippendorff's alpha of nominal labels; NaN where all votes are of one label.

    Args:
        counts: How many people gave each label, of shape (examples, labels); examples with fewer
            than two votes do not count.

    >>> krippendorff_alpha(np.array([[2, 0], [0, 2], [1, 0]]))
    1.0
    """
    return float(alphas(counts.astype(np.float64), np.ones((1, len(counts))))[0])


def fleiss_kappa(counts: Ints) -> float:
    """Return the kappa of Fleiss; where examples have unequally many votes, each counts alike.

    Args:
        counts: As for `krippendorff_alpha`.

    Returns:
        NaN where all votes are of one label, or no example has two.
    """
    shared = counts[counts.sum(axis=1) >= 2].astype(np.float64)
    return float(fleiss_kappas(shared, np.ones((1, len(shared))))[0]) if len(shared) else math.nan


def cohen_kappa(matrix: Ints) -> float:
    """Return Cohen's kappa; NaN where both gave one and the same label only.

    Args:
        matrix: Examples by label of the first and label of the second person.

    >>> round(cohen_kappa(np.array([[20, 5], [10, 15]])), 3)
    0.4
    """
    return float(_cohen_of(matrix[None].astype(np.float64))[0])


def bootstrapped(
    counts: Ints,
    statistic: Callable[[Floats, Floats], Floats],
    draws: int,
    seed: int,
    times: Ints | None = None,
) -> Figure:
    """Return a statistic of examples with its bootstrap interval.

    Many examples have the same votes, so patterns are drawn instead of examples.

    Args:
        counts: How many people gave each label, of shape (examples, labels), two votes or more.
        statistic: Of this module, from patterns and how often each is drawn.
        draws: Bootstrap draws.
        seed: Makes it repeatable.
        times: How many examples each row stands for; one each when None.
    """
    n = len(counts) if times is None else int(times.sum())
    if not n:
        return UNDEFINED
    patterns, kind = np.unique(counts, axis=0, return_inverse=True)
    many = np.bincount(kind.ravel(), times).astype(np.int64)
    value = float(statistic(patterns.astype(np.float64), many[None].astype(np.float64))[0])
    doubt = _apart(patterns * many[:, None])
    if doubt is not None:
        patterns = np.concatenate([patterns, doubt[None]])
        many = np.append(many.astype(np.float64), _DOUBT)
    drawn = np.random.default_rng(seed).multinomial(n, many / many.sum(), size=draws)
    values = statistic(patterns.astype(np.float64), drawn.astype(np.float64))
    return _with_ends(value, values, n)


def _apart(counts: Ints) -> Ints | None:
    """Return an example on which two people differ over the two most frequent labels."""
    if counts.shape[1] < 2:
        return None
    row = np.zeros(counts.shape[1], dtype=np.int64)
    row[np.argsort(-counts.sum(axis=0), kind="stable")[:2]] = 1
    return row


def _with_ends(value: float, values: Floats, n: int) -> Figure:
    if math.isnan(value):
        return Figure(value=math.nan, low=math.nan, high=math.nan, n=n)
    low, high = np.nanquantile(np.append(values, value), [0.025, 0.975])
    return Figure(value=value, low=float(min(low, value)), high=float(max(high, value)), n=n)


def alphas(patterns: Floats, weights: Floats) -> Floats:
    """Return alpha of each draw; patterns (u, k), weights (draws, u)."""
    votes = patterns.sum(axis=1, keepdims=True)
    counted = np.where(votes >= 2, patterns, 0.0)
    same = (counted * (counted - 1)).sum(axis=1) / np.maximum(votes[:, 0] - 1, 1)
    each = weights @ counted
    total = each.sum(axis=1)
    observed = total - weights @ same
    expected = (total**2 - (each**2).sum(axis=1)) / np.maximum(total - 1, 1)
    return _beyond_chance(observed, expected)


def fleiss_kappas(patterns: Floats, weights: Floats) -> Floats:
    """Return the kappa of Fleiss of each draw; patterns have two votes or more."""
    share = patterns / patterns.sum(axis=1, keepdims=True)
    n = weights.sum(axis=1)
    each = weights @ share / n[:, None]
    return _beyond_chance(1 - weights @ _same(patterns) / n, 1 - (each**2).sum(axis=1))


def agreed_shares(patterns: Floats, weights: Floats) -> Floats:
    """Return how often two votes on one example are the same, of each draw."""
    agreed: Floats = weights @ _same(patterns) / weights.sum(axis=1)
    return agreed


def _same(counts: Floats) -> Floats:
    """Return the share of pairs of votes that are the same, for each row."""
    votes = counts.sum(axis=1)
    shares: Floats = (counts * (counts - 1)).sum(axis=1) / np.maximum(votes * (votes - 1), 1)
    return shares


def _beyond_chance(observed: Floats, expected: Floats) -> Floats:
    """Return 1 - observed / expected disagreement; NaN where none can be expected."""
    ratio = np.full(len(observed), np.nan)
    np.divide(observed, expected, out=ratio, where=expected > 1e-12)
    return 1 - ratio


def confirmed_shares(patterns: Floats, weights: Floats) -> Floats:
    """Return how often a second vote is of the label in the first column too, of each draw."""
    given, others = patterns[:, 0], patterns.sum(axis=1) - 1
    both, all_ = weights @ (given * (given - 1) / others), weights @ given
    share = np.full(len(weights), np.nan)
    np.divide(both, all_, out=share, where=all_ > 0)
    return share


def cohen_figure(matrix: Ints, draws: int, seed: int) -> Figure:
    """Return Cohen's kappa with its bootstrap interval.

    Args:
        matrix: As for `cohen_kappa`.
        draws: Bootstrap draws.
        seed: Makes it repeatable.
    """
    size, n = len(matrix), int(matrix.sum())
    weights = matrix.astype(np.float64)
    if size > 1:
        often = np.argsort(-(weights.sum(axis=0) + weights.sum(axis=1)), kind="stable")[:2]
        weights[often[0], often[1]] += _DOUBT / 2
        weights[often[1], often[0]] += _DOUBT / 2
    cells = np.flatnonzero(weights)
    odds = weights.ravel()[cells]
    drawn = np.zeros((draws, size * size))
    drawn[:, cells] = np.random.default_rng(seed).multinomial(n, odds / odds.sum(), size=draws)
    return _with_ends(cohen_kappa(matrix), _cohen_of(drawn.reshape(draws, size, size)), n)


def _cohen_of(matrices: Floats) -> Floats:
    """Return kappa of each matrix of shape (draws, k, k)."""
    n = matrices.sum(axis=(1, 2))
    same = np.trace(matrices, axis1=1, axis2=2) / n
    chance = (matrices.sum(axis=1) * matrices.sum(axis=2)).sum(axis=1) / n**2
    return _beyond_chance(1 - same, 1 - chance)
