"""Confidences against gold: how honest they are, and what could be taken unseen.

A confidence of .9 of one method is not .9 of another, so nothing here takes several at once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from studio.analysis.intervals import wilson
from studio.domain.calibration import Accepted, Bin, Calibration
from studio.domain.run import Method, Prediction

MOST_BINS = 10
IN_BIN = 20
"""Examples a bin should have: with fewer it says next to nothing."""
LEAST = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
DRAWS = 2_000
_FEW = 8


def methods_of(predictions: Iterable[Prediction]) -> dict[Method, int]:
    """Return method to the number of confidences it gave, the main one first.

    A confidence that does not say where it comes from is of a method of its own.
    """
    found = Counter(_method(p) for p in predictions if p.confidence is not None)
    order = list(Method)
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], order.index(pair[0]))))


def of_method(predictions: Iterable[Prediction], method: Method | None) -> list[Prediction]:
    """Return the predictions whose confidence is of this method."""
    return [p for p in predictions if p.confidence is not None and _method(p) is method]


def calibrate(
    run_id: int,
    split: str,
    gold: Mapping[int, int],
    predictions: Sequence[Prediction],
    bins: int | None = None,
) -> Calibration:
    """Return how far confidences of one method are from how often they are right.

    Args:
        run_id: The run.
        split: How the splits looked at are called.
        gold: Example id to gold label id; other examples are left out.
        predictions: What the run says, one an example; see `of_method`. Those without a
            confidence count as examples that are never accepted.
        bins: At most so many; by the number of examples when None. They hold about equally many
            examples, so each says something, and equal confidences stand together.

    Raises:
        ValueError: If the confidences are of several methods.
    """
    judged = [p for p in predictions if p.example_id in gold]
    known = sorted(
        (p for p in judged if p.confidence is not None),
        key=lambda p: (p.confidence, p.example_id),
    )
    methods = methods_of(known)
    if len(methods) > 1:
        raise ValueError(f"confidences of several methods in one figure: {', '.join(methods)}")
    without = len(judged) - len(known)
    if not known:
        return Calibration(run_id=run_id, split=split, without=without)
    told = np.array([p.confidence for p in known], dtype=np.float64)
    right = np.array([p.label_id == gold[p.example_id] for p in known], dtype=np.bool_)
    ids = [p.example_id for p in known]
    if bins is None:
        bins = max(1, min(MOST_BINS, len(known) // IN_BIN))
    found = tuple(_bin(told[a:b], right[a:b], ids[a:b]) for a, b in _cuts(told, bins))
    return Calibration(
        run_id=run_id,
        split=split,
        method=next(iter(methods)),
        n=len(known),
        ece=sum(abs(b.confidence - b.accuracy.value) * b.accuracy.n for b in found) / len(known),
        chance=_chance(found),
        bins=found,
        accepted=_accepted(told, right, len(judged)),
        without=without,
    )


def _method(prediction: Prediction) -> Method:
    return prediction.method or Method.UNKNOWN


def _cuts(told: NDArray[np.float64], bins: int) -> list[tuple[int, int]]:
    """Return where bins begin and end in sorted confidences; equal ones are never parted."""
    size = math.ceil(len(told) / bins)
    cuts, start = [], 0
    while start < len(told):
        last = told[min(start + size, len(told)) - 1]
        end = int(np.searchsorted(told, last, side="right"))
        cuts.append((start, end))
        start = end
    return cuts


def _bin(told: NDArray[np.float64], right: NDArray[np.bool_], ids: Sequence[int]) -> Bin:
    return Bin(
        low=float(told[0]),
        high=float(told[-1]),
        confidence=float(told.mean()),
        accuracy=wilson(int(right.sum()), len(right)),
        example_ids=tuple(sorted(ids)),
    )


def _chance(bins: Sequence[Bin]) -> float:
    """Return the error that confidences as honest as can be stay below in 95 of 100 samples."""
    sizes = np.array([b.accuracy.n for b in bins])
    means = np.array([b.confidence for b in bins])
    drawn = np.random.default_rng(0).binomial(sizes, means.clip(0, 1), (DRAWS, len(bins)))
    errors = (np.abs(drawn / sizes - means) * sizes).sum(axis=1) / sizes.sum()
    return float(np.quantile(errors, 0.95))


def _accepted(
    told: NDArray[np.float64], right: NDArray[np.bool_], examples: int
) -> tuple[Accepted, ...]:
    """Return a line for each least confidence that takes another set of examples."""
    values = np.unique(told)
    rows, seen = [], 0
    for least in values.tolist() if len(values) <= _FEW else LEAST:
        start = int(np.searchsorted(told, least, side="left"))
        taken = len(told) - start
        if taken and taken != seen:
            rows.append(
                Accepted(
                    least=least,
                    share=wilson(taken, examples),
                    accuracy=wilson(int(right[start:].sum()), taken),
                )
            )
        seen = taken
    return tuple(rows)
