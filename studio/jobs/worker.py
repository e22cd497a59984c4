"""The worker: takes jobs from the queue and gives them to their handlers."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import signal
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from studio.domain.job import Job, JobStatus, WorkerInfo
from studio.errors import DiskFullError, StudioError
from studio.jobs.control import OBSTACLE_S, CancelledJobError, Control, LaterError, PausedError
from studio.jobs.process import this_worker, worker_alive
from studio.jobs.queue import JobQueue, LostJobError

WATCH_S = 0.25
Handler = Callable[[Job, Control], Awaitable[None]]

log = logging.getLogger(__name__)


class Worker:
    """Runs jobs until it is told to stop.

    Up to `slots` jobs run at once, and beside them as many urgent ones (`params["priority"]` is
    "high"), so that a short preview never waits behind long runs.

    Args:
        queue: Where the jobs are.
        handlers: Kind of job to what does it.
        info: Who this worker is; None for the calling process.
        clock: Seconds since 1970.
        lease_s: A worker that is silent for longer than this loses its jobs.
        beat_s: How often it says that it lives, and looks at what people want.
        poll_s: How often it looks for work.
        slots: Jobs at once, the urgent ones not counted.
        grace_s: How long handlers may take to stop when the worker stops.

    Attributes:
        info: What it says of itself with each beat; may be replaced.
        obstacle: Says what stands in the way of all jobs, so that they wait; "" when nothing does.
    """

    def __init__(
        self,
        queue: JobQueue,
        handlers: Mapping[str, Handler],
        *,
        info: WorkerInfo | None = None,
        clock: Callable[[], float] = time.time,
        lease_s: float = 15.0,
        beat_s: float = 2.0,
        poll_s: float = 0.2,
        slots: int = 2,
        grace_s: float = 10.0,
    ) -> None:
        self._queue = queue
        self.obstacle: Callable[[], str] = str
        self._handlers = handlers
        self.info = info or this_worker("", clock())
        self._clock = clock
        self._lease_s, self._beat_s, self._poll_s = lease_s, beat_s, poll_s
        self._slots, self._grace_s = slots, grace_s
        self._running: dict[asyncio.Task[None], Job] = {}
        self._dead: frozenset[str] = frozenset()
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Take no more jobs, put the running ones back and let `run` return."""
        self._stop.set()

    async def run(self, *, signals: bool = False) -> None:
        """Work until `stop` is called.

        Args:
            signals: Whether SIGTERM and SIGINT mean `stop`.
        """
        if signals:
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, self.stop)
        self._look_for_the_dead()
        heart = asyncio.gather(self._say_alive(), self._watch())
        try:
            while not self._stop.is_set():
                if not self._take_next():
                    await self._pause(self._poll_s)
        finally:
            self._stop.set()
            await _end(heart)
            await self._put_back()

    def _take_next(self) -> bool:
        """Start one more job if there is a free slot and a job for it."""
        urgent = sum(job.is_urgent for job in self._running.values())
        is_full = len(self._running) - urgent >= self._slots
        if is_full and urgent >= self._slots:
            return False
        try:
            job = self._queue.claim(
                self.info.name,
                self._clock(),
                self._lease_s,
                list(self._handlers),
                urgent_only=is_full,
                dead=self._dead,
                mine=[job.id for job in self._running.values()],
            )
        except Exception:
            log.exception("the queue could not be asked for work")
            return False
        if job is None:
            return False
        task = asyncio.create_task(self._do(job), name=f"job-{job.id}")
        self._running[task] = job
        task.add_done_callback(self._running.pop)
        return True

    async def _do(self, job: Job) -> None:
        """Do one job and record how it ended."""
        control = Control(
            self._queue, job, clock=self._clock, lease_s=self._lease_s, obstacle=self.obstacle
        )
        end: BaseException | None = None
        try:
            await self._with_beats(self._handlers[job.kind](job, control), control)
        except (Exception, asyncio.CancelledError) as error:
            end = error
        try:
            self._record(job, end, control)
        except Exception:
            log.exception("how job %s ended could not be recorded", job.id)

    def _record(self, job: Job, end: BaseException | None, control: Control) -> None:
        """Write how a handler ended: what it raised, or None."""
        queue, held, now = self._queue, (job.id, job.fence), self._clock()
        match end:
            case None:
                queue.finish(*held, JobStatus.DONE, control.message, now)
            case LostJobError():
                log.warning("job %s was taken over by another worker", job.id)
            case LaterError():
                ready_at = now + end.seconds
                queue.release(
                    *held, now, ready_at=ready_at, message=end.message, heard=control.heard
                )
            case PausedError():
                queue.park(*held, str(end) or None)
            case CancelledJobError():
                queue.finish(*held, JobStatus.CANCELLED, "Cancelled.", now)
            case asyncio.CancelledError() if self._stop.is_set():
                queue.release(*held, now)
            case DiskFullError():  # somebody makes space some day; what is stored is taken up then
                queue.release(*held, now, ready_at=now + OBSTACLE_S, message=str(end))
            case StudioError():
                queue.finish(*held, JobStatus.FAILED, str(end), now)
            case _:
                queue.finish(*held, JobStatus.FAILED, _bug(job, end), now)

    async def _with_beats(self, work: Awaitable[None], control: Control) -> None:
        """Wait for a handler while the lease is kept; a lost lease ends it."""
        handler = asyncio.ensure_future(work)
        beats = asyncio.create_task(self._beat(control))
        try:
            await asyncio.wait({handler, beats}, return_when=asyncio.FIRST_COMPLETED)
            if not handler.done():  # the beat only ends by losing the job
                await _end(handler)
                raise LostJobError
            await handler
        finally:
            await _end(handler)  # it may take a while, and keeps the lease meanwhile
            await _end(beats)

    async def _beat(self, control: Control) -> None:
        while True:
            await asyncio.sleep(self._beat_s)
            try:
                control.beat()
            except LostJobError:
                return
            except Exception:
                log.exception("a heartbeat could not be written")

    async def _say_alive(self) -> None:
        while True:
            try:
                self._queue.record_worker(dataclasses.replace(self.info, heartbeat=self._clock()))
            except Exception:
                log.exception("the worker's own heartbeat could not be written")
            await asyncio.sleep(self._beat_s)

    async def _watch(self) -> None:
        """Look more often for the dead than for anything else: people wait for their jobs."""
        while True:
            await asyncio.sleep(min(WATCH_S, self._beat_s))
            self._look_for_the_dead()

    def _look_for_the_dead(self) -> None:
        """Find out which other workers live no more: their jobs are free at once."""
        now = self._clock()
        try:
            others = self._queue.workers()
        except Exception:
            log.exception("the other workers could not be looked up")
            return
        self._dead = frozenset(other.name for other in others if self._is_dead(other, now))

    def _is_dead(self, other: WorkerInfo, now: float) -> bool:
        """Tell whether a worker of this machine has ended; elsewhere the lease decides.

        A name is never used again, so one known to be dead is not looked for again: where there
        is no /proc, every look starts a process.
        """
        if other.host != self.info.host or other.name == self.info.name:
            return False
        return other.name in self._dead or not worker_alive(other, now)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def _put_back(self) -> None:
        for task in self._running:
            task.cancel()
        if self._running:
            _, late = await asyncio.wait(set(self._running), timeout=self._grace_s)
            for task in late:
                log.warning("%s does not stop; its lease will run out", task.get_name())


def _bug(job: Job, error: BaseException) -> str:
    """Log what nobody foresaw, and return the sentence that points at it."""
    number = uuid.uuid4().hex[:8]
    log.error("bug %s in job %s (%s)", number, job.id, job.kind, exc_info=error)
    return (
        f"This is a bug in the studio (number {number}). "
        "Its details stand under that number in the worker's log; please report them."
    )


async def _end(task: asyncio.Future[Any]) -> None:
    """Cancel a task and wait until it has ended, however it ends."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task
