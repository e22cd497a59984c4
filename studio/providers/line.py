"""The line to one service: a body out, decoded JSON or one of our errors back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.errors import ProviderError
from studio.providers.chat import ChatTransport, Reply
from studio.providers.failures import from_status, hidden_failure
from studio.providers.replies import read_json, without_secrets


@dataclass(slots=True)
class Line:
    """What all paths of one service share.

    Attributes:
        transport: What carries bodies and replies.
        url: The service's address.
        host: Its name in errors.
        is_local: Whether it is this machine.
        secrets: What no sentence may repeat.
        headers: Of the latest reply; None before the first.
    """

    transport: ChatTransport
    url: str
    host: str
    is_local: bool
    secrets: list[str] = field(repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)

    async def post(self, path: str, body: bytes) -> tuple[Any, float]:
        """Return the decoded reply of a path, and its milliseconds.

        Raises:
            ProviderError: If no reply came, or it is an error.
        """
        started = time.perf_counter()
        reply = await self.fetch(f"{self.url}/{path}", body)
        latency_ms = (time.perf_counter() - started) * 1000
        self.headers = reply.headers
        if not 200 <= reply.status < 300:
            raise self.failure(reply)
        told = read_json(reply.content)
        failure = hidden_failure(reply.headers, told, self.host, self.secrets)
        if failure is not None:
            del told  # it may repeat the key, and crash reports show variables
            raise failure
        return told, latency_ms

    async def get(self, address: str) -> Any:
        """Return the decoded reply of an address.

        Raises:
            ProviderError: If no reply came, or it is an error.
        """
        reply = await self.fetch(address)
        if not 200 <= reply.status < 300:
            raise self.failure(reply)
        return read_json(reply.content)

    async def fetch(self, address: str, body: bytes | None = None) -> Reply:
        """Return the reply of an address, without the key: replies are stored, and some repeat it.

        Raises:
            ProviderError: If no reply came.
        """
        reply = await self.transport.fetch(address, body)
        return reply._replace(content=without_secrets(reply.content, self.secrets))

    def failure(self, reply: Reply) -> ProviderError:
        """Return the error that a reply is."""
        return from_status(*reply, self.host, self.secrets)
