"""What the next minutes of labeling are expected to bring, from what the last ones brought.

How many labels come of a person's own pace. What they bring is told where it can be: gold that
measures narrows an interval with the root of its number; gold that teaches moves a quick classifier
along its learning curve, error = c + a n^-b, fitted to the labels so far.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studio.analysis.intervals import UNDEFINED
from studio.analysis.order_evidence import score_learner
from studio.analysis.queueing import Floats, Pool
from studio.domain.evaluation import Figure

MINUTES = 10
LEAST_TIMES = 10
"""With fewer measured decisions a pace is not told."""
LEAST_LABELS = 200
"""With fewer labels a learning curve is not told: of 100 its gain was told far too small."""
LEAST_OF_EACH = 15
"""Nor while some label has fewer: a rare one that just begins to be learnt leaps."""
MOST_LABELS = 1_000
_Z = 1.96
_SPLITS = 12
_REFITS = 60
_SHARES = (0.25, 0.5, 0.75, 1.0)
_HELD = 0.3
_WIDER = 1.8
"""The draws share their labels: by themselves they enclose what comes in about 6 of 10 cases."""


def labels_in(seconds: Sequence[float], minutes: float = MINUTES) -> Figure:
    """Return how many decisions fit into some minutes; undefined with fewer than ten times.

    The interval is for the number itself, not for its mean: how times spread from one example to
    the next counts as well as how well the pace is known.

    Args:
        seconds: What the person's latest decisions took.
        minutes: For how long.

    >>> print(labels_in([10.0, 14.0] * 20))
    50.000 [46.491, 53.509] n=40
    """
    times = np.array([s for s in seconds if s > 0], dtype=np.float64)
    if len(times) < LEAST_TIMES:
        return UNDEFINED
    many = minutes * 60 / float(times.mean())
    spread = float(times.std(ddof=1) / times.mean())
    reach = _Z * many * spread * math.sqrt(1 / max(many, 1.0) + 1 / len(times))
    return Figure(value=many, low=max(0.0, many - reach), high=many + reach, n=len(times))


def half_width(figure: Figure) -> float:
    """Return how far the interval of a figure reaches to either side, on average."""
    return (figure.high - figure.low) / 2


def narrowed(figure: Figure, more: int) -> float:
    """Return how far its interval should reach once so much more gold has come.

    >>> round(narrowed(Figure(value=0.8, low=0.72, high=0.88, n=100), 300), 3)
    0.04
    """
    return half_width(figure) * math.sqrt(figure.n / (figure.n + more)) if figure.n else math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What more labels should do to a quick classifier of the labels so far.

    Attributes:
        now: Its macro-F1 on labels it did not learn from.
        then: The same once so many more have come.
        more: What it gains, with an interval of its own, for both share the same luck.
    """

    now: Figure
    then: Figure
    more: Figure

    @property
    def is_told(self) -> bool:
        """Whether there were labels enough."""
        return not math.isnan(self.more.value)


UNTOLD = Gain(now=UNDEFINED, then=UNDEFINED, more=UNDEFINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What any number of more labels should bring; finding it out costs seconds, asking it nothing.

    Attributes:
        n: How many labels there were.
        fits: The learning curve, then others of other draws; none where there were too few labels.
    """

    n: int
    fits: tuple[tuple[float, float, float, float], ...] = ()

    def gain(self, more: int) -> Gain:
        """Return what so many more labels should bring."""
        if not self.fits or more < 1:
            return UNTOLD
        now, then = (
            np.array([_at(fit, size) for fit in self.fits]) for size in (self.n, self.n + more)
        )
        return Gain(
            now=_figure(now, self.n), then=_figure(then, self.n), more=_figure(then - now, self.n)
        )


def forecast(labels: Sequence[tuple[str, int]], *, seed: int = 0) -> Forecast:
    """Return what more labels should bring, from (text, label id) pairs.

    The labels are parted again and again into some to learn from and some to measure by; the curve
    is fitted to what growing parts of the first reach on the second. The interval comes of fitting
    it to other draws of these partings.

    Args:
        labels: Those so far; of more than 1,000 the last are looked at.
        seed: Makes it repeatable.
    """
    used = list(labels)[-MOST_LABELS:]
    counts = Counter(label for _, label in used).values()
    if len(used) < LEAST_LABELS or len(counts) < 2 or min(counts) < LEAST_OF_EACH:
        return Forecast(n=len(labels))
    sizes, curves = _curves(used, seed)
    rng = np.random.default_rng(seed)
    drawn = [rng.integers(len(curves), size=len(curves)) for _ in range(_REFITS)]
    chosen = [np.arange(len(curves)), *drawn]
    fits = tuple(_fit(sizes, curves[rows].mean(axis=0)) for rows in chosen)
    return Forecast(n=len(labels), fits=fits)


def _curves(labels: Sequence[tuple[str, int]], seed: int) -> tuple[Floats, Floats]:
    """Return sizes, and macro-F1 at each of them, a row for each parting."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    features = Pool.of(range(len(labels)), [text for text, _ in labels]).features
    target = np.array([label for _, label in labels], dtype=np.int64)
    rng = np.random.default_rng(seed)
    held = round(_HELD * len(labels))
    sizes = np.array([round(share * (len(labels) - held)) for share in _SHARES])
    curves = []
    with threadpool_limits(1):  # so small that threads would only wait for each other
        for _ in range(_SPLITS):
            order = rng.permutation(len(labels))
            teach = order[held:]
            curves.append([score_learner(features, target, teach[:n], order[:held]) for n in sizes])
    return sizes.astype(np.float64), np.array(curves)


def _fit(sizes: Floats, reached: Floats) -> tuple[float, float, float, float]:
    """Return c, a and b of error = c + a n^-b, and the unit of n."""
    from scipy.optimize import least_squares

    error = 1 - reached
    scaled = sizes / sizes[-1]

    def miss(guess: Floats) -> Floats:
        away: Floats = (guess[0] + guess[1] * scaled ** -guess[2] - error) * np.sqrt(scaled)
        return away

    start = [max(0.0, error[-1] / 2), max(1e-3, error[-1] / 2), 0.5]
    c, a, b = least_squares(miss, start, bounds=([0, 0, 0.2], [1, 1, 1.5])).x
    return float(c), float(a), float(b), float(sizes[-1])


def _at(fit: tuple[float, float, float, float], n: float) -> float:
    c, a, b, unit = fit
    return 1 - c - a * math.pow(n / unit, -b)


def _figure(values: Floats, n: int) -> Figure:
    """Return the first value with an interval from the others, widened: they share their labels."""
    value = float(values[0])
    low, high = (value + _WIDER * (np.quantile(values[1:], [0.025, 0.975]) - value)).tolist()
    return Figure(value=value, low=min(low, value), high=max(high, value), n=n)
