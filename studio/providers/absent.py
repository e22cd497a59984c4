"""A provider that cannot be reached now; it can be named in a run, which then waits or fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from studio.domain.capability import Capabilities
from studio.domain.run import Answer, Question, Wire
from studio.errors import ProviderUnavailableError
from studio.providers.base import BatchState, FineTuneState, RateLimits, RemoteEvent, Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentProvider:
    """Knows who it is; every call raises a ProviderUnavailableError that says why."""

    name: str
    host: str
    is_local: bool
    default_model: str
    why: str
    next_step: str
    wire: Wire = Wire.AUTO
    limits: RateLimits | None = None

    @property
    def identity(self) -> str:
        """Its name: it has no address."""
        return self.name

    async def classify(self, question: Question) -> Answer:
        """Fail."""
        self._fail()

    async def models(self) -> list[str]:
        """Fail."""
        self._fail()

    async def capabilities(self, tell: Tell | None = None) -> Capabilities:
        """Fail."""
        self._fail()

    async def engine(self) -> str:
        """Fail."""
        self._fail()

    async def embed(self, texts: Sequence[str]) -> NoReturn:
        """Fail."""
        self._fail()

    async def upload(self, jsonl: bytes, filename: str) -> str:
        """Fail."""
        self._fail()

    async def create_fine_tune(
        self,
        file_id: str,
        base_model: str,
        *,
        suffix: str = "",
        seed: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> FineTuneState:
        """Fail."""
        self._fail()

    async def find_fine_tune(self, key: str) -> FineTuneState | None:
        """Fail."""
        self._fail()

    async def fine_tune(self, remote_id: str) -> FineTuneState:
        """Fail."""
        self._fail()

    async def fine_tune_events(self, remote_id: str, after: str | None = None) -> list[RemoteEvent]:
        """Fail."""
        self._fail()

    async def cancel_fine_tune(self, remote_id: str) -> FineTuneState:
        """Fail."""
        self._fail()

    async def pause_fine_tune(self, remote_id: str) -> FineTuneState:
        """Fail."""
        self._fail()

    async def resume_fine_tune(self, remote_id: str) -> FineTuneState:
        """Fail."""
        self._fail()

    async def result_files(self, remote_id: str) -> dict[str, bytes]:
        """Fail."""
        self._fail()

    async def create_batch(self, questions: Mapping[str, Question], *, key: str) -> BatchState:
        """Fail."""
        self._fail()

    async def find_batch(self, key: str) -> BatchState | None:
        """Fail."""
        self._fail()

    async def batch(self, remote_id: str) -> BatchState:
        """Fail."""
        self._fail()

    async def cancel_batch(self, remote_id: str) -> BatchState:
        """Fail."""
        self._fail()

    async def batch_answers(
        self, state: BatchState, label_names: tuple[str, ...]
    ) -> dict[str, Answer]:
        """Fail."""
        self._fail()

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _fail(self) -> NoReturn:
        raise ProviderUnavailableError(self.why, next_step=self.next_step)
