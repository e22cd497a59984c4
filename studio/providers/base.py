"""What the studio asks of a service that can classify texts and train models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from studio.domain.finetune import FineTuneEvent, FineTuneStatus
from studio.domain.run import Answer, Question

FINE_TUNE_KEY = "studio_key"
"""Name of the metadata entry that `find_fine_tune` looks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuneState:
    """Where a training stands, as its provider tells it.

    Attributes:
        remote_id: The provider's id of it.
        status: Where it stands.
        model: The model that came out; empty until it succeeded.
        trained_tokens: What the provider bills; None while unknown.
        error: Why it failed, in the provider's words; untrusted, empty otherwise.
        estimated_finish: Seconds since 1970; None when not told.
    """

    remote_id: str
    status: FineTuneStatus
    model: str = ""
    trained_tokens: int | None = None
    error: str = ""
    estimated_finish: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEvent(FineTuneEvent):
    """Something a training reported, with the provider's id, so that none is copied twice.

    Attributes:
        id: The provider's id of the event.
    """

    id: str


class Provider(Protocol):
    """A service spoken to. One object belongs to one event loop.

    Whatever concerns the whole service or is worth another try raises a ProviderError;
    whatever concerns one reply is the outcome of its Answer.

    Attributes:
        name: What people call it.
        host: Where things are sent, for consent and for errors.
        is_local: Whether that is this machine.
        default_model: The model asked for when none is named.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def host(self) -> str: ...  # noqa: D102
    @property
    def is_local(self) -> bool: ...  # noqa: D102
    @property
    def default_model(self) -> str: ...  # noqa: D102

    async def classify(self, question: Question) -> Answer:
        """Ask one question."""
        ...

    async def models(self) -> list[str]:
        """Return the ids of the models that can be asked."""
        ...

    async def check(self) -> str:
        """Return one sentence on what answered."""
        ...

    async def engine(self) -> str:
        """Return the version of the engine, for the key of a stored answer; may be empty."""
        ...

    async def upload(self, jsonl: bytes, filename: str) -> str:
        """Send a training file and return its id."""
        ...

    async def create_fine_tune(
        self,
        file_id: str,
        base_model: str,
        *,
        suffix: str = "",
        seed: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> FineTuneState:
        """Start a training. Asking twice trains twice: look with `find_fine_tune` first.

        Args:
            file_id: What `upload` returned.
            base_model: What to start from.
            suffix: Part of the new model's name.
            seed: For a training that can be repeated.
            metadata: Kept with it; put a key of your own under `FINE_TUNE_KEY`.
        """
        ...

    async def find_fine_tune(self, key: str) -> FineTuneState | None:
        """Return the newest training whose metadata holds this key, None without one."""
        ...

    async def fine_tune(self, remote_id: str) -> FineTuneState:
        """Return where a training stands."""
        ...

    async def fine_tune_events(self, remote_id: str, after: str | None = None) -> list[RemoteEvent]:
        """Return what a training reported, oldest first; only what came after that event."""
        ...

    async def cancel_fine_tune(self, remote_id: str) -> FineTuneState:
        """End a training and return where it stands now."""
        ...

    async def result_files(self, remote_id: str) -> dict[str, bytes]:
        """Return the files a training left, by name."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
