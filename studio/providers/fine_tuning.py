"""OpenAI's `fine_tuning.jobs` and `files`, which our own server speaks too."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from studio.domain.finetune import FineTuneStatus
from studio.errors import ProviderError, RefusedRequestError
from studio.providers.base import FINE_TUNE_KEY, FineTuneState, RemoteEvent
from studio.providers.connection import PAGE, Connection, each
from studio.providers.failures import (
    NotAllowedError,
    RefusedParameterError,
    TrainingClosedError,
    WrongPathError,
)
from studio.providers.replies import whole_characters, without_secrets

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_FILES = {"fine-tune": "training", "batch": "batch"}
_CLOSED = re.compile(
    r"""(?:not|no\ longer)\ (?:\w+\ )?
    (?:available|accessible|allowed|supported|permitted|enabled|open)
    |unavailable|discontinued|deprecated|retired|winding\ down|wound\ down
    |cannot\ be\ fine-?tuned""",
    re.IGNORECASE | re.VERBOSE,
)
_OTHER_WORDS = {  # of Azure, which took these jobs before it spoke OpenAI's protocol
    "notRunning": FineTuneStatus.QUEUED,
    "pending": FineTuneStatus.QUEUED,
    "canceled": FineTuneStatus.CANCELLED,
    "pausing": FineTuneStatus.PAUSED,
    "resuming": FineTuneStatus.RUNNING,
}


class FineTuning:
    """The training half of a provider; see `Provider` for what each method gives."""

    _connection: Connection

    async def upload(self, jsonl: bytes, filename: str) -> str:
        """Send a training file and return its id."""
        return await send_file(self._connection, jsonl, filename, "fine-tune")

    async def create_fine_tune(
        self,
        file_id: str,
        base_model: str,
        *,
        suffix: str = "",
        seed: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> FineTuneState:
        """Start a training; what is not given is left out, for null is refused by some.

        Raises:
            TrainingClosedError: If the service trains no such model for this account.
        """
        given: dict[str, Any] = {"training_file": file_id, "model": base_model}
        given |= {"suffix": suffix} if suffix else {}
        given |= {"seed": seed} if seed is not None else {}
        given |= {"metadata": dict(metadata)} if metadata else {}

        async def call(client: AsyncOpenAI) -> FineTuneState:
            return self._training(await client.fine_tuning.jobs.create(**given))

        try:
            return await self._connection.ask(call)
        except (NotAllowedError, RefusedRequestError) as error:
            if not _is_closed(error):
                raise
            raise TrainingClosedError(error.message, next_step=error.next_step) from None

    async def find_fine_tune(self, key: str) -> FineTuneState | None:
        """Return the newest training whose metadata holds this key, None without one."""

        async def call(client: AsyncOpenAI) -> FineTuneState | None:
            async for job in each(client.fine_tuning.jobs.list(limit=PAGE)):
                if (job.metadata or {}).get(FINE_TUNE_KEY) == key:
                    return self._training(job)
            return None

        return await self._connection.ask(call)

    async def fine_tune(self, remote_id: str) -> FineTuneState:
        """Return where a training stands."""

        async def call(client: AsyncOpenAI) -> FineTuneState:
            return self._training(await client.fine_tuning.jobs.retrieve(remote_id))

        return await self._connection.ask(call)

    async def fine_tune_events(self, remote_id: str, after: str | None = None) -> list[RemoteEvent]:
        """Return what a training reported, oldest first; only what came after that event."""

        async def call(client: AsyncOpenAI) -> list[RemoteEvent]:
            newest_first = []
            pages = client.fine_tuning.jobs.list_events(remote_id, limit=PAGE)
            async for event in each(pages):
                if event.id == after:
                    break
                newest_first.append(self._event(event))
            return newest_first[::-1]

        return await self._connection.ask(call)

    async def cancel_fine_tune(self, remote_id: str) -> FineTuneState:
        """End a training and return where it stands now."""

        async def call(client: AsyncOpenAI) -> FineTuneState:
            return self._training(await client.fine_tuning.jobs.cancel(remote_id))

        return await self._connection.ask(call)

    async def pause_fine_tune(self, remote_id: str) -> FineTuneState:
        """Let a training rest and return where it stands now."""

        async def call(client: AsyncOpenAI) -> FineTuneState:
            return self._training(await client.fine_tuning.jobs.pause(remote_id))

        return await self._connection.ask(call)

    async def resume_fine_tune(self, remote_id: str) -> FineTuneState:
        """Let a training that rests go on and return where it stands now."""

        async def call(client: AsyncOpenAI) -> FineTuneState:
            return self._training(await client.fine_tuning.jobs.resume(remote_id))

        return await self._connection.ask(call)

    async def result_files(self, remote_id: str) -> dict[str, bytes]:
        """Return the files a training left, by name; a name given twice keeps its id before it."""

        async def call(client: AsyncOpenAI) -> dict[str, bytes]:
            job = await client.fine_tuning.jobs.retrieve(remote_id)
            files: dict[str, bytes] = {}
            for file_id in job.result_files or []:
                told = (await client.files.retrieve(file_id)).filename
                name = PurePosixPath(str(told).replace("\\", "/")).name or file_id
                content = await client.files.content(file_id)
                files[f"{file_id}-{name}" if name in files else name] = content.content
            return files

        return await self._connection.ask(call)

    def _training(self, job: Any) -> FineTuneState:
        return FineTuneState(
            remote_id=_id(job),
            status=_status(job),
            model=self._words(job.fine_tuned_model),
            trained_tokens=job.trained_tokens,
            error=self._words(job.error.message) if job.error else "",
            estimated_finish=job.estimated_finish,
        )

    def _event(self, event: Any) -> RemoteEvent:
        data = dict(event.data) if isinstance(event.data, Mapping) else {}
        return RemoteEvent(
            id=_id(event),
            at=float(event.created_at),
            level=str(event.level),
            message=self._words(event.message),
            data=whole_characters(json.loads(self._words(json.dumps(data)))),
        )

    def _words(self, told: Any) -> str:
        """Return what the service tells as it may be stored: whole characters, and no key."""
        text = str(whole_characters(str(told or ""))).encode()
        return without_secrets(text, self._connection.secrets).decode()


async def send_file(
    connection: Connection, jsonl: bytes, filename: str, purpose: Literal["fine-tune", "batch"]
) -> str:
    """Send a file of lines and return its id.

    Raises:
        RefusedRequestError: If the service finds fault with it.
    """

    async def call(client: AsyncOpenAI) -> str:
        file = await client.files.create(
            file=(filename, jsonl, "application/jsonl"), purpose=purpose
        )
        if file.status == "error":
            why = whole_characters(str(file.status_details or "it does not say why"))
            raise RefusedRequestError(
                f"{connection.url.host} refuses the {_FILES[purpose]} file: {why}.",
                next_step="Look at the lines it names.",
            )
        return _id(file)

    return await connection.ask(call)


def _id(thing: Any) -> str:
    if not isinstance(thing.id, str) or not thing.id:
        raise ValueError("no id")  # becomes a BadReplyError
    return str(thing.id)


def _status(job: Any) -> FineTuneStatus:
    """Return where a job stands; our own server tells beside the status that one is paused."""
    told = getattr(job, "studio", None)
    if isinstance(told, Mapping) and told.get("paused"):
        return FineTuneStatus.PAUSED
    return _OTHER_WORDS.get(job.status) or FineTuneStatus(job.status)


def _is_closed(error: ProviderError) -> bool:
    """Return whether a refusal concerns the account or the model, not the file or the request."""
    if isinstance(error, NotAllowedError | WrongPathError):
        return True
    if isinstance(error, RefusedParameterError) and error.parameter != "model":
        return False
    return "training_file" not in error.message and bool(_CLOSED.search(error.message))
