"""Training on prepared examples: folds, cross-validation, calibration, figures.

Everything here is a function of its input and a seed.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
STRENGTHS = (1.0, 3.0, 10.0, 30.0)
PROMPT_WEIGHT = 0.5
HEAVY = 60_000


@dataclass(frozen=True)
class Material:
    """What a model is trained on.

    Attributes:
        rows: One sparse row an example, then one a prompt line.
        target: The label's number of each row.
        prompt: How many of the rows, at the end, are prompt lines; they count half and are never
            held out.
        labels: How many labels there are.
    """

    rows: Any
    target: Ints
    prompt: int
    labels: int

    @property
    def count(self) -> int:
        """Return how many rows are examples."""
        return len(self.target) - self.prompt


@dataclass(frozen=True)
class Crossed:
    """What cross-validation found.

    Attributes:
        c: The best strength.
        logits: Out-of-fold log-odds at that strength, a row an example.
        temperature: What calibrates them.
    """

    c: float
    logits: Floats
    temperature: float

    @property
    def chances(self) -> Floats:
        """Return calibrated out-of-fold probabilities."""
        return softmax(self.logits / self.temperature)


def is_heavy(material: Material) -> bool:
    """Tell whether there are so many examples and labels that one strength has to do."""
    return material.count * material.labels > HEAVY


def deal_folds(groups: Sequence[str], labels: Sequence[int], seed: int) -> Ints:
    """Return a fold for each example: equal texts together, labels spread evenly.

    There are five folds, fewer only when there are fewer groups.
    """
    members: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    order = sorted(members)
    random.Random(seed).shuffle(order)  # noqa: S311 (a reproducible shuffle)
    order.sort(key=lambda group: labels[members[group][0]])
    folds = max(2, min(5, len(order)))
    dealt = np.zeros(len(groups), dtype=np.int64)
    for turn, group in enumerate(order):
        dealt[members[group]] = turn % folds
    return dealt


def fit(material: Material, rows: Ints, c: float) -> tuple[Floats, Floats]:
    """Return weights (a row a label) and biases learned from some examples and all prompt lines."""
    from sklearn.linear_model import LogisticRegression

    prompt = np.arange(material.count, len(material.target))
    chosen = np.concatenate([rows, prompt])
    target = material.target[chosen]
    weights = np.zeros((material.labels, material.rows.shape[1]))
    bias = np.full(material.labels, -10.0)
    present = np.unique(target)
    if len(present) < 2:
        bias[present] = 0.0
        return weights, bias
    each = np.concatenate([np.ones(len(rows)), np.full(len(prompt), PROMPT_WEIGHT)])
    heavy = is_heavy(material)
    model = LogisticRegression(C=c, max_iter=100 if heavy else 300, tol=1e-3 if heavy else 1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(material.rows[chosen], target, sample_weight=each)
    if len(present) == 2:
        weights[present[1]], bias[present] = model.coef_[0], [0.0, model.intercept_[0]]
    else:
        weights[present], bias[present] = model.coef_, model.intercept_
    return weights, bias


def logits_of(material: Material, fitted: tuple[Floats, Floats], rows: Ints) -> Floats:
    """Return the log-odds of some examples."""
    return np.asarray(material.rows[rows] @ fitted[0].T + fitted[1])


def cross_validate(
    material: Material, folds: Ints, told: Callable[[int, int, float, Floats], None]
) -> Crossed:
    """Choose the strength by log-loss on held-out folds, then calibrate.

    Args:
        material: What to train on.
        folds: The fold of each example.
        told: Called with (fold, folds, strength, log-odds of the fold) after each training.
    """
    truth = material.target[: material.count]
    numbers = np.unique(folds)
    losses: list[tuple[float, float, Floats]] = []
    for c in (10.0,) if is_heavy(material) else STRENGTHS:
        logits = np.zeros((material.count, material.labels))
        for turn, fold in enumerate(numbers, 1):
            out = np.flatnonzero(folds == fold)
            fitted = fit(material, np.flatnonzero(folds != fold), c)
            logits[out] = logits_of(material, fitted, out)
            told(turn, len(numbers), c, logits[out])
        losses.append((log_loss(softmax(logits), truth), c, logits))
    _, c, logits = min(losses, key=lambda found: found[0])
    return Crossed(c, logits, temperature_of(logits, truth))


def temperature_of(logits: Floats, truth: Ints) -> float:
    """Return the divisor of log-odds that makes their probabilities fit best."""
    grid = np.exp(np.linspace(np.log(0.25), np.log(4.0), 65))
    return float(min(grid, key=lambda divisor: log_loss(softmax(logits / divisor), truth)))


def softmax(logits: Floats) -> Floats:
    """Return probabilities of log-odds, a row each."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def log_loss(chances: Floats, truth: Ints) -> float:
    """Return the mean surprise at the truth."""
    held = np.maximum(chances[np.arange(len(truth)), truth], 1e-6)
    return float(-np.log(held).mean())


def figures(chances: Floats, truth: Ints, labels: Sequence[str]) -> dict[str, Any]:
    """Return accuracy, macro-F1, log-loss and each label's precision, recall, F1 and support."""
    said = chances.argmax(axis=1)
    per_label = {}
    for number, label in enumerate(labels):
        right = int(((said == number) & (truth == number)).sum())
        claimed, real = int((said == number).sum()), int((truth == number).sum())
        per_label[label] = {
            "precision": round(right / claimed, 4) if claimed else 0.0,
            "recall": round(right / real, 4) if real else 0.0,
            "f1": round(2 * right / (claimed + real), 4) if claimed + real else 0.0,
            "support": real,
        }
    seen = [found["f1"] for found in per_label.values() if found["support"]]
    return {
        "n": len(truth),
        "accuracy": round(float((said == truth).mean()), 4),
        "macro_f1": round(float(np.mean(seen)), 4),
        "log_loss": round(log_loss(chances, truth), 4),
        "labels": per_label,
    }
