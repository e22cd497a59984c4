"""Whether rules do on the newest examples as they did on those before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.analysis.intervals import UNDEFINED, wilson
from studio.analysis.vote_matrix import VoteMatrix
from studio.domain.amounts import percent
from studio.domain.evaluation import Figure

LEAST = 5
"""With fewer votes, or judged votes, on either side nothing is tested."""
FALL = 0.75
"""Of many examples every trifle is significant: coverage must also fall to this share of before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """A rule on the newest third of the examples against the rest, in the order they came in.

    Attributes:
        coverage: Share of examples it fires on, before and newest.
        coverage_q: Chance of so different a share, Holm over all tests of all rules; NaN untested.
        precision: Share of its judged votes that are right, before and newest.
        precision_q: The same for these.
    """

    coverage: tuple[Figure, Figure]
    coverage_q: float
    precision: tuple[Figure, Figure]
    precision_q: float

    @property
    def fires_less(self) -> bool:
        """Whether it fires clearly less on the newest examples."""
        before, newest = self.coverage
        return self.coverage_q <= 0.05 and newest.value < FALL * before.value

    @property
    def errs_more(self) -> bool:
        """Whether it is right clearly less often on the newest gold."""
        before, newest = self.precision
        return self.precision_q <= 0.05 and newest.value < before.value

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is stale and what to do, in sentences."""
        said = []
        if self.fires_less:
            before, newest = (percent(f.value) for f in self.coverage)
            said.append(
                f"It went stale: it fires on {newest} of the newest third of the "
                f"examples, {before} before: look which new words are used."
            )
        if self.errs_more:
            before, newest = (percent(f.value, digits=0) for f in self.precision)
            said.append(
                f"It went stale: right on {newest} of the newest third of its gold, "
                f"{before} before: look at its newest errors."
            )
        return tuple(said)


def rule_freshness(matrix: VoteMatrix, truth: NDArray[np.int32]) -> list[Freshness]:
    """Return how each rule of the matrix does on the newest third, by example id.

    Args:
        matrix: The votes.
        truth: Gold label id of each row, 0 where there is none.
    """
    order = np.argsort(np.array(matrix.example_ids, dtype=np.int64), kind="stable")
    found, p = [], []
    for column in range(len(matrix.rule_ids)):
        labels = matrix.labels[order, column]
        fires = labels != 0
        right = (labels == truth[order]) != matrix.against[column]
        judged = right[fires & (truth[order] != 0)]
        pair = _halves(fires, int(fires.sum())), _halves(judged, len(judged))
        found.append(pair)
        p += [_p(*side) for side in pair]
    q = _holm(p)
    return [
        Freshness(
            coverage=coverage, coverage_q=q[2 * i], precision=precision, precision_q=q[2 * i + 1]
        )
        for i, (coverage, precision) in enumerate(found)
    ]


def _halves(truths: NDArray[np.bool_], n: int) -> tuple[Figure, Figure]:
    """Return the share of truths in the first two thirds and in the last; undefined on too few."""
    cut = len(truths) - len(truths) // 3
    if n < LEAST or len(truths) - cut < LEAST:
        return UNDEFINED, UNDEFINED
    before, newest = truths[:cut], truths[cut:]
    return wilson(int(before.sum()), len(before)), wilson(int(newest.sum()), len(newest))


def _p(before: Figure, newest: Figure) -> float:
    """Return Fisher's exact two-sided p, NaN where nothing is to be tested."""
    if before.n == 0:
        return float("nan")
    from scipy.stats import fisher_exact

    hits = [round(side.value * side.n) for side in (before, newest)]
    table = [[k, side.n - k] for k, side in zip(hits, (before, newest), strict=True)]
    return float(fisher_exact(table).pvalue)


def _holm(p: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p values; what was not tested stays NaN and counts for nothing.

    >>> _holm([0.01, float("nan"), 0.04])
    [0.02, nan, 0.04]
    """
    values = np.array(p, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(values[tested])]
    steps = values[order] * np.arange(len(order), 0, -1)
    values[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(value) for value in values]
