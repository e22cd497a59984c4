"""Background work with a state machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class JobStatus(StrEnum):
    """Where a job stands; done, failed and cancelled are final."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self in (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


class Want(StrEnum):
    """What people want of a job; the only thing screens write."""

    RUN = "run"
    PAUSE = "pause"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of background work.

    Attributes:
        id: Number in the workspace.
        kind: Which handler does it: "run" or "finetune".
        subject_id: The run or fine-tune it works for.
        status: Where it stands.
        want: What people want of it.
        total: Steps in all; 0 while unknown.
        done: Steps finished.
        failed: Of these, steps that ended badly.
        message: What it is doing, or the sentence of its error.
        params: What else the handler needs.
        fence: Grows with every claim; a worker whose number is old has lost the job.
        created_at, started_at, finished_at, heartbeat: Seconds since 1970; None when not yet.
    """

    id: int
    kind: str
    subject_id: int
    status: JobStatus = JobStatus.QUEUED
    want: Want = Want.RUN
    total: int = 0
    done: int = 0
    failed: int = 0
    message: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    fence: int = 0
    created_at: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    heartbeat: float | None = None

    @property
    def share(self) -> float:
        """Share done in [0, 1]; 0 while the total is unknown."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def seconds_left(self, now: float) -> float | None:
        """Estimate the seconds left from the rate so far; None while there is nothing to go by.

        >>> Job(
        ...     id=1,
        ...     kind="run",
        ...     subject_id=1,
        ...     status=JobStatus.RUNNING,
        ...     total=100,
        ...     done=25,
        ...     started_at=0.0,
        ... ).seconds_left(10.0)
        30.0
        """
        if self.started_at is None or self.status is not JobStatus.RUNNING or not self.done:
            return None
        return (now - self.started_at) / self.done * (self.total - self.done)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerInfo:
    """A worker process, as it says of itself.

    Attributes:
        host: The machine's name.
        pid: The process number there.
        process_started: With the pid this names one process for good.
        started_at: Seconds since 1970.
        heartbeat: When it last said that it lives; seconds since 1970.
        version: Of the studio.
    """

    host: str
    pid: int
    process_started: float
    started_at: float
    heartbeat: float
    version: str

    @property
    def name(self) -> str:
        """Who owns a job; no two processes ever share it.

        >>> WorkerInfo(
        ...     host="h", pid=7, process_started=1.5, started_at=0, heartbeat=0, version="1"
        ... ).name
        'h:7:1.5'
        """
        return f"{self.host}:{self.pid}:{self.process_started}"
