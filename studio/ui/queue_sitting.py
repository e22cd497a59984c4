"""What a person chose to be asked, and what about ten minutes of it should bring."""

from __future__ import annotations

import math
from dataclasses import dataclass

from studio.analysis.queue_forecast import Gain, half_width, narrowed
from studio.analysis.queue_streams import Strategy
from studio.analysis.ten_minutes import FIRST_GOAL, Outlook
from studio.domain.evaluation import Figure
from studio.domain.example import Split
from studio.ui.aside import Pending
from studio.ui.figures import count

__all__ = ["FIRST_GOAL", "Choice", "Sitting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a person chose to be asked, and what is in sight meanwhile.

    Attributes:
        task_id: The task.
        person: Who decides.
        strategy: The order.
        split: The split, where the order is of one.
        run_id: The run whose labels are proposed; None is blind.
    """

    task_id: int
    person: str
    strategy: Strategy = Strategy.AUTO
    split: Split = Split.TRAIN
    run_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """About ten minutes of labeling: what was expected of them when they began.

    Attributes:
        choice: What was chosen to be asked.
        goal: How many labels it is about to have.
        pace: The labels expected in ten minutes; undefined while the pace is not known.
        left: How many examples were left then; None where that is not known.
        measured: The name and figure of the best on validation then, if any.
        gain: What the labels should bring a quick classifier, or why that is not told; None for
            splits that measure.
        checks: Rules that should have all their checks then.
        began: When, in seconds.
        level: How many labels there were, roughly.
        most: How many labels it had at most; what was undone of them is to be given again.
        is_over: Whether it ended before its goal, for somebody looked again for more.
        last: The sitting before, the labels given in it and its seconds.
    """

    choice: Choice
    goal: int
    pace: Figure
    left: int | None
    measured: tuple[str, Figure] | None
    gain: Gain | Pending | None
    checks: int
    began: float
    level: int = 0
    most: int = 0
    is_over: bool = False
    last: tuple[Sitting, int, float] | None = None

    @property
    def expected(self) -> str:
        """What it should bring, in a sentence or two."""
        told = Outlook(
            split=self.choice.split,
            is_list=self.choice.strategy.is_list,
            goal=self.goal,
            pace=self.pace,
            left=self.left,
            measured=self.measured,
            gain=self.gain if isinstance(self.gain, Gain) else None,
            is_open=self.gain is Pending.WORKING,
            checks=self.checks,
        )
        return told.words

    @property
    def came(self) -> str:
        """What came of the sitting before, beside what was expected; empty for the first."""
        if self.last is None:
            return ""
        last, given, seconds = self.last
        said = f"Came: {count(given, 'label')} in {seconds / 60:.0f} min"
        if not math.isnan(last.pace.value):
            said += f" ({last.pace.value:.0f} in ten were expected)"
        then, now = last.gain, self.gain
        if last.choice.split is Split.VALIDATION and last.measured and self.measured:
            name, before = last.measured
            said += (
                f"; {name} ±{half_width(self.measured[1]):.3f} "
                f"(±{narrowed(before, last.goal):.3f} was expected)"
            )
        elif isinstance(then, Gain) and isinstance(now, Gain) and then.is_told and now.is_told:
            said += (
                f"; the quick classifier is at {now.now.value:.2f} "
                f"({then.then.value:.2f} was expected)"
            )
        return said + "."
