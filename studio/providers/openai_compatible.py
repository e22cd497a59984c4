"""Any service that speaks OpenAI's chat completions: hosted ones, local ones, our own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from studio.domain.run import Answer, Question
from studio.errors import ProviderError, RefusedRequestError
from studio.providers.base import RateLimits
from studio.providers.base_url import read_base_url
from studio.providers.batches import Batches
from studio.providers.chat import Bodies, ChatTransport, Reply
from studio.providers.connection import Connection
from studio.providers.failures import from_status
from studio.providers.fine_tuning import FineTuning
from studio.providers.package_transport import PackageTransport
from studio.providers.plain_transport import PlainTransport
from studio.providers.rate_limits import read_rate_limits
from studio.providers.replies import read_json, read_reply
from studio.providers.sampling import Sampling

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI


class OpenAICompatible(FineTuning, Batches):
    """A provider behind the openai package; see `Provider` for what each method gives.

    Questions go by `PlainTransport`, where it pays: a run asks thousands, and nothing that the
    package does for one is used. All else (models, files, trainings, batches) goes by the package.

    It asks once and never again by itself: only the caller knows budget, pause and the other calls.

    Args:
        name: What people call it.
        base_url: Its address, as a rule ending in /v1.
        api_key: Its key; empty for servers that want none. OPENAI_API_KEY is never read here.
        default_model: The model asked for when none is named.
        identity: What names the service in the key of a stored answer; name and host when empty.
        timeout_s: How long to wait for one answer.
        http_client: Another client for the package, for tests; questions go by it too.

    Raises:
        InputError: If the address is not one that may be spoken to.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        api_key: str = "",
        default_model: str = "",
        *,
        identity: str = "",
        timeout_s: float = 60.0,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        url = read_base_url(base_url)
        self._connection = Connection(url, api_key, http_client, timeout_s)
        self._chat: ChatTransport = (
            PackageTransport(self._connection, timeout_s)
            if http_client
            else PlainTransport(url, api_key, timeout_s)
        )
        self._address = f"{url.url}/chat/completions"
        self._bodies = Bodies()
        self._sampling = Sampling()
        self._headers: Mapping[str, str] | None = None
        self.name = name
        self.host = url.host
        self.identity = identity or f"{name}@{url.bare_host}"
        self.is_local = url.is_local
        self.default_model = default_model

    @property
    def limits(self) -> RateLimits | None:
        """What the latest reply said of the service's limits; None before the first."""
        return None if self._headers is None else read_rate_limits(self._headers)

    def __repr__(self) -> str:
        return f"OpenAICompatible({self.name!r}, {self._connection.url.url!r})"

    async def classify(self, question: Question) -> Answer:
        """Ask one question, for a label under a strict schema and for its probabilities."""
        reply, latency_ms = await self._complete(question)
        return read_reply(
            reply, question.label_names, latency_ms=latency_ms, is_local=self.is_local
        )

    async def models(self) -> list[str]:
        """Return the ids of the models that can be asked."""

        async def call(client: AsyncOpenAI) -> list[str]:
            return [model.id async for model in client.models.list()]

        return await self._connection.ask(call)

    async def check(self) -> str:
        """Return one sentence on what answered."""
        models = await self.models()
        count = "1 model" if len(models) == 1 else f"{len(models)} models"
        if not self.default_model:
            return f"{self.host} answers and offers {count}."
        known = "is among them" if self.default_model in models else "is not among them"
        return f"{self.host} answers and offers {count}; {self.default_model} {known}."

    async def engine(self) -> str:
        """Return what our own server calls its engine and its version; empty for other services."""
        if not self.is_local:
            return ""
        reply = await self._chat.fetch(f"{self._connection.url.root}/health")
        if not 200 <= reply.status < 300:
            error = self._failure(reply)
            if isinstance(error, RefusedRequestError):
                return ""  # a server without /health
            raise error
        health = read_json(reply.content)
        if not isinstance(health, Mapping):
            return ""
        fingerprint = health.get("system_fingerprint")
        told = [fingerprint] if fingerprint else [health.get("engine"), health.get("version")]
        return " ".join(part for part in told if isinstance(part, str))

    async def close(self) -> None:
        """Close the connections."""
        try:
            await self._chat.close()
        finally:
            await self._connection.close()

    async def _complete(self, question: Question) -> tuple[Any, float]:
        """Return the decoded reply and its milliseconds; asks again without a refused wish."""
        while True:
            wishes = self._sampling.options(question.model, question.sample)
            body = self._bodies.encode(question, wishes)
            started = time.perf_counter()
            reply = await self._chat.fetch(self._address, body)
            latency_ms = (time.perf_counter() - started) * 1000
            self._headers = reply.headers
            if 200 <= reply.status < 300:
                return read_json(reply.content), latency_ms
            error = self._failure(reply)
            parameter = getattr(error, "parameter", "")
            if not self._sampling.learn(question.model, wishes, parameter):
                raise error

    def _failure(self, reply: Reply) -> ProviderError:
        return from_status(*reply, self.host, self._connection.secrets)
