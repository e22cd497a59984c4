"""Evaluate: empty, full and wrong; clicks on cells; the lock on test."""

from __future__ import annotations

import asyncio
import json
import math

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from studio.actions.evaluations import calibrate_run, evaluate_run
from studio.actions.runs import Choice, start_run
from studio.actions.tasks import create_task
from studio.bootstrap import open_workspace
from studio.domain.correction import Origin
from studio.domain.example import Split
from studio.domain.job import JobStatus
from studio.domain.prompt import PromptText
from studio.domain.run import Answer, Method, Outcome, Question
from studio.handlers.pacing import Pacers
from studio.handlers.runs import run_handler
from studio.jobs.control import Control
from studio.providers.scripted import ScriptedProvider
from studio.store.labels import NewLabel
from studio.workspace import Workspace

LABELS = ("keto", "not_keto")


def fill(ws: Workspace, gold: bool = True) -> int:
    """Store a task of 120 examples: each fourth is a dessert, each third is keto."""
    task = create_task(ws, name="dishes", labels=LABELS, criterion="macro_f1>=0.8", by="Ada")
    rows = []
    for i in range(120):
        split = (Split.TRAIN, Split.VALIDATION, Split.VALIDATION, Split.TEST)[i % 4]
        course = "dessert" if i % 8 in (1, 2) else "main"
        rows.append((f"d{i}", f"Dish {i} {course}", split, {"course": course}))
    ids = [i for i in ws.store.examples.add(task.id, rows, ws.now()) if i]
    if gold:
        ws.store.labels.append(
            task.id,
            [
                NewLabel(
                    example_id=example_id,
                    label_id=task.label(LABELS[number % 3 != 0]).id,
                    person="=file",
                    origin=Origin.IMPORTED,
                )
                for number, example_id in enumerate(ids)
            ],
            ws.now(),
        )
    return task.id


def answers(mistakes: int):
    """Return a script that errs on some mains, on most desserts, and abstains on dish 5."""

    def answer(question: Question) -> Answer:
        text = json.loads(question.messages[-1]["content"])["text"]
        number = int(text.split()[1])
        if number == 5:
            return Answer(outcome=Outcome.ABSTAINED)
        right = LABELS[number % 3 != 0]
        wrong = LABELS[right == "keto"]
        errs = number % 5 < 4 if "dessert" in text else number % 10 < mistakes
        label = wrong if errs else right
        other = LABELS[label == "keto"]
        return Answer(outcome=Outcome.OK, label=label, probabilities={label: 0.9, other: 0.1})

    return answer


def run_it(ws: Workspace, task_id: int, name: str, answer, splits=("validation",)) -> int:
    """Save a prompt, run it to its end in this process, and return the run's id."""
    scripted = open_workspace(
        ws.path,
        provider=lambda _: ScriptedProvider(answer),
        wake=lambda: None,
    )
    scripted.store.prompts.save(
        task_id, name=name, body=PromptText(instructions=name), author="Ada", note="", at=ws.now()
    )
    run = start_run(scripted, task_id, choice=Choice(prompt=name), splits=splits, by="Ada")
    job = scripted.store.jobs.claim("test", ws.clock(), 60.0)
    control = Control(scripted.store.jobs, job, clock=ws.clock, lease_s=60.0)
    asyncio.run(run_handler(scripted, Pacers(), job, control))
    scripted.store.jobs.finish(job.id, control.fence, JobStatus.DONE, "", ws.clock())
    scripted.store.close()
    scripted.read.close()
    return run.id


def words(at: AppTest) -> str:
    kinds = (at.markdown, at.caption, at.info, at.warning, at.error, at.text, at.title)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def button(at: AppTest, start: str):
    return next(b for b in at.button if b.label.startswith(start))


@pytest.fixture
def full(ws):
    task_id = fill(ws)
    return [run_it(ws, task_id, "plain", answers(3)), run_it(ws, task_id, "better", answers(0))]


def test_without_a_run_it_says_what_to_do(ws, open_app):
    fill(ws)
    at = open_app("evaluate")
    assert not at.exception
    assert "No run has labeled anything yet." in words(at)


def test_without_gold_it_says_so(ws, open_app):
    run_it(ws, fill(ws, gold=False), "plain", answers(2))
    at = open_app("evaluate")
    assert not at.exception
    assert "No example of validation that this run labeled has gold." in words(at)


def test_figures_stand_beside_majority_and_criterion(ws, full, open_app):
    at = open_app("evaluate")
    assert not at.exception
    found = evaluate_run(ws, full[1], split="validation", by="Ada")
    tiles = {metric.label: (metric.value, metric.delta) for metric in at.metric}
    figure = found.macro_f1
    assert tiles["Macro-F1"][0] == f"{figure.value:.3f}"
    assert tiles["Macro-F1"][1] == f"{figure.low:.3f} to {figure.high:.3f}, n = {figure.n}"
    assert tiles["Always “not\\_keto”"][0] == f"{found.majority:.3f}"
    assert tiles["Criterion, macro-F1"][0] == "≥ 0.8"
    assert "1 example of 60 got no label and counts as an error: 1 abstained." in words(at)


def test_a_click_on_a_cell_lists_its_examples(ws, full, open_app):
    at = open_app("evaluate")
    everything = at.dataframe[0].value
    assert (everything["Gold"] != everything["Predicted"]).all()
    key = f"evaluate_confusion_{full[1]}_validation"
    chosen = {"cell": [{"gold": "keto", "predicted": "not_keto"}]}
    at.session_state[f"{key}_0"] = {"selection": chosen}
    at.run()
    assert not at.exception
    assert at.selectbox(key=f"{key}_choice").value == ("keto", "not_keto")
    shown = at.dataframe[0].value
    assert 0 < len(shown) < len(everything)
    assert set(shown["Gold"]) == {"keto"}
    assert set(shown["Predicted"]) == {"not_keto"}
    at.session_state[f"{key}_0"] = {"selection": chosen}
    at.selectbox(key=f"{key}_choice").select(("", "")).run()
    assert not at.exception
    assert len(at.dataframe[0].value) == len(everything), "the list wins over an older click"


def test_an_empty_cell_is_no_error(ws, full, open_app):
    at = open_app("evaluate")
    key = f"evaluate_confusion_{full[1]}_validation"
    at.session_state[f"{key}_0"] = {"selection": {"cell": [{"gold": "x", "predicted": "y"}]}}
    at.run()
    assert not at.exception


def test_errors_are_opened_in_label(ws, full, open_app, monkeypatch):
    went = []
    monkeypatch.setattr(st, "switch_page", lambda page, **_: went.append(page))
    at = open_app("evaluate")
    expected = len(at.dataframe[0].value)
    button(at, "Open these in Label").click().run()
    assert went == ["pages/label.py"]
    assert len(at.session_state["label_ids"]) == expected
    assert all(type(i) is int for i in at.session_state["label_ids"])
    assert "errors of run" in at.session_state["label_ids_from"]


def open_tab(at: AppTest, name: str) -> AppTest:
    at.session_state["evaluate_tab"] = name
    return at.run()


def test_labels_and_slices(ws, full, open_app):
    at = open_tab(open_app("evaluate"), "Labels")
    assert not at.exception
    assert list(at.dataframe[0].value["label"]) == list(LABELS)
    assert "n=" in at.dataframe[0].value["f1"][0]
    at = open_tab(at, "Slices")
    assert not at.exception
    table = at.dataframe[0].value
    worst = table.iloc[0]
    assert worst["Slice"] == "course = dessert"
    assert worst["Worse"] == "worse"
    assert "[" in worst["Errors"]
    at.session_state[f"evaluate_slices_{full[1]}_validation"] = {"selection": {"rows": [0]}}
    at.run()
    assert not at.exception
    assert all("dessert" in text for text in at.dataframe[1].value["Text"])


def sure(question: Question) -> Answer:
    """Say what `answers` says, surer of some; each tenth text is answered by votes."""
    said = answers(3)(question)
    number = int(json.loads(question.messages[-1]["content"])["text"].split()[1])
    if said.label is None or number % 11 == 0:
        return Answer(outcome=said.outcome, label=said.label)
    share = 0.55 + number % 9 / 20
    method = Method.VOTES if number % 10 == 7 else Method.LOGPROBS
    return Answer(
        outcome=Outcome.OK, label=said.label, probabilities={said.label: share}, method=method
    )


def test_confidence_is_held_against_gold_and_a_bin_opens_its_examples(ws, open_app):
    run_id = run_it(ws, fill(ws), "sure", sure)
    at = open_tab(open_app("evaluate"), "Confidence")
    assert not at.exception
    found = calibrate_run(ws, run_id)
    said = words(at)
    assert f"Kind of confidence: **{found.kind}**" in said
    assert f"**{found.ece:.3f}**" in said
    assert "with another kind of confidence (share of several votes" in said
    table = at.dataframe[0].value
    assert list(table["Confidence"]) == [f"≥ {one.least:.2f}" for one in found.accepted]
    assert "[" in table["Right among them"][0]
    key = f"evaluate_trust_{run_id}_validation"
    at.session_state[f"{key}_0"] = {"selection": {"bin": [{"number": 1}]}}
    at.run()
    assert not at.exception
    opened = found.bins[1]
    shown = at.dataframe[1].value
    assert len(shown) == len(opened.example_ids)
    assert shown["Confidence"].between(opened.low, opened.high).all()
    at.session_state[f"{key}_0"] = {"selection": {"bin": [{"number": 1}]}}
    at.selectbox(key=f"{key}_choice").select(0).run()
    assert not at.exception
    assert len(at.dataframe[1].value) == len(found.bins[0].example_ids)


def test_a_run_without_confidence_says_so(ws, open_app):
    def bare(question: Question) -> Answer:
        return Answer(outcome=Outcome.OK, label="keto")

    run_it(ws, fill(ws), "bare", bare)
    at = open_tab(open_app("evaluate"), "Confidence")
    assert not at.exception
    assert "This run gave no confidence." in words(at)


def test_confidence_on_test_opens_no_example(ws, open_app):
    task_id = fill(ws)
    run_it(ws, task_id, "sure", sure, splits=("test",))
    at = open_app("evaluate")
    at.session_state["evaluate_split"] = "test"
    at.session_state["evaluate_tab"] = "Confidence"
    at.run()
    button(at, "Look at test (0 → 1 looks)").click().run()
    assert not at.exception
    assert "Kind of confidence" in words(at)
    assert "examples stay closed" in words(at)
    assert len(at.dataframe) == 1, "the table of figures"
    assert ws.read.labels.looks(task_id) == 1


def test_two_runs_are_compared(ws, full, open_app):
    at = open_tab(open_app("evaluate"), "Compare")
    assert not at.exception
    said = words(at)
    assert f"run {full[0]}" in said
    assert "p = " in said
    assert "better than" in said or "Not enough to tell" in said
    assert "Run 1" in at.dataframe[0].value.columns


def test_test_is_locked_until_confirmed_and_each_look_is_counted(ws, open_app):
    task_id = fill(ws)
    run_it(ws, task_id, "plain", answers(3), splits=("validation", "test"))
    at = open_app("evaluate")
    at.session_state["evaluate_split"] = "test"
    at.run()
    assert not at.exception
    assert not at.metric, "nothing is shown before the look"
    assert ws.read.labels.looks(task_id) == 0
    button(at, "Look at test (0 → 1 looks)").click().run()
    assert at.metric
    assert ws.read.labels.looks(task_id) == 1
    at.run()
    assert ws.read.labels.looks(task_id) == 1, "drawing again is not looking again"
    assert "looked at 1 time" in words(at)
    assert "examples stay closed" in words(at)
    assert not at.dataframe


def test_a_run_without_test_cannot_be_looked_at_there(ws, full, open_app):
    at = open_app("evaluate")
    at.session_state["evaluate_split"] = "test"
    at.run()
    assert not at.exception
    assert "left test out" in words(at)
    assert ws.read.labels.looks(1) == 0


def test_the_champion_is_chosen_here(ws, full, open_app):
    at = open_app("evaluate")
    button(at, "Make champion").click().run()
    assert not at.exception
    task = ws.read.tasks.by_name("dishes")
    assert task.champion == ws.read.runs.classifier(full[1])


def test_a_hostile_text_is_shown_as_it_is(ws, open_app):
    task = create_task(ws, name="x", labels=["a", "<img src=x>![](http://e)"], by="Ada")
    evil = "Dish 1 <script>alert(1)</script> ![x](http://evil.example)"
    ids = ws.store.examples.add(task.id, [("=1+1", evil, Split.VALIDATION, {})], ws.now())
    label = task.labels[1].id
    ws.store.labels.append(
        task.id,
        [NewLabel(example_id=ids[0], label_id=label, person="f", origin=Origin.IMPORTED)],
        ws.now(),
    )

    def answer(question: Question) -> Answer:
        return Answer(outcome=Outcome.OK, label="a")

    run_it(ws, task.id, "plain", answer)
    at = open_app("evaluate")
    assert not at.exception
    assert "](http" not in "".join(str(m.value) for m in at.markdown)
    assert all("](http" not in metric.label for metric in at.metric)


def test_a_kept_figure_is_forgotten_when_gold_changes(ws, full, open_app):
    at = open_app("evaluate")
    before = at.metric[1].value
    task = ws.read.tasks.by_name("dishes")
    wrong = at.dataframe[0].value
    assert len(wrong)
    gold = ws.read.labels.gold(task.id, ("validation",))
    said = {p.example_id: p.label_id for p in ws.read.runs.predictions(full[1])}
    example_id = next(i for i, g in gold.items() if said[i] not in (None, g.label_id))
    ws.store.labels.append(
        task.id,
        [
            NewLabel(
                example_id=example_id, label_id=said[example_id], person="Ada", origin=Origin.BLIND
            )
        ],
        ws.now(),
    )
    at.run()
    assert not math.isclose(float(at.metric[1].value), float(before))
