"""What may be trained where, and what a training set is written as."""

import json

import pytest

from studio.actions.finetunes import (
    create_training_set,
    export_training_set,
    launch_finetune,
    note_before_use,
)
from studio.actions.providers import add_provider
from studio.actions.runs import Choice, start_run
from studio.domain.prompt import prompt_of, training_jsonl
from studio.domain.training_file import TrainingFormat
from studio.errors import InputError

CHAT = [TrainingFormat.OPENAI, TrainingFormat.FIREWORKS, TrainingFormat.TOGETHER]


@pytest.fixture
def task(ws, fill):
    return fill(ws)


@pytest.mark.parametrize(
    ("model", "clock", "said"),
    [
        ("gpt-4.1-mini", 1_799_300_000.0, "no new models since 2027-01-06"),  # 2027-01-07
        ("gpt-6-luna", 1_795_320_000.0, "gpt-6-luna cannot be trained"),
    ],
)
def test_what_is_closed_is_refused_before_anything_is_stored(
    open_studio, fill, script, model, clock, said
):
    ws = open_studio(provider=script, clock=lambda: clock)
    task = fill(ws)
    script.is_local, script.host = False, "api.openai.com"
    with pytest.raises(InputError, match=said) as caught:
        launch_finetune(ws, task.id, base_model=model, consent=True, by="Ada")
    assert "embedded provider" in caught.value.next_step
    assert ws.read.finetunes.all(task.id) == []
    assert ws.read.finetunes.training_sets(task.id) == []
    assert not ws.read.providers.has_consent(task.id, "api.openai.com")


@pytest.mark.parametrize("form", CHAT)
def test_chat_formats_are_the_same_lines(ws, task, form):
    made = create_training_set(ws, task.id, by="Ada")
    rows = ws.read.finetunes.training_rows(made.id)
    text = export_training_set(ws, task.id, made.id, form=form)
    assert text == training_jsonl(prompt_of(task), task.label_names, rows)
    for line in map(json.loads, text.splitlines()):
        assert set(line) == {"messages"}
        assert [m["role"] for m in line["messages"]] == ["system", "user", "assistant"]


def test_the_neutral_row_asks_what_a_decision_model_is_asked(ws, task):
    made = create_training_set(ws, task.id, by="Ada")
    text = export_training_set(ws, task.id, made.id, form=TrainingFormat.SYSTEM_ONE)
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) == made.size
    assert {frozenset(row) for row in rows} == {
        frozenset({"id", "state", "questions", "labels", "weight"})
    }
    question = rows[0]["questions"]["label"]
    assert (question["type"], question["criteria"]) == ("choice", {"ham": "wanted", "spam": None})
    assert all(row["labels"]["label"] in row["state"]["text"] for row in rows)
    assert len({row["id"] for row in rows}) == len(rows)


@pytest.fixture
def of_jev(ws, task, work, script):
    """Return a training set of labels that Jev made, two of them corrected by a person."""
    from studio.actions.corrections import Decision, correct_labels

    script.default_model = "typesafe/jev-1.2"
    run = start_run(ws, task.id, choice=Choice(), splits=["train"], by="Ada")
    work(ws)
    ids = [e.id for e in ws.store.examples.all(task.id, ["train"])][:2]
    decisions = [Decision(example_id=i, label="spam") for i in ids]
    correct_labels(ws, task.id, decisions, run_id=run.id, by="Bo")
    return create_training_set(ws, task.id, run_id=run.id, by="Ada"), ids


def test_labels_of_a_model_whose_terms_bar_training_are_named(ws, task, of_jev):
    made, corrected = of_jev
    with pytest.raises(InputError, match="10 of 12 labels were made by typesafe/jev") as caught:
        export_training_set(ws, task.id, made.id)
    assert "TypeSafe" in caught.value.message
    with pytest.raises(InputError, match="bar training on them"):
        launch_finetune(ws, task.id, training_set_id=made.id, by="Ada")
    text = export_training_set(
        ws, task.id, made.id, form=TrainingFormat.SYSTEM_ONE, without_barred=True
    )
    assert {int(json.loads(line)["id"]) for line in text.splitlines()} == set(corrected)


def test_a_model_at_azure_is_deployed_first(ws, task):
    add_provider(ws, name="azure", base_url="https://mine.openai.azure.com/openai/v1", by="Ada")
    finetune = launch_finetune(ws, task.id, by="Ada")
    assert note_before_use(ws, finetune) == ""
    with ws.store.transaction() as conn:
        conn.execute("UPDATE finetune SET provider = 'azure', model = 'm.ft-1'")
    assert "deploy m.ft-1" in note_before_use(ws, ws.read.finetunes.get(finetune.id))
