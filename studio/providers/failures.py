"""The openai package's exceptions, one by one, in our own words.

Theirs hold the request, and with it the key; ours hold sentences only. So raise ours after the
`except` block has ended, where Python keeps no link to theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

import openai

from studio.errors import (
    AuthenticationError,
    BadReplyError,
    ProviderError,
    ProviderUnavailableError,
    QuotaExhaustedError,
    RateLimitedError,
    RefusedRequestError,
)


class RefusedParameterError(RefusedRequestError):
    """The service refuses one parameter of the request.

    Attributes:
        parameter: Its name as the service tells it.
    """

    def __init__(self, message: str, *, next_step: str = "", parameter: str) -> None:
        super().__init__(message, next_step=next_step)
        self.parameter = parameter


_QUOTA_CODES = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "quota_exceeded"}
)
_SECRET = re.compile(r"\b(sk-|bearer\s+)\S+", re.IGNORECASE)
_TOLD_LIMIT = 300


def translate(error: Exception, host: str, secrets: Collection[str] = ()) -> ProviderError:
    """Return our error for one of theirs.

    Args:
        error: An exception of the openai package.
        host: Who was spoken to.
        secrets: What must not stand in the sentence even if the service repeats it.
    """
    told = _told(error, secrets)
    if {str(getattr(error, name, "")) for name in ("code", "type")} & _QUOTA_CODES:
        return _quota(error, host, told)
    for kind in type(error).__mro__:
        if kind in TABLE:
            return TABLE[kind](error, host, told)
    return _unknown(error, host, told)


def _told(error: Exception, secrets: Collection[str]) -> str:
    """Return the service's own words on one line, without secrets."""
    body = getattr(error, "body", None)
    words = body.get("message") if isinstance(body, dict) else body
    text = " ".join(words.split()) if isinstance(words, str) else ""
    text = text.encode("utf-8", "replace").decode()  # half an emoji could not be stored
    if text.startswith("<"):
        return ""  # a web page, of a proxy say
    for secret in filter(None, secrets):
        text = text.replace(secret, "[key]")
    text = _SECRET.sub(r"\1[key]", text)
    text = text if len(text) <= _TOLD_LIMIT else text[: _TOLD_LIMIT - 1] + "…"
    return f" It says: “{text}”" if text else ""


def _timeout(error: Any, host: str, told: str) -> ProviderError:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if not isinstance(cause, TimeoutError) and "Timeout" not in type(cause).__name__:
        return _unreachable(error, host, told)  # the aiohttp transport calls a refusal a timeout
    return ProviderUnavailableError(
        f"{host} did not answer in time.",
        next_step="Ask again; if it stays so, ask for less at once or choose a faster model.",
    )


def _unreachable(error: Any, host: str, told: str) -> ProviderError:
    return ProviderUnavailableError(
        f"{host} cannot be reached.",
        next_step="Check that it runs, that the address is right, and the network.",
    )


def _failed(error: Any, host: str, told: str) -> ProviderError:
    return ProviderUnavailableError(
        f"{host} failed by itself{_status(error)}.{told}", next_step="Ask again in a while."
    )


def _busy(error: Any, host: str, told: str) -> ProviderError:
    return ProviderUnavailableError(
        f"{host} is busy with another change of the same thing.{told}", next_step="Ask again."
    )


def _key_refused(error: Any, host: str, told: str) -> ProviderError:
    return AuthenticationError(
        f"{host} does not accept the key.{told}",
        next_step="Check the environment variable that holds the key for this provider.",
    )


def _not_allowed(error: Any, host: str, told: str) -> ProviderError:
    return AuthenticationError(
        f"{host} does not let this key do that.{told}",
        next_step="Use another key or model, or ask whoever owns the account.",
    )


def _not_found(error: Any, host: str, told: str) -> ProviderError:
    return RefusedRequestError(
        f"{host} does not know what was asked for.{told}",
        next_step="Check the name of the model and the address, which often ends in /v1.",
    )


def _refused(error: Any, host: str, told: str) -> ProviderError:
    message = f"{host} refuses the request{_status(error)}.{told}"
    next_step = "Change what it names, or choose another model."
    parameter = _parameter(error)
    if parameter:
        return RefusedParameterError(message, next_step=next_step, parameter=parameter)
    return RefusedRequestError(message, next_step=next_step)


def _parameter(error: Any) -> str:
    """Return the parameter a service names: OpenAI's `param`, or `loc` of pydantic servers."""
    if isinstance(error.param, str):
        return error.param
    try:
        return str(error.body["detail"][0]["loc"][-1])
    except (TypeError, LookupError):
        return ""


def _quota(error: Any, host: str, told: str) -> ProviderError:
    return QuotaExhaustedError(
        f"No money or quota is left at {host}.{told}",
        next_step="Add credit there, or choose another provider; asking again is useless.",
    )


def _too_fast(error: Any, host: str, told: str) -> ProviderError:
    wait = _retry_after(error)
    return RateLimitedError(
        f"{host} was asked too fast.{told}",
        next_step=f"Wait {wait:g} seconds." if wait else "Wait a little, or ask for less at once.",
        retry_after_s=wait,
    )


def _bad_reply(error: Any, host: str, told: str) -> ProviderError:
    return BadReplyError(
        f"The reply of {host} does not hold to the OpenAI protocol.",
        next_step="Check that the address is that of an OpenAI-compatible service.",
    )


def _unknown(error: Any, host: str, told: str) -> ProviderError:
    return ProviderError(
        f"Speaking to {host} failed ({type(error).__name__}).{told}",
        next_step="Test the provider with `studio provider test`.",
    )


def _by_status(error: Any, host: str, told: str) -> ProviderError:
    """Map the answers that have no exception class of their own."""
    status = error.status_code
    if status == 402:
        return _quota(error, host, told)
    if status == 408:
        return _failed(error, host, told)
    if status >= 400:
        return _refused(error, host, told)
    return RefusedRequestError(
        f"{host} points to another address{_status(error)}, which is not followed.",
        next_step="Give the address it really has.",
    )


def _status(error: Any) -> str:
    status = getattr(error, "status_code", None)
    return f" (HTTP {status})" if status else ""


def _retry_after(error: Any) -> float | None:
    """Return the seconds a service asked us to wait; None when it named none we can read."""
    headers = error.response.headers
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name)) * unit
        except (TypeError, ValueError):
            continue
        if 0 <= seconds < 1e6:
            return seconds
    return None


TABLE: dict[type[BaseException], Callable[[Any, str, str], ProviderError]] = {
    openai.APITimeoutError: _timeout,
    openai.APIConnectionError: _unreachable,
    openai.BadRequestError: _refused,
    openai.AuthenticationError: _key_refused,
    openai.OAuthError: _key_refused,
    openai.PermissionDeniedError: _not_allowed,
    openai.NotFoundError: _not_found,
    openai.ConflictError: _busy,
    openai.UnprocessableEntityError: _refused,
    openai.RateLimitError: _too_fast,
    openai.InternalServerError: _failed,
    openai.APIStatusError: _by_status,
    openai.APIResponseValidationError: _bad_reply,
    openai.LengthFinishReasonError: _bad_reply,
    openai.ContentFilterFinishReasonError: _bad_reply,
    openai.InvalidWebhookSignatureError: _bad_reply,
    openai.WebSocketConnectionClosedError: _unreachable,
    openai.WebSocketQueueFullError: _unreachable,
    openai.APIError: _unknown,
    openai.OpenAIError: _unknown,
}
"""Every public exception of the package; a test fails when one is missing."""
