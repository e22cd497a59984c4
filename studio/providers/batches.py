"""OpenAI's `batches`: questions that are answered within a day, for half the price as a rule."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from studio.domain.run import Answer, Question
from studio.errors import ProviderUnavailableError, RefusedRequestError
from studio.providers.base import FINE_TUNE_KEY, BatchState
from studio.providers.batch_files import ENDPOINT, AnswerFiles, read_batch, write_questions
from studio.providers.connection import PAGE, Connection, each
from studio.providers.fine_tuning import send_file
from studio.providers.replies import read_json
from studio.providers.sampling import Sampling

if TYPE_CHECKING:
    from openai import AsyncOpenAI


class Batches:
    """The half of a provider that answers in bulk; see `Provider` for what each method gives."""

    _connection: Connection
    _sampling: Sampling
    _takes_batches: bool
    host: str
    is_local: bool

    async def create_batch(self, questions: Mapping[str, Question], *, key: str) -> BatchState:
        """Send questions to be answered within a day; look with `find_batch` first.

        Raises:
            RefusedRequestError: If this provider is asked by another path than chat.
        """
        if not self._takes_batches:
            raise RefusedRequestError(
                f"{self.host} is asked by a path that takes no batches.",
                next_step="Start the run without --batch.",
            )
        file = await asyncio.to_thread(write_questions, questions, self._sampling)
        file_id = await send_file(self._connection, file, "questions.jsonl", "batch")

        async def call(client: AsyncOpenAI) -> BatchState:
            raw = await client.batches.with_raw_response.create(
                input_file_id=file_id,
                endpoint=ENDPOINT,
                completion_window="24h",
                metadata={FINE_TUNE_KEY: key},
            )
            return self._state(raw.content)

        return await self._connection.ask(call)

    async def find_batch(self, key: str) -> BatchState | None:
        """Return the newest batch made with this key, None without one."""

        async def call(client: AsyncOpenAI) -> str | None:
            async for batch in each(client.batches.list(limit=PAGE)):
                if isinstance(batch.metadata, Mapping) and batch.metadata.get(FINE_TUNE_KEY) == key:
                    return str(batch.id)
            return None

        remote_id = await self._connection.ask(call)
        return await self.batch(remote_id) if remote_id else None

    async def batch(self, remote_id: str) -> BatchState:
        """Return where a batch stands."""

        async def call(client: AsyncOpenAI) -> BatchState:
            return self._state((await client.batches.with_raw_response.retrieve(remote_id)).content)

        return await self._connection.ask(call)

    async def cancel_batch(self, remote_id: str) -> BatchState:
        """End a batch and return where it stands now, also where it had ended by itself."""

        async def call(client: AsyncOpenAI) -> BatchState:
            return self._state((await client.batches.with_raw_response.cancel(remote_id)).content)

        try:
            return await self._connection.ask(call)
        except (RefusedRequestError, ProviderUnavailableError):
            state = await self.batch(remote_id)
            if state.status.is_final:
                return state
            raise

    async def batch_answers(
        self, state: BatchState, label_names: tuple[str, ...]
    ) -> dict[str, Answer]:
        """Return custom id to answer, of the lines that came back, in no order."""
        secrets = self._connection.secrets
        files = AnswerFiles(label_names, is_local=self.is_local, secrets=secrets)
        if state.output_file:
            await self._gather(state.output_file, files)
        if state.error_file:
            try:
                await self._gather(state.error_file, files)
            except RefusedRequestError:
                files.end()  # it is gone; failed lines cost nothing and can be asked again
        return files.answers

    async def _gather(self, file_id: str, files: AnswerFiles) -> None:
        """Read a file as it comes: that of 50,000 answers with their tokens takes half a GB."""

        async def call(client: AsyncOpenAI) -> None:
            async with client.files.with_streaming_response.content(file_id) as reply:
                async for piece in reply.iter_bytes():
                    files.feed(piece)
            files.end()

        await self._connection.ask(call)

    def _state(self, content: bytes) -> BatchState:
        return read_batch(read_json(content), self._connection.secrets)
