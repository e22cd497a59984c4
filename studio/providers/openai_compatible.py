"""Any service that speaks OpenAI's protocol or System One: hosted ones, local ones, our own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from studio.domain.capability import Capabilities
from studio.domain.run import Answer, Outcome, Question, Wire
from studio.errors import RefusedRequestError
from studio.providers.base import RateLimits, Tell
from studio.providers.base_url import read_base_url
from studio.providers.batches import Batches
from studio.providers.chat import ChatTransport
from studio.providers.connection import Connection
from studio.providers.decisions import decisions_path, system_one_path
from studio.providers.embeddings import embed
from studio.providers.failures import FilteredError, WrongPathError, not_the_protocol
from studio.providers.fine_tuning import FineTuning
from studio.providers.line import Line
from studio.providers.package_transport import PackageTransport
from studio.providers.plain_transport import PlainTransport
from studio.providers.probing import probe
from studio.providers.rate_limits import read_rate_limits
from studio.providers.sampling import Sampling
from studio.providers.text_path import chat_path, responses_path

if TYPE_CHECKING:
    import httpx2
    import numpy as np
    from numpy.typing import NDArray


class Path(Protocol):
    """One way to put a question to a service."""

    async def ask(self, question: Question) -> Answer:
        """Ask one question."""
        ...


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
        wire: The path to ask by; with `auto` it is chat, and for models refused there the next
            path that serves them, learned once.
        identity: What names the service in the key of a stored answer; name and host when empty.
        timeout_s: How long to wait for one answer.
        is_paced: Whether its x-ratelimit headers tell what it takes in a minute.
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
        wire: Wire = Wire.AUTO,
        identity: str = "",
        timeout_s: float = 60.0,
        is_paced: bool = True,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        self.name = name
        url = read_base_url(base_url)
        self._connection = Connection(url, api_key, http_client, timeout_s)
        transport: ChatTransport = (
            PackageTransport(self._connection, timeout_s)
            if http_client
            else PlainTransport(url, api_key, timeout_s)
        )
        self._line = Line(transport, url.url, url.host, url.is_local, self._connection.secrets)
        self._sampling = Sampling()
        paths: dict[Wire, Path] = {
            Wire.CHAT: chat_path(self._line, self._sampling),
            Wire.RESPONSES: responses_path(self._line),
            Wire.DECISIONS: decisions_path(self._line),
            Wire.SYSTEMONE: system_one_path(self._line),
        }
        self._paths = list(paths.values()) if wire is Wire.AUTO else [paths[wire]]
        self._refused: defaultdict[str, int] = defaultdict(int)
        self._is_paced = is_paced
        self._takes_batches = wire in (Wire.AUTO, Wire.CHAT)
        self.host = f"{url.host} (not encrypted)" if url.warning else url.host
        self.wire = wire
        self.identity = identity or f"{name}@{url.bare_host}" + (
            "" if self._takes_batches else f"/{wire}"
        )
        self.is_local = url.is_local
        self.default_model = default_model

    @property
    def limits(self) -> RateLimits | None:
        """What the latest reply said of the service's limits; None before the first, or unpaced."""
        headers = self._line.headers if self._is_paced else None
        return None if headers is None else read_rate_limits(headers)

    def __repr__(self) -> str:
        return f"OpenAICompatible({self.name!r})"

    async def classify(self, question: Question) -> Answer:
        """Ask one question, for a label and for the probability of each."""
        try:
            return await self._ask(question)
        except FilteredError as error:
            return Answer(outcome=Outcome.FILTERED, detail={"error": str(error)})

    async def _ask(self, question: Question) -> Answer:
        """Ask by the first path that serves the model, and remember which ones do not."""
        first: WrongPathError | None = None
        start = self._refused[question.model]
        for number, path in enumerate(self._paths[start:], start):
            try:
                answer = await path.ask(question)
            except WrongPathError as error:
                first = first or error
            else:
                self._refused[question.model] = number
                return answer
        assert first is not None
        raise first

    async def models(self) -> list[str]:
        """Return the ids of the models that can be asked."""
        told = await self._line.get(f"{self._line.url}/models")
        rows = told.get("data", told.get("models")) if isinstance(told, Mapping) else None
        if not isinstance(rows, list):  # System One calls them models
            raise not_the_protocol(self.host)
        ids = [row.get("id") or row.get("name") for row in rows if isinstance(row, Mapping)]
        return [one for one in ids if isinstance(one, str)]

    async def capabilities(self, tell: Tell | None = None) -> Capabilities:
        """Find out what it can do; see `probe`."""
        return await probe(self._line, self.default_model, tell)

    async def engine(self) -> str:
        """Return what our own server calls its engine and its version; empty for other services."""
        if not self.is_local:
            return ""
        try:
            health = await self._line.get(f"{self._connection.url.root}/health")
        except RefusedRequestError:
            return ""  # a server without /health
        if not isinstance(health, Mapping):
            return ""
        fingerprint = health.get("system_fingerprint")
        told = [fingerprint] if fingerprint else [health.get("engine"), health.get("version")]
        return " ".join(part for part in told if isinstance(part, str))

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a vector of length 1 for each text, by the default model."""
        return await embed(self._line, self.default_model, texts)

    async def close(self) -> None:
        """Close the connections."""
        try:
            await self._line.transport.close()
        finally:
            await self._connection.close()
