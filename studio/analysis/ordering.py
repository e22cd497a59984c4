"""Which examples to look at first.

A confidence is compared with those of its own method only: what counts is how many of these it is
above, never its height beside another method's.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence

from studio.domain.run import Method, Prediction


def uncertain_first(predictions: Sequence[Prediction]) -> list[int]:
    """Return example ids, those the classifier is least sure of first.

    Examples it gave no label for come first, then labels without a confidence, then by confidence;
    equals stay in the order given.
    """
    sure = _standings(predictions)

    def key(prediction: Prediction) -> tuple[int, float]:
        if prediction.label_id is None:
            return 0, 0.0
        standing = sure.get(prediction.example_id)
        return (1, 0.0) if standing is None else (2, standing)

    return [p.example_id for p in sorted(predictions, key=key)]


def disagreements(preds_a: Sequence[Prediction], preds_b: Sequence[Prediction]) -> list[int]:
    """Return example ids two runs label differently, the surest disagreements first.

    Surest is the highest sum of how sure each run is by its own measure (no confidence counts as
    0); equals go by id. Examples only one of them was asked about are left out; a label against no
    label is a disagreement.
    """
    other = {p.example_id: p for p in preds_b}
    sure_a, sure_b = _standings(preds_a), _standings(preds_b)
    differ = [
        a.example_id
        for a in preds_a
        if a.example_id in other and a.label_id != other[a.example_id].label_id
    ]
    return sorted(differ, key=lambda i: (-sure_a.get(i, 0.0) - sure_b.get(i, 0.0), i))


def _standings(predictions: Sequence[Prediction]) -> dict[int, float]:
    """Return example id to the share of its method's confidences it is above, equals by half."""
    told: defaultdict[Method | None, list[float]] = defaultdict(list)
    for p in predictions:
        if p.confidence is not None:
            told[p.method].append(p.confidence)
    for values in told.values():
        values.sort()
    return {
        p.example_id: (bisect_left(of, p.confidence) + bisect_right(of, p.confidence)) / len(of) / 2
        for p in predictions
        if p.confidence is not None and (of := told[p.method])
    }
