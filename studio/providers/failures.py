"""What a service's failures mean, in our own words, whatever transport met them.

The exceptions of a transport hold the request, and with it the key; ours hold sentences only. So
raise ours after the `except` block has ended, where Python keeps no link to theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from studio.errors import (
    AuthenticationError,
    BadReplyError,
    NoAnswerError,
    ProviderError,
    ProviderUnavailableError,
    QuotaExhaustedError,
    RateLimitedError,
    RefusedRequestError,
)
from studio.providers.rate_limits import retry_after_s
from studio.providers.replies import read_json, whole_characters


class RefusedParameterError(RefusedRequestError):
    """The service refuses one parameter of the request.

    Attributes:
        parameter: Its name as the service tells it.
        reason: The service's code for why; may be empty.
    """

    def __init__(
        self, message: str, *, next_step: str = "", parameter: str, reason: str = ""
    ) -> None:
        super().__init__(message, next_step=next_step)
        self.parameter = parameter
        self.reason = reason


class NotAllowedError(AuthenticationError):
    """The key is good, but what was asked for is not open to its account."""


class TrainingClosedError(RefusedRequestError):
    """The service trains no such model for this account: closed, retired or never tunable."""


class WrongPathError(RefusedRequestError):
    """The service does not serve this model, or anything, by the path it was asked by."""


class UnknownThingError(RefusedRequestError):
    """The service does not know what was asked for: a model, a file, a batch."""


class RefusedTextError(RefusedRequestError):
    """The service takes no such text: too long, or of a kind it does not want; others may pass."""


class FilteredError(RefusedRequestError):
    """A content filter held the question back; it concerns this one only."""


_QUOTA_CODES = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "quota_exceeded"}
    | {"3036"}  # Cloudflare: the day's allowance is used up
)
_CAPACITY_CODES = frozenset({"3040"})  # Cloudflare
_FILTER_CODES = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
_PATH_CODES = frozenset({"OperationNotSupported", "unsupported_api_for_model", "unknown_url"})
_NO_ROUTE = re.compile(
    r"""\W*(?:404\W*)?(?:(?:the\ )?(?:requested\ )?
    (?:url|page|file|path|route|resource|endpoint)\b.*)?(?:not\ found|method\ not\ allowed)\W*
    |no\ route\b.*|cannot\ post\b.*|unknown\ request\ url\b.*""",
    re.IGNORECASE | re.VERBOSE,
)
_OTHER_PATH = re.compile(r"/chat/completions|\bv1/responses\b|not a chat model", re.IGNORECASE)
_NO_MODEL = re.compile(
    r"\bmodel\b.{0,80}\b(?:not|doesn't|no longer)\b.{0,20}\b(?:exist|found|support|available)"
    r"|\b(?:invalid|unknown|no such|unsupported)\b.{0,20}\bmodel\b",
    re.IGNORECASE,
)
_TEXT_PARAMETERS = frozenset({"messages", "input", "state", "prompt", "content", "text"})
_SECRET = re.compile(r"\b(sk-|bearer\s+)\S+", re.IGNORECASE)
_TOLD_LIMIT = 300


def from_status(
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    host: str,
    secrets: Collection[str] = (),
) -> ProviderError:
    """Return the error for a reply whose status is not 2xx.

    Args:
        status: Its status.
        headers: Its headers; the names may be asked for in any case.
        content: Its body.
        host: Who was spoken to.
        secrets: What must not stand in the sentence even if the service repeats it.

    >>> from_status(503, {}, b'{"error": {"message": "loading"}}', "h").message
    'h failed by itself (HTTP 503). It says: “loading”'
    """
    return from_body(status, headers, read_json(content), host, secrets)


def from_body(
    status: int, headers: Mapping[str, str], body: Any, host: str, secrets: Collection[str] = ()
) -> ProviderError:
    """Return the error for a decoded body; see `from_status`."""
    error = _error_in(body)
    told, codes = told_by(error, secrets), _codes(error)
    if codes & _QUOTA_CODES:
        return _quota(host, told)
    if codes & _CAPACITY_CODES:
        return _no_room(host, told, retry_after_s(headers))
    if codes & _FILTER_CODES and 400 <= status < 500:
        return _filtered(host, told)
    if status == 429:
        return _too_fast(host, told, retry_after_s(headers))
    failure = _by_status(status, error, codes, host, told)
    if isinstance(failure, ProviderUnavailableError):
        failure.retry_after_s = retry_after_s(headers)
    return failure


def _by_status(status: int, error: Any, codes: set[str], host: str, told: str) -> ProviderError:
    if _is_wrong_path(status, error, codes):
        return _wrong_path(host, told)
    if status in _BY_STATUS:
        return _BY_STATUS[status](host, told)
    if status in _GAVE_UP:
        return NoAnswerError(
            f"{host} gave up waiting for an answer (HTTP {status}).{told}", next_step="Ask again."
        )
    if status == 408 or status >= 500:
        return ProviderUnavailableError(
            f"{host} failed by itself (HTTP {status}).{told}", next_step="Ask again in a while."
        )
    if status >= 400:
        return _refused(status, host, told, error)
    return RefusedRequestError(
        f"{host} points to another address (HTTP {status}), which is not followed.",
        next_step="Give the address it really has.",
    )


def hidden_failure(
    headers: Mapping[str, str], body: Any, host: str, secrets: Collection[str] = ()
) -> ProviderError | None:
    """Return the error that a body of status 200 is; None for an answer.

    Gateways answer so: OpenRouter with `error`, Cloudflare with `success` and `errors`.

    >>> body = {"success": False, "errors": [{"code": 3040, "message": "full"}], "result": None}
    >>> hidden_failure({}, body, "h").message
    'h has no room for more questions now. It says: “full”'
    """
    if not _is_object(body) or any(body.get(key) for key in _ANSWERS):
        return None
    error = body.get("error")
    if not (_is_object(error) or (body.get("success") is False and body.get("errors"))):
        return None
    code = error.get("code") if _is_object(error) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    return from_body(status, headers, body, host, secrets)


def told_by(error: Any, secrets: Collection[str] = ()) -> str:
    r"""Return the service's own words on one line, without secrets, or nothing.

    >>> told_by({"message": "no such\nmodel"})
    ' It says: “no such model”'
    """
    text = _words(error)
    for secret in filter(None, secrets):
        text = text.replace(secret, "[key]")
    text = _SECRET.sub(r"\1[key]", text)
    text = text if len(text) <= _TOLD_LIMIT else text[: _TOLD_LIMIT - 1] + "…"
    return f" It says: “{text}”" if text else ""


def timed_out(host: str) -> ProviderError:
    """Return the error of a service that was asked and waited for in vain: it may charge for it."""
    return NoAnswerError(
        f"{host} did not answer in time.",
        next_step="Ask again; if it stays so, ask for less at once or choose a faster model.",
    )


def broken_off(host: str) -> ProviderError:
    """Return the error of a connection that broke once it stood: it may charge, as above."""
    return NoAnswerError(
        f"The connection to {host} broke before its answer was here.",
        next_step="Ask again; if it stays so, check that it runs, and the network.",
    )


def unreachable(host: str) -> ProviderError:
    """Return the error of a connection that never came about."""
    return ProviderUnavailableError(
        f"{host} cannot be reached.",
        next_step="Check that it runs, that the address is right, and the network.",
    )


def not_the_protocol(host: str) -> ProviderError:
    """Return the error of a reply that is none of OpenAI's protocol, or not even of HTTP."""
    return _bad_reply(f"The reply of {host} does not hold to the OpenAI protocol.")


def endless(host: str) -> ProviderError:
    """Return the error of a reply that is larger than any of the protocol could be."""
    return _bad_reply(f"The reply of {host} is larger than any answer could be.")


def unreadable(host: str, error: BaseException) -> ProviderError:
    """Return the error of a reply that cannot be read, by what went wrong in reading it."""
    return _bad_reply(f"The reply of {host} cannot be read ({type(error).__name__}).")


def _bad_reply(message: str) -> ProviderError:
    next_step = "Check that the address is that of an OpenAI-compatible service."
    return BadReplyError(message, next_step=next_step)


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _refused(status: int, host: str, told: str, error: Any) -> ProviderError:
    message = f"{host} refuses the request (HTTP {status}).{told}"
    next_step = "Change what it names, or choose another model."
    parameter = error.get("param") if _is_object(error) else None
    named = re.split(r"[.\[]", parameter, maxsplit=1)[0] if isinstance(parameter, str) else ""
    if named in _TEXT_PARAMETERS or (not named and _is_of_text(status, error)):
        return RefusedTextError(message, next_step="Shorten the text, or choose another model.")
    if isinstance(parameter, str) and named:
        reason = error.get("code")
        return RefusedParameterError(
            message, next_step=next_step, parameter=parameter,
            reason=reason if isinstance(reason, str) else "",
        )  # fmt: skip
    return RefusedRequestError(message, next_step=next_step)


def _is_of_text(status: int, error: Any) -> bool:
    """Whether a refusal that names no parameter may concern the one text, and not its model."""
    is_of_model = any("model" in code for code in _codes(error)) or _NO_MODEL.search(_words(error))
    return status in (400, 413, 422) and not is_of_model


def _error_in(body: Any) -> Any:
    """Return the part of a body that tells what went wrong, in OpenAI's shape where it can.

    OpenAI's is `error`; System One's and FastAPI's `detail` is a sentence, an object, or a list
    of what is wrong where; Cloudflare's `errors` is a list.
    """
    if not _is_object(body) or "error" in body:
        return body["error"] if _is_object(body) else body
    detail, errors = body.get("detail"), body.get("errors")
    if isinstance(detail, list) and detail and _is_object(detail[0]):
        places = detail[0].get("loc")
        named = [place for place in places if isinstance(place, str)] if _is_list(places) else []
        where = ".".join(place for place in named if place != "body")
        what = detail[0].get("msg")
        words = ": ".join(part for part in (where, what) if isinstance(part, str) and part)
        return {"message": words, "param": named[-1] if named else None}
    if isinstance(detail, str) or _is_object(detail):
        return detail
    return errors[0] if _is_list(errors) and errors else body


def _codes(error: Any) -> set[str]:
    if not _is_object(error):
        return set()
    told = [error.get(name) for name in ("code", "type", "error_type")]
    return {str(code) for code in told if isinstance(code, str | int)}


def _words(error: Any) -> str:
    words = error.get("message") if _is_object(error) else error
    text = whole_characters(" ".join(words.split())) if isinstance(words, str) else ""
    return "" if text.startswith("<") else str(text)  # a web page, of a proxy say


def _is_wrong_path(status: int, error: Any, codes: set[str]) -> bool:
    """Whether another path might serve: by code, or by OpenAI's words, which have none."""
    if status == 501:  # llama.cpp's for what a model or its start-up does not give
        return True
    if status not in (400, 404, 405):
        return False
    words = _words(error)[:_TOLD_LIMIT]
    if codes & _PATH_CODES or _OTHER_PATH.search(words):
        return True
    return status != 400 and (not words or bool(_NO_ROUTE.fullmatch(words)))


def _too_fast(host: str, told: str, wait: float | None) -> ProviderError:
    next_step = f"Wait {wait:g} seconds." if wait else _SLOWER
    message = f"{host} was asked too fast.{told}"
    return RateLimitedError(message, next_step=next_step, retry_after_s=wait)


def _no_room(host: str, told: str, wait: float | None) -> ProviderError:
    message = f"{host} has no room for more questions now.{told}"
    return RateLimitedError(message, next_step=_SLOWER, retry_after_s=wait)


_Failure = Callable[[str, str], ProviderError]
_SLOWER = "Wait a little, or ask for less at once."


def _saying(kind: type[ProviderError], sentence: str, next_step: str) -> _Failure:
    """Return what makes an error of a host and its words."""
    return lambda host, told: kind(sentence.format(host=host) + told, next_step=next_step)


_wrong_path = _saying(
    WrongPathError,
    "{host} does not serve this by the path it was asked by.",
    "Check the address, which often ends in /v1, or add the provider with another --wire.",
)
_filtered = _saying(
    FilteredError,
    "The content filter of {host} held the question back.",
    "Look at the text; another model may take it.",
)
_quota = _saying(
    QuotaExhaustedError,
    "No money or quota is left at {host}.",
    "Add credit there, or choose another provider; asking again is useless.",
)
_GAVE_UP = frozenset({504, 524})  # a gateway's words: the service behind it may still be at work
_BY_STATUS: Mapping[int, _Failure] = {
    401: _saying(
        AuthenticationError,
        "{host} does not accept the key.",
        "Check the environment variable that holds the key for this provider.",
    ),
    402: _quota,
    403: _saying(
        NotAllowedError,
        "{host} does not let this key do that.",
        "Use another key or model, or ask whoever owns the account.",
    ),
    404: _saying(
        UnknownThingError,
        "{host} does not know what was asked for.",
        "Check the name of the model and the address, which often ends in /v1.",
    ),
    409: _saying(
        ProviderUnavailableError,
        "{host} is busy with another change of the same thing.",
        "Ask again.",
    ),
}
_ANSWERS = ("choices", "output", "answers", "result")
