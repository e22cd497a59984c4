"""What a stakeholder is told: figure, verdict, money and minutes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from studio.domain.evaluation import Evaluation, Figure
from studio.domain.task import Criterion


class Verdict(StrEnum):
    """The decision a report ends in."""

    GO = "go"
    NO_GO = "no-go"
    NOT_YET = "not yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict with its reason.

    Attributes:
        verdict: go, no-go or not yet.
        reason: Why, in a sentence.
        needed: Further blind test examples that would decide; None when it is decided or unknown.
    """

    verdict: Verdict
    reason: str
    needed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way to the benchmark and what it costs.

    Attributes:
        name: What people call it.
        minutes: Human minutes.
        service_usd: Money for calls and training; None when unknown.
        total_usd: Minutes at their rates plus service; None when unknown.
        basis: Where the numbers come from: measured here, or assumed with which figures.
    """

    name: str
    minutes: float
    service_usd: float | None
    total_usd: float | None
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What stakeholders see of a task.

    Attributes:
        task: Its name.
        question: What it decides.
        criterion: The promise, if any.
        decision: Verdict with reason.
        classifier: The champion the figure is of; empty when there is none.
        figure: The criterion's metric on blind test gold; None without a run there.
        evaluation: All figures of that run; None without one.
        cost_usd: Money spent on calls and training; None when some price is unknown.
        minutes: People's minutes on labels, measured or from the pace of their decisions.
        untimed: Decisions that nobody timed; their time is in no figure here.
        arms: What the benchmark costs this way and with annotators.
        missing: What would make the report better, each in a sentence.
        test_looks: How often figures on test were looked at.
        worst: Slices that err most: (name, figure).
        created_at: UTC time in ISO form.
        versions_tried: How many prompt versions were tried on the gold that chose among them, as
            `--json` shows it, and what that says; None where none was measured.
        facts: Counts a reader wants: examples, gold, people, rationales, rules, prompts, models.
    """

    task: str
    question: str
    criterion: Criterion | None
    decision: Decision
    classifier: str
    figure: Figure | None
    evaluation: Evaluation | None
    cost_usd: float | None
    minutes: float
    untimed: int = 0
    arms: tuple[Arm, ...] = ()
    missing: tuple[str, ...] = ()
    test_looks: int = 0
    worst: tuple[tuple[str, Figure], ...] = ()
    created_at: str = ""
    versions_tried: dict[str, Any] | None = None
    facts: dict[str, Any] = field(default_factory=dict)


METRIC_NAMES = {"accuracy": "accuracy", "macro_f1": "macro-F1"}


def decide(criterion: Criterion | None, figure: Figure | None, needed: int | None) -> Decision:
    """Return the verdict: go, no-go, or not yet.

    Go if the low end of the interval reaches the criterion, no-go if the high end does not reach
    it, else not yet. No criterion and no figure are not yet.

    Args:
        criterion: The task's promise.
        figure: Its metric on blind test gold.
        needed: Further test examples that would decide, from `analysis.intervals.needed_for`.

    >>> decide(
    ...     Criterion(metric="accuracy", threshold=0.8),
    ...     Figure(value=0.9, low=0.85, high=0.94, n=200),
    ...     None,
    ... ).verdict
    <Verdict.GO: 'go'>
    """
    if criterion is None:
        return Decision(
            verdict=Verdict.NOT_YET, reason="No criterion was set, so nothing can be decided."
        )
    if figure is None or figure.n == 0 or math.isnan(figure.value):
        return Decision(
            verdict=Verdict.NOT_YET,
            reason="No classifier was measured on blind gold of the test split yet.",
        )
    goal, metric = criterion.threshold, METRIC_NAMES[criterion.metric]
    if figure.low >= goal:
        reason = f"Even the low end of the interval, {figure.low:.3f}, reaches {metric} {goal:g}."
        return Decision(verdict=Verdict.GO, reason=reason)
    if figure.high < goal:
        reason = f"Even the high end of the interval, {figure.high:.3f}, misses {metric} {goal:g}."
        return Decision(verdict=Verdict.NO_GO, reason=reason)
    reason = (
        f"The interval {figure.low:.3f} to {figure.high:.3f} holds {goal:g}: "
        f"{figure.n} test examples cannot tell."
    )
    return Decision(verdict=Verdict.NOT_YET, reason=reason, needed=needed)
