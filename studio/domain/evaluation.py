"""How good a run is against gold, with intervals."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure with its 95 % interval and the number of examples behind it.

    Attributes:
        value: The estimate; NaN when it is undefined.
        low, high: Ends of the interval; NaN when undefined.
        n: Examples behind it.
    """

    value: float
    low: float
    high: float
    n: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it; undefined numbers become null."""
        return {
            key: None if math.isnan(number) else round(number, 6)
            for key, number in (("value", self.value), ("low", self.low), ("high", self.high))
        } | {"n": self.n}

    def __str__(self) -> str:
        if math.isnan(self.value):
            return f"unknown (n={self.n})"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] n={self.n}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelScores:
    """How well one label is told; figures are undefined where nothing supports them."""

    label: str
    precision: Figure
    recall: Figure
    f1: Figure
    support: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Counts of gold label against what the run said.

    Attributes:
        gold: Label names, the order of the rows.
        predicted: Label names, then "(none)" for every outcome without a label.
        counts: counts[i][j] examples of gold i were called j.
    """

    gold: tuple[str, ...]
    predicted: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, dict[str, int]]:
        """Return {gold: {predicted: n}}."""
        return {
            g: dict(zip(self.predicted, row, strict=True))
            for g, row in zip(self.gold, self.counts, strict=True)
        }


NO_LABEL = "(none)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Metrics of a run against gold.

    An example on which the classifier gave no label counts as an error; coverage tells how many.

    Attributes:
        run_id: The run.
        split: train, validation, test, or several joined by "+".
        n: Examples with gold and a prediction.
        coverage: Share of them that got a label, in [0, 1]; NaN when n is 0.
        accuracy, macro_f1: With intervals.
        majority_label: The label most gold has; empty when n is 0.
        majority: Accuracy of always saying it.
        labels: Scores a label, in the task's order.
        confusion: Gold against said.
        outcomes: Outcome to count.
    """

    run_id: int
    split: str
    n: int
    coverage: float
    accuracy: Figure
    macro_f1: Figure
    majority_label: str
    majority: float
    labels: tuple[LabelScores, ...]
    confusion: Confusion
    outcomes: dict[str, int] = field(default_factory=dict)

    def metric(self, name: str) -> Figure:
        """Return accuracy or macro_f1 by name."""
        return {"accuracy": self.accuracy, "macro_f1": self.macro_f1}[name]

    def to_json(self) -> str:
        """Return it as it is kept; `from_json` gives back an equal one."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Evaluation:
        """Return a kept one."""
        data = json.loads(text)
        accuracy, macro_f1 = (Figure(**data.pop(name)) for name in ("accuracy", "macro_f1"))
        confusion = data.pop("confusion")
        return cls(
            accuracy=accuracy,
            macro_f1=macro_f1,
            labels=tuple(
                LabelScores(
                    label=row["label"],
                    precision=Figure(**row["precision"]),
                    recall=Figure(**row["recall"]),
                    f1=Figure(**row["f1"]),
                    support=row["support"],
                )
                for row in data.pop("labels")
            ),
            confusion=Confusion(
                gold=tuple(confusion["gold"]),
                predicted=tuple(confusion["predicted"]),
                counts=tuple(tuple(row) for row in confusion["counts"]),
            ),
            **data,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs on the same examples.

    Attributes:
        runs: (A, B).
        metric: What `difference` is of.
        n: Examples both were asked about and gold is known of.
        difference: B minus A, with a paired bootstrap interval.
        p: Mid-p McNemar on right and wrong; 1 when they never differ.
        fixed: Examples that A got wrong and B right.
        broke: Examples that A got right and B wrong.
        changed: Examples they label differently.
        needed: Further examples that would tell with 80 % power if the rates seen are true;
            None when they tell already or never would.
    """

    runs: tuple[int, int]
    metric: str
    n: int
    difference: Figure
    p: float
    fixed: tuple[int, ...]
    broke: tuple[int, ...]
    changed: int
    needed: int | None

    @property
    def tells(self) -> bool:
        """Whether the interval of the difference leaves zero out."""
        return self.difference.low > 0 or self.difference.high < 0

    @property
    def what_would_tell(self) -> str:
        """How many more examples would tell, or why no number is named; empty where these tell."""
        if self.tells or not self.n:
            return ""
        if self.needed:
            return f"about {self.needed:,} more would tell"
        return "the two are so alike here that no sample within reach would tell"
