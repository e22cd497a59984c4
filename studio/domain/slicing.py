"""Named groups of examples, and how a run does on them."""

from __future__ import annotations

from dataclasses import dataclass

from studio.domain.evaluation import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A named group of examples defined by a condition.

    Attributes:
        name: What people call it, e.g. `course = dessert` or `rule starch fires`.
        kind: metadata, rule, label or length.
        example_ids: Its examples.
    """

    name: str
    kind: str
    example_ids: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceScore:
    """How often a run errs on a slice.

    Attributes:
        slice: The group.
        error: Error rate with a Wilson interval and n.
        lift: Error rate over that of all examples; NaN when nothing errs at all.
        p: One-sided hypergeometric p of so many errors by chance.
        q: p after Benjamini-Hochberg over all slices looked at.
    """

    slice: Slice
    error: Figure
    lift: float
    p: float
    q: float

    @property
    def is_worse(self) -> bool:
        """Whether it errs more than chance tells, at a false discovery rate of 5 %."""
        return self.q <= 0.05 and self.lift > 1
