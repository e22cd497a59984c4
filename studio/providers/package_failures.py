"""The openai package's exceptions, one by one, in the words of `failures`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import aiohttp
import httpx2
import openai

from studio.errors import ProviderError
from studio.providers.failures import (
    broken_off,
    from_status,
    not_the_protocol,
    timed_out,
    told_by,
    unreachable,
)


def translate(error: Exception, host: str, secrets: Collection[str] = ()) -> ProviderError:
    """Return our error for one of theirs.

    Args:
        error: One of `KNOWN`.
        host: Who was spoken to.
        secrets: What must not stand in the sentence even if the service repeats it.
    """
    for kind in type(error).__mro__:
        found = TABLE.get(kind) or _UNDERNEATH.get(kind)
        if found:
            return found(error, host, secrets)
    return _unknown(error, host, secrets)


def _by_status(error: Any, host: str, secrets: Collection[str]) -> ProviderError:
    reply = error.response
    return from_status(reply.status_code, reply.headers, reply.content, host, secrets)


def _timeout(error: Any, host: str, secrets: Collection[str]) -> ProviderError:
    met = error if isinstance(error, httpx2.TimeoutException) else error.__cause__
    if not isinstance(met, httpx2.ConnectTimeout):
        return timed_out(host)
    # So the package calls every failure of a connection, also of one that stood.
    never_stood = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, type(None))
    return unreachable(host) if isinstance(met.__cause__, never_stood) else broken_off(host)


def _unreachable(error: Any, host: str, secrets: Collection[str]) -> ProviderError:
    met = error if isinstance(error, httpx2.RequestError) else error.__cause__
    never_stood = (httpx2.ConnectError, httpx2.ProxyError, httpx2.UnsupportedProtocol)
    if isinstance(met, httpx2.RequestError) and not isinstance(met, never_stood):
        return broken_off(host)
    return unreachable(host)


def _bad_reply(error: Any, host: str, secrets: Collection[str]) -> ProviderError:
    return not_the_protocol(host)


def _unknown(error: Any, host: str, secrets: Collection[str]) -> ProviderError:
    told = told_by(getattr(error, "body", None), secrets)
    return ProviderError(
        f"Speaking to {host} failed ({type(error).__name__}).{told}",
        next_step="Test the provider with `studio provider test`.",
    )


_Translation = Callable[[Any, str, Collection[str]], ProviderError]

TABLE: dict[type, _Translation] = {
    openai.APITimeoutError: _timeout,
    openai.APIConnectionError: _unreachable,
    openai.BadRequestError: _by_status,
    openai.AuthenticationError: _by_status,
    openai.OAuthError: _by_status,
    openai.PermissionDeniedError: _by_status,
    openai.NotFoundError: _by_status,
    openai.ConflictError: _by_status,
    openai.UnprocessableEntityError: _by_status,
    openai.RateLimitError: _by_status,
    openai.InternalServerError: _by_status,
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

_UNDERNEATH: dict[type, _Translation] = {
    httpx2.TimeoutException: _timeout,
    httpx2.RequestError: _unreachable,
    aiohttp.ClientResponseError: _bad_reply,
}
KNOWN: tuple[type[Exception], ...] = (
    openai.OpenAIError,
    # What the package lets through of what it stands on: while a file comes, or for broken HTTP.
    httpx2.RequestError,
    aiohttp.ClientResponseError,
)
"""What `translate` translates."""
