"""Many requests, one encoder call: what arrives together is encoded together, off the loop."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from studio.embedded.cache import Known, VectorCache

AT_ONCE, PATIENT_AT_ONCE = 64, 16


class Batcher:
    """Gives vectors to many callers on one event loop.

    A text in memory is answered at once. Others go to the encoder, in a thread of its own, as soon
    as it is free; what came while it was busy goes in one call. The same text asked for twice is
    encoded once. Patient callers come last, few texts at a time: nobody waits long behind them.
    """

    def __init__(self, cache: VectorCache) -> None:
        self._cache = cache
        self._pool = ThreadPoolExecutor(1, "encoder")
        self._waiting: dict[str, asyncio.Future[Known]] = {}
        self._patient: dict[str, asyncio.Future[Known]] = {}
        self._asked: dict[str, asyncio.Future[Known]] = {}
        self._task: asyncio.Task[None] | None = None

    async def vectors(self, texts: Sequence[str], *, patient: bool = False) -> list[Known]:
        """Return a vector for each text, in order."""
        found: dict[str, Known] = {}
        coming: dict[str, asyncio.Future[Known]] = {}
        for text in dict.fromkeys(texts):
            known = self._cache.recall(text)
            if known is None:
                coming[text] = self._ask(text, patient)
            else:
                found[text] = known
        for text, future in coming.items():
            found[text] = await asyncio.shield(future)
        return [found[text] for text in texts]

    def close(self) -> None:
        """Let the running call end and stop the thread."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _ask(self, text: str, patient: bool) -> asyncio.Future[Known]:
        future = self._asked.get(text)
        if future is not None:
            if not patient and self._patient.pop(text, None) is not None:
                self._waiting[text] = future
        else:
            future = asyncio.get_running_loop().create_future()
            self._asked[text] = future
            (self._patient if patient else self._waiting)[text] = future
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._work())
        return future

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)  # requests read in the same turn of the loop go together
        while self._waiting or self._patient:
            line, most = (
                (self._waiting, AT_ONCE) if self._waiting else (self._patient, PATIENT_AT_ONCE)
            )
            batch = dict(itertools.islice(line.items(), most))
            for text in batch:
                del line[text]
            try:
                known = await loop.run_in_executor(self._pool, self._cache.look_up, list(batch))
            except Exception as error:  # the callers' requests fail, the server lives
                for future in batch.values():
                    future.set_exception(error)
                    future.exception()
            else:
                for future, one in zip(batch.values(), known, strict=True):
                    future.set_result(one)
            finally:
                for text in batch:
                    self._asked.pop(text, None)
