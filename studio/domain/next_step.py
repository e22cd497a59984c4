"""Where a task stands, and the one next step that helps most."""

from __future__ import annotations

from dataclasses import dataclass, field

from studio.domain.evaluation import Figure
from studio.domain.task import Criterion

FEW = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A finished run measured on validation.

    Attributes:
        run_id: The run.
        title: How people call its classifier.
        metric: accuracy or macro_f1.
        figure: It, with interval.
        majority: What always answering the most common label would score in accuracy.
    """

    run_id: int
    title: str
    metric: str
    figure: Figure
    majority: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a task stands.

    Attributes:
        examples, gold: Split to number of examples, and of those with a gold label.
        gold_labels: Label name to number of gold labels.
        by_people: Gold labels that people gave, rather than a file.
        undefined: Names of labels without a definition.
        rationales, rules, prompts, models: How many there are.
        runs: Finished runs, previews left out.
        open_jobs: Runs and fine-tunes that still work.
        measured: The latest finished runs on validation, newest first.
        criterion: The task's promise, if any.
        test_measured: Whether the champion, else the best classifier, has a finished run on test.
    """

    examples: dict[str, int]
    gold: dict[str, int]
    gold_labels: dict[str, int] = field(default_factory=dict)
    by_people: int = 0
    undefined: tuple[str, ...] = ()
    rationales: int = 0
    rules: int = 0
    prompts: int = 0
    models: int = 0
    runs: int = 0
    open_jobs: int = 0
    measured: tuple[Measured, ...] = ()
    criterion: Criterion | None = None
    test_measured: bool = False

    @property
    def best(self) -> Measured | None:
        """The best run on validation, if any."""
        return max(self.measured, key=lambda best: best.figure.value, default=None)

    @property
    def total(self) -> int:
        """Examples of all splits."""
        return sum(self.examples.values())

    @property
    def total_gold(self) -> int:
        """Examples with a gold label."""
        return sum(self.gold.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What to do next.

    Attributes:
        page: Where, e.g. "prompts".
        action: What, as a button says it.
        why: Why this helps most now, in a sentence.
        view: Which part of that page; empty for its first.
    """

    page: str
    action: str
    why: str
    view: str = ""


def next_step(now: Standing) -> NextStep:  # noqa: PLR0911 (in order)
    """Return the step that helps most: the first thing that is missing on the way to a verdict.

    >>> next_step(Standing(examples={}, gold={})).page
    'data'
    """
    if not now.total:
        return NextStep(
            page="data",
            action="Import examples",
            view="Import",
            why="The task has no texts yet, and everything else needs them.",
        )
    if now.undefined:
        return NextStep(
            page="data",
            action="Write the definitions",
            view="Labels and criterion",
            why=(
                f"{_names(now.undefined)} no definition yet; a sentence each is the "
                "cheapest way to better labels."
            ),
        )
    if now.gold.get("validation", 0) < FEW:
        return NextStep(
            page="label",
            action="Label validation examples",
            why=f"{now.gold.get('validation', 0)} validation examples have a gold label; "
            f"about {FEW} are needed before one classifier can be told from another.",
        )
    if now.criterion is None:
        return NextStep(
            page="data",
            action="Set a criterion",
            view="Labels and criterion",
            why=(
                "Nobody said yet which figure is good enough, so the report cannot end in "
                "a verdict."
            ),
        )
    if not now.rationales:
        return NextStep(
            page="rationales",
            action="Write down reasons",
            why=(
                "No reasons are written down yet; each one improves the prompt and can "
                "become a rule."
            ),
        )
    if not now.runs:
        if now.open_jobs:
            return NextStep(
                page="prompts",
                action="Watch the first run",
                why="The first run is under way; its figures appear when it is done.",
            )
        return NextStep(
            page="prompts",
            action="Run a prompt",
            why="No classifier was measured yet; a first prompt gives a figure in under a minute.",
        )
    return _improve(now)


def _improve(now: Standing) -> NextStep:
    goal = now.criterion.threshold if now.criterion else 1.0
    if not now.rules and now.rationales:
        return NextStep(
            page="rationales",
            action="Turn reasons into rules",
            why=f"{now.rationales} reasons are written down, and none of them is a rule yet.",
        )
    if now.best is None or now.best.figure.value < goal:
        if not now.models:
            return NextStep(
                page="finetunes",
                action="Fine-tune a model",
                why=f"The best classifier is below {goal:g} on validation; a model trained on your "
                f"{now.gold.get('train', 0):,} labeled examples usually gains most.",
            )
        return NextStep(
            page="evaluate",
            action="Look at the errors",
            why=(
                f"The best classifier is still below {goal:g} on validation; its worst "
                "slices say what to write next."
            ),
        )
    if not now.test_measured:
        return NextStep(
            page="evaluate",
            action="Measure on test",
            why=(
                f"“{now.best.title}” reaches {goal:g} on validation; only the locked test "
                "examples can confirm it."
            ),
        )
    return NextStep(
        page="report",
        action="Read the report",
        why="A classifier was measured on test: the verdict and its cost are ready.",
    )


def _names(labels: tuple[str, ...]) -> str:
    if len(labels) == 1:
        return f"The label {labels[0]} has"
    shown = ", ".join(labels[:3]) + (" …" if len(labels) > 3 else "")
    return f"The labels {shown} have"
