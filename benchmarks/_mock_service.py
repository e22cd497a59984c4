"""A service that answers chat completions after a fixed wait, for the benchmarks beside it.

It is a process of its own, so that its work is never counted as the work of who asks. Of a request
it reads the length and the number of its case ("case #417"); the label follows from that number, so
that whoever asked can tell whether an answer went to the right example. It writes "listening PORT"
at its start, "first" at the first case, and "mark" when `POST /reset?mark=N` named that N-th answer.

    python benchmarks/_mock_service.py [--latency 0.05]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import time
from collections import Counter

CASE = re.compile(rb"case #(\d+)")
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
LABELS = ("urgent", "calm")


def label_of(case: int) -> str:
    """Return the label of a case: every third is urgent."""
    return LABELS[0] if case % 3 == 0 else LABELS[1]


class Service:
    """What was asked since the last reset."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.replies = {label: completion({"label": label}) for label in LABELS}
        self.greeting = completion({"name": "Jason", "age": 25})  # what curator asks at its start
        self.reset(0)

    def reset(self, mark: int) -> None:
        self.asked: Counter[int] = Counter()
        self.answered = 0
        self.other = 0
        self.at_once = self.most_at_once = 0
        self.first = self.last = 0.0
        self.mark = mark
        self.cpu = cpu()

    def told(self) -> dict[str, float]:
        return {
            "calls": self.asked.total(),
            "cases": len(self.asked),
            "other": self.other,
            "most_at_once": self.most_at_once,
            "seconds": self.last - self.first,
            "cpu": cpu() - self.cpu,
        }


class Connection(asyncio.Protocol):
    """One connection; requests on it are read one after the other."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.held += data
        while (end := self.held.find(b"\r\n\r\n")) >= 0:
            head = self.held[:end]
            if b"expect: 100-continue" in head.lower():
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            length = LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.held) < whole:
                return
            body, self.held = self.held[end + 4 : whole], self.held[whole:]
            self.request(head.split(b" ", 2)[1], body)

    def request(self, path: bytes, body: bytes) -> None:
        service = self.service
        if path.startswith(b"/reset"):
            service.reset(int(path.partition(b"mark=")[2] or 0))
            self.transport.write(http(b"200 OK", b"{}"))
        elif path == b"/told":
            self.transport.write(http(b"200 OK", json.dumps(service.told()).encode()))
        elif path.endswith(b"/models"):
            self.transport.write(
                http(b"200 OK", b'{"object":"list","data":[{"id":"mock","object":"model"}]}')
            )
        elif not path.endswith(b"/chat/completions"):
            self.transport.write(
                http(b"404 Not Found", b'{"error":{"message":"There is nothing here."}}')
            )
        else:
            cases = CASE.findall(body)
            case = int(cases[-1]) if cases else -1  # the last one is the question's own
            self.ask(case)
            asyncio.get_running_loop().call_later(service.latency, self.answer, case)

    def ask(self, case: int) -> None:
        service = self.service
        if case < 0:  # a greeting, such as a request made to read the limits
            service.other += 1
            return
        if not service.asked:
            service.first = time.monotonic()
            print("first", flush=True)
        service.asked[case] += 1
        service.at_once += 1
        service.most_at_once = max(service.most_at_once, service.at_once)

    def answer(self, case: int) -> None:
        service = self.service
        if case >= 0:
            service.at_once -= 1
            service.answered += 1
            service.last = time.monotonic()
            if service.answered == service.mark:
                print("mark", flush=True)
        if not self.transport.is_closing():
            reply = service.greeting if case < 0 else service.replies[label_of(case)]
            self.transport.write(reply)


def completion(said: dict[str, object]) -> bytes:
    """Return the whole reply that says this JSON."""
    message = {"role": "assistant", "content": json.dumps(said), "refusal": None}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "mock",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 60, "completion_tokens": 6, "total_tokens": 66},
    }
    return http(b"200 OK", json.dumps(body).encode())


def http(status: bytes, body: bytes) -> bytes:
    """Return a reply with its head."""
    kind = b"Content-Type: application/json\r\nContent-Length: %d" % len(body)
    return b"HTTP/1.1 %s\r\n%s\r\n\r\n%s" % (status, kind, body)


def cpu() -> float:
    """Return the CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def main() -> None:
    """Serve until the end of the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.05)
    service = Service(parser.parse_args().latency)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(service), "127.0.0.1", 0, backlog=1024)
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
