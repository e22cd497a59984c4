"""Batches through the SDK, and what restarts, deadlines and wrong files do to them."""

import asyncio
import json
import signal
import threading
import time

import openai
import pytest

from studio.embedded import batch as batch_module
from studio.embedded import batch_lines, batches
from studio.embedded.batches import SLICE, Batches
from studio.embedded.batching import Batcher
from studio.embedded.cache import Known
from studio.embedded.files import Files
from studio.embedded.protocol import ApiError
from studio.errors import NotFoundError

from .conftest import KETO, NOT_KETO, messages, strict
from .test_server import Outside

CHAT = "/v1/chat/completions"
FINAL = ("completed", "failed", "expired", "cancelled")


def request(custom_id, body, url=CHAT, method="POST"):
    return {"custom_id": custom_id, "method": method, "url": url, "body": body}


def question(text, **more):
    form = strict("keto", "not_keto")
    asked = {"model": "studio-encoder", "messages": messages(text), "response_format": form}
    return asked | more


def lines_of(rows):
    return "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()


def submit(client, rows, endpoint=CHAT, **more):
    sent = client.files.create(file=("asked.jsonl", lines_of(rows)), purpose="batch")
    return client.batches.create(
        input_file_id=sent.id, endpoint=endpoint, completion_window="24h", **more
    )


def ended(client, number, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = client.batches.retrieve(number)
        if found.status in FINAL:
            return found
        time.sleep(0.02)
    raise AssertionError(f"the batch is still {found.status}")


def read(client, number):
    return [json.loads(line) for line in client.files.content(number).text.splitlines()]


def test_a_batch_answers_as_the_chat_does(client, ask, raw):
    bodies = {f"dish {n}": question(text, seed=1, n=2) for n, text in enumerate(KETO + NOT_KETO)}
    bodies["wrong"] = question("rice", top_logprobs=99)
    filed = submit(
        client,
        [request(name, body) for name, body in bodies.items()],
        metadata={"studio_key": "7"},
        output_expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert (filed.status, filed.output_file_id, filed.errors) == ("validating", None, None)
    done = ended(client, filed.id)
    assert (done.status, done.model, done.metadata) == (
        "completed", "studio-encoder", {"studio_key": "7"}
    )  # fmt: skip
    counts = done.request_counts
    assert (counts.total, counts.completed, counts.failed) == (25, 24, 1)
    assert done.created_at + 24 * 3600 == done.expires_at
    assert done.created_at <= done.in_progress_at <= done.finalizing_at <= done.completed_at
    answers = {line["custom_id"]: line["response"] for line in read(client, done.output_file_id)}
    assert set(answers) == set(bodies) - {"wrong"}
    for name, reply in answers.items():
        asked = raw("POST", "/chat/completions", json=bodies[name]).json()
        changing = {key: asked[key] for key in ("id", "created")}
        assert reply["status_code"] == 200
        assert reply["body"] | changing == asked
    used = [reply["body"]["usage"] for reply in answers.values()]
    assert done.usage.total_tokens == sum(one["total_tokens"] for one in used)
    assert done.usage.input_tokens == sum(one["prompt_tokens"] for one in used)
    (wrong,) = read(client, done.error_file_id)
    refused = raw("POST", "/chat/completions", json=bodies["wrong"])
    assert wrong["response"]["status_code"] == refused.status_code == 400
    assert wrong["response"]["body"] == refused.json()
    made = {file.id: file for file in client.files.list(purpose="batch_output")}
    assert made[done.output_file_id].purpose == "batch_output"
    assert made[done.error_file_id].expires_at == pytest.approx(time.time() + 3600, abs=60)


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("/v1/embeddings", {"model": "studio-encoder", "input": ["salmon", "rice"]}),
        (
            "/v1/decisions",
            {
                "model": "studio-encoder",
                "input": "grilled salmon",
                "questions": [{"type": "predicate", "instructions": "The dish contains fish."}],
            },
        ),
    ],
)
def test_other_endpoints(client, raw, endpoint, body):
    done = ended(client, submit(client, [request("a", body, endpoint)], endpoint).id)
    (line,) = read(client, done.output_file_id)
    assert line["response"]["body"] == raw("POST", endpoint.removeprefix("/v1"), json=body).json()
    assert done.usage.total_tokens > 0
    assert done.error_file_id is None


def test_every_reply_holds_to_the_published_schema(client, ask):
    sent = client.files.create(
        file=("a.jsonl", lines_of([request("a", question("rice"))])), purpose="batch"
    )
    body = {"input_file_id": sent.id, "endpoint": CHAT, "completion_window": "24h"}
    made = ask("POST", "/batches", "/batches", json=body)
    ended(client, made["id"])
    one = "/batches/{batch_id}"
    found = ask("GET", f"/batches/{made['id']}", one)
    assert found["request_counts"] == {"total": 1, "completed": 1, "failed": 0}
    ask("GET", f"/files/{found['output_file_id']}", "/files/{file_id}")
    wrong = ask("POST", "/batches", "/batches", json=body | {"endpoint": "/v1/embeddings"})
    ended(client, wrong["id"])
    assert ask("GET", f"/batches/{wrong['id']}", one)["errors"]["data"][0]["line"] == 1
    rows = [request(f"r{n}", question(f"rice {n}")) for n in range(2_000)]  # not done at once
    many = client.files.create(file=("b.jsonl", lines_of(rows)), purpose="batch")
    body |= {"input_file_id": many.id, "metadata": {"a": "b"}}
    stopped = ask("POST", "/batches", "/batches", json=body)
    gone = ask("POST", f"/batches/{stopped['id']}/cancel", f"{one}/cancel")
    assert gone["status"] == "cancelling"
    assert ended(client, stopped["id"]).status == "cancelled"
    assert ask("GET", "/batches", "/batches")["data"]


def test_one_is_found_by_its_metadata(client, ask):
    made = [submit(client, ["{}"], metadata={"studio_key": f"k{n}"}) for n in range(3)]
    pages, after = [], ""
    while not pages or pages[-1]["has_more"]:
        pages.append(ask("GET", f"/batches?limit=2{after}", "/batches"))
        after = f"&after={pages[-1]['last_id']}"
    rows = [row for page in pages for row in page["data"]]
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(page["first_id"] == page["data"][0]["id"] for page in pages)
    found = [row for row in rows if (row.get("metadata") or {}).get("studio_key") == "k1"]
    assert [row["id"] for row in found] == [made[1].id]
    assert made[1].id in [one.id for one in client.batches.list(limit=1)]


RICE = request("a", question("rice"))


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([RICE, "{no json"], [("invalid_json_line", 2, None)]),
        ([RICE, "[1]"], [("invalid_json_line", 2, None)]),
        ([RICE, "", RICE], [("duplicate_custom_id", 3, "custom_id")]),
        ([RICE | {"url": "/v1/embeddings"}], [("invalid_url", 1, "url")]),
        ([RICE | {"method": "GET"}], [("invalid_method", 1, "method")]),
        ([RICE | {"custom_id": 7}], [("missing_required_parameter", 1, "custom_id")]),
        ([RICE | {"body": []}], [("missing_required_parameter", 1, "body")]),
        ([RICE | {"body": {}}], [("missing_required_parameter", 1, "body.model")]),
        (
            [RICE, request("b", question("a", model="gpt-5")), request("c", question("a"))],
            [("mismatched_model", 2, "body.model")],
        ),
        ([request("b", question("a", model="gpt-5"))], [("model_not_found", 1, "body.model")]),
        ([" ", ""], [("empty_file", None, "input_file_id")]),
        (["{"] * 150, [("invalid_json_line", n + 1, None) for n in range(100)]),
    ],
)
def test_a_file_that_cannot_be_used(client, rows, found):
    done = ended(client, submit(client, rows).id)
    assert (done.status, done.output_file_id, done.error_file_id) == ("failed", None, None)
    assert [(one.code, one.line, one.param) for one in done.errors.data] == found
    assert all(one.message for one in done.errors.data)
    assert done.failed_at


@pytest.mark.parametrize(
    ("limit", "most", "code"),
    [("MOST_LINES", 2, "too_many_requests"), ("MOST_BYTES", 2**10, "file_too_large")],
)
def test_a_file_that_is_too_large(client, monkeypatch, limit, most, code):
    monkeypatch.setattr(batch_lines, limit, most)
    done = ended(client, submit(client, [request(str(n), question("a")) for n in range(3)]).id)
    assert [one.code for one in done.errors.data] == [code]


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"endpoint": "/v1/responses"}, "endpoint"),
        ({"completion_window": "1h"}, "completion_window"),
        ({"input_file_id": "file-0"}, "input_file_id"),
        ({"input_file_id": None}, "input_file_id"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 1}}, "output_expires_after"),
    ],
)
def test_batches_that_are_refused(client, raw, wrong, param):
    sent = client.files.create(file=("a.jsonl", b"{}"), purpose="batch")
    body = {"input_file_id": sent.id, "endpoint": CHAT, "completion_window": "24h", **wrong}
    reply = raw("POST", "/batches", json=body)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


def test_a_file_for_something_else_and_ends_that_stay(client):
    sent = client.files.create(file=("a.jsonl", b"{}"), purpose="user_data")
    with pytest.raises(openai.BadRequestError, match="uploaded for user_data"):
        client.batches.create(input_file_id=sent.id, endpoint=CHAT, completion_window="24h")
    done = ended(client, submit(client, ["{}"]).id)
    with pytest.raises(openai.BadRequestError, match="status 'failed'"):
        client.batches.cancel(done.id)
    with pytest.raises(openai.NotFoundError):
        client.batches.retrieve("batch_0")


class House:
    """Batches over a scripted reader, and a clock that is set by hand."""

    def __init__(self, folder):
        self.folder, self.files, self.now = folder, Files(folder / "files"), 1000.0
        self.asked = []
        self.on_ask = lambda count: None
        self.models = self

    async def hold(self):
        await asyncio.sleep(0)

    def get(self, name):
        if name != "m":
            raise NotFoundError(name)

    async def answer(self, body, _):
        self.asked.append(body["input"])
        self.on_ask(len(self.asked))
        await self.hold()
        return {"input": body["input"], "usage": {"prompt_tokens": 2, "total_tokens": 2}}

    def open(self):
        return Batches(self.folder, self.files, self, clock=lambda: self.now)

    def wish(self, rows, first=0):
        body = [request(f"r{n}", {"model": "m", "input": first + n}) for n in range(rows)]
        made = self.files.add("a.jsonl", lines_of(body), "batch")
        return {"input_file_id": made["id"], "endpoint": CHAT, "completion_window": "24h"}

    def read(self, number):
        if number is None:
            return []
        return [json.loads(line) for line in self.files.path(number).read_text().splitlines()]

    async def run(self, service, number, until=lambda shown: shown["status"] in FINAL):
        working = asyncio.create_task(service.work())
        async with asyncio.timeout(20):
            while not until(service.get(number)):
                await asyncio.sleep(0.001)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return service.get(number)

    def check(self, shown, answered, cut_off, code):
        """Every request stands in one file, once."""
        good = [line["custom_id"] for line in self.read(shown.get("output_file_id"))]
        rest = self.read(shown.get("error_file_id"))
        assert (len(good), len(rest)) == (answered, cut_off)
        names = good + [line["custom_id"] for line in rest]
        assert sorted(names) == sorted(f"r{n}" for n in range(answered + cut_off))
        assert {line["error"]["code"] for line in rest} == ({code} if cut_off else set())
        assert shown["request_counts"] == {
            "total": answered + cut_off, "completed": answered, "failed": cut_off
        }  # fmt: skip
        if answered:
            assert shown["usage"]["total_tokens"] == 2 * answered


@pytest.fixture
def house(tmp_path, monkeypatch):
    made = House(tmp_path)
    monkeypatch.setitem(batches._ANSWERS, CHAT, made.answer)
    monkeypatch.setattr(batches, "RETRY", 0.01)
    return made


def test_a_deadline_returns_what_was_finished(house, monkeypatch):
    async def scene():
        service = house.open()
        monkeypatch.setattr(batch_module, "WINDOW", 60.0)

        def late(count):
            if count == 20:
                house.now += 100

        house.on_ask = late
        first = service.create(house.wish(50))
        shown = await house.run(service, first["id"])
        assert (shown["status"], shown["expires_at"], shown["expired_at"]) == (
            "expired",
            1060,
            1100,
        )
        house.check(shown, 32, 18, "batch_expired")
        missed = service.create(house.wish(3))
        house.now += 100
        again = await house.run(service, missed["id"])
        house.check(again, 0, 3, "batch_expired")

    asyncio.run(scene())


def test_cancelling_returns_what_was_finished(house):
    async def scene():
        service = house.open()
        made = service.create(house.wish(50))
        house.on_ask = lambda count: count == 5 and service.cancel(made["id"])
        shown = await house.run(service, made["id"])
        assert shown["status"] == "cancelled"
        assert shown["cancelling_at"]
        house.check(shown, 16, 34, "batch_cancelled")
        with pytest.raises(ApiError, match="cancelled"):
            service.cancel(made["id"])
        early = service.create(house.wish(5))
        assert service.cancel(early["id"])["status"] == "cancelling"
        shown = await house.run(service, early["id"])
        assert (shown["status"], shown.get("error_file_id")) == ("cancelled", None)

    asyncio.run(scene())


def test_a_restart_goes_on_with_what_is_missing(house):
    async def scene():
        service = house.open()
        made = service.create(house.wish(50))
        number = made["id"]

        def begun(shown):
            return shown["request_counts"]["completed"] >= 16

        await house.run(service, number, begun)
        house.files.delete(made["input_file_id"])
        output = house.folder / "batches" / number / "output.jsonl"
        whole = output.read_bytes()
        kept = len(whole.splitlines())
        assert 16 <= kept < 50
        output.write_bytes(whole + whole[:100])  # the crash came in the middle of a line
        before = len(house.asked)
        shown = await house.run(house.open(), number)
        assert shown["status"] == "completed"
        house.check(shown, 50, 0, "")
        assert len(house.asked) - before == 50 - kept
        assert not list(output.parent.glob("*.jsonl"))

    asyncio.run(scene())


def test_a_crash_while_it_ends_doubles_no_file(house, monkeypatch):
    move, crashed = batch_module.Batch.move, []

    def fail_once(self, status, now, **more):
        if status == "completed" and not crashed:
            crashed.append(dict(self.sealed))
            raise OSError(28, "No space left on device")
        move(self, status, now, **more)

    monkeypatch.setattr(batch_module.Batch, "move", fail_once)

    async def scene():
        service = house.open()
        made = service.create(house.wish(20))
        shown = await house.run(service, made["id"])
        assert shown["output_file_id"] == crashed[0]["output"]
        house.check(shown, 20, 0, "")
        kinds = [one["purpose"] for one in house.files.newest()]
        assert sorted(kinds) == ["batch", "batch_output"]
        assert (await house.run(house.open(), made["id"]))["status"] == "completed"

    asyncio.run(scene())


def test_two_batches_take_turns(house):
    async def scene():
        service = house.open()
        long, short = service.create(house.wish(200)), service.create(house.wish(20, 1000))

        async def until_both_are_ready():
            while service.get(short["id"])["status"] == "validating" or not service._turn._waiters:
                await asyncio.sleep(0.001)
            house.hold = lambda: asyncio.sleep(0)

        house.hold = until_both_are_ready
        await house.run(service, short["id"])
        await house.run(service, long["id"])
        last = max(place for place, one in enumerate(house.asked) if one >= 1000)
        assert last < 4 * SLICE

    asyncio.run(scene())


class SlowCache:
    """Vectors that come when the test lets them."""

    def __init__(self):
        self.calls, self.go = [], threading.Semaphore(0)

    def recall(self, _):
        return None

    def look_up(self, wanted):
        self.calls.append(wanted)
        self.go.acquire()
        return [Known(text, 1) for text in wanted]


def test_no_text_waits_behind_patient_ones():
    async def scene():
        cache = SlowCache()
        batcher = Batcher(cache)
        slow = asyncio.create_task(batcher.vectors([f"later {n}" for n in range(60)], patient=True))
        while not cache.calls:
            await asyncio.sleep(0.001)
        quick = asyncio.create_task(batcher.vectors(["now", "later 59"]))
        await asyncio.sleep(0)
        cache.go.release(2)
        assert [one.vector for one in await quick] == ["now", "later 59"]
        assert not slow.done()
        assert len(cache.calls[0]) == 16
        assert cache.calls[1] == ["now", "later 59"]
        cache.go.release(9)
        assert [one.vector for one in await slow] == [f"later {n}" for n in range(60)]
        batcher.close()

    asyncio.run(scene())


@pytest.mark.fault
def test_a_batch_survives_a_killed_server(tmp_path):
    server = Outside(tmp_path)
    rows = [request(f"r{n}", question(f"{KETO[n % 12]} number {n}")) for n in range(300)]
    number = submit(server.client, rows).id
    while not server.client.batches.retrieve(number).request_counts.completed:
        time.sleep(0.01)
    assert server.end(signal.SIGKILL) == -signal.SIGKILL
    kept = len((tmp_path / "batches" / number / "output.jsonl").read_bytes().splitlines())
    assert kept < 300
    server = Outside(tmp_path)
    done = ended(server.client, number)
    assert (done.status, done.request_counts.completed) == ("completed", 300)
    names = [line["custom_id"] for line in read(server.client, done.output_file_id)]
    assert sorted(names) == sorted(row["custom_id"] for row in rows)
    assert server.end(signal.SIGTERM) == 0
