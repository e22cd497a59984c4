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
        rate: Steps a second lately; None while nobody can tell.
        ready_at: A queued one is left alone until then; seconds since 1970.
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
    rate: float | None = None
    ready_at: float = 0.0
    created_at: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    heartbeat: float | None = None

    @property
    def is_urgent(self) -> bool:
        """Whether it goes before others: somebody waits for it at a screen."""
        return self.params.get("priority") == "high"

    @property
    def share(self) -> float:
        """Share done in [0, 1]; 0 while the total is unknown."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def seconds_left(self, now: float) -> float | None:
        """Estimate the seconds left; None while there is nothing to go by.

        The rate of late decides, so that an hour of pause does not count; before there is one,
        the time since the job was first taken up.

        >>> from dataclasses import replace
        >>> job = Job(id=1, kind="run", subject_id=1, status=JobStatus.RUNNING, total=100, done=25)
        >>> replace(job, rate=5.0).seconds_left(now=9999.0)
        15.0
        >>> replace(job, started_at=0.0).seconds_left(now=10.0)
        30.0
        """
        if self.status is not JobStatus.RUNNING or not self.total:
            return None
        left = max(0, self.total - self.done)
        if self.rate:
            return left / self.rate
        if self.started_at is None or not self.done:
            return None
        return (now - self.started_at) / self.done * left


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
        settings: Fingerprint of the settings it works with, or "by hand".
    """

    host: str
    pid: int
    process_started: float
    started_at: float
    heartbeat: float
    version: str
    settings: str = ""

    @property
    def name(self) -> str:
        """Who owns a job; no two processes ever share it.

        >>> WorkerInfo(
        ...     host="h", pid=7, process_started=1.5, started_at=0, heartbeat=0, version="1"
        ... ).name
        'h:7:1.5'
        """
        return f"{self.host}:{self.pid}:{self.process_started}"
