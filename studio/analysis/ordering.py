"""Which examples to look at first."""

from __future__ import annotations

from collections.abc import Sequence

from studio.domain.run import Prediction


def uncertain_first(predictions: Sequence[Prediction]) -> list[int]:
    """Return example ids, those the classifier is least sure of first.

    Examples it gave no label for come first, then labels without a confidence, then by confidence;
    equals stay in the order given.
    """
    ranked = sorted(predictions, key=_sureness)
    return [p.example_id for p in ranked]


def _sureness(prediction: Prediction) -> tuple[int, float]:
    if prediction.label_id is None:
        return 0, 0.0
    return (1, 0.0) if prediction.confidence is None else (2, prediction.confidence)


def disagreements(preds_a: Sequence[Prediction], preds_b: Sequence[Prediction]) -> list[int]:
    """Return example ids two runs label differently, the surest disagreements first.

    Surest is the highest sum of both confidences (none counts as 0); equals go by id. Examples only
    one of them was asked about are left out; a label against no label is a disagreement.
    """
    other = {p.example_id: p for p in preds_b}
    pairs = [(a, other[a.example_id]) for a in preds_a if a.example_id in other]
    differ = [(a, b) for a, b in pairs if a.label_id != b.label_id]
    differ.sort(
        key=lambda p: (-(p[0].confidence or 0.0) - (p[1].confidence or 0.0), p[0].example_id)
    )
    return [a.example_id for a, _ in differ]
