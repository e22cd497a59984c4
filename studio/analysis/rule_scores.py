"""How much each rule speaks, whom it contradicts, and how often it is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.analysis.intervals import wilson
from studio.analysis.vote_matrix import VoteMatrix
from studio.domain.coded_rationale import CodedRationale
from studio.domain.evaluation import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleScore:
    """How one rule does.

    Attributes:
        rule_id: The rule.
        fires: Examples it votes on.
        coverage: Share of all examples it votes on; NaN without examples.
        overlap: Share of all examples that it and another rule vote on.
        conflict: Share of all examples on which another rule contradicts it.
        accuracy: Share of its votes on gold that are right, with a Wilson interval; a vote against
            a label is right where gold is another label.
        wrong: Gold examples it is wrong on.
        alone: Examples that no other rule votes on.
    """

    rule_id: int
    fires: int
    coverage: float
    overlap: float
    conflict: float
    accuracy: Figure
    wrong: tuple[int, ...]
    alone: tuple[int, ...]


def rule_report(
    matrix: VoteMatrix, rules: Sequence[CodedRationale], gold: Mapping[int, int]
) -> list[RuleScore]:
    """Return a score for each of the rules that has a column, in the order given.

    Args:
        matrix: The votes.
        rules: Whom to report on; disabled rules have no column and get no score.
        gold: Example id to gold label id; give the gold whose split may be looked at.
    """
    column = {rule_id: i for i, rule_id in enumerate(matrix.rule_ids)}
    ids = np.array(matrix.example_ids, dtype=np.int64)
    truth = np.array([gold.get(i, 0) for i in matrix.example_ids], dtype=np.int32)
    speaking = matrix.fires.sum(axis=1)
    contradicted = _contradicted(matrix)
    scores = []
    for i in (column[rule.id] for rule in rules if rule.id in column):
        fires = matrix.labels[:, i] != 0
        judged = fires & (truth != 0)
        right = (matrix.labels[:, i] == truth) != matrix.against[i]
        scores.append(
            RuleScore(
                rule_id=matrix.rule_ids[i],
                fires=int(fires.sum()),
                coverage=_share(fires),
                overlap=_share(fires & (speaking > 1)),
                conflict=_share(contradicted[:, i]),
                accuracy=wilson(int((judged & right).sum()), int(judged.sum())),
                wrong=tuple(ids[judged & ~right].tolist()),
                alone=tuple(ids[fires & (speaking == 1)].tolist()),
            )
        )
    return scores


def _contradicted(matrix: VoteMatrix) -> NDArray[np.bool_]:
    """Return truths of shape (m, n): the rule votes, and another one cannot be right as well.

    "It is A" contradicts "it is B" and "it is not A"; two votes against never contradict.
    """
    labels, against = matrix.labels, matrix.against
    result = np.zeros(labels.shape, dtype=np.bool_)
    supporters = (matrix.fires & ~against).sum(axis=1)
    for label in np.unique(labels[labels != 0]):
        spoken = labels == label
        for_it = (spoken & ~against).sum(axis=1)
        against_it = (spoken & against).any(axis=1)
        result |= spoken & ~against & ((supporters > for_it) | against_it)[:, None]
        result |= spoken & against & (for_it > 0)[:, None]
    return result


def _share(truths: NDArray[np.bool_]) -> float:
    return float(truths.mean()) if truths.size else float("nan")
