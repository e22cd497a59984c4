"""A reply of status 200 without an end takes no memory and no time."""

import asyncio

import pytest

from studio.errors import BadReplyError
from studio.providers import plain_transport
from studio.providers.openai_compatible import OpenAICompatible
from tests.providers.helpers import KEY, QUESTION
from tests.providers.loopback import Loopback, Raw, http

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PIECE = b"[" * 1_000


@pytest.mark.parametrize(
    "raw",
    [
        Raw([HEAD + b"Content-Length: 9000000000\r\n\r\n", PIECE], end="hang"),
        Raw([HEAD + b"Connection: close\r\n\r\n"] + [PIECE] * 50, end="hang"),
        Raw([HEAD + b"Transfer-Encoding: chunked\r\n\r\n"] + [b"3e8\r\n" + PIECE + b"\r\n"] * 50,
            end="hang"),
    ],
    ids=["told", "until closed", "chunked"],
)  # fmt: skip
@pytest.mark.parametrize("do", [lambda p: p.classify(QUESTION), lambda p: p.models()])
def test_it_is_left_and_told_of(monkeypatch, raw, do):
    monkeypatch.setattr(plain_transport, "MOST_BYTES", 20_000)

    async def main():
        async with Loopback(lambda _: raw) as server:
            provider = OpenAICompatible("p", server.url, KEY, "m")
            try:
                with pytest.raises(BadReplyError, match="larger than any answer"):
                    await asyncio.wait_for(do(provider), 10)
            finally:
                await provider.close()

    asyncio.run(main())


def test_a_large_reply_is_read_whole():
    text = b'{"data": [' + b", ".join([b'{"id": "m"}'] * 20_000) + b"]}"

    async def main(framing):
        async with Loopback(lambda _: Raw([http(200, text, framing=framing)])) as server:
            provider = OpenAICompatible("p", server.url, KEY, "m")
            try:
                return len(await provider.models())
            finally:
                await provider.close()

    assert [asyncio.run(main(framing)) for framing in ("length", "chunked")] == [20_000, 20_000]
