"""What about ten minutes of labeling should bring, in words, wherever it is told."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from studio.analysis.queue_forecast import (
    LEAST_LABELS,
    LEAST_OF_EACH,
    Gain,
    half_width,
    narrowed,
)
from studio.domain.amounts import count
from studio.domain.evaluation import Figure
from studio.domain.example import Split

FIRST_GOAL = 20
"""How many labels are looked ahead to while the pace is not known."""
_STEP = 5
"""Goals are rounded to it: a pace is not known better."""


def goal_of(pace: Figure, left: int | None) -> int:
    """Return how many labels about ten minutes are about.

    Args:
        pace: The labels expected in ten minutes; undefined while it is not known.
        left: How many examples are left at all; None where that is not known.

    >>> goal_of(Figure(value=52.1, low=40, high=60, n=30), None)
    50
    >>> goal_of(Figure(value=52.1, low=40, high=60, n=30), 8)
    8
    """
    wanted = FIRST_GOAL if math.isnan(pace.value) else max(_STEP, _STEP * round(pace.value / _STEP))
    return wanted if left is None else min(wanted, left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What about ten minutes of labeling should bring.

    Attributes:
        split: Of which examples.
        is_list: Whether a list somebody made is gone through, of whatever split.
        goal: How many labels it is about.
        pace: The labels expected in ten minutes; undefined while the pace is not known.
        left: How many examples are left at all; None where that is not known.
        measured: The name and figure of the best on validation, if any.
        gain: What the labels should bring a quick classifier, where that is told.
        is_open: Whether that is still being worked out.
        checks: Rules that should have all their checks then.
    """

    split: Split
    is_list: bool
    goal: int
    pace: Figure
    left: int | None = None
    measured: tuple[str, Figure] | None = None
    gain: Gain | None = None
    is_open: bool = False
    checks: int = 0

    @property
    def teaches(self) -> bool:
        """Whether the labels teach something, rather than measure or settle a list."""
        return self.split is Split.TRAIN and not self.is_list

    @property
    def words(self) -> str:
        """What it should bring, in a sentence or two."""
        if not self.goal:
            return f"Nothing is left of {self._of_what}."
        parts = [p for p in (self._of_pace(), self._of_gold(), self._of_rules()) if p]
        return f"{'; '.join(parts)}."

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        gain = self.gain if self.gain is not None and self.gain.is_told else None
        return {
            "labels": self.goal, "pace": self.pace.to_dict(),
            "macro_f1_gain": gain.more.to_dict() if gain else None,
            "rules_checked": self.checks, "words": self.words,
        }  # fmt: skip

    @property
    def _of_what(self) -> str:
        return "this list" if self.is_list else self.split.value

    def _of_pace(self) -> str:
        labels = count(self.goal, "label")
        if math.isnan(self.pace.value):
            if self.goal == self.left:
                return f"{labels} to the end of {self._of_what} (your pace is told after ten)"
            return f"Next {labels} (your pace is told after ten)"
        low, high = round(self.pace.low), round(self.pace.high)
        if self.left is not None and self.left < low:
            return f"{labels} to the end of {self._of_what}, less than ten minutes at your pace"
        if self.left is not None:
            high = min(high, self.left)
        return f"Next ten minutes: about {labels} at your pace ({low} to {high})"

    def _of_rules(self) -> str:
        done = "gets its" if self.checks == 1 else "get their"
        return f"{count(self.checks, 'rule')} {done} 5 checks" if self.checks else ""

    def _of_gold(self) -> str:
        if self.is_list:
            return ""
        if self.split is Split.TEST:
            return "they narrow the interval of the verdict; test is not looked at here"
        if self.split is Split.VALIDATION:
            if self.measured is None or not self.measured[1].n:
                return "what they do to the interval cannot be told until a run was measured"
            name, figure = self.measured
            return (
                f"the interval of {name} on validation should narrow from "
                f"±{half_width(figure):.3f} to ±{narrowed(figure, self.goal):.3f}"
            )
        return self._of_gain()

    def _of_gain(self) -> str:
        if self.is_open:
            return "what they bring is being worked out"
        if self.gain is None or not self.gain.is_told:
            return (
                "what they bring cannot be told yet: it takes "
                f"{LEAST_LABELS} labels of train, {LEAST_OF_EACH} of each"
            )
        low, high = self.gain.more.low, self.gain.more.high
        return (
            f"a quick classifier of your labels should go from macro-F1 {self.gain.now.value:.2f} "
            f"to {self.gain.then.value:.2f} ({low:+.3f} to {high:+.3f})"
        )
