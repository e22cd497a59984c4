"""Upload, train, look, use, delete: the SDK all the way."""

import csv
import io
import json

import openai
import pytest

from studio.embedded.training_data import TrainingFileError, read_training_file

from .conftest import PROMPT, dishes, finished, jsonl, messages


def said(client, job):
    events = list(client.fine_tuning.jobs.list_events(job, limit=200))
    return events, [event.message for event in reversed(events)]


def test_the_job_tells_its_story(client, trained):
    assert trained.status == "succeeded"
    assert trained.error is None
    assert trained.trained_tokens > 1000
    assert trained.metadata == {"task": "keto"}
    assert trained.hyperparameters.n_epochs == 3
    events, told = said(client, trained.id)
    assert told[0].startswith("Created fine-tuning job")
    assert told[-1] == "The job has successfully completed"
    assert any("n_epochs=3 is not used" in line for line in told)
    assert any("1 validation examples are also in the training file" in line for line in told)
    assert any("copies share a fold" in line for line in told)
    kinds = {event.data["kind"] for event in events if event.type == "metrics"}
    assert kinds == {"fold", "out_of_fold", "learning_curve", "validation"}
    assert {event.level for event in events} == {"info", "warn"}


def test_result_files(client, trained):
    assert trained.fine_tuned_model.startswith("ft:studio-encoder:dishes-1:")
    steps, per_label, held_out = (client.files.content(one).text for one in trained.result_files)
    (first, *_) = csv.DictReader(io.StringIO(steps))
    assert {"step", "train_loss", "valid_loss", "valid_mean_token_accuracy"} <= set(first)
    assert [row["label"] for row in csv.DictReader(io.StringIO(per_label))] == ["keto", "not_keto"]
    found = json.loads(held_out)
    assert len(found["rows"]) == 48
    folds = {}
    for row in found["rows"]:
        assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-4)
        assert folds.setdefault(row["text"], row["fold"]) == row["fold"]
    assert found["metrics"]["macro_f1"] > 0.7


def test_the_model_answers_and_keeps_its_prompt(client, trained, label):
    found, told = label("grilled mackerel", model=trained.fine_tuned_model)
    assert found == "keto"
    assert told["notes"] == []
    assert {one["kind"] for one in told["evidence"]} & {"word", "definition", "reason"}
    assert sum(told["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    _, told = label("grilled mackerel", "Another prompt.", model=trained.fine_tuned_model)
    assert "keeps the prompt" in told["notes"][0]
    bare = client.chat.completions.create(
        model=trained.fine_tuned_model, messages=messages("grilled mackerel", "")
    )
    assert json.loads(bare.choices[0].message.content) == {"label": "keto"}
    some = label("grilled mackerel", labels=("keto", "soup"), model=trained.fine_tuned_model)
    assert some[1]["probabilities"] == {"keto": 1.0, "soup": 0.0}


def test_checkpoints_are_models(client, trained, label):
    points = client.fine_tuning.jobs.checkpoints.list(trained.id).data
    for point in points:
        assert label("grilled trout", model=point.fine_tuned_model_checkpoint)[0] in (
            "keto",
            "not_keto",
        )
    assert all(point.step_number < 48 for point in points)


def test_the_same_seed_gives_the_same_model(client, trained, label):
    sent = client.files.create(file=("d.jsonl", jsonl(dishes() * 2)), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model="studio-encoder", training_file=sent.id, seed=3)
    again = finished(client, job.id)
    for text in ("grilled mackerel", "rye bread"):
        one = label(text, model=again.fine_tuned_model)[1]["probabilities"]
        assert one == label(text, model=trained.fine_tuned_model)[1]["probabilities"]
    assert client.models.delete(again.fine_tuned_model).deleted is True
    with pytest.raises(openai.NotFoundError):
        label("rye bread", model=again.fine_tuned_model)


@pytest.mark.parametrize(
    ("content", "message", "param"),
    [
        (jsonl(dishes()[:5]), "The file has 5 examples; at least 10 are needed.", "training_file"),
        (jsonl([("a dish", "keto")] * 12), "names one label only", "training_file"),
        (jsonl(dishes()) + b"[1]\n", "Line 25 is not a JSON object.", "training_file"),
    ],
)
def test_a_bad_file_fails_the_job_with_its_reason(client, content, message, param):
    sent = client.files.create(file=("bad.jsonl", content), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model="studio-encoder", training_file=sent.id)
    ended = finished(client, job.id)
    assert ended.status == "failed"
    assert message in ended.error.message
    assert ended.error.param == param
    events, _ = said(client, job.id)
    assert events[0].level == "error"
    with pytest.raises(openai.BadRequestError):
        client.fine_tuning.jobs.cancel(job.id)


def turns(*pairs):
    return {"messages": [{"role": role, "content": content} for role, content in pairs]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "is not JSON"),
        ('"text"', "is not a JSON object"),
        ('{"prompt": "a", "completion": "b"}', "old prompt/completion form"),
        ('{"text": "a"}', 'has no "messages"'),
        (json.dumps(turns(("robot", "a"), ("assistant", "keto"))), "the role 'robot'"),
        (json.dumps(turns(("user", "a"))), "does not end with an assistant message"),
        (json.dumps(turns(("assistant", "keto"))), "has no user message"),
        (json.dumps(turns(("user", "a"), ("assistant", ""))), "names no label"),
        (json.dumps(turns(("user", " "), ("assistant", "keto"))), "has an empty user message"),
        ('{"messages": []}', "at least one message"),
    ],
)
def test_a_bad_line_is_named_with_its_number(tmp_path, line, message):
    lines = jsonl(dishes()).decode().splitlines()
    lines[6:6] = [line]
    path = tmp_path / "bad.jsonl"
    path.write_text("\n".join([*lines, "{"]), encoding="utf-8")
    with pytest.raises(TrainingFileError) as caught:
        read_training_file(path)
    assert str(caught.value).startswith("Line 7 ")
    assert message in str(caught.value)
    assert "Also wrong: line 26" in str(caught.value)


def test_bare_labels_and_a_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "bare.jsonl"
    line = json.dumps(turns(("system", PROMPT), ("user", "salmon"), ("assistant", " keto ")))
    path.write_bytes(b"\xef\xbb\xbf" + (line + "\r\n\r\n").encode() * 12)
    found = read_training_file(path)
    assert {(one.text, one.label, one.system) for one in found} == {("salmon", "keto", PROMPT)}
    assert found[1].line == 3
