"""What a handler holds while it works: progress, the lease, and what people want of the job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from studio.domain.job import Job, Want
from studio.jobs.pace import Pace
from studio.jobs.queue import JobQueue, LostJobError

# When a job that met an obstacle looks whether it is still there.
OBSTACLE_S = 10.0


class PausedError(Exception):
    """The job rests until people want it to run; what is stored is taken up again then.

    Args:
        message: Why, in a sentence, where the handler itself stops; empty where people wished it.
    """


class LaterError(Exception):
    """Nothing can be done for a while: give the slot to others and come back.

    Args:
        message: What is being waited for, in words.
        seconds: When to come back.
    """

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.message = message
        self.seconds = seconds


class CancelledJobError(Exception):
    """People want the job ended: stop, and tell a remote service if one works for it."""


class Control:
    """A handler's line to the queue.

    A handler calls `checkpoint` first of all, with what was done before, and then `checkpoint` or
    `record` after each piece of work it stored. Work that keeps the processor busy goes to a
    thread, or the lease cannot be renewed beside it.
    """

    def __init__(
        self,
        queue: JobQueue,
        job: Job,
        *,
        clock: Callable[[], float],
        lease_s: float,
        obstacle: Callable[[], str] = str,
    ) -> None:
        self._queue = queue
        self._obstacle = obstacle
        self._job_id = job.id
        self._clock = clock
        self._lease_s = lease_s
        self._fence = job.fence
        self._done, self._failed, self._total = job.done, job.failed, job.total
        self._message = job.message
        self._pace = Pace(clock(), longest_gap_s=lease_s, before=job.rate)
        self._wanted = job.want
        self._heard = Want.RUN
        self._changed = asyncio.Event()
        if job.want is not Want.RUN:
            self._changed.set()

    @property
    def fence(self) -> int:
        """The number that the handler's own writes must carry."""
        return self._fence

    @property
    def wanted(self) -> Want:
        """What people wanted of the job when last looked at."""
        return self._wanted

    @property
    def heard(self) -> Want:
        """What people want of the job, as far as its handler was told by an error."""
        return self._heard

    @property
    def message(self) -> str:
        """The last message recorded."""
        return self._message

    async def checkpoint(
        self,
        *,
        done: int | None = None,
        failed: int | None = None,
        total: int | None = None,
        message: str | None = None,
    ) -> None:
        """Record progress, renew the lease, let others work, and stop here if people want that.

        Not for use inside a transaction, which must never wait: `record` is.

        Args:
            done: Steps finished; what is left out stays as it was.
            failed: Of these, steps that ended badly.
            total: Steps in all.
            message: What is being done, in words.

        Raises:
            PausedError: People want a pause.
            CancelledJobError: People want the end.
            LostJobError: Another worker has the job.
        """
        self.record(done=done, failed=failed, total=total, message=message)
        self.raise_if_unwanted()
        await asyncio.sleep(0)

    def record(
        self,
        *,
        done: int | None = None,
        failed: int | None = None,
        total: int | None = None,
        message: str | None = None,
    ) -> None:
        """Record progress and renew the lease, within the transaction around it if there is one.

        What people want is looked at but not raised: ask `wanted`, or call `raise_if_unwanted`
        after the transaction.

        Args:
            done: Steps finished; what is left out stays as it was.
            failed: Of these, steps that ended badly.
            total: Steps in all.
            message: What is being done, in words.

        Raises:
            LostJobError: Another worker has the job; the transaction must not be committed.
        """
        self._done = self._done if done is None else done
        self._failed = self._failed if failed is None else failed
        self._total = self._total if total is None else total
        self._message = self._message if message is None else message
        if done is not None:
            self._pace.start(done)
        self.beat()

    async def sleep(self, seconds: float) -> None:
        """Wait, but not a moment longer than people want the job to run.

        Raises:
            PausedError: People want a pause.
            CancelledJobError: People want the end.
        """
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return
        self.raise_if_unwanted()

    def beat(self) -> None:
        """Renew the lease with the figures last recorded.

        Raises:
            LostJobError: Another worker has the job.
        """
        now = self._clock()
        wanted = self._queue.beat(
            self._job_id,
            self._fence,
            now,
            self._lease_s,
            done=self._done,
            failed=self._failed,
            total=self._total,
            message=self._message,
            rate=self._pace.rate(self._done, now),
        )
        if wanted is None:
            raise LostJobError
        self._wanted = wanted
        if wanted is Want.RUN:
            self._changed.clear()
        else:
            self._changed.set()

    def raise_if_unwanted(self) -> None:
        """Stop here if people want something else than that the job runs.

        Raises:
            PausedError: People want a pause.
            CancelledJobError: People want the end.
            LaterError: Something stands in the way of all jobs, such as a disk that is nearly full.
        """
        self._heard = self._wanted
        if self._wanted is Want.PAUSE:
            raise PausedError
        if self._wanted is Want.CANCEL:
            raise CancelledJobError
        if obstacle := self._obstacle():
            raise LaterError(obstacle, OBSTACLE_S)
