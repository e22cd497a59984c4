"""A server that sends the very bytes it is told to, whatever HTTP says of them."""

import asyncio
import json
from dataclasses import dataclass, field


@dataclass
class Raw:
    """What to send for one request.

    Attributes:
        parts: The bytes, in pieces.
        pause_s: How long to wait before each piece but the first.
        end: What follows: "keep" the connection, "close" it, "reset" it, or "hang".
    """

    parts: list[bytes] = field(default_factory=list)
    pause_s: float = 0.0
    end: str = "keep"


def http(status, body=b"", *, headers=(), framing="length", cut=0):
    """Return a reply's bytes; `cut` leaves so many bytes of the body out, against what is told."""
    lines = [f"HTTP/1.1 {status} Said".encode()]
    lines += [name.encode() + b": " + value for name, value in headers]
    sent = body[: len(body) - cut]
    if framing == "length":
        lines.append(b"Content-Length: %d" % len(body))
    elif framing == "chunked":
        lines.append(b"Transfer-Encoding: chunked")
        chunk = b"%x\r\n%b\r\n" % (len(sent), sent) if sent else b""
        sent = chunk + (b"" if cut else b"0\r\n\r\n")
    else:
        lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n" + sent


def ok(value):
    return Raw([http(200, json.dumps(value).encode())])


class Loopback:
    """Listens on this machine and answers each request by `script(number)`.

    Attributes:
        requests: (first line, headers, body) of each request, in order.
        connections: How many were opened.
    """

    def __init__(self, script=None):
        self.script = script
        self.requests = []
        self.connections = 0
        self._writers = set()

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def stop(self):
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()
        await asyncio.sleep(0)

    async def __aenter__(self):
        return await self.start()

    async def __aexit__(self, *_):
        await self.stop()

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        self.connections += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode().rstrip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        number = len(self.requests)
        self.requests.append((first, headers, body))
        raw = self.script(number)
        for place, part in enumerate(raw.parts):
            if place:
                await asyncio.sleep(raw.pause_s)
            writer.write(part)
            await writer.drain()
        if raw.end == "hang":
            await reader.read()
        elif raw.end == "reset":
            writer.transport.abort()
        return raw.end == "keep"
