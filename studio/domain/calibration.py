"""How far the confidence of a run can be trusted, measured against gold."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from studio.domain.evaluation import Figure
from studio.domain.run import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Examples of about the same confidence.

    Attributes:
        low, high: Their least and greatest confidence.
        confidence: Their mean confidence.
        accuracy: How often the label is right.
        example_ids: These examples, by id.
    """

    low: float
    high: float
    confidence: float
    accuracy: Figure
    example_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What follows from taking a label unseen where the confidence is high enough.

    Attributes:
        least: The confidence from which on a label is taken.
        share: The share of all examples that is taken so.
        accuracy: How often these labels are right.
    """

    least: float
    share: Figure
    accuracy: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The confidences of a run against gold, those of one method only.

    Attributes:
        run_id: The run.
        split: How the splits looked at are called.
        method: Where these confidences come from; None when the run has none.
        n: Examples with gold and a confidence of that method.
        ece: Expected calibration error: how far confidence and accuracy are apart on average, in
            [0, 1]; NaN when n is 0.
        chance: The error that an honest confidence stays below in 95 of 100 such samples: an
            error up to it says nothing. NaN when n is 0.
        bins: By confidence, each with about as many examples.
        accepted: By the least confidence.
        others: Other method to the examples with a confidence of it; these are left out.
        without: Examples with gold and no confidence; they count as not accepted.
        votes: How often each question was asked; 0 where it was not for votes.
    """

    run_id: int
    split: str
    method: Method | None = None
    n: int = 0
    ece: float = math.nan
    chance: float = math.nan
    bins: tuple[Bin, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    others: dict[Method, int] = field(default_factory=dict)
    without: int = 0
    votes: int = 0

    @property
    def is_off(self) -> bool:
        """Whether the error is larger than chance explains."""
        return self.ece > self.chance

    @property
    def kind(self) -> str:
        """What kind of confidence it is, in words; empty without any."""
        return self.method.words(self.votes) if self.method else ""

    @property
    def left_out(self) -> str:
        """What was left out and why, as a sentence; empty when nothing was.

        >>> Calibration(run_id=1, split="test", others={Method.VOTES: 12}).left_out
        'Left out: 12 with another kind of confidence (share of several votes of the model, \
not a probability).'
        """
        parts = [
            f"{n:,} with another kind of confidence ({method.words(self.votes)})"
            for method, n in self.others.items()
        ]
        return f"Left out: {', '.join(parts)}." if parts else ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it; undefined numbers become null."""
        return {
            "method": self.method.value if self.method else None,
            "kind": self.kind,
            "ece": _number(self.ece),
            "chance": _number(self.chance),
            "n": self.n,
            "bins": [
                {
                    "low": round(one.low, 6),
                    "high": round(one.high, 6),
                    "confidence": round(one.confidence, 6),
                    "accuracy": one.accuracy.to_dict(),
                }
                for one in self.bins
            ],
            "accepted": [
                {
                    "least": round(one.least, 6),
                    "share": one.share.to_dict(),
                    "accuracy": one.accuracy.to_dict(),
                }
                for one in self.accepted
            ],
            "others": {method.value: n for method, n in self.others.items()},
            "without": self.without,
        }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)
