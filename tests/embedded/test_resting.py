"""Trainings that are paused, killed and taken up: nothing done twice, the same model at the end."""

import collections
import json
import os
import random
import signal
import time

import openai
import pytest
from openai import OpenAI

from studio.embedded import EmbeddedServer
from studio.embedded.folds import FoldsOnDisk
from studio.embedded.training import FOLDS, Diary
from studio.embedded.training_run import train

from .conftest import KETO, NOT_KETO, dishes, finished, jsonl
from .test_server import Outside

WORDS = " ".join([*KETO, *NOT_KETO]).split()
LABELS = [f"shelf {letter}" for letter in "abcdefghijkl"]
STRENGTHS, FOLD_COUNT = 4, 5


def many(count=120):
    """Return examples of many labels, whose folds take long enough to be caught in between."""
    dice = random.Random(7)
    return [
        (" ".join(dice.choices(WORDS, k=6)), LABELS[number % len(LABELS)])
        for number in range(count)
    ]


def folds_told(events):
    told = collections.Counter(
        (event["data"]["fold"], event["data"]["c"])
        for event in events
        if event["type"] == "metrics" and event["data"]["kind"] == "fold"
    )
    assert max(told.values()) == 1, "a fold was trained twice"
    return len(told)


def wait_for_a_fold(folder, job):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if list((folder / "jobs" / job / FOLDS).glob("fold-*.npz")):
            return
        time.sleep(0.002)
    raise AssertionError("no fold was written")


def begun(client, rows):
    sent = client.files.create(file=("d.jsonl", jsonl(rows, "")), purpose="fine-tune")
    return client.fine_tuning.jobs.create(model="studio-encoder", training_file=sent.id, seed=5)


def told_by(client, job):
    return [event.to_dict() for event in client.fine_tuning.jobs.list_events(job, limit=200)]


def head_of(client, job):
    return client.models.retrieve(job.fine_tuned_model).model_extra["studio"]["head_sha256"]


@pytest.fixture
def serving(tmp_path):
    with (
        EmbeddedServer(tmp_path) as server,
        OpenAI(base_url=server.url, api_key=server.token, max_retries=0) as client,
    ):
        yield client


class Cut(BaseException):
    """What stands for a power cut."""


class CutDiary(Diary):
    def measure(self, message, **data):
        super().measure(message, **data)
        if (data.get("fold"), data.get("c")) == (3, 3.0):
            raise Cut


def test_a_training_goes_on_behind_its_last_fold_to_the_same_model(tmp_path):
    file = tmp_path / "training.jsonl"
    file.write_bytes(jsonl(dishes()))
    task = {"training": str(file), "validation": None, "seed": 3, "vectors": str(tmp_path)}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
    train(task, whole, Diary(whole))
    with pytest.raises(Cut):
        train(task, broken, CutDiary(broken))
    before = {path: path.read_bytes() for path in (broken / FOLDS).iterdir()}
    assert len(before) == FOLD_COUNT
    train(task, broken, Diary(broken))
    events = [json.loads(line) for line in (broken / "events.jsonl").read_text().splitlines()]
    assert "Going on behind the 8 trainings done before" in [one["message"] for one in events]
    assert folds_told(events) == STRENGTHS * FOLD_COUNT
    for name in ("head.json", "head.npz"):
        one, other = (folder / "out" / "head" / name for folder in (whole, broken))
        assert one.read_bytes() == other.read_bytes()


def test_folds_of_other_data_or_damaged_ones_do_not_count(tmp_path):
    file = tmp_path / "training.jsonl"
    file.write_bytes(jsonl(dishes()))
    task = {"training": str(file), "validation": None, "seed": 3, "vectors": str(tmp_path)}
    train(task, tmp_path, Diary(tmp_path))
    assert FoldsOnDisk(tmp_path / FOLDS, "another").load() == {}
    for path in (tmp_path / FOLDS).iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert FoldsOnDisk(tmp_path / FOLDS, "another").load() == {}
    train(task, tmp_path, Diary(tmp_path))


@pytest.mark.fault
def test_pausing_in_the_middle_lets_others_train_and_resuming_ends_it(serving, tmp_path):
    client = serving
    job = begun(client, many())
    wait_for_a_fold(tmp_path, job.id)
    rested = client.fine_tuning.jobs.pause(job.id)
    assert (rested.status, rested.model_extra["studio"]) == ("queued", {"paused": True})
    other = finished(client, begun(client, dishes()).id)
    assert other.status == "succeeded"
    still = client.fine_tuning.jobs.retrieve(job.id)
    assert (still.status, still.model_extra["studio"]["paused"]) == ("queued", True)
    assert client.fine_tuning.jobs.pause(job.id).model_extra["studio"]["paused"] is True
    assert client.fine_tuning.jobs.resume(job.id).model_extra["studio"]["paused"] is False
    ended = finished(client, job.id)
    assert ended.status == "succeeded", ended.error
    events = told_by(client, job.id)
    assert folds_told(events) == STRENGTHS * FOLD_COUNT
    said = [event["message"] for event in events]
    assert said.count("The job was paused") == said.count("The job was resumed") == 1
    assert not (tmp_path / "jobs" / job.id / FOLDS).exists()
    whole = finished(client, begun(client, many()).id)
    assert head_of(client, whole) == head_of(client, ended)


def test_a_paused_job_stays_so_over_a_restart_and_can_be_cancelled(tmp_path):
    for turn in range(2):
        with (
            EmbeddedServer(tmp_path) as server,
            OpenAI(base_url=server.url, api_key=server.token, max_retries=0) as client,
        ):
            if turn == 0:
                job = begun(client, many())
                client.fine_tuning.jobs.pause(job.id)
            assert client.fine_tuning.jobs.retrieve(job.id).model_extra["studio"]["paused"]
            if turn:
                gone = client.fine_tuning.jobs.cancel(job.id)
                assert (gone.status, gone.model_extra["studio"]["paused"]) == ("cancelled", False)
                for ask in (client.fine_tuning.jobs.pause, client.fine_tuning.jobs.resume):
                    with pytest.raises(openai.BadRequestError, match="already cancelled"):
                        ask(job.id)


def test_pausing_and_resuming_at_once_fails_nothing(serving, tmp_path):
    job = begun(serving, many(60))
    pid = tmp_path / "jobs" / job.id / "pid"
    for _ in range(5):
        while not pid.exists():
            time.sleep(0.005)
        serving.fine_tuning.jobs.pause(job.id)
        serving.fine_tuning.jobs.resume(job.id)
    assert finished(serving, job.id).status == "succeeded"


@pytest.mark.fault
def test_a_killed_training_is_taken_up_at_boot_behind_its_last_fold(tmp_path):
    server = Outside(tmp_path)
    job = begun(server.client, many())
    wait_for_a_fold(tmp_path, job.id)
    server.end(signal.SIGKILL)
    os.kill(int((tmp_path / "jobs" / job.id / "pid").read_text()), signal.SIGKILL)
    server = Outside(tmp_path)
    ended = finished(server.client, job.id)
    assert ended.status == "succeeded", ended.error
    events = told_by(server.client, job.id)
    assert any("Going on behind" in event["message"] for event in events)
    assert any("The server was restarted" in event["message"] for event in events)
    assert folds_told(events) <= STRENGTHS * FOLD_COUNT
    assert server.end(signal.SIGTERM) == 0


@pytest.mark.fault
def test_a_training_killed_beside_a_living_server_fails_with_its_reason(serving, tmp_path):
    job = begun(serving, many())
    wait_for_a_fold(tmp_path, job.id)
    os.kill(int((tmp_path / "jobs" / job.id / "pid").read_text()), signal.SIGKILL)
    ended = finished(serving, job.id)
    assert ended.status == "failed"
    assert "ended from outside by signal 9" in ended.error.message


def test_the_same_files_and_seed_make_the_same_head(serving):
    first, again = (finished(serving, begun(serving, dishes()).id) for _ in range(2))
    assert head_of(serving, first) == head_of(serving, again)
    sent = serving.files.create(file=("d.jsonl", jsonl(dishes(), "")), purpose="fine-tune")
    seeded = serving.fine_tuning.jobs.create(model="studio-encoder", training_file=sent.id, seed=6)
    assert head_of(serving, finished(serving, seeded.id)) != head_of(serving, first)
