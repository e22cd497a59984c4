"""Test connection: the reply decides what works, never its status alone."""

import asyncio
import json

import httpx2
import pytest

from studio.domain.capability import Capabilities, Feature, ListedModel, State
from studio.embedded import EmbeddedServer
from studio.providers import probing
from studio.providers.openai_compatible import OpenAICompatible
from studio.providers.probe_replies import NAMES
from tests.providers.helpers import KEY, ask, body_of, decision, error, response
from tests.providers.loopback import Loopback, Raw

YES, NO, DROPPED, UNKNOWN = State.YES, State.NO, State.DROPPED, State.UNKNOWN
MISSING = httpx2.Response(404, json={"detail": "Not Found"})
LIST = {"object": "list", "data": [], "has_more": False}
SHARES = {"weather": 0.9, "music": 0.1}


def said(*texts, tops=3, **more):
    """Return a chat completion with these answers."""
    top = [{"token": t, "logprob": -1.0, "bytes": None} for t in "abcdef"[:tops]]
    logprobs = {"content": [{"token": "a", "logprob": -1.0, "top_logprobs": top}]}
    choices = [
        {
            "index": i,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": text},
            "logprobs": logprobs if tops else None,
            **more,
        }
        for i, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
    return {"object": "chat.completion", "model": "m-1", "choices": choices, "usage": usage}


def word(name):
    return json.dumps({"label": name})


GOOD = {
    "GET models": {"data": [{"id": "m"}, {"id": "old", "shutdown_date": "2027-01-14"}]},
    "POST chat/completions": said(word("lantern"), word("anchor")),
    "POST responses": response("lantern"),
    "POST decisions": decision(SHARES, "weather"),
    "POST embeddings": {"data": [{"embedding": [0.1, 0.2, 0.3]}], "usage": {"prompt_tokens": 2}},
    "GET files": LIST,
    "GET fine_tuning/jobs": LIST,
    "GET batches": LIST,
}


class Service:
    """Serves GOOD but for what is told otherwise; a list of replies is given in turn."""

    def __init__(self, routes=None):
        self.routes = {**GOOD, **(routes or {})}
        self.seen = []

    def __call__(self, request):
        name = f"{request.method} {request.url.path.removeprefix('/v1/')}"
        self.seen.append((name, body_of(request) if request.content else None))
        reply = self.routes.get(name, MISSING)
        if isinstance(reply, list):
            reply = reply.pop(0) if len(reply) > 1 else reply[0]
        if callable(reply):
            reply = reply(body_of(request))
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx2.Response) else httpx2.Response(200, json=reply)


def probe(service, model="m", **more) -> Capabilities:
    return ask(service, lambda p: p.capabilities(), model=model, **more)


def evidence(found, feature):
    return next(one.evidence for one in found.findings if one.feature is feature)


def test_a_service_that_has_all_is_asked_little_and_nothing_of_ours_but_words():
    service = Service()
    found = probe(service)
    assert {one.feature: one.state for one in found.findings} == dict.fromkeys(Feature, YES)
    assert [name for name, _ in service.seen] == [
        "GET models", "POST chat/completions", "POST chat/completions", "POST responses",
        "POST decisions", "POST embeddings", "GET files", "GET fine_tuning/jobs", "GET batches",
    ]  # fmt: skip
    assert (found.questions, found.input_tokens, found.output_tokens) == (5, 56, 16)
    assert found.models == (ListedModel("m"), ListedModel("old", "2027-01-14"))
    assert {body["store"] for _, body in service.seen if body and "store" in body} == {False}
    assert probe(Service()) == found


CASES = {
    Feature.MODELS: [
        ("GET models", {"object": "list"}, NO, "no list"),
        ("GET models", httpx2.Response(200, text="<html>hi</html>"), NO, "no list"),
        ("GET models", {"models": [{"name": "kev-4b"}]}, YES, "1 model"),
    ],
    Feature.CHAT: [
        ("POST chat/completions", {"choices": None}, NO, "no choices"),
        ("POST chat/completions", httpx2.Response(200, text="ok"), NO, "no choices"),
        ("POST chat/completions", error(404, message="no model m"), NO, "no model m"),
    ],
    Feature.ENUM: [
        ("POST chat/completions", said("Banana"), DROPPED, "“Banana”"),
        ("POST chat/completions", said(word("banana")), DROPPED, "banana"),
        ("POST chat/completions", said(word("anchor"), "Banana"), DROPPED, "“Banana”"),
        ("POST chat/completions", said('{"label": "anchor", "x": 1}'), DROPPED, "anchor"),
        ("POST chat/completions", said('{"label": ["anchor"]}'), DROPPED, "anchor"),
        ("POST chat/completions", said(""), UNKNOWN, "empty"),
        ("POST chat/completions", said('{"la', finish_reason="length"), UNKNOWN, "cut off"),
        ("POST chat/completions", {"choices": None}, NO, "no chat"),
    ],
    Feature.LOGPROBS: [
        ("POST chat/completions", said(word("anchor"), tops=0), DROPPED, "empty"),
        ("POST chat/completions", said(word("anchor"), tops=1), DROPPED, "1 alternative "),
        ("POST chat/completions", said(word("anchor"), tops=2), YES, "up to 2 alternatives"),
        ("POST chat/completions", said("x", logprobs={"content": "?"}), DROPPED, "empty"),
        ("POST chat/completions", httpx2.Response(503), UNKNOWN, "no chat answer"),
    ],
    Feature.N: [("POST chat/completions", said(word("anchor")), DROPPED, "gave 1")],
    Feature.SEED: [
        (
            "POST chat/completions",
            [said(word("anchor")), said(word("hammer"))],
            DROPPED,
            "hammer",
        ),
        (
            "POST chat/completions",
            [said(word("anchor")), error(429, message="slow down")],
            UNKNOWN,
            "slow down",
        ),
        ("POST chat/completions", said(""), UNKNOWN, "empty"),
    ],
    Feature.RESPONSES: [
        ("POST responses", {"object": "response"}, NO, "no response"),
        ("POST responses", response(None), UNKNOWN, "no text"),
    ],
    Feature.DECISIONS: [
        ("POST decisions", decision(None, "weather"), DROPPED, "no probabilities"),
        ("POST decisions", decision({"snow": 1.0}, "snow"), NO, "no decision"),
        ("POST decisions", {"answers": [{"type": "refusal"}]}, YES, "declines"),
        ("POST decisions", {}, NO, "no decision"),
    ],
    Feature.EMBEDDINGS: [
        ("POST embeddings", {"data": [{"embedding": []}]}, NO, "no vector"),
        ("POST embeddings", {"data": [{"embedding": "AAAA"}]}, NO, "no vector"),
        ("POST embeddings", {"data": 7}, NO, "no vector"),
    ],
    Feature.FILES: [("GET files", {"ok": True}, NO, "no list")],
    Feature.FINE_TUNING: [("GET fine_tuning/jobs", [], NO, "no list")],
    Feature.BATCHES: [("GET batches", {"data": [{"id": "b"}]}, YES, "lists them.")],
}


@pytest.mark.parametrize(
    ("feature", "route", "reply", "state", "words"),
    [(feature, *case) for feature, cases in CASES.items() for case in cases],
)
def test_a_reply_of_status_200_is_looked_into(feature, route, reply, state, words):
    if isinstance(reply, list) and not reply:
        reply = httpx2.Response(200, json=[])
    found = probe(Service({route: reply}))
    assert (found.state(feature), words in evidence(found, feature)) == (state, True), found


PATHS = {
    Feature.MODELS: "GET models",
    Feature.CHAT: "POST chat/completions",
    Feature.RESPONSES: "POST responses",
    Feature.DECISIONS: "POST decisions",
    Feature.EMBEDDINGS: "POST embeddings",
    Feature.FILES: "GET files",
    Feature.FINE_TUNING: "GET fine_tuning/jobs",
    Feature.BATCHES: "GET batches",
}
FAILURES = {
    "no route": (MISSING, NO, "404"),
    "no method": (httpx2.Response(405, json={"detail": "Method Not Allowed"}), NO, "(HTTP 40"),
    "bad key": (error(401, message=f"bad key {KEY}"), NO, "Not allowed"),
    "forbidden": (error(403, message="not yours"), NO, "Not allowed"),
    "refused": (error(400, message="not with this model"), NO, "not with this model"),
    "slow down": (error(429, message="slow down"), UNKNOWN, "slow down"),
    "no money": (error(429, code="insufficient_quota"), UNKNOWN, "quota"),
    "not in this one": (error(501, message="Not a decision model"), NO, "decision model"),
    "broken": (httpx2.Response(502, text="<html>"), UNKNOWN, "502"),
    "moved": (httpx2.Response(302, headers={"location": "https://x.example"}), UNKNOWN, "302"),
    "hidden": (httpx2.Response(200, json={"error": {"code": 503, "message": "later"}}), UNKNOWN,
               "later"),
    "silent": (httpx2.ReadTimeout("?"), UNKNOWN, "in time"),
}  # fmt: skip


@pytest.mark.parametrize("feature", PATHS)
@pytest.mark.parametrize("how", FAILURES)
def test_a_failure_shows_a_no_or_nothing(feature, how):
    reply, state, words = FAILURES[how]
    found = probe(Service({PATHS[feature]: reply}))
    assert found.state(feature) is state
    assert words in evidence(found, feature)
    assert "\n" not in evidence(found, feature)
    assert KEY not in str(found)
    others = set(PATHS) - {feature}
    assert {found.state(other) for other in others} == {YES}


def refusing(*names):
    """Refuse wishes one after another, as OpenAI does."""

    def answer(body):
        for name in names:
            if name in body:
                return error(400, param=name, code="unsupported_parameter", message=f"no {name}")
        return said(*[word("anchor")] * body.get("n", 1), tops=3 if "logprobs" in body else 0)

    return answer


@pytest.mark.parametrize(
    ("wish", "feature"),
    [
        ("response_format", Feature.ENUM),
        ("logprobs", Feature.LOGPROBS),
        ("top_logprobs", Feature.LOGPROBS),
        ("n", Feature.N),
        ("seed", Feature.SEED),
    ],
)
def test_a_wish_refused_by_name_is_a_no_and_the_others_are_still_tested(wish, feature):
    found = probe(Service({"POST chat/completions": refusing(wish)}))
    judged = {Feature.ENUM, Feature.LOGPROBS, Feature.N, Feature.SEED}
    assert {one: found.state(one) for one in judged} == dict.fromkeys(judged, YES) | {feature: NO}
    assert f"no {wish}" in evidence(found, feature)


def test_fastapi_names_all_that_it_refuses_at_once():
    def answer(body):
        wrong = [name for name in ("store", "seed", "max_completion_tokens") if name in body]
        if wrong:
            detail = [
                {"loc": ["body", n], "msg": "extra", "type": "extra_forbidden"} for n in wrong
            ]
            return httpx2.Response(422, json={"detail": detail})
        return said(word("anchor"), word("anchor"))

    found = probe(Service({"POST chat/completions": answer}))
    assert (found.state(Feature.SEED), found.state(Feature.ENUM)) == (NO, YES)
    assert found.questions == 5


def test_llama_cpp_names_what_it_refuses_in_its_sentence():
    """With one slot it gives one answer; the other wishes are tested all the same."""

    def answer(body):
        if body.get("n", 1) > 1:
            told = "Field 'n': Value must be between 1 <= value <= 1, but got 2"
            whole = {"code": 400, "message": told, "type": "invalid_request_error"}
            return httpx2.Response(400, json={"error": whole})
        return said(word("anchor"), tops=3)

    found = probe(Service({"POST chat/completions": answer}))
    assert (found.state(Feature.N), "Field 'n'" in evidence(found, Feature.N)) == (NO, True)
    assert {found.state(f) for f in (Feature.ENUM, Feature.LOGPROBS, Feature.SEED)} == {YES}


def test_wishes_refused_together_are_not_told_apart():
    def answer(body):
        return error(400, message="too much") if "n" in body else said("Banana", tops=0)

    found = probe(Service({"POST chat/completions": answer}))
    assert found.state(Feature.CHAT) is YES
    for feature in (Feature.ENUM, Feature.LOGPROBS, Feature.N, Feature.SEED):
        assert found.state(feature) is UNKNOWN
        assert "too much" in evidence(found, feature)


def test_a_service_that_refuses_without_end_is_asked_eight_questions_at_most():
    def answer(body):
        wishes = [name for name in body if name not in ("model", "messages", "stream")]
        if not wishes:
            return said("Banana")
        return error(400, param=wishes[0], code="unsupported_parameter")

    service = Service({"POST chat/completions": answer, "POST decisions": error(400)})
    found = probe(service)
    assert found.state(Feature.CHAT) is YES
    assert found.questions == sum(body is not None for _, body in service.seen) <= 8
    assert all(len(json.dumps(body)) < 900 for _, body in service.seen)


@pytest.mark.parametrize(
    ("routes", "where"),
    [
        ({"POST decisions": MISSING, "POST systemone": decision(SHARES, "weather", shape="s")},
         "/systemone, in System One's shape"),
        ({"POST decisions": [error(422), decision(SHARES, "weather", shape="s")]},
         "/decisions, in System One's shape"),
        ({}, "/decisions, in OpenAI's shape"),
    ],
)  # fmt: skip
def test_the_shape_of_decisions_is_found(routes, where):
    found = probe(Service(routes))
    assert found.state(Feature.DECISIONS) is YES
    assert evidence(found, Feature.DECISIONS).startswith(where)


def test_without_a_model_only_lists_are_asked_for_unless_there_is_one_only():
    service = Service()
    found = probe(service, model="")
    assert (found.questions, found.state(Feature.CHAT)) == (0, UNKNOWN)
    assert "provider default" in evidence(found, Feature.CHAT)
    assert found.state(Feature.BATCHES) is YES
    only = probe(Service({"GET models": {"data": [{"id": "sole"}]}}), model="")
    assert (only.model, only.state(Feature.CHAT)) == ("sole", YES)


def test_embeddings_are_asked_of_a_model_named_so():
    models = {"data": [{"id": "m"}, {"id": "z-embed"}, {"id": "a-embedding"}]}
    found = probe(Service({"GET models": models}))
    assert evidence(found, Feature.EMBEDDINGS).startswith("a-embedding gives a vector of 3")


def test_who_never_answers_is_left_alone_after_two_tries(monkeypatch):
    monkeypatch.setattr(probing, "PATIENCE_S", 0.05)

    async def main():
        async with Loopback(lambda _: Raw([b""], end="hang")) as peer:
            provider = OpenAICompatible("p", peer.url, KEY, "m")
            try:
                return await provider.capabilities(), len(peer.requests)
            finally:
                await provider.close()

    found, asked = asyncio.run(main())
    assert asked == 2
    assert {one.state for one in found.findings} == {UNKNOWN}
    assert "in time" in evidence(found, Feature.MODELS)
    assert "Not asked" in evidence(found, Feature.BATCHES)


def test_what_stops_the_telling_stops_the_test():
    told = []

    def tell(*step):
        told.append(step)
        if len(told) == 2:
            raise KeyError("stop")

    with pytest.raises(KeyError):
        ask(Service(), lambda p: p.capabilities(tell), model="m")
    assert told == [(0, 12, "Lists its models"), (1, 12, "Chat")]


def test_our_own_server_has_all_it_promises(tmp_path):
    async def main():
        with EmbeddedServer(tmp_path) as server:
            provider = OpenAICompatible("embedded", server.url, server.token, "studio-encoder")
            try:
                return await provider.capabilities()
            finally:
                await provider.close()

    found = asyncio.run(main())
    states = {one.feature: one.state for one in found.findings}
    assert states == dict.fromkeys(Feature, YES) | {Feature.RESPONSES: NO}
    assert found.questions <= 8
    assert found.input_tokens > 0


def test_what_is_found_survives_being_stored():
    found = probe(Service())
    assert Capabilities.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_the_names_do_not_stand_in_the_question():
    from studio.providers.probe_replies import WORD

    assert not [name for name in NAMES if name in WORD]
    assert len(set(NAMES)) == len(NAMES)
