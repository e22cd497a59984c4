"""The path a question goes by: chat first, another one where that is refused; and responses."""

import dataclasses

import httpx2
import pytest
from hypothesis import given

from studio import errors
from studio.domain.prompt import answer_schema
from studio.domain.run import Method, Outcome, Wire
from studio.domain.tokens import MOST_OUTPUT
from studio.providers.openai_compatible import OpenAICompatible
from studio.providers.replies import read_reply
from studio.providers.sampling import RESPONSES, Sampling
from studio.providers.text_path import as_completion
from tests.providers.helpers import (
    QUESTION,
    ask,
    body_of,
    completion,
    decision,
    error,
    response,
)
from tests.providers.test_logprobs import HEAD, token
from tests.providers.test_replies import JSON

LABELS = ("ham", "spam")


class Service:
    """Serves some routes; keeps the path and body of every request."""

    def __init__(self, **routes):
        self.routes, self.seen = routes, []

    def __call__(self, request):
        name = request.url.path.removeprefix("/v1/").replace("/", "_")
        self.seen.append((name, body_of(request)))
        reply = self.routes.get(name, httpx2.Response(404, json={"detail": "Not Found"}))
        return reply if isinstance(reply, httpx2.Response) else httpx2.Response(200, json=reply)

    @property
    def names(self):
        return [name for name, _ in self.seen]


def twice(provider):
    async def do(provider):
        return [await provider.classify(QUESTION) for _ in range(2)]

    return do(provider)


REFUSALS = {
    "openai": error(
        404, param="model",
        message="This model is only supported in v1/responses and not in v1/chat/completions.",
    ),
    "openai, other words": error(
        404, param="model",
        message="This is not a chat model and thus not supported in the v1/chat/completions "
        "endpoint. Did you mean to use v1/completions?",
    ),
    "azure": error(400, code="OperationNotSupported", message="The chatCompletion operation …"),
    "copilot": error(400, code="unsupported_api_for_model", message="not accessible"),
    "no such url": error(404, code="unknown_url", message="Unknown request URL: POST /v1/…"),
    "fastapi": httpx2.Response(404, json={"detail": "Not Found"}),
    "llama.cpp": error(404, message="File Not Found"),
    "ollama": httpx2.Response(404, text="404 page not found"),
    "system one": httpx2.Response(
        404, json={"detail": {"error_type": "not_found", "message": "No route /v1/chat/…"}}
    ),
    "sparrow": httpx2.Response(404, json={"error": "not found"}),
    "nothing said": httpx2.Response(405),
    "a page": httpx2.Response(404, text="<html>nginx</html>"),
}  # fmt: skip


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_model_that_refuses_chat_is_asked_by_responses_from_then_on(refusal):
    service = Service(chat_completions=refusal, responses=response())
    assert [a.label for a in ask(service, twice)] == ["ham", "ham"]
    assert service.names == ["chat_completions", "responses", "responses"]


@pytest.mark.parametrize("route", ["decisions", "systemone"])
def test_a_service_of_decisions_only_is_found(route):
    shares = {"ham": 0.2, "spam": 0.8}
    shape = {"decisions": "openai", "systemone": "systemone"}[route]

    def answer(request):
        if not request.url.path.endswith(route):
            return httpx2.Response(404, json={"error": "not found"})
        is_probe = "hi" not in request.content.decode()
        told = {"weather": 1.0} if is_probe else shares
        return httpx2.Response(200, json=decision(told, shape=shape))

    answer = ask(answer, lambda p: p.classify(QUESTION))
    assert (answer.label, answer.method) == ("spam", Method.DECISION)


@pytest.mark.parametrize(
    "refusal",
    [
        error(404, code="model_not_found", message="The model `m` does not exist"),
        error(404, message="The model `m` does not exist.", code=404),
        httpx2.Response(404, json={"error": "model 'm' not found"}),
        error(400, param="messages", message="too long"),
        error(401),
        error(429),
        error(500),
    ],
)
def test_what_another_path_would_not_help_is_told_at_once(refusal):
    service = Service(chat_completions=refusal, responses=response())
    with pytest.raises(errors.ProviderError):
        ask(service, twice)
    assert service.names == ["chat_completions"]


def test_with_no_path_at_all_the_first_refusal_is_told():
    service = Service()
    with pytest.raises(errors.RefusedRequestError, match="does not serve this"):
        ask(service, twice)
    assert service.names == ["chat_completions", "responses", "decisions", "systemone"]


def test_a_wire_that_was_chosen_is_the_only_one():
    service = Service(responses=response())
    with pytest.raises(errors.RefusedRequestError, match="does not serve this"):
        ask(service, twice, wire=Wire.CHAT)
    assert service.names == ["chat_completions"]
    assert ask(service, twice, wire=Wire.RESPONSES)[0].label == "ham"


def test_answers_by_another_wire_are_other_answers():
    url = "https://api.example.com/v1"
    names = {w: OpenAICompatible("p", url, wire=w).identity for w in Wire}
    assert names[Wire.AUTO] == names[Wire.CHAT] == "p@api.example.com"
    assert len(set(names.values())) == 4


def test_a_response_is_asked_for_with_schema_and_wishes():
    service = Service(responses=response())
    ask(service, lambda p: p.classify(QUESTION), wire=Wire.RESPONSES)
    _, sent = service.seen[0]
    schema = answer_schema(QUESTION.label_names)["json_schema"]
    assert sent["input"] == list(QUESTION.messages)
    assert sent["text"] == {"format": {"type": "json_schema", **schema}}
    assert (sent["store"], sent["max_output_tokens"]) == (False, MOST_OUTPUT)
    assert sent["include"] == ["message.output_text.logprobs"]
    assert not {"seed", "logprobs", "max_completion_tokens", "reasoning"} & set(sent)


@pytest.mark.parametrize("name", ["include[0]", "top_logprobs", "include"])
def test_a_response_without_logprobs_is_learnt(name):
    def answer(request):
        body = body_of(request)
        if name.partition("[")[0] in body:
            return error(400, param=name, code="unsupported_parameter")
        assert not {"include", "top_logprobs"} & set(body)
        return httpx2.Response(200, json=response())

    assert ask(answer, twice, wire=Wire.RESPONSES)[1].label == "ham"


@pytest.mark.parametrize(
    ("reply", "outcome", "label"),
    [
        (response(), Outcome.OK, "ham"),
        (response('{"label": null}'), Outcome.ABSTAINED, None),
        (response('{"label": "eggs"}'), Outcome.OFF_LABEL, None),
        (response("I think so"), Outcome.NOT_JSON, None),
        (response(""), Outcome.EMPTY, None),
        (response(None), Outcome.EMPTY, None),
        (response(refusal="I will not."), Outcome.REFUSED, None),
        (response('{"lab', incomplete="max_output_tokens"), Outcome.TRUNCATED, None),
        (response(None, incomplete="max_output_tokens"), Outcome.TRUNCATED, None),
        (response(None, incomplete="content_filter"), Outcome.FILTERED, None),
        ({"model": "m"}, Outcome.ERROR, None),
        ([], Outcome.ERROR, None),
    ],
)
def test_outcomes_of_responses(reply, outcome, label):
    answer = ask(Service(responses=httpx2.Response(200, json=reply)),
                 lambda p: p.classify(QUESTION), wire=Wire.RESPONSES)  # fmt: skip
    assert (answer.outcome, answer.label) == (outcome, label)


def test_a_response_that_failed_is_an_error_of_the_service():
    failed = response(None, status="failed", error={"code": "server_error", "message": "oh"})
    failed["output"] = []
    with pytest.raises(errors.ProviderUnavailableError, match="oh"):
        ask(Service(responses=failed), twice, wire=Wire.RESPONSES)


def test_a_response_carries_probabilities_model_and_usage():
    tokens = [*HEAD, token("ham", ("ham", 0.75), ("sp", 0.25)), token('"}')]
    reply = response(tokens=tokens, usage={
        "input_tokens": 7, "output_tokens": 30, "output_tokens_details": {"reasoning_tokens": 24},
    })  # fmt: skip
    answer = read_reply(as_completion(reply), LABELS)
    assert answer.probabilities == pytest.approx({"ham": 0.75, "spam": 0.25})
    assert (answer.method, answer.model) == (Method.LOGPROBS, "m-2026")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (7, 30)
    assert answer.detail["reasoning_tokens"] == 24


@given(JSON, JSON, JSON)
def test_no_response_makes_it_fail(output, part, usage):
    for told in (output, [output], [{"type": "message", "content": [part]}]):
        reply = {"output": told, "usage": usage, "incomplete_details": part}
        answer = read_reply(as_completion(reply), LABELS)
        assert (answer.label is not None) == (answer.outcome is Outcome.OK)


@pytest.mark.parametrize("wire", [Wire.CHAT, Wire.RESPONSES])
def test_a_filter_is_an_outcome_and_no_failure(wire):
    reply = error(400, code="content_filter", message="The prompt was filtered")
    service = Service(chat_completions=reply, responses=reply)
    answer = ask(service, lambda p: p.classify(QUESTION), wire=wire)
    assert answer.outcome is Outcome.FILTERED
    assert "The prompt was filtered" in answer.detail["error"]


def efforts(service):
    told = [body.get("reasoning_effort") or body.get("reasoning") for _, body in service.seen]
    return [one["effort"] if isinstance(one, dict) else one for one in told]


@pytest.mark.parametrize("wire", [Wire.CHAT, Wire.RESPONSES])
@pytest.mark.parametrize(
    ("refused", "reason", "expected"),
    [
        ((), "", ["none"]),
        (("none",), "unsupported_value", ["none", "minimal"]),
        (("none", "minimal"), "unsupported_value", ["none", "minimal", "low"]),
        (("none", "minimal", "low"), "unsupported_value", ["none", "minimal", "low", None]),
        (("none", "minimal", "low"), "unsupported_parameter", ["none", None]),
    ],
)
def test_a_thinker_is_told_to_think_as_little_as_it_lets_itself_be_told(
    wire, refused, reason, expected
):
    class Thinker(Service):
        def __call__(self, request):
            reply = super().__call__(request)
            name = "reasoning_effort" if wire is Wire.CHAT else "reasoning.effort"
            return error(400, param=name, code=reason) if efforts(self)[-1] in refused else reply

    service = Thinker(chat_completions=completion(), responses=response())
    question = dataclasses.replace(QUESTION, model="gpt-6-luna")

    async def do(provider):
        return [await provider.classify(question) for _ in range(2)]

    assert ask(service, do, wire=wire)[1].label == "ham"
    assert efforts(service) == [*expected, expected[-1]]
    assert ("max_completion_tokens" if wire is Wire.CHAT else "max_output_tokens") in (
        service.seen[-1][1]
    )


def test_nobody_else_is_told_how_to_think():
    for wishes in (Sampling(), Sampling(RESPONSES)):
        assert not {"reasoning", "reasoning_effort"} & set(wishes.options("llama-4"))
        assert {"reasoning", "reasoning_effort"} & set(wishes.options("ft:gpt-6-luna:acme::1"))


def test_a_thinker_without_temperature_and_logprobs_is_learnt():
    def answer(request):
        for name in ("temperature", "top_logprobs", "logprobs"):
            if name in body_of(request):
                return error(400, param=name, code="unsupported_parameter")
        return httpx2.Response(200, json=completion())

    answer = ask(answer, lambda p: p.classify(dataclasses.replace(QUESTION, model="gpt-6.2-sol")))
    assert (answer.label, answer.method) == ("ham", None)
