"""Shows background work where it was started: progress, time left, and how to stop it."""

from __future__ import annotations

import functools
from collections.abc import Callable

import streamlit as st

from studio.actions.finetunes import steer_finetune
from studio.actions.runs import steer_run
from studio.bootstrap import is_worker_alive
from studio.domain.job import Job, JobStatus, Want
from studio.ui.figures import duration
from studio.ui.guard import kindly
from studio.workspace import Workspace

Steer = Callable[[Workspace, int, Want], object]
_STEER: dict[str, Steer] = {"run": steer_run, "finetune": steer_finetune}
_PATIENCE_S = 8.0
_WORDS = {
    JobStatus.QUEUED: "Waiting for its turn",
    JobStatus.RUNNING: "At work",
    JobStatus.PAUSED: "Paused",
    JobStatus.DONE: "Done",
    JobStatus.FAILED: "Stopped",
    JobStatus.CANCELLED: "Cancelled",
}


def job_status(
    ws: Workspace,
    job_id: int,
    *,
    key: str,
    title: str = "",
    steer: Steer | None = None,
    on_done: Callable[[], None] | str = "rerun",
) -> Job:
    """Draw the state of a job; while it is open, anew each second, without the rest of the page.

    It only reads the job's row, so a refreshed page or a second browser shows the same.

    Args:
        ws: The workspace.
        job_id: The job.
        key: Unique on the page.
        title: What is being done, in words; its kind when empty.
        steer: Pauses, resumes and cancels its subject; found by the job's kind when None.
        on_done: What happens once when it ends: "rerun" redraws the page, "stay" nothing, else
            it is called before the page is redrawn.

    Returns:
        The job as it stood when the page was drawn.
    """
    job = ws.read.jobs.get(job_id)
    is_open = not job.status.is_final
    draw = st.fragment(_draw, run_every=1.0 if is_open else None, key=f"{key}_fragment")
    draw(ws, job_id, key, title, steer or _STEER[job.kind], on_done if is_open else "stay")
    return job


def _draw(
    ws: Workspace,
    job_id: int,
    key: str,
    title: str,
    steer: Steer,
    on_done: Callable[[], None] | str,
) -> None:
    job = ws.read.jobs.get(job_id)
    if job.status.is_final and on_done != "stay":
        if callable(on_done):
            on_done()
        st.rerun()
    name = title or {"run": "Run", "finetune": "Fine-tune"}.get(job.kind, job.kind)
    with st.container(border=True, key=f"{key}_box"):
        st.progress(job.share, text=f"**{name}** · {job_text(job, ws.clock())}")
        if job.status is JobStatus.FAILED:
            st.error(job.message or "It stopped without saying why; see the worker's log.")
        elif not job.status.is_final and not _worker_is_there(ws, job):
            _offer_worker(ws, key)
        _buttons(ws, job, key, steer)


def job_text(job: Job, now: float) -> str:
    """Return the state of a job in words.

    >>> job_text(
    ...     Job(
    ...         id=1,
    ...         kind="run",
    ...         subject_id=1,
    ...         status=JobStatus.RUNNING,
    ...         total=100,
    ...         done=25,
    ...         failed=2,
    ...         started_at=0.0,
    ...     ),
    ...     10.0,
    ... )
    'At work · 25 of 100 · 2 without a label · about 30 s left'
    """
    parts = [_WORDS[job.status]]
    if job.want is Want.CANCEL and not job.status.is_final:
        parts = ["Stopping"]
    elif job.want is Want.PAUSE and job.status is JobStatus.RUNNING:
        parts = ["Pausing"]
    if job.kind == "finetune":
        if not job.status.is_final and job.message:
            parts.append(job.message)
    elif job.total:
        parts.append(f"{job.done:,} of {job.total:,}")
        if job.failed:
            parts.append(f"{job.failed:,} without a label")
    left = job.seconds_left(now)
    if left is not None and not job.status.is_final:
        parts.append(f"about {duration(left)} left")
    elif job.status is JobStatus.DONE and job.finished_at and job.started_at:
        parts.append(f"took {duration(job.finished_at - job.started_at)}")
    return " · ".join(parts)


def _buttons(ws: Workspace, job: Job, key: str, steer: Steer) -> None:
    wants: list[tuple[str, Want]] = []
    if not job.status.is_final:
        resting = job.status is JobStatus.PAUSED or job.want is Want.PAUSE
        if job.kind == "run" or resting:
            wants.append(("Resume", Want.RUN) if resting else ("Pause", Want.PAUSE))
        wants.append(("Cancel", Want.CANCEL))
    elif job.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        wants.append(("Go on where it was", Want.RUN))
    with st.container(horizontal=True, key=f"{key}_buttons"):
        for words, want in wants:
            if st.button(words, key=f"{key}_{want.value}"):
                with kindly():
                    steer(ws, job.subject_id, want)
                    st.rerun(scope="app")


def _worker_is_there(ws: Workspace, job: Job) -> bool:
    """A job just filed waits for a worker that is being started: say nothing for a moment."""
    latest = max(job.created_at, job.heartbeat or 0.0)
    return ws.clock() - latest < _PATIENCE_S or is_worker_alive(ws)


def _offer_worker(ws: Workspace, key: str) -> None:
    if ws.settings.worker == "external":
        st.warning("No worker is running, so this waits. Start one in a terminal: `studio worker`.")
        return
    st.warning("No worker is running, so this waits; nothing that was done is lost.")
    st.button("Start the worker", key=f"{key}_wake", on_click=functools.partial(_wake, ws))


def _wake(ws: Workspace) -> None:
    with kindly():
        ws.wake()
