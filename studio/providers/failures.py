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
    ProviderError,
    ProviderUnavailableError,
    QuotaExhaustedError,
    RateLimitedError,
    RefusedRequestError,
)
from studio.providers.replies import read_json, whole_characters


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
    body = read_json(content)
    error = body.get("error", body) if isinstance(body, Mapping) else body
    told = told_by(error, secrets)
    codes = [error.get("code"), error.get("type")] if _is_object(error) else []
    if any(isinstance(code, str) and code in _QUOTA_CODES for code in codes):
        return _quota(host, told)
    if status in _BY_STATUS:
        return _BY_STATUS[status](host, told)
    if status == 429:
        return _too_fast(host, told, retry_after_s(headers))
    if status == 408 or status >= 500:
        return _failed(status, host, told)
    if status >= 400:
        return _refused(status, host, told, _parameter(error))
    return RefusedRequestError(
        f"{host} points to another address (HTTP {status}), which is not followed.",
        next_step="Give the address it really has.",
    )


def told_by(error: Any, secrets: Collection[str] = ()) -> str:
    r"""Return the service's own words on one line, without secrets, or nothing.

    >>> told_by({"message": "no such\nmodel"})
    ' It says: “no such model”'
    """
    words = error.get("message") if _is_object(error) else error
    text = " ".join(words.split()) if isinstance(words, str) else ""
    text = whole_characters(text)
    if text.startswith("<"):
        return ""  # a web page, of a proxy say
    for secret in filter(None, secrets):
        text = text.replace(secret, "[key]")
    text = _SECRET.sub(r"\1[key]", text)
    text = text if len(text) <= _TOLD_LIMIT else text[: _TOLD_LIMIT - 1] + "…"
    return f" It says: “{text}”" if text else ""


def timed_out(host: str) -> ProviderError:
    """Return the error of a service that was waited for in vain."""
    return ProviderUnavailableError(
        f"{host} did not answer in time.",
        next_step="Ask again; if it stays so, ask for less at once or choose a faster model.",
    )


def unreachable(host: str) -> ProviderError:
    """Return the error of a connection that failed or broke."""
    return ProviderUnavailableError(
        f"{host} cannot be reached.",
        next_step="Check that it runs, that the address is right, and the network.",
    )


def not_the_protocol(host: str) -> ProviderError:
    """Return the error of a reply that is none of OpenAI's protocol, or not even of HTTP."""
    return BadReplyError(
        f"The reply of {host} does not hold to the OpenAI protocol.",
        next_step="Check that the address is that of an OpenAI-compatible service.",
    )


def unreadable(host: str, error: BaseException) -> ProviderError:
    """Return the error of a reply that cannot be read, by what went wrong in reading it."""
    return BadReplyError(
        f"The reply of {host} cannot be read ({type(error).__name__}).",
        next_step="Check that the address is that of an OpenAI-compatible service.",
    )


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a service asked us to wait; None when it named none we can read."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        told = first_of(headers, name)
        try:
            seconds = float(told) * unit
        except ValueError:
            continue
        if told.isascii() and 0 <= seconds < 1e6:
            return seconds
    return None


def first_of(headers: Mapping[str, str], name: str) -> str:
    """Return a header's first value; one given twice is joined by some transports only.

    >>> first_of({"retry-after": "1, 2"}, "retry-after"), first_of({}, "retry-after")
    ('1', '')
    """
    return headers.get(name, "").partition(",")[0].strip(" \t")


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _failed(status: int, host: str, told: str) -> ProviderError:
    return ProviderUnavailableError(
        f"{host} failed by itself (HTTP {status}).{told}", next_step="Ask again in a while."
    )


def _busy(host: str, told: str) -> ProviderError:
    return ProviderUnavailableError(
        f"{host} is busy with another change of the same thing.{told}", next_step="Ask again."
    )


def _key_refused(host: str, told: str) -> ProviderError:
    return AuthenticationError(
        f"{host} does not accept the key.{told}",
        next_step="Check the environment variable that holds the key for this provider.",
    )


def _not_allowed(host: str, told: str) -> ProviderError:
    return AuthenticationError(
        f"{host} does not let this key do that.{told}",
        next_step="Use another key or model, or ask whoever owns the account.",
    )


def _not_found(host: str, told: str) -> ProviderError:
    return RefusedRequestError(
        f"{host} does not know what was asked for.{told}",
        next_step="Check the name of the model and the address, which often ends in /v1.",
    )


def _refused(status: int, host: str, told: str, parameter: str) -> ProviderError:
    message = f"{host} refuses the request (HTTP {status}).{told}"
    next_step = "Change what it names, or choose another model."
    if parameter:
        return RefusedParameterError(message, next_step=next_step, parameter=parameter)
    return RefusedRequestError(message, next_step=next_step)


def _parameter(error: Any) -> str:
    """Return the parameter a service names: OpenAI's `param`, or `loc` of pydantic servers."""
    if _is_object(error) and isinstance(error.get("param"), str):
        return str(error["param"])
    try:
        named = error["detail"][0]["loc"][-1]
    except (TypeError, LookupError):
        return ""
    return named if isinstance(named, str) else ""


def _quota(host: str, told: str) -> ProviderError:
    return QuotaExhaustedError(
        f"No money or quota is left at {host}.{told}",
        next_step="Add credit there, or choose another provider; asking again is useless.",
    )


def _too_fast(host: str, told: str, wait: float | None) -> ProviderError:
    return RateLimitedError(
        f"{host} was asked too fast.{told}",
        next_step=f"Wait {wait:g} seconds." if wait else "Wait a little, or ask for less at once.",
        retry_after_s=wait,
    )


_BY_STATUS: Mapping[int, Callable[[str, str], ProviderError]] = {
    401: _key_refused,
    402: _quota,
    403: _not_allowed,
    404: _not_found,
    409: _busy,
}
