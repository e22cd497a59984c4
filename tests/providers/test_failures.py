"""Each exception of the package has its own sentence here, and none carries a key."""

import inspect
import logging
import traceback

import httpx2
import openai
import pytest

from studio import errors
from studio.providers.failures import (
    RefusedParameterError,
    RefusedTextError,
    UnknownThingError,
)
from studio.providers.package_failures import TABLE, translate
from tests.providers.helpers import KEY, QUESTION, ask, error

INDISCREET = f"Incorrect key {KEY}, Bearer abc.def"


NOW = "Wed, 21 Oct 2026 07:27:00 GMT"


def classify(provider):
    return provider.classify(QUESTION)


def public_exceptions():
    things = (getattr(openai, name) for name in dir(openai) if not name.startswith("_"))
    return {t for t in things if inspect.isclass(t) and issubclass(t, BaseException)}


def test_every_public_exception_of_the_package_is_mapped():
    assert public_exceptions() == set(TABLE)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error(400), errors.RefusedRequestError),
        (error(400, code="billing_hard_limit_reached"), errors.QuotaExhaustedError),
        (error(401), errors.AuthenticationError),
        (error(402), errors.QuotaExhaustedError),
        (error(403), errors.AuthenticationError),
        (error(404), errors.RefusedRequestError),
        (error(408), errors.ProviderUnavailableError),
        (error(409), errors.ProviderUnavailableError),
        (error(413), errors.RefusedRequestError),
        (error(422), errors.RefusedRequestError),
        (error(429), errors.RateLimitedError),
        (error(429, code="insufficient_quota"), errors.QuotaExhaustedError),
        (error(500), errors.ProviderUnavailableError),
        (error(501), errors.RefusedRequestError),
        (error(503), errors.ProviderUnavailableError),
        (httpx2.Response(502, text="<html>bad gateway</html>"), errors.ProviderUnavailableError),
        (httpx2.Response(400, json={"error": "plain"}), errors.RefusedRequestError),
        (httpx2.Response(400, json={"error": {"type": ["odd"]}}), errors.RefusedRequestError),
    ],
)
def test_a_status_has_its_error(reply, kind):
    with pytest.raises(errors.ProviderError) as caught:
        ask(lambda _: reply, classify)
    assert isinstance(caught.value, kind)
    assert "api.example.com" in caught.value.message
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": NOW}, 60.0),
        ({"retry-after": "Wednesday, 21-Oct-26 07:28:00 GMT", "date": NOW}, 60.0),
        ({"retry-after": NOW, "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT", "date": NOW}, None),
        ({"retry-after": "on Wed, 99 Oct"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize(
    ("status", "kind"), [(429, errors.RateLimitedError), (503, errors.ProviderUnavailableError)]
)
def test_the_wait_a_service_asks_for_is_kept(headers, seconds, status, kind):
    with pytest.raises(kind) as caught:
        ask(lambda _: error(status, headers=headers), classify)
    assert caught.value.retry_after_s == seconds


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (httpx2.ReadTimeout("slow"), "did not answer in time"),
        (httpx2.ConnectError("refused"), "cannot be reached"),
        (httpx2.ReadError("reset"), "broke before its answer was here"),
        (httpx2.RemoteProtocolError("closed"), "broke before its answer was here"),
    ],
)
def test_the_network_has_sentences_too(failure, words):
    def answer(request):
        raise failure

    with pytest.raises(errors.ProviderUnavailableError, match=words) as caught:
        ask(answer, classify)
    may_be_paid = "cannot be reached" not in words
    assert isinstance(caught.value, errors.NoAnswerError) == may_be_paid


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error(400, message="Bad content."), RefusedTextError),
        (error(400, param="messages[1].content", code="context_length_exceeded"), RefusedTextError),
        (error(400, message="This model's maximum context length is 9."), RefusedTextError),
        (error(413), RefusedTextError),
        (httpx2.Response(422, json={"detail": [{"loc": ["body", "state"]}]}), RefusedTextError),
        (error(400, param="model", code="invalid_value"), RefusedParameterError),
        (error(400, param="[0]"), RefusedTextError),
        (error(400, code="model_not_found"), errors.RefusedRequestError),
        (error(400, message="Model Not Exist"), errors.RefusedRequestError),
        (error(400, message="Invalid model: luna"), errors.RefusedRequestError),
        (error(400, message="The model m does not exist."), errors.RefusedRequestError),
        (error(404), UnknownThingError),
        (error(504), errors.NoAnswerError),
    ],
)
def test_a_refusal_of_one_text_is_told_from_one_of_the_model(reply, kind):
    with pytest.raises(errors.ProviderError) as caught:
        ask(lambda _: reply, classify)
    assert type(caught.value) is kind


def test_an_exception_of_a_later_package_is_still_translated():
    class NewError(openai.OpenAIError):
        pass

    assert type(translate(NewError("x"), "h")) is errors.ProviderError


def reachable(thing, seen=None):
    """Return the text of everything an exception holds on to."""
    seen = {} if seen is None else seen
    if id(thing) in seen or len(seen) > 10_000:
        return ""
    seen[id(thing)] = thing
    parts = [repr(thing)]
    held = list(getattr(thing, "__dict__", {}).values())
    if isinstance(thing, BaseException):
        held += [*thing.args, thing.__cause__, thing.__context__]
    if isinstance(thing, dict):
        held += [*thing, *thing.values()]
    elif isinstance(thing, list | tuple | set):
        held += thing
    return "\n".join(parts + [reachable(other, seen) for other in held if other is not None])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500])
def test_no_key_is_kept_in_errors_tracebacks_or_logs(status, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(errors.ProviderError) as caught:
        ask(lambda _: error(status, message=INDISCREET), classify)
    failure = caught.value
    assert failure.__cause__ is None
    assert failure.__context__ is None
    told = reachable(failure) + "".join(traceback.format_exception(failure)) + caplog.text
    assert KEY not in told
    assert "abc.def" not in told
    assert "[key]" in str(failure)


def test_a_provider_does_not_show_its_key():
    async def do(provider):
        return repr(provider)

    assert KEY not in ask(lambda _: error(500), do)


def test_long_and_many_lined_words_of_a_service_are_cut():
    with pytest.raises(errors.ProviderError) as caught:
        ask(lambda _: error(500, message="a\nb " * 1000), classify)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
