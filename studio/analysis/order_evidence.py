"""Whether the order of the queue pays on the user's own labels, against a random order.

The audit's labels are a random sample. Half of them, drawn anew each time, teach a quick
classifier; the other half measure it, and others that learnt from the first labels of the queue's
choosing. Whether the order pays is told at equally many labels. As many random labels as do
equally well, divided by the chosen ones, is the factor. Training labels are drawn with
replacement on both sides, so that the luck of what was learnt from is in the interval, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.analysis.intervals import UNDEFINED
from studio.analysis.queueing import AUDIT_EVERY, Floats, Ints, Pool, learn
from studio.domain.evaluation import Figure

LEAST = 20
"""Fewer audit labels than these tell nothing."""
MOST = 1_000
"""Of more labels than these, the first are looked at."""
_TIMES = 30
_SHARES = (0.125, 0.25, 0.5, 1.0, 3.0)
_LEAST_TIMES, _MOST_TIMES = 0.25, 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvidence:
    """What ordering brought so far.

    Attributes:
        gain: Macro-F1 above that of a random order at equally many labels; undefined with too few.
        factor: How many labels in random order do what one of the queue's choosing does, between
            1/4 and 8, which mean "or less" and "or more".
        random: Labels of the audit.
        chosen: Labels given outside the audit, in whatever order people gave them.
        needed: Labels of the audit that are missing before anything can be told.
    """

    gain: Figure
    factor: Figure
    random: int
    chosen: int
    needed: int

    @property
    def pays(self) -> bool | None:
        """Whether ordering brings more than a random order; None while that is not settled."""
        if math.isnan(self.gain.value) or self.gain.low <= 0 <= self.gain.high:
            return None
        return self.gain.value > 0

    @property
    def words(self) -> str:
        """What people read."""
        if self.needed:
            return (
                "Whether this order beats a random one shows after about "
                f"{self.needed * AUDIT_EVERY:,} more labels of the queue: the audit has "
                f"{self.random} of {LEAST}."
            )
        if math.isnan(self.gain.value):
            return (
                "Whether this order beats a random one is not told: people gave fewer labels "
                "outside the audit than it has, or one label only."
            )
        told = (
            f"macro-F1 {self.gain.value:+.3f} [{self.gain.low:+.3f}, {self.gain.high:+.3f}] "
            f"against a random order at equally many labels, by {self.random} labels of the audit; "
            f"a label does the work of {self._factor} random ones"
        )
        if self.pays is None:
            return f"Whether the order pays is not settled: {told}."
        if self.pays:
            return f"The order pays here: {told}."
        return f"The order does not pay here: {told}. Take a random order."

    @property
    def _factor(self) -> str:
        value, low, high = map(_times, (self.factor.value, self.factor.low, self.factor.high))
        return f"{value} [{low}, {high}]"

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "pays": self.pays, "gain": self.gain.to_dict(), "factor": self.factor.to_dict(),
            "random": self.random, "chosen": self.chosen, "needed": self.needed,
            "words": self.words,
        }  # fmt: skip


def weigh_order(
    chosen: Sequence[tuple[str, int]],
    random: Sequence[tuple[str, int]],
    probes: Sequence[tuple[str, int]] = (),
    *,
    seed: int = 0,
) -> OrderEvidence:
    """Return what ordering brought, from (text, label id) pairs.

    Args:
        chosen: What the queue chose, in the order the labels were given.
        random: What the audit drew.
        probes: Further random examples with gold, which only measure.
        seed: Makes it repeatable.
    """
    gain = factor = UNDEFINED
    needed = max(0, LEAST - len(random))
    known = {label for part in (chosen, random, probes) for _, label in part[:MOST]}
    if not needed and len(chosen) >= len(random[:MOST]) // 2 and len(known) > 1:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        with threadpool_limits(1):  # so small that threads would only wait for each other
            gains, factors = _measure(chosen[:MOST], random[:MOST], probes[:MOST], seed)
        n = len(random[:MOST]) + len(probes[:MOST])
        gain = _figure(gains, n)
        factor = _figure(np.clip(factors, _LEAST_TIMES, _MOST_TIMES), n)
    return OrderEvidence(
        gain=gain, factor=factor, random=len(random), chosen=len(chosen), needed=needed
    )


def _times(factor: float) -> str:
    """Return a factor as people read it: at its ends it may be any more or less.

    >>> _times(0.25), _times(1.94), _times(8.0)
    ('0.25 or less', '1.9', '8 or more')
    """
    if factor <= _LEAST_TIMES:
        return f"{_LEAST_TIMES:g} or less"
    return f"{_MOST_TIMES:g} or more" if factor >= _MOST_TIMES else f"{factor:.1f}"


def _measure(
    chosen: Sequence[tuple[str, int]],
    random: Sequence[tuple[str, int]],
    probes: Sequence[tuple[str, int]],
    seed: int,
) -> tuple[Floats, Floats]:
    """Return the gains at equally many labels, and the factors, one of each draw."""
    everything = [*chosen, *random, *probes]
    features = Pool.of(range(len(everything)), [text for text, _ in everything]).features
    target = np.array([label for _, label in everything], dtype=np.int64)
    half = len(random) // 2
    sizes = sorted({min(len(chosen), max(2, round(half * share))) for share in _SHARES})
    rng = np.random.default_rng(seed)
    audit = np.arange(len(chosen), len(chosen) + len(random))
    others = np.arange(len(chosen) + len(random), len(everything))
    gains, factors = [], []
    for _ in range(_TIMES):
        order = rng.permutation(audit)
        held = np.concatenate([order[half:], others])
        held = rng.choice(held, len(held))
        bar = score_learner(features, target, rng.choice(order[:half], half), held)
        curve = [score_learner(features, target, rng.choice(size, size), held) for size in sizes]
        gains.append(curve[sizes.index(half)] - bar)
        factors.append(half / _reached(sizes, curve, bar))
    return np.array(gains), np.array(factors)


def score_learner(features: Any, target: Ints, rows: Ints, held: Ints) -> float:
    """Return macro-F1 on the examples held back, after learning from some rows."""
    if len(np.unique(target[rows])) < 2:
        said = np.full(len(held), target[rows[0]])
    else:
        said = learn(features, rows, target[rows]).predict(features[held])
    truth = target[held]
    labels = np.union1d(truth, said)[:, None]
    right = ((truth == labels) & (said == labels)).sum(axis=1)
    each = (truth == labels).sum(axis=1) + (said == labels).sum(axis=1)
    return float((2 * right / each).mean())


def _reached(sizes: Sequence[int], curve: Sequence[float], bar: float) -> float:
    """Return at how many labels the curve, made to rise, comes up to the bar.

    Where it never does it is four times the last.
    """
    from sklearn.isotonic import IsotonicRegression

    places = np.log(np.array(sizes, dtype=np.float64))
    rising = IsotonicRegression().fit_transform(places, np.array(curve))
    above = np.flatnonzero(rising >= bar)
    if not len(above):
        return 4.0 * sizes[-1]
    at = int(above[0])
    if at == 0 or rising[at] == rising[at - 1]:
        return float(sizes[at])
    share = (bar - rising[at - 1]) / (rising[at] - rising[at - 1])
    return math.exp(places[at - 1] + share * (places[at] - places[at - 1]))


def _figure(values: Floats, n: int) -> Figure:
    low, value, high = np.quantile(values, [0.025, 0.5, 0.975]).tolist()
    return Figure(value=value, low=low, high=high, n=n)
