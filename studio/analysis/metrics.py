"""How good a run is against gold: shares, F1, confusion, each with an interval where it has one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from studio.analysis.intervals import f1, macro_f1_interval, precision, recall, wilson
from studio.domain.evaluation import NO_LABEL, Confusion, Evaluation, LabelScores
from studio.domain.run import Prediction
from studio.domain.task import Label


def evaluate(
    run_id: int,
    split: str,
    labels: tuple[Label, ...],
    gold: Mapping[int, int],
    predictions: Sequence[Prediction],
) -> Evaluation:
    """Return all figures of a run on the examples that have gold and a prediction.

    An example without a label from the run counts as an error of its gold label. Macro-F1 is the
    mean over the labels that occur in gold or are predicted; a label that never occurs has
    undefined figures and does not count. With no example in common every figure is undefined.

    Args:
        run_id: The run.
        split: How the splits looked at are called.
        labels: All labels of the task.
        gold: Example id to gold label id; labels the task does not have are ignored.
        predictions: What the run says; the last one counts where an example has several.
    """
    said = _judged(labels, gold, predictions)
    counts = confusion_counts(labels, gold, predictions)
    n = int(counts.sum())
    hits = np.diagonal(counts)
    support, called = counts.sum(axis=1), counts[:, :-1].sum(axis=0)
    most = int(support.argmax()) if n else 0
    return Evaluation(
        run_id=run_id,
        split=split,
        n=n,
        coverage=float(counts[:, :-1].sum() / n) if n else math.nan,
        accuracy=wilson(int(hits.sum()), n),
        macro_f1=macro_f1_interval(counts),
        majority_label=labels[most].name if n else "",
        majority=float(support[most] / n) if n else math.nan,
        labels=tuple(
            _label_scores(label.name, int(hits[i]), int(support[i]), int(called[i]))
            for i, label in enumerate(labels)
        ),
        confusion=_named(labels, counts),
        outcomes=dict(Counter(str(p.outcome) for p in said.values())),
    )


def _judged(
    labels: tuple[Label, ...], gold: Mapping[int, int], predictions: Sequence[Prediction]
) -> dict[int, Prediction]:
    known = {label.id for label in labels}
    return {p.example_id: p for p in predictions if gold.get(p.example_id) in known}


def confusion_counts(
    labels: tuple[Label, ...], gold: Mapping[int, int], predictions: Sequence[Prediction]
) -> NDArray[np.int64]:
    """Return counts of shape (L, L+1): gold label by predicted label, last column no label."""
    place = {label.id: i for i, label in enumerate(labels)}
    size = len(labels)
    said = _judged(labels, gold, predictions).values()
    rows = np.array([place[gold[p.example_id]] for p in said], dtype=np.int64)
    columns = np.array([_column(place, p, size) for p in said], dtype=np.int64)
    flat = np.bincount(rows * (size + 1) + columns, minlength=size * (size + 1))
    return flat.astype(np.int64).reshape(size, size + 1)


def _column(place: dict[int, int], prediction: Prediction, none: int) -> int:
    return none if prediction.label_id is None else place.get(prediction.label_id, none)


def _label_scores(name: str, hits: int, support: int, called: int) -> LabelScores:
    return LabelScores(
        label=name,
        precision=precision(hits, called - hits),
        recall=recall(hits, support - hits),
        f1=f1(hits, called - hits, support - hits),
        support=support,
    )


def _named(labels: tuple[Label, ...], counts: NDArray[np.int64]) -> Confusion:
    names = tuple(label.name for label in labels)
    return Confusion(
        gold=names,
        predicted=(*names, NO_LABEL),
        counts=tuple(tuple(int(c) for c in row) for row in counts),
    )


def most_confused(evaluation: Evaluation, top: int = 10) -> list[tuple[str, str, int]]:
    """Return the most frequent errors as (gold, predicted, examples), most frequent first."""
    confusion = evaluation.confusion
    errors = [
        (gold, predicted, count)
        for gold, row in zip(confusion.gold, confusion.counts, strict=True)
        for predicted, count in zip(confusion.predicted, row, strict=True)
        if gold != predicted and count
    ]
    return sorted(errors, key=lambda e: -e[2])[:top]


def wrong_examples(gold: Mapping[int, int], predictions: Sequence[Prediction]) -> set[int]:
    """Return the examples whose prediction is not gold; no label is wrong as well."""
    said = {p.example_id: p.label_id for p in predictions}
    return {i for i, label_id in said.items() if i in gold and gold[i] != label_id}
