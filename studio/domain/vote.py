"""What a coded rationale says of an example, or that it is silent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One coded rationale spoke on one example.

    Attributes:
        rule_id: The coded rationale.
        label_id: The label it speaks of.
        against: True when it says "not that label".
    """

    rule_id: int
    label_id: int
    against: bool = False
