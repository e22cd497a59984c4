"""Examples the same rules fire on, looked at once: what joins votes works on these patterns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.analysis.vote_matrix import VoteMatrix
from studio.domain.coded_rationale import CodedRationale

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BITS = 32


@dataclass(frozen=True, eq=False, slots=True)
class Patterns:
    """The different rows of a vote matrix.

    Attributes:
        fires: Truths of shape (u, n): which rules fire in a pattern.
        of: The pattern of each example, of shape (m,).
        counts: Examples of each pattern, of shape (u,).
    """

    fires: Bools
    of: Ints
    counts: Ints


def patterns_of(matrix: VoteMatrix) -> Patterns:
    """Return the patterns of a matrix."""
    return _patterns(matrix.fires)


def _patterns(fires: Bools) -> Patterns:
    """Return the different rows; exact, and its memory grows with examples, not rules."""
    codes = np.zeros(len(fires), dtype=np.int64)
    first = np.zeros(min(1, len(fires)), dtype=np.int64)
    # Rules are packed 32 at a time below the patterns found so far, which need far fewer bits.
    for start in range(0, fires.shape[1], _BITS):
        for column in range(start, min(start + _BITS, fires.shape[1])):
            codes <<= 1
            codes |= fires[:, column]
        _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    counts = np.bincount(codes, minlength=len(first)).astype(np.int64)
    return Patterns(fires[first], codes, counts)


@dataclass(frozen=True, eq=False, slots=True)
class Panel:
    """The rules behind the columns, labels by their place among the task's labels.

    Attributes:
        label: The label each rule speaks of, of shape (n,).
        against: Whether it votes "not that label".
        decisive: Whether it decides alone.
        order: Columns in the expert's order.
        size: Number of labels.
    """

    label: Ints
    against: Bools
    decisive: Bools
    order: Ints
    size: int

    @property
    def speaks(self) -> tuple[Ints, Bools]:
        """What each rule votes, as (label, against): of two labels, not one is the other."""
        if self.size != 2:
            return self.label, self.against
        return np.where(self.against, 1 - self.label, self.label), np.zeros_like(self.against)


def panel_of(
    matrix: VoteMatrix, rules: Sequence[CodedRationale], label_ids: Sequence[int]
) -> Panel:
    """Return the rules behind the columns of a matrix."""
    by_id = {rule.id: rule for rule in rules}
    columns = [by_id[i] for i in matrix.rule_ids]
    place = {label: i for i, label in enumerate(label_ids)}
    order = sorted(range(len(columns)), key=lambda i: (columns[i].position, columns[i].id))
    return Panel(
        label=np.array([place[rule.label_id] for rule in columns], dtype=np.int64),
        against=np.array([rule.body.against for rule in columns], dtype=np.bool_),
        decisive=np.array([rule.body.decisive for rule in columns], dtype=np.bool_),
        order=np.array(order, dtype=np.int64),
        size=len(label_ids),
    )


@dataclass(frozen=True, eq=False, slots=True)
class Rulings:
    """What decisive rules leave to the others, for each pattern.

    Attributes:
        label: The label they decide for, of shape (u,); -1 where they do not.
        left: Truths of shape (u, k): labels they did not rule out.
        open: Truths of shape (u,): nothing is decided, and some vote can decide.
    """

    label: Ints
    left: Bools
    open: Bools


def rulings(fires: Bools, panel: Panel) -> Rulings:
    """Let the decisive rules speak in the expert's order.

    The first that fires for a label still left decides; a decisive vote against rules its label
    out, and decides when only one is left.
    """
    decided = np.full(len(fires), -1, dtype=np.int64)
    left = np.ones((len(fires), panel.size), dtype=np.bool_)
    for column in panel.order[panel.decisive[panel.order]]:
        label = panel.label[column]
        heard = fires[:, column] & (decided < 0) & left[:, label]
        if not panel.against[column]:
            decided[heard] = label
            continue
        left[heard, label] = False
        alone = heard & (left.sum(axis=1) == 1)
        decided[alone] = left[alone].argmax(axis=1)
    return Rulings(decided, left, (decided < 0) & _speaking(fires, panel, left))


def _speaking(fires: Bools, panel: Panel, left: Bools) -> Bools:
    """Return whether a vote is for a label left, or votes against leave just one."""
    label, against = panel.speaks
    speaking = np.zeros(len(fires), dtype=np.bool_)
    still = left.copy()
    for column in range(len(label)):
        if against[column]:
            still[fires[:, column], label[column]] = False
        else:
            speaking |= fires[:, column] & left[:, label[column]]
    result: Bools = speaking | ((still.sum(axis=1) == 1) & fires.any(axis=1))
    return result


def evidence(fires: Bools, panel: Panel, weights: Floats, voices: Bools) -> Floats:
    """Return the summed weights for each label, of shape (u, k); a vote against counts below 0.

    Args:
        fires: Which rules fire, of shape (u, n).
        panel: The rules.
        weights: What each vote weighs, of shape (n,), or of shape (u, n) if patterns differ.
        voices: Truths of shape (n, n): rules that have one voice between them.
    """
    label, against = panel.speaks
    sharing = fires.astype(np.float64) @ voices.astype(np.float64)
    spoken = np.where(fires, weights / np.maximum(sharing, 1.0), 0.0)
    towards = np.zeros((len(label), panel.size))
    towards[np.arange(len(label)), label] = np.where(against, -1.0, 1.0)
    result: Floats = spoken @ towards
    return result


def softmax(scores: Floats) -> Floats:
    """Return probabilities a row, in proportion to the exponential of the scores."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Floats = powers / powers.sum(axis=1, keepdims=True)
    return result


@dataclass(frozen=True, eq=False, slots=True)
class Judged:
    """Examples with gold, counted by pattern and gold label.

    Attributes:
        fires: Which rules fire, of shape (g, n).
        truth: Place of the gold label, of shape (g,).
        counts: Examples, of shape (g,).
        of: The row of each gold example.
    """

    fires: Bools
    truth: Ints
    counts: Floats
    of: Ints

    @property
    def n(self) -> int:
        """How many examples have gold."""
        return int(self.counts.sum())


def judged(matrix: VoteMatrix, gold: Mapping[int, int], label_ids: Sequence[int]) -> Judged:
    """Return the examples of a matrix that have gold of one of the labels."""
    place = {label: i for i, label in enumerate(label_ids)}
    known = {example: place[label] for example, label in gold.items() if label in place}
    rows = [i for i, example in enumerate(matrix.example_ids) if example in known]
    told = [known[matrix.example_ids[i]] for i in rows]
    found = _patterns(matrix.fires[rows])
    pairs = found.of * max(1, len(label_ids)) + np.array(told, dtype=np.int64)
    kinds, of, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    pattern, truth = np.divmod(kinds, max(1, len(label_ids)))
    return Judged(found.fires[pattern], truth, counts.astype(np.float64), of)
