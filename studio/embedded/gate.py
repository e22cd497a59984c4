"""What every request passes: its token, its place in the queue, its name, its errors.

The queue is bounded, and the `x-ratelimit` headers tell of that bound and of nothing else: how many
requests, and how many tokens of request bodies (four bytes each), may be in work at once; how many
more would be let in now; and how long a request lately took, after which those in work are done.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.embedded.disk import new_id
from studio.embedded.protocol import BODY_LIMIT, ApiError, JsonReply, error_reply

MOST_REQUESTS = 2048
MOST_TOKENS = 64 * 2**20
_LOG = logging.getLogger(__name__)
_BYTES_A_TOKEN = 4
_FREE, _UPLOADS = "/health", "/v1/files"
Endpoint = Callable[[Request], Awaitable[Response]]
Voice = Callable[[Exception], JsonReply]


class Gate:
    """Lets in who carries the token while there is room, and turns every error into a reply.

    Args:
        inner: What serves.
        token: What every request but `/health` carries.
        hot: Addresses whose POST skips the router, which would cost a fifth of a warm answer.
        voices: Addresses whose errors have a shape of their own.
    """

    def __init__(
        self,
        inner: ASGIApp,
        token: str,
        hot: Mapping[str, Endpoint],
        voices: Mapping[str, Voice],
    ) -> None:
        self._inner, self._hot, self._voices = inner, hot, voices
        self._expected = f"Bearer {token}".encode()
        self._requests = self._tokens = 0
        self._took = 0.001

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        begun, started = perf_counter(), False
        name = new_id("req_").encode()
        headers, path = dict(scope["headers"]), scope["path"]
        # A file is no question: it does not wait for the encoder.
        size = 0 if path == _UPLOADS else int(headers.get(b"content-length") or 0)
        tokens = min(size, BODY_LIMIT) // _BYTES_A_TOKEN

        async def named(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                took = perf_counter() - begun
                self._took += 0.05 * (took - self._took)
                message["headers"] = [
                    *message.get("headers", ()), (b"x-request-id", name), *self._told(took),
                ]  # fmt: skip
            await send(message)

        self._requests += 1
        self._tokens += tokens
        try:
            if path != _FREE:
                self._admit(headers.get(b"authorization", b""))
            await self._serve(scope, receive, named)
        except ClientDisconnect:
            return
        except Exception as error:
            reply = self._voices.get(path, error_reply)(error)
            if reply.status_code == 500:
                _LOG.exception("request %s failed", name.decode())
            if not started:
                await reply(scope, receive, named)
        finally:
            self._requests -= 1
            self._tokens -= tokens

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._hot.get(scope["path"]) if scope["method"] == "POST" else None
        if endpoint is None:
            await self._inner(scope, receive, send)
        else:
            reply = await endpoint(Request(scope, receive))
            await reply(scope, receive, send)

    def _told(self, took: float) -> tuple[tuple[bytes, bytes], ...]:
        """Return the headers on the queue and on the time a request took."""
        soon = b"%.0fms" % (1000 * self._took)
        return (
            (b"openai-processing-ms", b"%.0f" % (1000 * took)),
            (b"x-ratelimit-limit-requests", _LIMIT_REQUESTS),
            (b"x-ratelimit-limit-tokens", _LIMIT_TOKENS),
            (b"x-ratelimit-remaining-requests", b"%d" % max(0, MOST_REQUESTS - self._requests)),
            (b"x-ratelimit-remaining-tokens", b"%d" % max(0, MOST_TOKENS - self._tokens)),
            (b"x-ratelimit-reset-requests", soon),
            (b"x-ratelimit-reset-tokens", soon),
        )

    def _admit(self, given: bytes) -> None:
        if not hmac.compare_digest(given, self._expected):
            message = "Incorrect API key provided: the token stands in the server's server.json."
            raise ApiError(message, status=401, code="invalid_api_key")
        if self._requests > MOST_REQUESTS:
            raise _full("requests", MOST_REQUESTS)
        if self._tokens > MOST_TOKENS:
            raise _full("tokens", MOST_TOKENS)


def _full(what: str, most: int) -> ApiError:
    return ApiError(
        f"Rate limit reached: this server works on at most {most} {what} at once. Try again soon.",
        status=429,
        code="rate_limit_exceeded",
        kind=what,
        headers={"retry-after": "1"},
    )


_LIMIT_REQUESTS, _LIMIT_TOKENS = str(MOST_REQUESTS).encode(), str(MOST_TOKENS).encode()
