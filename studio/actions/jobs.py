"""What people do with background work that is no run and no fine-tune."""

from __future__ import annotations

from studio.domain.job import Job, Want
from studio.workspace import Workspace


def steer_job(ws: Workspace, job_id: int, want: Want) -> Job:
    """Pause, resume or cancel a job: a test of a provider, likeness, asking for rules."""
    ws.store.jobs.ask(job_id, want, ws.clock())
    ws.wake()
    return ws.store.jobs.get(job_id)
