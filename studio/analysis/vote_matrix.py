"""Votes of many rules on many examples, as one array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.domain.coded_rationale import CodedRationale
from studio.domain.vote import Vote


@dataclass(frozen=True, eq=False)
class VoteMatrix:
    """What n rules say of m examples.

    Attributes:
        rule_ids: The columns, in the expert's order.
        example_ids: The rows.
        labels: int32 of shape (m, n): the label id a rule speaks of, 0 where it abstains.
        against: Truths of shape (n,): whether a rule votes "not that label".
    """

    rule_ids: tuple[int, ...]
    example_ids: tuple[int, ...]
    labels: NDArray[np.int32]
    against: NDArray[np.bool_]

    @property
    def fires(self) -> NDArray[np.bool_]:
        """Truths of shape (m, n): whether a rule speaks on an example."""
        spoken: NDArray[np.bool_] = self.labels != 0
        return spoken

    @property
    def coverage(self) -> float:
        """Share of examples on which some rule speaks; NaN without examples."""
        return float(self.fires.any(axis=1).mean()) if self.example_ids else float("nan")

    def votes(self, example_id: int) -> list[Vote]:
        """Return who speaks on one example, in the expert's order; empty for an unknown one."""
        if example_id not in self.example_ids:
            return []
        row = self.labels[self.example_ids.index(example_id)]
        return [
            Vote(rule_id=rule, label_id=int(label), against=bool(against))
            for rule, label, against in zip(self.rule_ids, row, self.against, strict=True)
            if label
        ]


def matrix_of(
    rules: Sequence[CodedRationale], example_ids: Sequence[int], votes: Mapping[int, Sequence[Vote]]
) -> VoteMatrix:
    """Return votes made elsewhere as a matrix.

    Args:
        rules: Whose votes they are; disabled ones are left out.
        example_ids: The rows wanted.
        votes: Example id to its votes; votes of rules not given are ignored.
    """
    rules = sorted((r for r in rules if r.enabled), key=lambda r: (r.position, r.id))
    column = {rule.id: i for i, rule in enumerate(rules)}
    labels = np.zeros((len(example_ids), len(rules)), dtype=np.int32)
    for row, example_id in enumerate(example_ids):
        for vote in votes.get(example_id, ()):
            if vote.rule_id in column:
                labels[row, column[vote.rule_id]] = vote.label_id
    return VoteMatrix(
        rule_ids=tuple(rule.id for rule in rules),
        example_ids=tuple(example_ids),
        labels=labels,
        against=np.array([rule.body.against for rule in rules], dtype=np.bool_),
    )
