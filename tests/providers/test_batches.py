"""Batches on a scripted network: what is sent, and what hostile files come back as."""

import asyncio
import dataclasses
import json

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.run import Answer, Outcome
from studio.errors import (
    BadReplyError,
    InputError,
    ProviderError,
    ProviderUnavailableError,
    RefusedRequestError,
)
from studio.providers import batch_files
from studio.providers.base import FINE_TUNE_KEY, MOST_IN_BATCH, BatchState, BatchStatus, Provider
from studio.providers.batch_files import AnswerFiles, read_batch, write_questions
from studio.providers.openai_compatible import OpenAICompatible
from studio.providers.sampling import Sampling
from tests.providers.helpers import KEY, QUESTION, ask, completion, error
from tests.providers.loopback import Loopback, Raw, http
from tests.providers.test_failures import reachable
from tests.providers.test_replies import JSON

LABELS = QUESTION.label_names
QUESTIONS = {
    str(number): dataclasses.replace(
        QUESTION, messages=({"role": "user", "content": f"text {number}"},), sample=number % 2
    )
    for number in range(4)
}
DONE = BatchState(remote_id="b", status=BatchStatus.COMPLETED, output_file="out", error_file="err")


def told_batch(status="in_progress", **more):
    base = {"id": "batch_1", "object": "batch", "status": status, "endpoint": "x", "metadata": None}
    return {**base, "input_file_id": "f", "completion_window": "24h", "created_at": 1, **more}


def line(custom_id, body=None, *, status=200, failure=None, **more):
    response = None if body is None else {"status_code": status, "request_id": "r", "body": body}
    told = {"id": "l", "custom_id": custom_id, "response": response, "error": failure, **more}
    return json.dumps(told).encode()


def gather(*lines, is_local=False):
    files = AnswerFiles(LABELS, is_local=is_local, secrets=[KEY])
    files.feed(b"\n".join(lines))
    files.end()
    return files.answers


def serving(files):
    """Answer requests for the contents of files, by id."""

    def answer(request):
        file_id = request.url.path.split("/")[-2]
        return httpx2.Response(200, content=files[file_id]) if file_id in files else error(404)

    return answer


def test_a_batch_is_sent_with_the_bodies_that_questions_have_and_found_by_its_key():
    asked, seen = [], {}

    def answer(request):
        content = request.read()
        if request.url.path == "/v1/chat/completions":
            asked.append(json.loads(content))
            return httpx2.Response(200, json=completion())
        if request.url.path == "/v1/files":
            seen["file"] = content
            return httpx2.Response(200, json={"id": "file-1", "object": "file", "status": "ok"})
        if request.method == "POST":
            seen["batch"] = json.loads(content)
        elif request.url.path == "/v1/batches":
            mine = told_batch(id="batch_7", metadata={FINE_TUNE_KEY: "k"})
            rows = [told_batch(id="batch_9"), told_batch(id="batch_8", metadata={"x": "k"}), mine]
            after = request.url.params.get("after")
            page = {"data": rows[2:] if after else rows[:2], "has_more": not after}
            return httpx2.Response(200, json={"object": "list", **page})
        return httpx2.Response(200, json=told_batch("validating"))

    async def do(provider: Provider):
        state = await provider.create_batch(QUESTIONS, key="k")
        for question in QUESTIONS.values():
            await provider.classify(question)
        return state, await provider.find_batch("k"), await provider.find_batch("other")

    state, found, other = ask(answer, do)
    assert (state.remote_id, state.status) == ("batch_1", BatchStatus.VALIDATING)
    assert found is not None
    assert other is None
    assert seen["batch"] == {
        "input_file_id": "file-1",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {FINE_TUNE_KEY: "k"},
    }
    assert b'name="purpose"\r\n\r\nbatch' in seen["file"]
    rows = [row for row in seen["file"].splitlines() if row.startswith(b'{"custom_id"')]
    lines = [json.loads(row) for row in rows]
    assert [row["custom_id"] for row in lines] == list(QUESTIONS)
    assert {(row["method"], row["url"]) for row in lines} == {("POST", "/v1/chat/completions")}
    assert [row["body"] for row in lines] == asked


def test_wishes_that_were_refused_are_not_wished_in_a_batch():
    sampling = Sampling()
    sampling.learn("m", sampling.options("m"), "logprobs")
    body = json.loads(write_questions(QUESTIONS, sampling).splitlines()[0])["body"]
    assert "logprobs" not in body
    assert body["max_completion_tokens"]


def test_what_no_service_takes_is_not_sent(monkeypatch):
    other = dataclasses.replace(QUESTION, model="other")
    with pytest.raises(InputError, match="one model"):
        write_questions({"a": QUESTION, "b": other}, Sampling())
    with pytest.raises(InputError, match="50,000 questions"):
        write_questions(dict.fromkeys(map(str, range(MOST_IN_BATCH + 1)), QUESTION), Sampling())
    with pytest.raises(InputError, match="1 to"):
        write_questions({}, Sampling())
    monkeypatch.setattr(batch_files, "MOST_BYTES", 1_000)
    with pytest.raises(InputError, match="more than"):
        write_questions(QUESTIONS, Sampling())


def test_a_file_the_service_finds_fault_with_makes_no_batch():
    def answer(request):
        assert request.url.path == "/v1/files"
        told = {"id": "f", "object": "file", "status": "error", "status_details": "line 3 is long"}
        return httpx2.Response(200, json=told)

    with pytest.raises(RefusedRequestError, match="refuses the batch file: line 3 is long"):
        ask(answer, lambda p: p.create_batch(QUESTIONS, key="k"))


def test_answers_come_from_both_files_in_any_order():
    refused = {"error": {"message": f"no {KEY}", "code": "bad"}}
    files = {
        "out": line("2", completion('{"label":"spam"}')) + b"\n" + line("1", completion()) + b"\n",
        "err": line("3", refused, status=400),  # no end of line
    }
    answers = ask(serving(files), lambda p: p.batch_answers(DONE, LABELS))
    assert {key: answer.label for key, answer in answers.items()} == {
        "1": "ham",
        "2": "spam",
        "3": None,
    }
    assert (answers["1"].usage.input_tokens, answers["1"].usage.output_tokens) == (7, 3)
    assert answers["1"].usage.cost_usd is None
    assert answers["3"].outcome is Outcome.ERROR
    assert answers["3"].detail["error"] == (
        "The service failed on this line (HTTP 400). It says: “no [key]”"
    )


@pytest.mark.parametrize(
    ("state", "files", "known"),
    [
        (DONE, {"out": line("1", completion())}, {"1"}),  # the error file is gone
        (dataclasses.replace(DONE, error_file=""), {"out": line("1", completion())}, {"1"}),
        (dataclasses.replace(DONE, output_file=""), {"err": line("2", {}, status=500)}, {"2"}),
        (dataclasses.replace(DONE, output_file="", error_file=""), {}, set()),
        (DONE, {"out": b"", "err": b""}, set()),
    ],
)
def test_a_file_may_be_missing(state, files, known):
    assert set(ask(serving(files), lambda p: p.batch_answers(state, LABELS))) == known


def test_a_missing_file_of_paid_answers_is_an_error():
    with pytest.raises(RefusedRequestError):
        ask(serving({"err": b""}), lambda p: p.batch_answers(DONE, LABELS))


def test_of_a_batch_that_expired_only_what_was_reached_comes_back():
    never = {"code": "batch_expired", "message": "This request could not be executed in time."}
    answers = gather(
        line("1", completion()), line("2", failure=never), line("3", failure={"code": "other"})
    )
    assert {key: answer.outcome for key, answer in answers.items()} == {
        "1": Outcome.OK,
        "3": Outcome.ERROR,
    }


def test_lines_that_cannot_be_used_are_passed_over():
    answers = gather(
        b"",
        b"<html>",
        b"[1]",
        b"\xff\xfe",
        b"{" * 5_000,
        line(7, completion()),
        line(None, completion()),
        line("1", completion()),
        line("1", completion('{"label":"spam"}')),
        line("unknown", completion()),
        line("2"),
        line("3", completion(), status=None),
        line("4", "no completion"),
        line("5", completion(), status=True),
    )
    assert answers.pop("unknown").label == "ham"
    assert {key: answer.label for key, answer in answers.items()} == {
        "1": "ham",
        "2": None,
        "3": None,
        "4": None,
        "5": None,
    }
    assert answers["2"].detail["error"] == "The service failed on this line."
    assert {answers[key].outcome for key in "2345"} == {Outcome.ERROR}


def test_our_own_servers_batch_is_known_to_cost_nothing():
    told = line("1", completion(studio={"engine": "e"}))
    assert gather(told, is_local=True)["1"].usage.cost_usd == 0.0
    assert gather(told)["1"].usage.cost_usd is None


@given(st.lists(st.binary(max_size=40) | JSON.map(lambda v: json.dumps(v).encode()), max_size=8))
def test_no_file_makes_it_fail(lines):
    gather(*lines)


@given(JSON, JSON, JSON, JSON)
def test_no_line_makes_it_fail(body, response, failure, status):
    answers = gather(line("1", body, status=status, failure=failure), line("2", response=response))
    assert all(isinstance(answer, Answer) for answer in answers.values())
    json.dumps([answer.detail for answer in answers.values()]).encode()


@given(st.integers(1, 50), st.lists(st.sampled_from(["1", "2", "é", "4"]), max_size=4))
def test_pieces_of_any_size_are_the_same_file(size, ids):
    whole = b"\n".join(line(custom_id, completion()) for custom_id in ids)
    files = AnswerFiles(LABELS)
    for start in range(0, len(whole), size):
        files.feed(whole[start : start + size])
    files.end()
    assert set(files.answers) == set(ids)


def test_a_line_or_a_file_without_end_costs_no_memory(monkeypatch):
    monkeypatch.setattr(batch_files, "_LONGEST_LINE", 1_000)
    monkeypatch.setattr(batch_files, "_MOST_ANSWER_BYTES", 50_000)
    files = AnswerFiles(LABELS)
    for _ in range(20):
        files.feed(b"x" * 999)
        assert len(files._rest) <= 1_000
    files.feed(b"\n" + line("1", completion()) + b"\n")
    assert set(files.answers) == {"1"}
    with pytest.raises(BadReplyError):
        files.feed(b"\n" * 50_000)


def test_more_lines_than_a_batch_has_are_not_kept(monkeypatch):
    monkeypatch.setattr(batch_files, "MOST_IN_BATCH", 3)
    assert len(gather(*(line(str(number), completion()) for number in range(9)))) == 3


def test_a_failed_batch_says_at_which_line():
    errors = {
        "object": "list",
        "data": [
            {"code": "invalid", "line": 3, "message": f"bad json, {KEY}", "param": None},
            {"code": "invalid", "line": 4, "message": "x"},
        ],
    }
    told = told_batch("failed", errors=errors, request_counts={"total": 4, "completed": 1})
    state = ask(lambda _: httpx2.Response(200, json=told), lambda p: p.batch("batch_1"))
    assert state.error == "It stopped at line 3. It says: “bad json, [key]” 1 more line failed too."
    assert (state.status, state.total, state.done) == (BatchStatus.FAILED, 4, 1)


def test_a_batch_that_ended_can_be_cancelled_in_vain():
    def answer(request):
        if request.url.path.endswith("/cancel"):
            return error(409, message="already completed")
        return httpx2.Response(200, json=told_batch("completed"))

    state = ask(answer, lambda p: p.cancel_batch("batch_1"))
    assert state.status is BatchStatus.COMPLETED
    with pytest.raises(RefusedRequestError):
        ask(lambda _: error(404), lambda p: p.cancel_batch("batch_1"))


@given(JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(told_batch(), JSON)), JSON, JSON)
def test_no_batch_makes_it_fail(told, counts, errors):
    if isinstance(told, dict):
        told = {**told_batch(), **told, "request_counts": counts, "errors": errors}
    try:
        state = read_batch(told)
    except ValueError:
        return
    assert state.remote_id
    assert min(state.total, state.done, state.failed) >= 0


@pytest.mark.parametrize(
    "reply",
    [
        httpx2.Response(200, text="<html>"),
        httpx2.Response(200, json=told_batch("meditating")),
        httpx2.Response(200, json=told_batch(id=None)),
        httpx2.Response(200, content=b"[" * 100_000),
        httpx2.Response(200, json={"object": "list", "data": [{"id": "b", "metadata": 7}, 8]}),
        httpx2.Response(200, json={"object": "list", "data": [{"id": ["b"]}]}),
        error(500),
    ],
)
@pytest.mark.parametrize(
    "do",
    [
        lambda p: p.batch("b"),
        lambda p: p.cancel_batch("b"),
        lambda p: p.find_batch("k"),
        lambda p: p.create_batch(QUESTIONS, key="k"),
    ],
    ids=["look", "cancel", "find", "create"],
)
def test_whatever_a_service_says_of_batches_is_a_provider_error_or_nothing(reply, do):
    try:
        gave = ask(lambda _: reply, do)
    except ProviderError as failure:
        gave = None if failure.next_step else failure
    assert gave is None


def test_a_file_of_answers_that_breaks_off_can_be_asked_for_again():
    whole = line("1", completion()) + b"\n"

    async def main():
        async with Loopback(lambda n: Raw([http(200, whole, cut=0 if n else 9)], end="close")) as s:
            provider = OpenAICompatible("p", s.url, KEY)
            state = dataclasses.replace(DONE, error_file="")
            with pytest.raises(ProviderUnavailableError) as caught:
                await provider.batch_answers(state, LABELS)
            answers = await provider.batch_answers(state, LABELS)
            await provider.close()
            return caught.value, answers

    failure, answers = asyncio.run(main())
    assert KEY not in reachable(failure)
    assert set(answers) == {"1"}


def test_a_list_of_batches_without_end_is_left():
    pages = []

    def answer(request):
        pages.append(1)
        rows = [told_batch(id=f"batch_{len(pages)}_{number}") for number in range(1_000)]
        return httpx2.Response(200, json={"object": "list", "data": rows, "has_more": True})

    assert ask(answer, lambda p: p.find_batch("k")) is None
    assert len(pages) <= 11
