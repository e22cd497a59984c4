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
        unmeasured: Those of "rules" and "model" that have no finished run on validation.
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
    unmeasured: tuple[str, ...] = ()
    test_measured: bool = False

    @property
    def best(self) -> Measured | None:
        """The best run on validation, if any."""
        return max(self.measured, key=lambda best: best.figure.value, default=None)

    def lacks_gold(self, split: str) -> bool:
        """Whether a split has fewer gold labels than help and examples that still want one."""
        return self.gold.get(split, 0) < min(FEW, self.examples.get(split, 0))

    def share_labeled(self, split: str) -> str:
        """Say how many of a split's examples have a gold label."""
        return f"{self.gold.get(split, 0):,} of {self.examples.get(split, 0):,}"

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
        view: Which part of that page, or which split to label; empty for its first.
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
    if not now.examples.get("validation"):
        return NextStep(
            page="data",
            action="Set validation examples aside",
            view="Splits",
            why="No example is in validation, and only there classifiers are compared.",
        )
    if now.lacks_gold("validation"):
        return NextStep(
            page="label",
            action="Label validation examples",
            view="validation",
            why=f"{now.share_labeled('validation')} validation examples have a gold label; "
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
            action="Write rationales",
            why=(
                "No rationale is written yet; each one improves the prompt and can become a rule."
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
            action="Turn rationales into rules",
            why=f"There are {now.rationales} rationales, and none of them is a rule yet.",
        )
    if now.best is None or now.best.figure.value < goal:
        return _raise(now, goal)
    if not now.test_measured and now.lacks_gold("test"):
        return NextStep(
            page="label",
            action="Label test examples",
            view="test",
            why=f"{now.share_labeled('test')} test examples have a gold label; the verdict rests "
            "on them alone.",
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


def _raise(now: Standing, goal: float) -> NextStep:
    if "rules" in now.unmeasured:
        return NextStep(
            page="rationales",
            action="Label all with the rules",
            why=f"The rules in force ({now.rules}) were never measured on validation; it takes "
            "seconds. The button stands above the list of rules.",
        )
    if "model" in now.unmeasured:
        return NextStep(
            page="finetunes",
            action="Run the model on validation",
            why="A fine-tuned model is ready, and nobody knows yet how good it is.",
        )
    if not now.models and now.lacks_gold("train"):
        return NextStep(
            page="label",
            action="Label train examples",
            view="train",
            why=f"{now.share_labeled('train')} train examples have a gold label; a model "
            f"learns from these, and about {FEW} are a start.",
        )
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


def _names(labels: tuple[str, ...]) -> str:
    if len(labels) == 1:
        return f"The label {labels[0]} has"
    shown = ", ".join(labels[:3]) + (" …" if len(labels) > 3 else "")
    return f"The labels {shown} have"
