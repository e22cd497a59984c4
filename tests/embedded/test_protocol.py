"""Every reply holds to the published schema; every refusal has the four keys."""

import base64
import json
import struct

import httpx2
import pytest
from openai import OpenAI

from .conftest import KETO, PROMPT, dishes, jsonl, messages, strict


def test_models(ask, trained):
    names = [one["id"] for one in ask("GET", "/models", "/models")["data"]]
    assert names[0] == "studio-encoder"
    assert trained.fine_tuned_model in names
    found = ask("GET", f"/models/{trained.fine_tuned_model}", "/models/{model}")
    assert found["studio"]["metrics"]["n"] == 48


def test_chat(ask):
    body = {
        "model": "studio-encoder",
        "messages": messages("grilled salmon"),
        "response_format": strict("keto", "not_keto"),
        "logprobs": True,
        "top_logprobs": 20,
        "n": 2,
    }
    reply = ask("POST", "/chat/completions", "/chat/completions", json=body)
    assert [choice["index"] for choice in reply["choices"]] == [0, 1]
    assert reply["usage"]["prompt_tokens"] > 50


def test_embeddings(ask):
    given = {"model": "studio-encoder", "input": ["salmon", "rice"], "encoding_format": "float"}
    plain = ask("POST", "/embeddings", "/embeddings", json=given)
    assert [one["index"] for one in plain["data"]] == [0, 1]
    assert len(plain["data"][0]["embedding"]) == 384


def test_base64_embeddings_are_the_same_numbers(raw):
    given = {"model": "studio-encoder", "input": "salmon"}
    plain = raw("POST", "/embeddings", json=given).json()["data"][0]["embedding"]
    packed = raw("POST", "/embeddings", json={**given, "encoding_format": "base64"}).json()
    numbers = struct.unpack("<384f", base64.b64decode(packed["data"][0]["embedding"]))
    assert list(numbers) == plain


def test_files(ask, raw):
    sent = {"file": ("a.jsonl", b"{}\n")}
    made = ask("POST", "/files", "/files", files=sent, data={"purpose": "user_data"})
    assert ask("GET", f"/files/{made['id']}", "/files/{file_id}") == made
    listed = ask("GET", "/files?purpose=user_data&limit=1", "/files")
    assert listed["data"][0]["id"] == made["id"]
    assert raw("GET", f"/files/{made['id']}/content").content == b"{}\n"
    gone = ask("DELETE", f"/files/{made['id']}", "/files/{file_id}")
    assert gone["deleted"] is True
    assert raw("GET", f"/files/{made['id']}").status_code == 404
    assert ask("GET", "/files?purpose=vision", "/files")["data"] == []


def test_fine_tuning(ask, trained):
    jobs = "/fine_tuning/jobs"
    one = f"{jobs}/{{fine_tuning_job_id}}"
    assert ask("GET", jobs, jobs)["data"]
    job = ask("GET", f"{jobs}/{trained.id}", one)
    assert job["status"] == "succeeded"
    events = ask("GET", f"{jobs}/{trained.id}/events?limit=200", f"{one}/events")
    assert events["has_more"] is False
    page = ask("GET", f"{jobs}/{trained.id}/events?limit=2", f"{one}/events")
    rest = f"{jobs}/{trained.id}/events?limit=2&after={page['data'][-1]['id']}"
    assert page["has_more"] is True
    assert ask("GET", rest, f"{one}/events")["data"] == events["data"][2:4]
    ask("GET", f"{jobs}/{trained.id}/checkpoints", f"{one}/checkpoints")


def test_creating_and_cancelling_a_job(ask):
    jobs = "/fine_tuning/jobs"
    sent = {"file": ("d.jsonl", jsonl(dishes()))}
    made = ask("POST", "/files", "/files", files=sent, data={"purpose": "fine-tune"})
    body = {"model": "studio-encoder", "training_file": made["id"]}
    job = ask("POST", jobs, jobs, json=body)
    where = f"{jobs}/{job['id']}/cancel"
    gone = ask("POST", where, f"{jobs}/{{fine_tuning_job_id}}/cancel")
    assert gone["status"] == "cancelled"
    assert gone["finished_at"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "param", "code"),
    [
        ("GET", "/models/nothing", None, 404, None, "model_not_found"),
        ("DELETE", "/models/studio-encoder", None, 400, None, "bad_input"),
        ("GET", "/files/file-0", None, 404, None, "not_found"),
        ("GET", "/files/..%2F..%2Fserver.json", None, 404, None, None),
        ("GET", "/fine_tuning/jobs/ftjob-0", None, 404, None, "not_found"),
        ("GET", "/fine_tuning/jobs?limit=x", None, 400, "limit", None),
        ("GET", "/files?order=upwards", None, 400, "order", None),
        ("GET", "/fine_tuning/jobs?limit=%C2%B2", None, 400, "limit", None),
        ("GET", "/fine_tuning/jobs?limit=" + "9" * 5000, None, 400, "limit", None),
        (
            "POST",
            "/chat/completions",
            {"model": "studio-encoder", "messages": messages("a"), "stream_options": "x"},
            400,
            "stream_options",
            None,
        ),
        (
            "POST",
            "/fine_tuning/jobs",
            {"model": "studio-encoder", "training_file": "file-0", "seed": -1},
            400,
            "training_file",
            None,
        ),
        ("GET", "/nowhere", None, 404, None, "unknown_url"),
        ("PUT", "/files", None, 405, None, "method_not_supported"),
        ("TRACE", "/models", None, 405, None, "method_not_supported"),
        ("OPTIONS", "/nowhere", None, 404, None, "unknown_url"),
        ("POST", "/decisions", {"model": "studio-encoder"}, 400, "questions", None),
        ("POST", "/chat/completions", {}, 400, "model", "missing_parameter"),
        ("POST", "/chat/completions", [], 400, None, None),
        ("POST", "/chat/completions", {"model": "m"}, 400, "messages", "invalid_value"),
        (
            "POST",
            "/chat/completions",
            {"model": "nothing", "messages": messages("a")},
            404,
            None,
            "model_not_found",
        ),
        (
            "POST",
            "/chat/completions",
            {"model": "studio-encoder", "messages": messages("a", "Just answer.")},
            400,
            None,
            "bad_input",
        ),
        (
            "POST",
            "/chat/completions",
            {"model": "studio-encoder", "messages": messages("a"), "top_logprobs": 21},
            400,
            "top_logprobs",
            None,
        ),
        (
            "POST",
            "/fine_tuning/jobs",
            {"model": "studio-encoder", "training_file": "file-0"},
            400,
            "training_file",
            "invalid_training_file",
        ),
        (
            "POST",
            "/fine_tuning/jobs",
            {"model": "gpt-4.1", "training_file": "file-0"},
            400,
            "model",
            "model_not_available",
        ),
        (
            "POST",
            "/embeddings",
            {"model": "studio-encoder", "input": [1, 2]},
            400,
            "input",
            None,
        ),
    ],
)
def test_refusals_have_four_keys(raw, method, path, body, status, param, code):
    reply = raw(method, path, json=body) if body is not None else raw(method, path)
    error = reply.json()["error"]
    assert reply.status_code == status
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert code is None or error["code"] == code
    assert reply.headers["x-request-id"]


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"method": ["x"]}, "method"),
        ({"method": {"supervised": ["x"]}}, "supervised"),
        ({"hyperparameters": ["x"]}, "hyperparameters"),
    ],
)
def test_wishes_for_a_training_are_objects(ask, raw, wrong, param):
    made = ask(
        "POST", "/files", "/files",
        files={"file": ("t.jsonl", b"{}")}, data={"purpose": "fine-tune"},
    )  # fmt: skip
    body = {"model": "studio-encoder", "training_file": made["id"], **wrong}
    reply = raw("POST", "/fine_tuning/jobs", json=body)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


def test_an_upload_that_does_not_tell_its_size_is_limited_too(raw, monkeypatch):
    monkeypatch.setattr("studio.embedded.app.UPLOAD_LIMIT", 10_000)
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'

    def parts():
        yield head
        for _ in range(50):
            yield b"a" * 1000

    kind = {"content-type": "multipart/form-data; boundary=x"}
    reply = raw("POST", "/files", content=parts(), headers=kind)
    assert (reply.status_code, reply.json()["error"]["param"]) == (413, "file")


def test_broken_bodies_are_refused(raw):
    reply = raw("POST", "/chat/completions", content=b"{not json")
    assert reply.status_code == 400
    assert raw("POST", "/files", content=b"nothing").status_code == 400
    wrong = raw("POST", "/files", files={"file": b"x"}, data={"purpose": "evals"})
    assert wrong.json()["error"]["param"] == "purpose"


@pytest.mark.parametrize("sent", [{}, {"authorization": "Bearer wrong"}, {"authorization": "x"}])
def test_a_token_is_needed(server, sent):
    reply = httpx2.get(f"{server.url}/models", headers=sent)
    assert reply.status_code == 401
    assert reply.json()["error"]["code"] == "invalid_api_key"
    assert server.token not in reply.text


def test_health_needs_none_and_names_the_engine(server):
    said = httpx2.get(server.url.removesuffix("/v1") + "/health").json()
    assert said["status"] == "ok"
    assert said["engine"] == "minilm-int8"
    assert said["fallback"] is None


def test_streaming(client):
    parts = client.chat.completions.create(
        model="studio-encoder",
        messages=messages(KETO[0]),
        response_format=strict("keto", "not_keto"),
        stream=True,
        stream_options={"include_usage": True},
    )
    parts = list(parts)
    words = "".join(one.choices[0].delta.content or "" for one in parts if one.choices)
    assert json.loads(words) == {"label": "keto"}
    assert parts[-1].usage.total_tokens > 0


@pytest.fixture
def careful(server):
    with OpenAI(
        base_url=server.url, api_key=server.token, _strict_response_validation=True
    ) as made:
        yield made


def test_decisions(careful):
    made = careful.decisions.create(
        model="studio-encoder",
        input=[
            {"role": "system", "content": PROMPT},
            {"role": "user", "content": json.dumps({"text": "grilled salmon with butter"})},
        ],
        questions=[
            {"type": "predicate", "name": "fish", "instructions": "The dish contains fish."},
            {
                "type": "choice",
                "instructions": "Which course?",
                "choices": [
                    {"value": "dessert", "description": "cake, ice cream, sweets"},
                    {"value": "main", "description": "meat, fish or pasta"},
                    {"value": True, "description": "a drink"},
                ],
            },
            {
                "type": "score",
                "instructions": "How much meat?",
                "levels": [
                    {"label": "little", "description": "vegetables and bread"},
                    {"label": "much", "description": "steak, meat, fish"},
                ],
            },
            {"type": "predicate", "instructions": "It is not a fish."},
            {"type": "choice", "instructions": "", "choices": [{"value": True}, {"value": False}]},
        ],
    )
    statement, choice, score, negated, blank = made.answers
    assert statement.name == "fish"
    assert statement.probability > 0.5
    assert choice.choice == "main"
    assert sum(one.probability for one in choice.probabilities) == pytest.approx(1, abs=1e-5)
    assert {one.value for one in choice.probabilities} == {"dessert", "main", True}
    assert score.score == pytest.approx(score.probabilities[1].probability)
    assert negated.type == "refusal"
    assert blank.type == "refusal"
    assert made.model_extra["studio"]["answers"][1]["evidence"][0]["label"] == "main"
