"""What a person chose to be asked, and what about ten minutes of it should bring."""

from __future__ import annotations

import math
from dataclasses import dataclass

from studio.analysis.queue_forecast import LEAST_LABELS, LEAST_OF_EACH, Gain, half_width, narrowed
from studio.analysis.queue_streams import Strategy
from studio.domain.evaluation import Figure
from studio.domain.example import Split
from studio.ui.aside import Pending
from studio.ui.figures import count

FIRST_GOAL = 20


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
        measured: The name and figure of the best on validation then, if any.
        gain: What the labels should bring a quick classifier, or why that is not told; None for
            splits that measure.
        checks: Rules that should have all their checks then.
        began: When, in seconds.
        level: How many labels there were, roughly.
        last: The sitting before, the labels given in it and its seconds.
    """

    choice: Choice
    goal: int
    pace: Figure
    measured: tuple[str, Figure] | None
    gain: Gain | Pending | None
    checks: int
    began: float
    level: int = 0
    last: tuple[Sitting, int, float] | None = None

    @property
    def expected(self) -> str:
        """What it should bring, in a sentence or two."""
        if math.isnan(self.pace.value):
            said = f"Next {self.goal} labels (your pace is told after ten)"
        elif self.goal < round(self.pace.low):
            said = f"{count(self.goal, 'label')} to the end of {self.choice.split.value}, less than"
            said += " ten minutes at your pace"
        else:
            low, high = round(self.pace.low), round(self.pace.high)
            said = f"Next ten minutes: about {self.goal} labels at your pace ({low} to {high})"
        parts = [p for p in (self._of_gold(), self._of_rules()) if p]
        return f"{said}; {'; '.join(parts)}." if parts else f"{said}."

    def _of_rules(self) -> str:
        done = "gets its" if self.checks == 1 else "get their"
        return f"{count(self.checks, 'rule')} {done} 5 checks" if self.checks else ""

    def _of_gold(self) -> str:
        if self.choice.strategy.is_list:
            return ""
        if self.choice.split is Split.TEST:
            return "they narrow the interval of the verdict; test is not looked at here"
        if self.choice.split is Split.VALIDATION:
            if self.measured is None or not self.measured[1].n:
                return "what they do to the interval cannot be told until a run was measured"
            name, figure = self.measured
            return (
                f"the interval of {name} on validation should narrow from "
                f"±{half_width(figure):.3f} to ±{narrowed(figure, self.goal):.3f}"
            )
        return self._of_gain()

    def _of_gain(self) -> str:
        if self.gain is Pending.WORKING:
            return "what they bring is being worked out"
        if not isinstance(self.gain, Gain) or not self.gain.is_told:
            return (
                "what they bring cannot be told yet: it takes "
                f"{LEAST_LABELS} labels of train, {LEAST_OF_EACH} of each"
            )
        low, high = self.gain.more.low, self.gain.more.high
        return (
            f"a quick classifier of your labels should go from macro-F1 {self.gain.now.value:.2f} "
            f"to {self.gain.then.value:.2f} ({low:+.3f} to {high:+.3f})"
        )

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
