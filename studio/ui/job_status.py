"""Shows background work where it was started: progress, time left, and how to stop it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from studio.actions.finetunes import steer_finetune
from studio.actions.runs import set_budget, steer_run
from studio.bootstrap import is_worker_alive
from studio.domain.job import Job, JobStatus, Want
from studio.domain.progress import notice, progress_text
from studio.domain.run import Run
from studio.ui.guard import kindly
from studio.ui.notes import note
from studio.ui.rationale_text import plain
from studio.workspace import Workspace

Steer = Callable[[Workspace, int, Want], object]
_STEER: dict[str, Steer] = {"run": steer_run, "finetune": steer_finetune}
_PATIENCE_S = 5.0


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

    It only reads the rows of the job, its run and the run's outcomes, so a refreshed page or a
    second browser shows the same.

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
    run = ws.read.runs.get(job.subject_id) if job.kind == "run" else None
    name = title or {"run": "Run", "finetune": "Fine-tune"}.get(job.kind, job.kind)
    with st.container(border=True, key=f"{key}_box"):
        is_alone = _needs_worker(job) and not _worker_is_there(ws, job)
        seen = replace(job, status=JobStatus.QUEUED) if is_alone else job  # nobody is at work on it
        told = progress_text(seen, ws.clock(), run, ws.read.runs.outcomes(run.id) if run else None)
        st.progress(job.share, text=f"**{name}** · {plain(told)}")
        is_spent = bool(run and run.budget_usd and job.status is JobStatus.PAUSED and notice(job))
        if job.status is JobStatus.FAILED:
            st.error(plain(job.message) or "It stopped without saying why; see the worker's log.")
        elif said := notice(job):
            (st.warning if is_spent else st.caption)(plain(said))
        if is_alone:
            _offer_worker(ws, key)
        if run is not None and is_spent:
            _draw_budget(ws, run, key)
        _buttons(ws, job, key, steer, can_resume=not is_spent)


def _draw_budget(ws: Workspace, run: Run, key: str) -> None:
    """Offer to raise the budget that a run rests for."""
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}_budget"):
        raised = st.number_input(
            "Raise to (US dollars)", min_value=0.0, value=_doubled(run.budget_usd or 0.0),
            format="%.4g", key=f"{key}_raise_to_{run.budget_usd}", width=180, help=note("budget"),
        )  # fmt: skip
        if st.button("Raise and go on", type="primary", key=f"{key}_raise"):
            with kindly():
                set_budget(ws, run.id, raised)
                steer_run(ws, run.id, Want.RUN)
                st.rerun(scope="app")


def _doubled(budget: float) -> float:
    """Return twice the budget, so rounded that people can read it."""
    return float(f"{2 * budget:.2g}")


def _buttons(ws: Workspace, job: Job, key: str, steer: Steer, *, can_resume: bool) -> None:
    wants: list[tuple[str, Want]] = []
    if not job.status.is_final:
        resting = job.status is JobStatus.PAUSED or job.want is Want.PAUSE
        if (can_resume or not resting) and (job.kind in _STEER or resting):
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


def _needs_worker(job: Job) -> bool:
    return not job.status.is_final and not (
        job.status is JobStatus.PAUSED and job.want is Want.PAUSE
    )


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
