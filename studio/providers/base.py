"""What the studio asks of a service that can classify texts and train models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from studio.domain.capability import Capabilities
from studio.domain.finetune import FineTuneEvent, FineTuneStatus
from studio.domain.run import Answer, Question, Wire

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FINE_TUNE_KEY = "studio_key"
"""Name of the metadata entry that `find_fine_tune` and `find_batch` look for."""
Tell = Callable[[int, int, str], None]
MOST_IN_BATCH = 50_000
"""Most questions of one batch."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """What the latest reply said of the service's limits; None where it said nothing.

    Attributes:
        requests: Requests a minute (or whatever the service's window is).
        requests_left: Of these, still free.
        requests_reset_s: Seconds until they are all free again.
        tokens, tokens_left, tokens_reset_s: The same for tokens.
    """

    requests: int | None = None
    requests_left: int | None = None
    requests_reset_s: float | None = None
    tokens: int | None = None
    tokens_left: int | None = None
    tokens_reset_s: float | None = None


class BatchStatus(StrEnum):
    """Where a batch stands, in the words of the OpenAI API."""

    VALIDATING = "validating"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come."""
        return self in (
            BatchStatus.FAILED,
            BatchStatus.COMPLETED,
            BatchStatus.EXPIRED,
            BatchStatus.CANCELLED,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchState:
    """A batch of questions, as its provider tells it.

    Attributes:
        remote_id: The provider's id of it.
        status: Where it stands.
        total, done, failed: Questions in all, answered, and failed so far.
        output_file: Id of the file of replies; empty while there is none.
        error_file: Id of the file of failed lines; empty while there is none.
        error: Why it failed as a whole, in the provider's words; untrusted, empty otherwise.
    """

    remote_id: str
    status: BatchStatus
    total: int = 0
    done: int = 0
    failed: int = 0
    output_file: str = ""
    error_file: str = ""
    error: str = ""


class Provider(Protocol):
    """A service spoken to. One object belongs to one event loop.

    Whatever concerns the whole service or is worth another try raises a ProviderError;
    whatever concerns one reply is the outcome of its Answer.

    Attributes:
        name: What people call it.
        host: Where things are sent, for consent and for errors; says where nothing encrypts them.
        identity: Names the service in the key of a stored answer: name and host, never a port.
        is_local: Whether that is this machine.
        default_model: The model asked for when none is named.
        wire: The path it is asked by, which may have a price of its own.
        limits: What the latest reply said of the service's limits; None before the first.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def host(self) -> str: ...  # noqa: D102
    @property
    def identity(self) -> str: ...  # noqa: D102
    @property
    def is_local(self) -> bool: ...  # noqa: D102
    @property
    def default_model(self) -> str: ...  # noqa: D102
    @property
    def wire(self) -> Wire: ...  # noqa: D102
    @property
    def limits(self) -> RateLimits | None: ...  # noqa: D102

    async def classify(self, question: Question) -> Answer:
        """Ask one question."""
        ...

    async def models(self) -> list[str]:
        """Return the ids of the models that can be asked."""
        ...

    async def capabilities(self, tell: Tell | None = None) -> Capabilities:
        """Find out what it can do, by a few questions with sentences of ours.

        Args:
            tell: Told before each feature how many were looked at, of how many, and which is next.
        """
        ...

    async def engine(self) -> str:
        """Return the version of the engine, for the key of a stored answer; may be empty."""
        ...

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a vector of length 1 for each text, by the default model; at most 2,048 texts."""
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

    async def pause_fine_tune(self, remote_id: str) -> FineTuneState:
        """Let a training rest; a RefusedRequestError where the service cannot."""
        ...

    async def resume_fine_tune(self, remote_id: str) -> FineTuneState:
        """Let a training that rests go on and return where it stands now."""
        ...

    async def result_files(self, remote_id: str) -> dict[str, bytes]:
        """Return the files a training left, by name."""
        ...

    async def create_batch(self, questions: Mapping[str, Question], *, key: str) -> BatchState:
        """Send questions to be answered within a day. Asking twice pays twice: look first.

        Args:
            questions: Custom id to question, all of one model; at most `MOST_IN_BATCH`.
            key: Kept with the batch, for `find_batch`.
        """
        ...

    async def find_batch(self, key: str) -> BatchState | None:
        """Return the newest batch made with this key, None without one."""
        ...

    async def batch(self, remote_id: str) -> BatchState:
        """Return where a batch stands."""
        ...

    async def cancel_batch(self, remote_id: str) -> BatchState:
        """End a batch and return where it stands now; what is answered is still paid and given."""
        ...

    async def batch_answers(
        self, state: BatchState, label_names: tuple[str, ...]
    ) -> dict[str, Answer]:
        """Return custom id to answer, of the lines that came back, in no order.

        A line the service failed on is an Answer of outcome error with `detail["error"]`; a line
        it never reached (of an expired or cancelled batch) is missing.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
