"""Jobs: filed by actions, claimed by the worker under a lease, fenced by a number."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Sequence
from typing import Any

from studio.domain.job import Job, JobStatus, Want, WorkerInfo
from studio.errors import NotFoundError
from studio.store.connection import Connections, Row

_FREE = (
    "((status = 'queued' AND want = 'run' AND ready_at <= :now) OR (status = 'paused' AND want = 'run') OR (status = 'running' AND"
    " (lease_until < :now OR owner IN (SELECT value FROM json_each(:dead)))))"
    " AND (:kinds = '[]' OR kind IN (SELECT value FROM json_each(:kinds))) AND (urgent OR NOT :urgent)"
    " AND id NOT IN (SELECT value FROM json_each(:mine))"
)


class Jobs:
    """The jobs of a workspace; what the worker asks of it is `studio.jobs.queue.JobQueue`."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def file(
        self,
        *,
        kind: str,
        subject_id: int,
        total: int,
        now: float,
        params: dict[str, Any] | None = None,
    ) -> int:
        """File a job for the worker and return its id; `params["priority"] = "high"` goes first."""
        params = params or {}
        with self.db.transaction() as conn:
            job_id = conn.execute(
                "INSERT INTO job (kind, subject_id, urgent, params, total, created_at) VALUES (?,?,?,?,?,?)",
                (
                    kind,
                    subject_id,
                    int(params.get("priority") == "high"),
                    json.dumps(params),
                    total,
                    now,
                ),
            ).lastrowid
        return int(job_id)

    def get(self, job_id: int) -> Job:
        """Return a job.

        Raises:
            NotFoundError: If there is none of this number.
        """
        row = self.db.one("SELECT * FROM job WHERE id = ?", (job_id,))
        if row is None:
            raise NotFoundError(f"There is no job {job_id}.")
        return _job(row)

    def open(self) -> list[Job]:
        """Return the jobs that are not final, oldest first."""
        rows = self.db.read(
            "SELECT * FROM job WHERE status IN ('queued', 'running', 'paused') ORDER BY id"
        )
        return [_job(row) for row in rows]

    def ask(self, job_id: int, want: Want, now: float, *, by_handler: bool = False) -> None:
        """Say what people want of a job; one nobody works on is cancelled or paused at once.

        Args:
            job_id: The job.
            want: What people want.
            now: Seconds since 1970.
            by_handler: It is claimed once more, so that its handler can end or pause what works
                for it elsewhere.
        """
        with self.db.transaction() as conn:
            conn.execute(
                "UPDATE job SET want = ? WHERE id = ? AND status IN ('queued', 'running', 'paused')",
                (want.value, job_id),
            )
            settled = {Want.CANCEL: JobStatus.CANCELLED, Want.PAUSE: JobStatus.PAUSED}.get(want)
            if by_handler and settled is not None:
                conn.execute(
                    "UPDATE job SET status = 'running', owner = NULL, lease_until = 0"
                    " WHERE id = ? AND (status = 'queued' OR (status = 'paused' AND want = 'cancel'))",
                    (job_id,),
                )
            elif settled is not None:
                conn.execute(
                    "UPDATE job SET status = ?, finished_at = CASE WHEN ? = 'cancelled' THEN ? END,"
                    " message = CASE status WHEN 'queued' THEN '' ELSE message END"
                    " WHERE id = ? AND status IN ('queued', 'paused')",
                    (settled.value, settled.value, now, job_id),
                )

    def revive(self, job_id: int) -> None:
        """Queue a failed or cancelled job again; what it finished stays finished."""
        with self.db.transaction() as conn:
            conn.execute(
                "UPDATE job SET status = 'queued', want = 'run', message = '', finished_at = NULL"
                " WHERE id = ? AND status IN ('failed', 'cancelled')",
                (job_id,),
            )

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
        """Take the next free job, urgent ones first; see `JobQueue.claim`."""
        values = {
            "now": now, "dead": json.dumps(list(dead)), "kinds": json.dumps(list(kinds or [])),
            "urgent": urgent_only, "mine": json.dumps(list(mine)), "worker": worker, "until": now + lease_s,
        }  # fmt: skip
        if self.db.value(f"SELECT 1 FROM job WHERE {_FREE} LIMIT 1", values) is None:
            return None
        with self.db.transaction() as conn:
            row = conn.execute(
                "UPDATE job SET status = 'running', owner = :worker, lease_until = :until, heartbeat = :now,"
                " ready_at = 0, fence = fence + 1, started_at = coalesce(started_at, :now)"
                f" WHERE id = (SELECT id FROM job WHERE {_FREE} ORDER BY urgent DESC, id LIMIT 1) RETURNING *",
                values,
            ).fetchone()
        return None if row is None else _job(row)

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
        """Record progress and renew the lease; None when the job is lost."""
        with self.db.transaction() as conn:
            row = conn.execute(
                "UPDATE job SET heartbeat = ?, lease_until = ?, done = ?, failed = ?, total = ?, message = ?, rate = ?"
                " WHERE id = ? AND fence = ? AND status = 'running' RETURNING want",
                (now, now + lease_s, done, failed, total, message, rate, job_id, fence),
            ).fetchone()
        return None if row is None else Want(row[0])

    def holds(self, job_id: int, fence: int) -> bool:
        """Return whether this fence still owns the job; asked inside the writes of a handler."""
        return bool(
            self.db.value(
                "SELECT 1 FROM job WHERE id = ? AND fence = ? AND status = 'running'",
                (job_id, fence),
            )
        )

    def finish(self, job_id: int, fence: int, status: JobStatus, message: str, now: float) -> None:
        """Give the job its final status."""
        with self.db.transaction() as conn:
            conn.execute(
                "UPDATE job SET status = ?, message = ?, finished_at = ?, owner = NULL, lease_until = NULL"
                " WHERE id = ? AND fence = ? AND status = 'running'",
                (status.value, message, now, job_id, fence),
            )

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
        """Put the job back: its worker goes, the work remains; see `JobQueue.release`."""
        values = {
            "now": now, "ready": ready_at, "message": message, "heard": heard and heard.value,
            "id": job_id, "fence": fence,
        }  # fmt: skip
        with self.db.transaction() as conn:
            conn.execute(
                "UPDATE job SET owner = NULL, heartbeat = :now, ready_at = :ready,"
                " status = CASE WHEN want = 'run' THEN 'queued'"
                " WHEN want = 'pause' AND :heard IS NULL THEN 'paused' ELSE status END,"
                " lease_until = CASE WHEN want = 'run' THEN NULL"
                " WHEN want = coalesce(:heard, want) THEN :ready ELSE 0 END,"
                " message = coalesce(:message, message)"
                " WHERE id = :id AND fence = :fence AND status = 'running'",
                values,
            )

    def park(self, job_id: int, fence: int, message: str | None = None) -> None:
        """Put the job to paused; a claim takes it again once people want it to run."""
        with self.db.transaction() as conn:
            conn.execute(
                "UPDATE job SET owner = NULL, lease_until = CASE want WHEN 'cancel' THEN 0 END,"
                " status = CASE want WHEN 'cancel' THEN status ELSE 'paused' END,"
                " want = CASE WHEN want = 'cancel' OR :message IS NULL THEN want ELSE 'pause' END,"
                " message = coalesce(:message, '')"
                " WHERE id = :id AND fence = :fence AND status = 'running'",
                {"id": job_id, "fence": fence, "message": message},
            )

    def record_worker(self, info: WorkerInfo) -> None:
        """Write that this worker lives."""
        values = dataclasses.asdict(info)
        columns = ", ".join(values)
        with self.db.transaction() as conn:
            conn.execute(
                f"INSERT OR REPLACE INTO worker ({columns}) VALUES ({', '.join(f':{name}' for name in values)})",
                values,
            )

    def workers(self) -> list[WorkerInfo]:
        """Return the workers that ever wrote here, the latest first."""
        rows = self.db.read("SELECT * FROM worker ORDER BY heartbeat DESC")
        return [WorkerInfo(**dict(row)) for row in rows]


def _job(row: Row) -> Job:
    return Job(
        id=row["id"],
        kind=row["kind"],
        subject_id=row["subject_id"],
        status=JobStatus(row["status"]),
        want=Want(row["want"]),
        total=row["total"],
        done=row["done"],
        failed=row["failed"],
        message=row["message"],
        params=json.loads(row["params"]),
        fence=row["fence"],
        rate=row["rate"],
        ready_at=row["ready_at"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        heartbeat=row["heartbeat"],
    )
