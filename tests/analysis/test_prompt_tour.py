"""The tour teaches: each bad prompt gets the advice it illustrates, each good one none."""

import pytest
import yaml

from studio.analysis.advice_reading import Known
from studio.analysis.prompt_advice import advise
from studio.analysis.prompt_tour import likely_kind, start_from, tour_of
from studio.config import data_folder
from studio.domain.prompt import PromptText

TOURS = yaml.safe_load((data_folder() / "prompt_tour.yaml").read_text(encoding="utf-8"))
BY_KIND = {one["kind"]: one for one in TOURS}
KETO = {"keto": "Meat, fish, eggs, cheese, olive oil, cauliflower rice.",
        "not_keto": "Rice, pasta, bread, potatoes, sugar, honey, fruit."}  # fmt: skip
SHOPS = ["toys", "books", "garden", "other"]
OWN = [
    ("yes_no", ["not_keto", "keto"], KETO, {}),
    ("spam", ["ham", "spam"], {}, {}),
    ("spam", ["ok", "toxic"], {}, {}),
    ("tone", ["negative", "neutral", "positive"], {}, {}),
    ("urgency", ["urgent", "can wait"], {}, {}),
    ("topics", SHOPS, {"other": "Whatever none of the shelves above holds."},
     {"toys": ["doll", "puzzle"], "books": ["novel", "poems"], "garden": ["spade", "seeds"]}),
]  # fmt: skip


def codes(body, labels):
    return {one.code for one in advise(body, Known(labels=labels))}


def check(tour):
    assert 5 <= len(tour.steps) <= 7
    for step in tour.steps:
        assert step.code in codes(step.bad, step.labels), (tour.kind, step.title)
        assert codes(step.good, tour.labels) == set(), (tour.kind, step.title)
        assert step.bad != step.good


@pytest.mark.parametrize("told", TOURS, ids=lambda one: one["kind"])
def test_every_lesson_teaches_with_the_labels_of_its_own_example(told):
    tour = tour_of(told, ["one", "two", "three", "four", "five"], {})
    assert not tour.is_own
    assert tour.labels == tuple(told["labels"])
    check(tour)


@pytest.mark.parametrize(("kind", "labels", "definitions", "cues"), OWN, ids=lambda x: str(x)[:20])
def test_every_lesson_teaches_with_labels_of_the_task(kind, labels, definitions, cues):
    tour = tour_of(BY_KIND[kind], labels, definitions, cues)
    assert tour.is_own
    assert set(tour.labels) == set(labels)
    assert all(set(step.good.definitions) == set(labels) for step in tour.steps)
    check(tour)


def test_definitions_that_would_get_advice_themselves_teach_nothing():
    tour = tour_of(BY_KIND["yes_no"], list(KETO), {"keto": "Meat, etc.", "not_keto": "Not keto."})
    assert not tour.is_own
    check(tour)


@pytest.mark.parametrize(
    ("labels", "question", "kind"),
    [
        (["keto", "not_keto"], "", "yes_no"),
        (["yes", "no"], "Is it urgent?", "yes_no"),
        (["spam", "ham"], "", "spam"),
        (["negative", "neutral", "positive"], "", "tone"),
        (["urgent", "can wait"], "", "urgency"),
        (["a", "b", "c"], "What does the caller want?", "intent"),
        (["sports", "politics", "weather"], "", "topics"),
    ],
)
def test_the_type_of_a_task_is_seen_by_its_labels(labels, question, kind):
    assert likely_kind(TOURS, labels, question) == kind


def test_a_start_keeps_what_the_task_says_already():
    mine = PromptText(instructions="x", definitions={"keto": "Mine."}, reasons=(("keto", "Fat."),))
    tour = tour_of(BY_KIND["yes_no"], list(KETO), KETO)
    begun = start_from(tour.steps[0], tour, mine)
    assert begun.instructions == tour.steps[0].good.instructions
    assert begun.definitions == {"keto": "Mine.", "not_keto": KETO["not_keto"]}
    assert begun.reasons == mine.reasons
    foreign = tour_of(BY_KIND["topics"], list(KETO), {})
    assert start_from(foreign.steps[0], foreign, mine).definitions == {"keto": "Mine."}
