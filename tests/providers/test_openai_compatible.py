"""The client on a scripted network: what is sent, what is learnt, what comes out."""

import asyncio
import dataclasses
import json

import httpx2
import pytest

from studio.domain.finetune import FineTuneStatus
from studio.domain.prompt import answer_schema
from studio.domain.run import Outcome
from studio.domain.tokens import MOST_OUTPUT
from studio.errors import (
    BadReplyError,
    ProviderError,
    ProviderUnavailableError,
    RefusedRequestError,
)
from studio.providers.base import FINE_TUNE_KEY, Provider
from studio.providers.openai_compatible import OpenAICompatible
from tests.providers.helpers import KEY, QUESTION, ask, body_of, completion, error


def classify(provider):
    return provider.classify(QUESTION)


def test_the_question_goes_out_with_schema_and_wishes():
    seen = []

    def answer(request):
        seen.append(request)
        return httpx2.Response(200, json=completion())

    assert ask(answer, classify).label == "ham"
    sent = body_of(seen[0])
    assert seen[0].url == "https://api.example.com/v1/chat/completions"
    assert sent["response_format"] == answer_schema(["ham", "spam"])
    assert sent["store"] is False
    assert (sent["temperature"], sent["logprobs"], sent["top_logprobs"]) == (0, True, 20)
    assert sent["max_completion_tokens"] == MOST_OUTPUT


def test_each_sample_has_its_seed_where_the_model_takes_seeds():
    bodies = []

    def answer(request):
        bodies.append(body_of(request))
        takes = bodies[-1]["model"] == "m" or "seed" not in bodies[-1]
        return httpx2.Response(200, json=completion()) if takes else error(400, param="seed")

    async def samples(provider):
        for model in ("m", "without seeds"):
            for sample in (0, 3):
                question = dataclasses.replace(QUESTION, model=model, sample=sample)
                await provider.classify(question)

    ask(answer, samples)
    assert [body.get("seed") for body in bodies] == [0, 3, 0, None, None]


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("https://api.example.com:8443/v1", "p@api.example.com"),
        ("http://[::1]:8000/v1", "p@::1"),
        ("http://127.0.0.1:5001/v1", "p@127.0.0.1"),
    ],
)
def test_a_service_is_named_without_its_port(url, identity):
    assert OpenAICompatible("p", url).identity == identity
    assert OpenAICompatible("embedded", url, identity="embedded").identity == "embedded"


def test_refused_wishes_are_learnt_once_for_each_model():
    bodies = []

    def answer(request):
        bodies.append(body_of(request))
        for name in ("top_logprobs", "temperature"):
            if name in bodies[-1]:
                return error(400, param=name, code="unsupported_parameter")
        return httpx2.Response(200, json=completion())

    async def twice(provider):
        return [await provider.classify(QUESTION) for _ in range(2)]

    assert [a.outcome for a in ask(answer, twice)] == [Outcome.OK, Outcome.OK]
    assert len(bodies) == 4
    assert not {"logprobs", "top_logprobs", "temperature"} & set(bodies[-1])


def test_a_pydantic_server_names_the_wish_in_its_own_way():
    def answer(request):
        if "store" in body_of(request):
            detail = [{"type": "extra_forbidden", "loc": ["body", "store"], "msg": "no"}]
            return httpx2.Response(422, json={"detail": detail})
        return httpx2.Response(200, json=completion())

    assert ask(answer, classify).outcome is Outcome.OK


def test_a_refusal_of_anything_else_is_not_tried_again():
    calls = []

    def answer(request):
        calls.append(1)
        return error(400, param="messages")

    with pytest.raises(RefusedRequestError):
        ask(answer, classify)
    assert len(calls) == 1


@pytest.mark.parametrize(
    "reply",
    [
        httpx2.Response(200, text="<html>"),
        httpx2.Response(200, content=b"{", headers={"content-type": "application/json"}),
        httpx2.Response(200, json=[1]),
    ],
)
def test_a_reply_that_is_no_completion_is_an_outcome(reply):
    assert ask(lambda _: reply, classify).outcome is Outcome.ERROR


def test_only_our_own_server_is_known_to_cost_nothing():
    reply = completion(studio={"engine": "e"})
    local = ask(lambda _: httpx2.Response(200, json=reply), classify, base_url="http://[::1]:1/v1")
    hosted = ask(lambda _: httpx2.Response(200, json=reply), classify)
    assert (local.usage.cost_usd, hosted.usage.cost_usd) == (0.0, None)


def test_nobody_elses_account_is_told_and_no_other_key_used(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "someone-elses")
    seen = []

    def answer(request):
        seen.append(dict(request.headers))
        return httpx2.Response(200, json=completion())

    ask(answer, classify, key="")
    assert "someone-elses" not in str(seen)


def test_models():
    def answer(request):
        rows = [{"id": i, "object": "model", "created": 1, "owned_by": "x"} for i in ("a", "b")]
        return httpx2.Response(200, json={"object": "list", "data": rows})

    assert ask(answer, lambda p: p.models()) == ["a", "b"]


def test_a_web_page_in_place_of_models_is_a_bad_reply():
    with pytest.raises(BadReplyError):
        ask(lambda _: httpx2.Response(200, text="<html>"), lambda p: p.models())


def test_the_engine_is_asked_of_local_servers_only():
    paths = []

    def answer(request):
        paths.append(request.url.path)
        return httpx2.Response(200, json={"status": "ok", "system_fingerprint": "enc-1"})

    assert ask(answer, lambda p: p.engine(), base_url="http://127.0.0.1:9/v1") == "enc-1"
    assert ask(answer, lambda p: p.engine()) == ""
    assert paths == ["/health"]
    ours = {"status": "ok", "engine": "minilm", "fallback": None, "version": "0.1.0"}
    reply = httpx2.Response(200, json=ours)
    assert ask(lambda _: reply, lambda p: p.engine(), base_url="http://[::1]/v1") == "minilm 0.1.0"
    none = ask(lambda _: error(404), lambda p: p.engine(), base_url="http://localhost:9/v1")
    text = ask(
        lambda _: httpx2.Response(200, text=""), lambda p: p.engine(), base_url="http://[::1]/v1"
    )
    assert (none, text) == ("", "")


def test_a_redirect_is_not_followed():
    hosts = []

    def answer(request):
        hosts.append(request.url.host)
        return httpx2.Response(307, headers={"location": "https://evil.example/v1"})

    with pytest.raises(ProviderError, match="points to another address"):
        ask(answer, classify)
    assert hosts == ["api.example.com"]


def test_the_real_transport_says_when_nobody_listens():
    async def main():
        server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        provider = OpenAICompatible("p", f"http://127.0.0.1:{port}/v1", KEY)
        try:
            await provider.classify(QUESTION)
        finally:
            await provider.close()

    with pytest.raises(ProviderUnavailableError, match="cannot be reached"):
        asyncio.run(main())


def job(status="running", **extra):
    base = {"id": "ftjob-1", "object": "fine_tuning.job", "status": status, "metadata": None}
    nulls = dict.fromkeys(["fine_tuned_model", "trained_tokens", "error", "estimated_finish"])
    return {**base, **nulls, "result_files": [], **extra}


def page(*rows, more=False):
    return httpx2.Response(200, json={"object": "list", "data": list(rows), "has_more": more})


def test_a_training_is_started_without_nulls_and_read_back():
    bodies = []

    def answer(request):
        if request.method == "POST":
            bodies.append(body_of(request))
        failed = job("failed", error={"code": "c", "message": "too few lines", "param": None})
        return httpx2.Response(200, json=failed)

    async def do(provider: Provider):
        return await provider.create_fine_tune("f", "base", metadata={FINE_TUNE_KEY: "k"})

    state = ask(answer, do)
    assert bodies == [{"training_file": "f", "model": "base", "metadata": {FINE_TUNE_KEY: "k"}}]
    assert (state.status, state.error) == (FineTuneStatus.FAILED, "too few lines")


def test_an_unknown_status_is_a_bad_reply():
    with pytest.raises(BadReplyError):
        ask(
            lambda _: httpx2.Response(200, json=job("meditating")), lambda p: p.fine_tune("ftjob-1")
        )


def test_a_training_is_found_by_its_key_on_a_later_page():
    def answer(request):
        if "after" not in request.url.params:
            return page(job(id="ftjob-9"), job(id="ftjob-8", metadata={"x": "k"}), more=True)
        return page(job(id="ftjob-7", metadata={FINE_TUNE_KEY: "k"}))

    assert ask(answer, lambda p: p.find_fine_tune("k")).remote_id == "ftjob-7"


def test_a_server_that_repeats_its_page_ends_the_search():
    def answer(request):
        return page(job(id="ftjob-9"), more=True)

    assert ask(answer, lambda p: p.find_fine_tune("k")) is None


def test_events_come_oldest_first_and_only_new_ones():
    rows = [
        {"id": f"e{i}", "object": "x", "created_at": i, "level": "info", "message": f"m{i}"}
        | {"data": {"loss": i}, "type": "metrics"}
        for i in (5, 4, 3, 2, 1)
    ]

    def answer(request):
        if request.url.params.get("after") == "e4":
            return page(*rows[2:])
        return page(*rows[:2], more=True)

    async def do(provider):
        fresh = await provider.fine_tune_events("ftjob-1", after="e2")
        return fresh, await provider.fine_tune_events("ftjob-1")

    fresh, all_ = ask(answer, do)
    assert [event.id for event in fresh] == ["e3", "e4", "e5"]
    assert [event.id for event in all_] == ["e1", "e2", "e3", "e4", "e5"]
    assert fresh[0].data == {"loss": 3}


def test_result_files_come_by_bare_names():
    def answer(request):
        path = request.url.path
        if path.endswith("/content"):
            return httpx2.Response(200, content=path.encode())
        if "/files/" in path:
            name = "../../etc/metrics.csv"
            return httpx2.Response(200, json={"id": "f", "object": "file", "filename": name})
        return httpx2.Response(200, json=job("succeeded", result_files=["f1", "f2"]))

    files = ask(answer, lambda p: p.result_files("ftjob-1"))
    assert files == {
        "metrics.csv": b"/v1/files/f1/content",
        "f2-metrics.csv": b"/v1/files/f2/content",
    }


def test_a_training_file_is_uploaded_for_fine_tuning():
    def answer(request):
        content = request.read()
        assert b'name="purpose"\r\n\r\nfine-tune' in content
        assert b'{"messages":[]}' in content
        file = {"id": "file-1", "object": "file", "filename": "t.jsonl", "status": "processed"}
        return httpx2.Response(200, json=file)

    assert ask(answer, lambda p: p.upload(b'{"messages":[]}\n', "t.jsonl")) == "file-1"


def test_half_an_emoji_in_a_reply_can_be_stored():
    told = json.dumps(completion('{"label": "ham"} \ud83d', model="m\ud83d")).encode()
    answer = ask(lambda _: httpx2.Response(200, content=told), classify)
    f"{answer.raw} {answer.model} {answer.detail}".encode()
    assert answer.raw == '{"label": "ham"} ?'


def test_half_an_emoji_in_an_error_can_be_stored():
    told = json.dumps({"error": {"message": "no \ud83d"}}).encode()
    with pytest.raises(RefusedRequestError) as caught:
        ask(lambda _: httpx2.Response(400, content=told), classify)
    assert "no ?" in str(caught.value)


def test_a_question_is_sent_as_the_package_would_send_it():
    seen = []

    def answer(request):
        seen.append(request)
        return httpx2.Response(200, json=completion())

    async def both(provider):
        await provider.classify(QUESTION)
        wishes = provider._sampling.options(QUESTION.model)
        await provider._connection.ask(
            lambda client: client.chat.completions.with_raw_response.create(
                model=QUESTION.model,
                messages=list(QUESTION.messages),
                response_format=answer_schema(QUESTION.label_names),
                **wishes,
            )
        )

    ask(answer, both)
    ours, theirs = seen
    own = {"idempotency-key", "x-stainless-raw-response"}
    headers = [{k: v for k, v in one.headers.items() if k not in own} for one in seen]
    assert (ours.method, ours.url) == (theirs.method, theirs.url)
    assert body_of(ours) == body_of(theirs)
    assert headers[0] | {"content-length": ""} == headers[1] | {"content-length": ""}
