"""A service that answers chat completions, counts every call by its text, and misbehaves on wish.

It runs in a thread of its own and speaks HTTP by itself, a fraction of a millisecond a call, so
that it is never what a worker waits for. Benchmarks use it, too.
"""

import asyncio
import json
import random
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
LIMITS = {
    "x-ratelimit-limit-requests": "600000",
    "x-ratelimit-remaining-requests": "599000",
    "x-ratelimit-reset-requests": "100ms",
}


@dataclass(frozen=True)
class Chaos:
    """Shares of calls that end badly; the same seed, text and attempt always ends the same way."""

    too_many: float = 0.10
    broken: float = 0.05
    silent: float = 0.01
    malformed: float = 0.03
    seed: int = 0

    def fate(self, text, attempt):
        """Return "ok" or what goes wrong with this attempt."""
        at = random.Random(f"{self.seed}:{attempt}:{text}").random()
        for fate in ("too_many", "broken", "silent", "malformed"):
            if at < getattr(self, fate):
                return fate
            at -= getattr(self, fate)
        return "ok"


class Service:
    """The service: the label of a text is its first word.

    Attributes:
        calls: How often each text was asked.
        fates: How often a call ended in each way.
        log: (seconds on a clock that never jumps, text) of every call, in order.
        most_at_once: The most calls under way at one moment.
        delay: Seconds an answer takes; may be changed at any time.
    """

    def __init__(self, delay=0.05, chaos=None):
        self.delay, self.chaos = delay, chaos
        self.calls, self.fates, self.log = Counter(), Counter(), []
        self.at_once = self.most_at_once = 0
        self.open = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mock-service")

    @property
    def url(self):
        """What a provider is added with."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def total(self):
        """How many calls there were."""
        return len(self.log)

    def asked(self, word):
        """Return the calls whose text has a word in it, in order."""
        return [text for _, text in list(self.log) if word in text]

    def __enter__(self):
        self._thread.start()
        start = self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=512)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *error):
        def stop():
            self._server.close()
            for connection in self.open:  # workers may still be there; they are killed later
                connection.abort()
            self._loop.call_later(0.01, self._loop.stop)

        self._loop.call_soon_threadsafe(stop)
        self._thread.join()
        self._loop.close()

    def fate(self, text):
        """Count a call and return how it ends."""
        self.calls[text] += 1
        self.log.append((time.monotonic(), text))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        fate = self.chaos.fate(text, self.calls[text]) if self.chaos else "ok"
        self.fates[fate] += 1
        return fate


class _Connection(asyncio.Protocol):
    def __init__(self, service):
        self.service, self.held, self.under_way = service, b"", 0

    def connection_made(self, transport):
        self.transport = transport
        self.service.open.add(transport)

    def connection_lost(self, error):
        self.service.open.discard(self.transport)
        self.service.at_once -= self.under_way
        self.under_way = 0

    def data_received(self, data):
        self.held += data
        while (end := self.held.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self.held, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.held) < whole:
                return
            path, body = self.held.split(b" ", 2)[1], self.held[end + 4 : whole]
            self.held = self.held[whole:]
            if path.endswith(b"/chat/completions"):
                self.ask(json.loads(body))
            else:
                self.say(404, {"error": _error("There is nothing here.", None)})

    def ask(self, body):
        text = json.loads(body["messages"][-1]["content"])["text"]
        fate = self.service.fate(text)
        self.under_way += 1
        if fate != "silent":
            loop = asyncio.get_running_loop()
            loop.call_later(self.service.delay, self.answer, fate, text)

    def answer(self, fate, text):
        if self.transport.is_closing():
            return
        self.under_way -= 1
        self.service.at_once -= 1
        if fate == "too_many":
            error = _error("Rate limit reached.", "rate_limit_exceeded")
            self.say(429, {"error": error}, {"Retry-After": "0.03"})
        elif fate == "broken":
            self.say(500, {"error": _error("Something broke.", "server_error")})
        else:
            self.say(200, _completion(text.split()[0], fate))

    def say(self, status, document, more=()):
        body = json.dumps(document).encode()
        lines = {"Content-Type": "application/json", "Content-Length": len(body), **LIMITS}
        head = "".join(f"{k}: {v}\r\n" for k, v in (lines | dict(more)).items())
        self.transport.write(f"HTTP/1.1 {status} It\r\n{head}\r\n".encode() + body)


def _error(message, code):
    return {"message": message, "type": "requests", "code": code, "param": None}


def _completion(label, fate):
    said = json.dumps({"label": label})
    message = {"role": "assistant", "content": said, "refusal": None}
    if fate == "malformed":
        message["content"] = said[: len(said) // 2]
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return {
        "id": "c", "object": "chat.completion", "created": 1, "model": "mock-1",
        "choices": [choice], "usage": usage,
    }  # fmt: skip
