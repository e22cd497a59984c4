"""Fine-tunes: what is learnt from, where it goes, what came out."""

from __future__ import annotations

import asyncio
import json

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from studio.actions.finetunes import launch_finetune
from studio.actions.providers import add_provider
from studio.actions.runs import Choice, start_run
from studio.actions.tasks import create_task
from studio.bootstrap import open_workspace
from studio.domain.correction import Origin
from studio.domain.eligibility import eligibility
from studio.domain.example import Split
from studio.domain.finetune import FineTuneEvent, FineTuneStatus
from studio.domain.job import JobStatus
from studio.domain.prompt import PromptText
from studio.domain.run import Answer, Outcome, Question
from studio.handlers.pacing import Pacers
from studio.handlers.runs import run_handler
from studio.jobs.control import Control
from studio.providers.scripted import ScriptedProvider
from studio.store.labels import NewLabel
from studio.ui.rationale_text import JOINER
from studio.workspace import Workspace

LABELS = ("keto", "not_keto")


def fill(ws: Workspace, n: int = 80, labels: int = 2) -> int:
    task = create_task(ws, name="dishes", labels=LABELS, criterion="macro_f1>=0.8", by="Ada")
    rows = [
        (f"d{i}", f"Dish {i}", Split.TRAIN if i % 2 else Split.VALIDATION, {}) for i in range(n)
    ]
    ids = ws.store.examples.add(task.id, rows, ws.now())
    ws.store.labels.append(
        task.id,
        [
            NewLabel(
                example_id=example_id or 0,
                label_id=task.label(LABELS[number // 2 % labels]).id,
                person="file",
                origin=Origin.IMPORTED,
            )
            for number, example_id in enumerate(ids)
        ],
        ws.now(),
    )
    return task.id


def answer(question: Question) -> Answer:
    number = int(json.loads(question.messages[-1]["content"])["text"].split()[1])
    label = LABELS[number // 2 % 2 if number % 7 else 0]
    return Answer(outcome=Outcome.OK, label=label, probabilities={label: 1.0})


def scripted(ws: Workspace) -> Workspace:
    return open_workspace(
        ws.path, provider=lambda _: ScriptedProvider(answer, name="embedded"), wake=lambda: None
    )


def trained(ws: Workspace, task_id: int, status=FineTuneStatus.SUCCEEDED, error: str = "") -> int:
    """Store a fine-tune that has ended, as its handler would."""
    finetune = launch_finetune(scripted(ws), task_id, by="Ada")
    job = ws.store.jobs.claim("test", ws.clock(), 60.0, ["finetune"])
    curve = [
        FineTuneEvent(
            at=10.0 + n,
            level="info",
            message=f"Step {n}",
            data={"kind": "learning_curve", "examples": n, "macro_f1": 0.5 + n / 100},
        )
        for n in (4, 8, 16, 32)
    ]
    crossed = {"kind": "out_of_fold", "n": 40, "accuracy": 0.9, "macro_f1": 0.88}
    events = [
        FineTuneEvent(at=1.0, level="info", message="Fine-tuning job started"),
        FineTuneEvent(at=2.0, level="warn", message="<b>few</b> ![x](http://e)"),
        FineTuneEvent(at=5.0, level="info", message="Out of fold", data=crossed),
        *curve,
    ]
    ws.store.finetunes.add_events(finetune.id, [(str(i), e) for i, e in enumerate(events)])
    good = status is FineTuneStatus.SUCCEEDED
    model = "ft:studio-encoder:dishes-1:abc" if good else ""
    ws.store.finetunes.update(finetune.id, status=status, model=model, error=error, seconds=3.2)
    final = JobStatus.DONE if good else JobStatus.FAILED
    ws.store.jobs.finish(job.id, job.fence, final, error, ws.clock())
    return finetune.id


def finish_run(ws: Workspace) -> None:
    mine = scripted(ws)
    job = mine.store.jobs.claim("test", ws.clock(), 60.0, ["run"])
    control = Control(mine.store.jobs, job, clock=ws.clock, lease_s=60.0)
    asyncio.run(run_handler(mine, Pacers(), job, control))
    mine.store.jobs.finish(job.id, control.fence, JobStatus.DONE, "", ws.clock())


def words(at: AppTest) -> str:
    kinds = (at.markdown, at.caption, at.info, at.warning, at.error, at.text, at.title, at.code)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def unescaped(at: AppTest) -> str:
    return words(at).replace(JOINER, "").replace("\\", "")


def button(at: AppTest, start: str):
    return next(b for b in at.button if b.label.startswith(start))


def test_without_labels_it_says_what_to_do(ws, open_app):
    create_task(ws, name="dishes", labels=LABELS, by="Ada")
    at = open_app("finetunes")
    assert not at.exception
    assert "There is nothing to learn from yet." in words(at)
    assert not [b for b in at.button if b.label.startswith("Train on")]


def test_counts_origins_and_warnings_stand_before_the_button(ws, open_app):
    fill(ws, n=60)
    at = open_app("finetunes")
    assert not at.exception
    said = words(at)
    assert "Labels: 15 keto, 15 not_keto" in said or "Labels: 15 not_keto, 15 keto" in said
    assert "Origins: 30 imported" in said
    assert "Few examples of 'keto' (15)" in said
    assert "stays on this machine" in said
    assert not button(at, "Train on 30 labels").disabled


def test_one_label_cannot_be_trained(ws, open_app):
    fill(ws, labels=1)
    at = open_app("finetunes")
    assert "Every label is 'keto'; two are needed." in words(at)
    assert button(at, "Train on").disabled


def test_training_is_filed_and_shown_where_it_was_launched(ws, open_app):
    task_id = fill(ws)
    at = open_app("finetunes")
    button(at, "Train on 40 labels").click().run()
    assert not at.exception
    (finetune,) = ws.read.finetunes.all(task_id)
    assert finetune.created_by == "Ada"
    assert finetune.provider == "embedded"
    assert ws.read.jobs.get(finetune.job_id).kind == "finetune"
    assert "Fine-tune 1" in "".join(s.value for s in at.subheader)


def test_only_freezing_stores_a_set_to_choose(ws, open_app):
    task_id = fill(ws)
    at = open_app("finetunes")
    button(at, "Only freeze").click().run()
    assert not at.exception
    (frozen,) = ws.read.finetunes.training_sets(task_id)
    at.run()
    at.selectbox(key="finetune_source").select(("set", frozen.id)).run()
    assert not at.exception
    assert not [b for b in at.button if b.label == "Only freeze"]


@pytest.fixture
def in_november(monkeypatch):
    """The day on which hosted training is still open."""
    monkeypatch.setattr(
        "studio.actions.finetunes.eligibility", lambda h, b, _: eligibility(h, b, "2026-11-22")
    )


@pytest.mark.usefixtures("in_november")
def test_a_hosted_provider_needs_consent_and_openai_has_an_end(ws, open_app, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    task_id = fill(ws)
    add_provider(
        ws, name="openai", base_url="https://api.openai.com/v1", key_env="OPENAI_API_KEY", by="Ada"
    )
    at = open_app("finetunes")
    at.selectbox(key="finetune_provider").select("openai").run()
    assert not at.exception
    said = unescaped(at)
    assert "for nobody after 2027-01-06 (45 days left)" in said
    assert "Read on 2026-11-22 at https://developers.openai.com" in said
    at.text_input(key="finetune_base").set_value("gpt-6-luna").run()
    assert "gpt-6-luna cannot be trained at OpenAI" in unescaped(at)
    assert button(at, "Train on").disabled
    assert not [c for c in at.checkbox if "agree" in c.label]
    at.text_input(key="finetune_base").set_value("gpt-4.1-mini").run()
    (consent,) = [c for c in at.checkbox if "agree" in c.label]
    assert "send 40 texts" in consent.label
    assert "to api.openai.com, for about $" in consent.label.replace("\\", "")
    assert "40 examples, 3 times each, to api.openai.com" in unescaped(at)
    assert "not confirmed" in unescaped(at)  # what was read of prices of trainings
    assert button(at, "Train on").disabled
    consent.check().run()
    button(at, "Train on").click().run()
    assert not at.exception
    assert ws.read.providers.has_consent(task_id, "api.openai.com")


def test_labels_of_a_run_are_named_as_a_models(ws, open_app):
    task_id = fill(ws)
    ws.store.prompts.save(
        task_id, name="p", body=PromptText(instructions="p"), author="A", note="", at=ws.now()
    )
    choice = Choice(prompt="p")
    run = start_run(scripted(ws), task_id, choice=choice, splits=("train",), by="Ada")
    finish_run(ws)
    at = open_app("finetunes")
    at.selectbox(key="finetune_source").select(("run", run.id)).run()
    assert not at.exception
    assert "40 of 40 labels were made by a model and are not gold" in words(at)


def test_a_model_is_shown_run_and_made_champion(ws, open_app):
    task_id = fill(ws)
    finetune_id = trained(ws, task_id)
    at = open_app("finetunes")
    assert not at.exception
    said = words(at)
    assert "ft:studio-encoder:dishes-1:abc" in said
    assert "accuracy 0.900 [0.77, 0.96] n=40, macro-F1 0.880" in said
    assert "Would more examples help?" in said
    table = next(d.value for d in at.dataframe if "Message" in d.value.columns)
    assert table["Message"][0] == "Step 32"
    assert button(at, "Make champion").disabled
    monkey = pytest.MonkeyPatch()
    monkey.setattr("studio.ui.run_start.start_run", _with_script(start_run))
    button(at, "Run it on validation").click().run()
    monkey.undo()
    assert not at.exception
    finish_run(ws)
    at.run()
    assert not at.exception
    assert "On validation (run 1): macro-F1" in words(at)
    button(at, "Make champion").click().run()
    assert ws.read.tasks.get(task_id).champion == f"model:{finetune_id}"


def test_what_a_training_cost_stands_beside_its_model(ws, open_app):
    finetune_id = trained(ws, fill(ws))
    assert "The training cost" not in words(open_app("finetunes"))  # it is of this machine
    for usd, said in ((0.05, "The training cost $0.05; $0 was expected."), (None, "cost unknown;")):
        ws.store.finetunes.update(finetune_id, metrics={"cost_usd": usd})
        assert said in unescaped(open_app("finetunes"))


def _with_script(action):
    """The page's own provider is the embedded server, which does not run here."""

    def start(ws, *args, **kwargs):
        return action(scripted(ws), *args, **kwargs)

    return start


def test_a_failure_is_a_sentence_with_what_to_do(ws, open_app):
    task_id = fill(ws)
    trained(ws, task_id, FineTuneStatus.FAILED, "The training ran out of memory.")
    at = open_app("finetunes")
    assert not at.exception
    assert "The training ran out of memory." in words(at)
    button(at, "Go on where it was").click().run()
    assert not at.exception
    (finetune,) = ws.read.finetunes.all(task_id)
    assert ws.read.jobs.get(finetune.job_id).status is JobStatus.QUEUED


def test_the_model_stands_against_the_best_prompt(ws, open_app, monkeypatch):
    task_id = fill(ws)
    finetune_id = trained(ws, task_id)
    mine = scripted(ws)
    mine.store.prompts.save(
        task_id, name="p", body=PromptText(instructions="p"), author="A", note="", at=ws.now()
    )
    for choice in (Choice(prompt="p"), Choice(model=str(finetune_id))):
        start_run(mine, task_id, choice=choice, splits=("validation",), by="Ada")
        finish_run(ws)
    at = open_app("finetunes")
    assert not at.exception
    assert "Against the best prompt, p v1 (run 1):" in words(at)
    assert "Not enough to tell run 2 from run 1" in words(at)
    went = []
    monkeypatch.setattr(st, "switch_page", lambda page, **_: went.append(page))
    button(at, "Evaluate").click().run()
    assert went == ["pages/evaluate.py"]
    assert at.session_state["evaluate_next_run"] == 2
