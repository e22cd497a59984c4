"""Training on prepared examples: folds, cross-validation, calibration, figures.

Everything here is a function of its input and a seed.
"""

from __future__ import annotations

import random
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
        dense: The vector of each example, then of each prompt line.
        words: Their terms, sparse.
        target: The label's number of each row.
        prompt: How many of the rows, at the end, are prompt lines; they count half and are never
            held out.
        labels: How many labels there are.
    """

    dense: Floats
    words: Any
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


@dataclass
class Fold:
    """What was found with one fold held out; given back, a training goes on behind it.

    Attributes:
        fitted: The weights and biases of the last strength tried.
        logits: The held-out log-odds by strength.
    """

    fitted: tuple[Floats, Floats]
    logits: dict[float, Floats]


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


def fit(
    material: Material, rows: Ints, c: float, start: tuple[Floats, Floats] | None = None
) -> tuple[Floats, Floats]:
    """Return weights (a row a label) and biases learned from some examples and all prompt lines.

    A softmax regression, its weights held back by their squares; two labels need one row only.
    The vectors stay dense and the terms sparse, which is many times faster than one sparse matrix.
    """
    prompt = np.arange(material.count, len(material.target))
    chosen = np.concatenate([rows, prompt])
    target = material.target[chosen]
    present = np.unique(target)
    width = material.dense.shape[1] + material.words.shape[1]
    weights, bias = np.zeros((material.labels, width)), np.full(material.labels, -10.0)
    if len(present) < 2:
        bias[present] = 0.0
        return weights, bias
    weight = np.concatenate([np.ones(len(rows)), np.full(len(prompt), PROMPT_WEIGHT)])
    free = present[1:] if len(present) == 2 else present
    begin = np.zeros((len(free), width + 1))
    if start is not None:
        begin = np.hstack([start[0][free], start[1][free, None]])
    solved = _descend(
        (material.dense[chosen], material.words[chosen]),
        (target[:, None] == free[None, :]).astype(np.float64),
        weight, c, begin, 60 if is_heavy(material) else 300,
    )  # fmt: skip
    bias[present] = 0.0
    weights[free], bias[free] = solved[:, :-1], solved[:, -1]
    return weights, bias


def _descend(
    rows: tuple[Floats, Any], truth: Floats, weight: Floats, c: float, begin: Floats, steps: int
) -> Floats:
    """Minimise the weighted log-loss plus the squares by L-BFGS."""
    from scipy.optimize import fmin_l_bfgs_b

    dense, words = rows
    split, flipped = dense.shape[1], words.T.tocsr()
    one = truth.shape[1] == 1

    def loss(flat: Floats) -> tuple[float, Floats]:
        held = flat.reshape(begin.shape)
        logits = dense @ held[:, :split].T + words @ held[:, split:-1].T + held[:, -1]
        whole = np.hstack([np.zeros((len(logits), 1)), logits]) if one else logits
        top = whole.max(axis=1, keepdims=True)
        total = top + np.log(np.exp(whole - top).sum(axis=1, keepdims=True))
        missed = (np.exp(logits - total) - truth) * weight[:, None]
        value = float((weight * (total[:, 0] - (logits * truth).sum(axis=1))).sum())
        slope = np.hstack([missed.T @ dense, (flipped @ missed).T, missed.sum(axis=0)[:, None]])
        slope[:, :-1] += held[:, :-1] / c
        return value + 0.5 / c * float((held[:, :-1] ** 2).sum()), slope.ravel()

    solved, _, _ = fmin_l_bfgs_b(loss, begin.ravel(), maxiter=steps, factr=1e8, pgtol=1e-4)
    return np.asarray(solved).reshape(begin.shape)


def logits_of(material: Material, fitted: tuple[Floats, Floats], rows: Ints) -> Floats:
    """Return the log-odds of some examples."""
    split = material.dense.shape[1]
    dense = material.dense[rows] @ fitted[0][:, :split].T
    return np.asarray(dense + material.words[rows] @ fitted[0][:, split:].T + fitted[1])


def cross_validate(
    material: Material,
    folds: Ints,
    told: Callable[[int, int, float], None],
    found: dict[int, Fold],
) -> Crossed:
    """Choose the strength by log-loss on held-out folds, then calibrate.

    Args:
        material: What to train on.
        folds: The fold of each example.
        told: Called with (fold, folds, strength) after each training.
        found: What is known by fold; filled on the way, and what stands in it is not done again.
    """
    truth = material.target[: material.count]
    numbers = np.unique(folds).tolist()
    losses: list[tuple[float, float, Floats]] = []
    for c in (10.0,) if is_heavy(material) else STRENGTHS:
        logits = np.zeros((material.count, material.labels))
        for fold in numbers:
            out, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            known = found.get(fold)
            if known is None or c not in known.logits:
                fitted = fit(material, rest, c, known.fitted if known else None)
                held = logits_of(material, fitted, out)
                found[fold] = Fold(fitted, {**(known.logits if known else {}), c: held})
                told(fold, len(numbers), c)
            logits[out] = found[fold].logits[c]
        losses.append((log_loss(softmax(logits), truth), c, logits))
    _, c, logits = min(losses, key=lambda loss: loss[0])
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
