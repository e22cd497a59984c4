"""What the worker needs of the place where jobs are kept; the store implements it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from studio.domain.job import Job, JobStatus, Want, WorkerInfo


class LostJobError(Exception):
    """Somebody else has this job now: stop at once and write nothing more."""


class JobQueue(Protocol):
    """The jobs of one workspace. Every call is one short transaction.

    A fence is the number a claim gave the job. All that carries an old one changes nothing.
    """

    def claim(
        self,
        worker: str,
        now: float,
        lease_s: float,
        kinds: Sequence[str] | None = None,
        *,
        urgent_only: bool = False,
        dead: Collection[str] = (),
        mine: Collection[int] = (),
    ) -> Job | None:
        """Take the next job, urgent ones first, then the oldest; None when there is none.

        Free are queued jobs whose time has come and paused ones, both if people want them to run,
        and running ones, whatever is wanted of them, whose lease ran out or whose owner is among
        the dead. Looks before it locks, for it is asked several times a second.

        Args:
            worker: `WorkerInfo.name` of who asks; becomes the owner.
            now: Seconds since 1970.
            lease_s: For how long the job is theirs without a beat.
            kinds: Only these kinds; None for all.
            urgent_only: Only jobs whose `params["priority"]` is "high".
            dead: Names of workers known to have died.
            mine: Jobs that who asks is at work on, whatever a clock says of their leases.

        Returns:
            The job, running, with a fence one higher than before.
        """
        ...

    def beat(
        self,
        job_id: int,
        fence: int,
        now: float,
        lease_s: float,
        *,
        done: int,
        failed: int,
        total: int,
        message: str,
        rate: float | None = None,
    ) -> Want | None:
        """Record progress and renew the lease, in the transaction around it if there is one.

        Returns:
            What people want of the job; None when the fence is old: the job is lost.
        """
        ...

    def finish(self, job_id: int, fence: int, status: JobStatus, message: str, now: float) -> None:
        """Give the job its final status."""
        ...

    def release(
        self,
        job_id: int,
        fence: int,
        now: float,
        *,
        ready_at: float = 0.0,
        message: str | None = None,
        heard: Want | None = None,
    ) -> None:
        """Put the job back: its worker goes, the work remains.

        It is queued if people want it to run and paused if they want that. One they want cancelled
        stays running with no lease after `ready_at`: the next claim lets its handler end it.

        A handler that comes back later says what it has heard. A pause then stays with it, too,
        for it may have to tell a service; and a wish that came after it looked waits for no time.

        Args:
            job_id: The job.
            fence: The number of the claim.
            now: Seconds since 1970.
            ready_at: No claim takes it before, unless people wish something else of it.
            message: What is being waited for; None keeps what stands there.
            heard: What people wanted when the handler was last told; None for a worker that goes.
        """
        ...

    def park(self, job_id: int, fence: int, message: str | None = None) -> None:
        """Put the job to paused; `claim` takes it again once people want it to run.

        With a message it is the handler that stops, and people are taken to want the pause; without
        one they do, and what was being waited for is told no more. One they want cancelled by now
        is left to the next claim, as in `release`.
        """
        ...

    def record_worker(self, info: WorkerInfo) -> None:
        """Write that this worker lives."""
        ...

    def workers(self) -> Sequence[WorkerInfo]:
        """Return the workers that ever wrote here, the dead ones included."""
        ...
