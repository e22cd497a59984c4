"""The batches of one server: questions answered beside everything else, whoever else asks first.

Each batch is a task on the server's loop. They take turns, a slice of lines each, and their texts
go to the encoder when nobody else's wait. Everything is on disk, so a batch found unfinished at
the start goes on with the lines that lack an answer.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from studio.embedded.answering import Answerer
from studio.embedded.batch import Batch, new_batch
from studio.embedded.batch_lines import Request, check, output_line, unanswered_line
from studio.embedded.chat import complete
from studio.embedded.decisions import decide
from studio.embedded.embeddings import embed
from studio.embedded.files import Files
from studio.embedded.protocol import ApiError, error_reply
from studio.errors import NotFoundError

SLICE = 16
RETRY = 5.0
_LOG = logging.getLogger(__name__)
_ANSWERS: dict[str, Callable[[Mapping[str, Any], Answerer], Awaitable[dict[str, Any]]]] = {
    "/v1/chat/completions": complete,
    "/v1/decisions": decide,
    "/v1/embeddings": embed,
}
_CUT_OFF = {
    "expired": (
        "batch_expired",
        "This request could not be executed before the completion window expired.",
    ),
    "cancelled": (
        "batch_cancelled",
        "The batch was cancelled before this request was executed.",
    ),
}


class Batches:
    """Creates, runs and remembers batches; belongs to one event loop.

    Args:
        folder: The server's folder.
        files: Where input files come from and result files go.
        answerer: Answers in its own time.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        folder: Path,
        files: Files,
        answerer: Answerer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._root = folder / "batches"
        self._root.mkdir(parents=True, exist_ok=True)
        self._files, self._answerer, self._clock = files, answerer, clock
        self._turn = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._batches: dict[str, Batch] = {}
        for path in sorted(self._root.glob("*/batch.json")):
            try:
                batch = Batch.load(path.parent)
            except (OSError, ValueError, KeyError):
                _LOG.warning("the batch in %s cannot be read", path.parent)
                continue
            self._batches[batch.id] = batch

    async def work(self) -> None:
        """Bring every batch to its end, also those filed meanwhile, until cancelled."""
        for batch in self._batches.values():
            self._begin(batch)
        try:
            await asyncio.Event().wait()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """File a batch and return its object.

        Raises:
            ApiError: The request cannot be served.
        """
        batch = new_batch(body, self._files, self._root, self._clock())
        self._batches[batch.id] = batch
        self._begin(batch)
        return batch.public()

    def get(self, number: str) -> dict[str, Any]:
        """Return a batch's object.

        Raises:
            NotFoundError: There is no such batch.
        """
        return self._batch(number).public()

    def newest(self) -> list[dict[str, Any]]:
        """Return all batches, the newest first."""
        return [self._batches[number].public() for number in sorted(self._batches, reverse=True)]

    def cancel(self, number: str) -> dict[str, Any]:
        """Ask for a batch's end; what was answered until then is kept.

        Raises:
            NotFoundError: There is no such batch.
            ApiError: It has ended already.
        """
        batch = self._batch(number)
        if not batch.active:
            message = f"Cannot cancel a batch with status '{batch.status}'."
            raise ApiError(message, code="batch_not_cancellable")
        if batch.status in ("validating", "in_progress"):
            batch.move("cancelling", self._clock())
        return batch.public()

    def _batch(self, number: str) -> Batch:
        if number not in self._batches:
            raise NotFoundError(f"No batch found with id '{number}'.")
        return self._batches[number]

    def _begin(self, batch: Batch) -> None:
        if batch.active and batch.id not in self._tasks:
            task = asyncio.get_running_loop().create_task(self._bring_to_end(batch))
            self._tasks[batch.id] = task
            task.add_done_callback(lambda _: self._tasks.pop(batch.id, None))

    async def _bring_to_end(self, batch: Batch) -> None:
        """Advance a batch; a full disk or a fault of ours is waited out until its time is over."""
        while batch.active:
            try:
                await self._advance(batch)
            except Exception:
                _LOG.exception("%s could not be brought forward", batch.id)
                await asyncio.sleep(RETRY)

    async def _advance(self, batch: Batch) -> None:
        if not batch.sealed:
            ended = ""
            if batch.shown["in_progress_at"] is None:
                ended = await self._validate(batch)
            if not ended:
                await asyncio.to_thread(batch.recount)
                ended = await self._answer(batch)
            if batch.status == "in_progress":
                batch.move("finalizing", self._clock())
            batch.seal(ended)
        await asyncio.to_thread(batch.publish, self._files)
        files = {f"{kind}_file_id": batch.sealed[kind] for kind in ("output", "error")}
        batch.move(batch.sealed["status"], self._clock(), **files)
        batch.input.unlink(missing_ok=True)

    async def _validate(self, batch: Batch) -> str:
        """Look at the input file; return how the batch ends already, or "" when it can begin."""
        found = await check(batch.input, batch.shown["endpoint"], self._is_model)
        if batch.status == "cancelling":
            return "cancelled"
        batch.shown["model"] = found.model or None
        if found.errors:
            batch.shown["errors"] = {"object": "list", "data": found.errors}
            return "failed"
        batch.shown["request_counts"]["total"] = found.total
        batch.move("in_progress", self._clock())
        return ""

    async def _answer(self, batch: Batch) -> str:
        """Answer a slice at a time, in turn with other batches; return how the batch ends."""
        requests, ended = batch.missing(), ""
        while not ended:
            async with self._turn:
                ended = self._is_over(batch)
                some = [] if ended else list(itertools.islice(requests, SLICE))
                if not some:
                    break
                await self._answer_slice(batch, some)
            await asyncio.sleep(0)  # whoever asks one question is served between two slices
        if ended:
            code, message = _CUT_OFF[ended]
            left = [one.custom_id for one in batch.missing()]
            batch.write(
                batch.errors, ((one, unanswered_line(one, code, message), {}) for one in left)
            )
        return ended or "completed"

    def _is_over(self, batch: Batch) -> str:
        if batch.status == "cancelling":
            return "cancelled"
        return "expired" if self._clock() >= batch.shown["expires_at"] else ""

    async def _answer_slice(self, batch: Batch, requests: list[Request]) -> None:
        replies = await asyncio.gather(
            *(self._reply(batch.shown["endpoint"], one.body) for one in requests)
        )
        rows = [
            (status, one.custom_id, output_line(one.custom_id, status, body), body)
            for one, (status, body) in zip(requests, replies, strict=True)
        ]
        for path, good in ((batch.output, True), (batch.errors, False)):
            batch.write(
                path,
                (
                    (custom_id, line, body.get("usage") or {})
                    for status, custom_id, line, body in rows
                    if (status == 200) == good
                ),
            )

    async def _reply(self, endpoint: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return the status and the body that the endpoint itself would have given."""
        try:
            return 200, await _ANSWERS[endpoint](body, self._answerer)
        except Exception as error:
            reply = error_reply(error)
            if reply.status_code == 500:
                _LOG.exception("a line of a batch failed")
            return reply.status_code, json.loads(bytes(reply.body))

    def _is_model(self, name: str) -> bool:
        try:
            self._answerer.models.get(name)
        except NotFoundError:
            return False
        return True
