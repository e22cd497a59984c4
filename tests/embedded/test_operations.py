"""Every operation of the published schema, served and checked; headers and errors on all."""

import asyncio
import json

import httpx2
import pytest

from studio.embedded import gate
from studio.embedded.protocol import JsonReply

from .conftest import SHARED, dishes, jsonl, messages, strict

JOBS, JOB = "/fine_tuning/jobs", "/fine_tuning/jobs/{fine_tuning_job_id}"


@pytest.fixture
def published():
    path = SHARED / "openapi" / "openai-22-operations.json"
    if not path.is_file():
        pytest.skip(f"no published schema at {path}: set STUDIO_SHARED")
    paths = json.loads(path.read_text())["paths"]
    return {(method.upper(), path) for path, item in paths.items() for method in item}


def test_the_schema_still_has_no_status_for_a_job_that_rests(published):
    """Once it has, ours is that status, and no longer `queued` with a word of our own beside."""
    told = json.loads((SHARED / "openapi" / "openai-22-operations.json").read_text())
    job = told["components"]["schemas"]["FineTuningJob"]
    assert "paused" not in job["properties"]["status"]["enum"]


def test_every_published_operation_holds_to_its_schema(ask, raw, trained, published):
    walked = set()

    def walk(method, operation, number="", query="", **more):
        path = operation if not number else operation[: operation.index("{")] + number
        rest = operation[operation.index("}") + 1 :] if number else ""
        walked.add((method, operation))
        return ask(method, path + rest + query, operation, **more)

    def upload(content, purpose):
        sent = {"file": ("d.jsonl", content)}
        return walk("POST", "/files", files=sent, data={"purpose": purpose})["id"]

    walk("GET", "/models")
    walk("GET", "/models/{model}", "studio-encoder")
    asked = {
        "model": "studio-encoder",
        "messages": messages("grilled salmon"),
        "response_format": strict("keto", "not_keto"),
    }
    walk("POST", "/chat/completions", json=asked)
    walk("POST", "/embeddings", json={"model": "studio-encoder", "input": "salmon"})
    file = upload(jsonl(dishes()), "fine-tune")
    walk("GET", "/files")
    walk("GET", "/files/{file_id}", file)
    assert raw("GET", f"/files/{file}/content").content == jsonl(dishes())
    walked.add(("GET", "/files/{file_id}/content"))
    job = walk("POST", JOBS, json={"model": "studio-encoder", "training_file": file})["id"]
    assert walk("POST", f"{JOB}/pause", job)["studio"] == {"paused": True}
    assert walk("POST", f"{JOB}/resume", job)["status"] in ("queued", "validating_files", "running")
    walk("GET", JOBS, query="?limit=1")
    walk("GET", JOB, job)
    assert walk("POST", f"{JOB}/cancel", job)["status"] == "cancelled"
    walk("GET", f"{JOB}/events", job, "?limit=3")
    walk("GET", f"{JOB}/checkpoints", trained.id)
    line = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": asked}
    batch = walk(
        "POST", "/batches",
        json={
            "input_file_id": upload(json.dumps(line).encode(), "batch"),
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
        },
    )["id"]  # fmt: skip
    walk("GET", "/batches")
    walk("GET", "/batches/{batch_id}", batch)
    ended = raw("POST", f"/batches/{batch}/cancel")
    if ended.status_code == 200:  # else it was faster than we
        walk("GET", "/batches/{batch_id}", batch)
    walked.add(("POST", "/batches/{batch_id}/cancel"))
    walk("DELETE", "/files/{file_id}", file)
    made = job_that_succeeded(raw, upload)
    walk("DELETE", "/models/{model}", made)
    assert walked == published


def job_that_succeeded(raw, upload):
    import time

    body = {"model": "studio-encoder", "training_file": upload(jsonl(dishes()), "fine-tune")}
    job = raw("POST", JOBS, json=body).json()
    end = time.monotonic() + 60
    while job["status"] != "succeeded" and time.monotonic() < end:
        time.sleep(0.05)
        job = raw("GET", f"{JOBS}/{job['id']}").json()
    return job["fine_tuned_model"]


def test_every_operation_refuses_in_the_same_shape(server, raw, published):
    for method, path in sorted(published):
        address = path.replace("{model}", "none")
        for field in ("{file_id}", "{fine_tuning_job_id}", "{batch_id}"):
            address = address.replace(field, "none")
        for reply in (
            httpx2.request(method, server.url + address),
            raw("PATCH", address),
            raw(method, address) if method != "GET" or "none" in address else None,
        ):
            if reply is not None:
                error = reply.json()["error"]
                assert set(error) == {"message", "type", "param", "code"}, reply.text
                assert 400 <= reply.status_code < 500, (method, address, reply.text)
                assert reply.headers["x-request-id"].startswith("req_")


def test_headers_tell_of_the_queue_and_the_time(raw):
    for method, path in (("GET", "/models"), ("POST", "/chat/completions"), ("GET", "/nowhere")):
        told = raw(method, path, **({"content": b"{}"} if method == "POST" else {})).headers
        assert int(told["openai-processing-ms"]) >= 0
        assert told["x-ratelimit-limit-requests"] == str(gate.MOST_REQUESTS)
        assert told["x-ratelimit-limit-tokens"] == str(gate.MOST_TOKENS)
        assert int(told["x-ratelimit-remaining-requests"]) == gate.MOST_REQUESTS - 1
        assert int(told["x-ratelimit-remaining-tokens"]) <= gate.MOST_TOKENS
        for name in ("requests", "tokens"):
            assert told[f"x-ratelimit-reset-{name}"].endswith("ms")


async def knock(door, size=0):
    """Send one request to a gate; return the status and headers of its reply."""
    heard = []

    async def send(message):
        heard.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"authorization", b"Bearer t"), (b"content-length", str(size).encode())]
    scope = {"type": "http", "method": "POST", "path": "/slow", "headers": headers}
    await door(scope, receive, send)
    return heard[0]["status"], {
        name.decode(): value.decode() for name, value in heard[0]["headers"]
    }


@pytest.mark.parametrize(("size", "kind"), [(0, "requests"), (400, "tokens")])
def test_a_full_queue_refuses_and_says_when_to_come_back(monkeypatch, size, kind):
    monkeypatch.setattr(gate, "MOST_REQUESTS", 3)
    monkeypatch.setattr(gate, "MOST_TOKENS", 250)

    async def main():
        go = asyncio.Event()

        async def slow(_):
            await go.wait()
            return JsonReply({})

        door = gate.Gate(None, "t", {"/slow": slow}, {})
        most = 3 if kind == "requests" else 2
        waiting = [asyncio.create_task(knock(door, size)) for _ in range(most)]
        await asyncio.sleep(0)
        full = await knock(door, size)
        go.set()
        done = await asyncio.gather(*waiting)
        return full, done, await knock(door, size)

    (status, headers), done, after = asyncio.run(main())
    assert status == 429
    assert headers["retry-after"] == "1"
    assert headers[f"x-ratelimit-remaining-{kind}"] == "0"
    assert [one[0] for one in (*done, after)] == [200] * (len(done) + 1)
    assert after[1]["x-ratelimit-remaining-requests"] == "2"


def test_what_cannot_be_read_is_no_fault_of_ours(raw):
    kind = {"content-type": "multipart/form-data; boundary=x"}
    for content in (b"--x\r\nbroken", b"--x\r\n\r\n\r\n--x--", b"\xff" * 50):
        for headers in (kind, {"content-type": "multipart/form-data"}):
            reply = raw("POST", "/files", content=content, headers=headers)
            assert reply.status_code == 400, reply.text
            assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
    body = b'{"model":"studio-encoder","training_file":"f","hyperparameters":{"n_epochs":1e999}}'
    assert raw("POST", JOBS, content=body).status_code == 400


def test_jobs_are_found_by_their_metadata(raw, trained):
    def found(query):
        return [job["id"] for job in raw("GET", f"{JOBS}?limit=100{query}").json()["data"]]

    assert trained.id in found("&metadata%5Btask%5D=keto")
    assert found("&metadata%5Btask%5D=other") == []
    assert len(found("")) >= len(found("&metadata%5Btask%5D=keto"))


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}, 200),
        ({"expires_after": '{"anchor": "created_at", "seconds": 3600}'}, 200),
        ({"expires_after[anchor]": "created_at"}, 400),
        ({"expires_after": "{"}, 400),
        ({"expires_after[anchor]": "created_at", "expires_after[seconds]": "²"}, 400),
        ({"expires_after": '{"anchor": "created_at"}'}, 400),
        ({"expires_after[anchor]": "birth", "expires_after[seconds]": "3600"}, 400),
        ({"expires_after[seconds]": "1"}, 400),
    ],
)
def test_an_upload_is_kept_as_long_as_asked_or_refused(raw, asked, status):
    form = {"purpose": "user_data", **asked}
    reply = raw("POST", "/files", files={"file": ("a", b"x")}, data=form)
    assert reply.status_code == status, reply.text
    if status == 200:
        assert reply.json()["expires_at"] == reply.json()["created_at"] + 3600
    else:
        assert reply.json()["error"]["param"] == "expires_after"
