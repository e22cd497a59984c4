"""Any service that speaks OpenAI's chat completions: hosted ones, local ones, our own."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from studio.domain.prompt import answer_schema
from studio.domain.run import Answer, Question
from studio.errors import RefusedRequestError
from studio.providers.base import RateLimits
from studio.providers.base_url import read_base_url
from studio.providers.connection import Connection
from studio.providers.fine_tuning import FineTuning
from studio.providers.replies import EXTENSION, read_reply, whole_characters
from studio.providers.sampling import Sampling

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI


class OpenAICompatible(FineTuning):
    """A provider behind the openai package; see `Provider` for what each method gives.

    It asks once and never again by itself: only the caller knows budget, pause and the other calls.

    Args:
        name: What people call it.
        base_url: Its address, as a rule ending in /v1.
        api_key: Its key; empty for servers that want none. OPENAI_API_KEY is never read here.
        default_model: The model asked for when none is named.
        timeout_s: How long to wait for one answer.
        http_client: Another transport, for tests.

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
        timeout_s: float = 60.0,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        url = read_base_url(base_url)
        self._connection = Connection(url, api_key, http_client, timeout_s)
        self._sampling = Sampling()
        self.name = name
        self.host = url.host
        self.is_local = url.is_local
        self.default_model = default_model
        self.identity = name if name == "embedded" else f"{name}@{url.host}"
        self.limits: RateLimits | None = None

    def __repr__(self) -> str:
        return f"OpenAICompatible({self.name!r}, {self._connection.url.url!r})"

    async def classify(self, question: Question) -> Answer:
        """Ask one question, for a label under a strict schema and for its probabilities."""
        reply, latency_ms = await self._complete(question)
        answer = read_reply(reply, question.label_names, latency_ms=latency_ms)
        if self.is_local and isinstance(reply, Mapping) and EXTENSION in reply:
            free = dataclasses.replace(answer.usage, cost_usd=0.0)  # our own server
            return dataclasses.replace(answer, usage=free)
        return answer

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
        address = f"{self._connection.url.root}/health"

        async def call(client: AsyncOpenAI) -> Any:
            return _decoded(await client.get(address, cast_to=_bytes()))

        try:
            health = await self._connection.ask(call)
        except RefusedRequestError:
            return ""  # a server without /health
        if not isinstance(health, Mapping):
            return ""
        fingerprint = health.get("system_fingerprint")
        told = [fingerprint] if fingerprint else [health.get("engine"), health.get("version")]
        return " ".join(part for part in told if isinstance(part, str))

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def _complete(self, question: Question) -> tuple[Any, float]:
        """Return the decoded reply and its milliseconds; asks again without a refused wish."""
        while True:
            wishes = self._sampling.options(question.model)

            async def call(
                client: AsyncOpenAI, wishes: dict[str, Any] = wishes
            ) -> tuple[Any, float]:
                # What `client.chat.completions.create` sends, without its walk through the types
                # of a body that is plain already: that walk was half the work of a question.
                body = {
                    "model": question.model,
                    "messages": list(question.messages),
                    "response_format": answer_schema(question.label_names),
                    **wishes,
                }
                started = time.perf_counter()
                raw = await client.post("/chat/completions", body=body, cast_to=_bytes())
                return _decoded(raw), (time.perf_counter() - started) * 1000

            try:
                return await self._connection.ask(call)
            except RefusedRequestError as error:
                parameter = getattr(error, "parameter", "")
                if not self._sampling.learn(question.model, wishes, parameter):
                    raise


def _decoded(reply: Any) -> Any:
    """Return the JSON of a reply, or its text where it is none; halves of characters replaced."""
    try:
        told = reply.content
        value = json.loads(told)  # half a character comes as an escape, or as bytes that begin so:
        halves = rb"\ud" in told or rb"\uD" in told or b"\xed" in told
        return whole_characters(value) if halves else value
    except (ValueError, RecursionError):
        return str(reply.text)


def _bytes() -> Any:
    """Return the type by which the package hands over a reply as it came."""
    from openai import HttpxBinaryResponseContent

    return HttpxBinaryResponseContent
