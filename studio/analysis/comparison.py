"""Two runs on the same examples: which is better, and can one tell?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from studio.analysis.intervals import (
    TOO_MANY,
    mid_p_mcnemar,
    needed_to_tell,
    paired_difference,
)
from studio.domain.evaluation import Comparison, Figure
from studio.domain.run import Prediction
from studio.domain.task import Label
from studio.errors import InputError

_FIRST_MAY_ERR = 0.025


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How often two runs were compared by now, on more or other examples each time.

    Attributes:
        n: How often.
        samples: On how many samples, each of which may have grown.
    """

    n: int = 1
    samples: int = 1

    @property
    def may_err(self) -> float:
        """How often the last of these looks may err, so that all do in at most 5 of 100 cases.

        A sample that grows is mostly the one looked at before, so the k-th look may err 1/k of the
        first (20 such looks were simulated). Another sample errs anew; then the shares are
        2/k(k+1), which add up to twice the first, however many.

        >>> Looks().may_err, Looks(n=2).may_err, round(Looks(n=2, samples=2).may_err, 4)
        (0.025, 0.0125, 0.0083)
        """
        share = self.n if self.samples <= 1 else self.n * (self.n + 1) / 2
        return _FIRST_MAY_ERR / share


def compare(
    run_a: int,
    run_b: int,
    labels: tuple[Label, ...],
    gold: Mapping[int, int],
    preds_a: Sequence[Prediction],
    preds_b: Sequence[Prediction],
    metric: str = "accuracy",
    weights: Mapping[int, float] | None = None,
    looks: Looks | None = None,
) -> Comparison:
    """Return B against A on the examples both were asked about and gold is known of.

    p is McNemar's mid-p on right and wrong, whatever the metric; the interval is of the metric.

    Args:
        run_a: Number of the one.
        run_b: Number of the other.
        labels: The task's labels.
        gold: Example to gold label.
        preds_a: What the one said.
        preds_b: What the other said.
        metric: What the difference is of.
        weights: Example to how many of the whole it stands for, where a sample was drawn: only
            these count in the figures, while `fixed`, `broke` and `changed` are of all.
        looks: How often the two were compared by now; None where the examples were settled
            beforehand.

    Raises:
        InputError: For a metric other than accuracy and macro_f1.
    """
    if metric not in ("accuracy", "macro_f1"):
        raise InputError(
            f"Runs cannot be compared by {metric!r}.", next_step="Use accuracy or macro_f1."
        )
    place = {label.id: i for i, label in enumerate(labels)}
    none = len(labels)
    a = {p.example_id: p.label_id for p in preds_a}
    b = {p.example_id: p.label_id for p in preds_b}
    ids = sorted(i for i in a.keys() & b.keys() if gold.get(i) in place)
    fixed = tuple(i for i in ids if a[i] != gold[i] and b[i] == gold[i])
    broke = tuple(i for i in ids if a[i] == gold[i] and b[i] != gold[i])
    counted = [i for i in ids if i in weights] if weights is not None else ids
    alpha = looks.may_err if looks else 0.05
    difference = paired_difference(
        np.array([place[gold[i]] for i in counted], dtype=np.int64),
        np.array([place.get(a[i] or 0, none) for i in counted], dtype=np.int64),
        np.array([place.get(b[i] or 0, none) for i in counted], dtype=np.int64),
        none,
        metric,
        weights=None if weights is None else np.array([weights[i] for i in counted]),
        level=1 - alpha,
    )
    each = _worth(
        {i: weights[i] for i in counted} if weights is not None else dict.fromkeys(counted, 1.0)
    )
    lost, won = (round(sum(each.get(i, 0.0) for i in side)) for side in (broke, fixed))
    return Comparison(
        runs=(run_a, run_b),
        metric=metric,
        n=len(counted),
        difference=difference,
        p=min(1.0, 0.05 / alpha * mid_p_mcnemar(lost, won)),
        fixed=fixed,
        broke=broke,
        changed=sum(a[i] != b[i] for i in ids),
        needed=_needed(
            difference,
            metric,
            lost,
            won,
            round(sum(each.values())),
            1 - (replace(looks, n=looks.n + 1).may_err if looks else 0.05),
        ),
    )


def _worth(weights: Mapping[int, float]) -> dict[int, float]:
    """Return for how many examples of equal weight each one counts, as in its interval."""
    scale = sum(weights.values()) / (sum(w * w for w in weights.values()) or 1.0)
    return {i: w * scale for i, w in weights.items()}


def _needed(
    difference: Figure, metric: str, broke: int, fixed: int, worth: int, level: float
) -> int | None:
    """Return further examples for 80 % power at the next look; None if it tells or never would."""
    if difference.low > 0 or difference.high < 0 or not difference.n:
        return None
    if metric == "accuracy":
        needed = needed_to_tell(broke, fixed, worth, level)
        return None if needed is None else max(1, needed)
    if abs(difference.value) < 1e-9:
        return None
    spread = (difference.high - difference.low) / (2 * 1.96)
    total = difference.n * ((1.96 + 0.8416) * spread / difference.value) ** 2
    more = max(1, math.ceil(total) - difference.n)
    return more if more <= TOO_MANY else None
