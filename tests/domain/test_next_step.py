from __future__ import annotations

from dataclasses import replace

import pytest

from studio.domain.evaluation import Figure
from studio.domain.next_step import Measured, Standing, next_step
from studio.domain.task import Criterion

ALL = {"train": 60, "validation": 40, "test": 40}
BARE = Standing(examples=ALL, gold=ALL, criterion=Criterion(metric="macro_f1", threshold=0.8))


def measured(value: float) -> Measured:
    figure = Figure(value=value, low=value - 0.05, high=value + 0.05, n=40)
    return Measured(run_id=1, title="better v1", metric="macro_f1", figure=figure, majority=0.5)


WITH_REASONS = replace(BARE, rationales=3)
WITH_RUN = replace(WITH_REASONS, runs=1, rules=2, measured=(measured(0.6),))
GOOD = replace(WITH_RUN, measured=(measured(0.6), measured(0.9)))


@pytest.mark.parametrize(
    ("now", "page", "action"),
    [
        (Standing(examples={}, gold={}), "data", "Import examples"),
        (replace(BARE, undefined=("a",)), "data", "Write the definitions"),
        (replace(BARE, gold={"validation": 29}), "label", "Label validation examples"),
        (replace(BARE, criterion=None), "data", "Set a criterion"),
        (BARE, "rationales", "Write rationales"),
        (WITH_REASONS, "prompts", "Run a prompt"),
        (replace(WITH_REASONS, open_jobs=1), "prompts", "Watch the first run"),
        (replace(WITH_RUN, rules=0), "rationales", "Turn rationales into rules"),
        (WITH_RUN, "finetunes", "Fine-tune a model"),
        (replace(WITH_RUN, unmeasured=("rules",)), "rationales", "Label all with the rules"),
        (
            replace(WITH_RUN, models=1, unmeasured=("model",)),
            "finetunes",
            "Run the model on validation",
        ),
        (replace(WITH_RUN, gold=ALL | {"train": 0}), "label", "Label train examples"),
        (replace(GOOD, gold=ALL | {"test": 0}), "label", "Label test examples"),
        (replace(BARE, examples={"train": 9}), "data", "Set validation examples aside"),
        (replace(WITH_RUN, models=1), "evaluate", "Look at the errors"),
        (GOOD, "evaluate", "Measure on test"),
        (replace(GOOD, test_measured=True), "report", "Read the report"),
    ],
)
def test_the_first_thing_missing_on_the_way_is_next(now, page, action):
    step = next_step(now)
    assert (step.page, step.action) == (page, action)
    assert step.why.endswith(".")


def test_the_best_run_is_the_best_figure_not_the_latest():
    assert GOOD.best == measured(0.9)


def test_a_small_split_that_is_labeled_whole_is_enough_to_go_on():
    few = {"train": 36, "validation": 12, "test": 12}
    assert next_step(replace(BARE, examples=few, gold=few)).page == "rationales"
