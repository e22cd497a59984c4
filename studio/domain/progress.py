"""How far background work is, in words that the app and the command line share."""

from __future__ import annotations

from collections.abc import Mapping

from studio.domain.amounts import duration, money, roughly
from studio.domain.job import Job, JobStatus, Want
from studio.domain.run import Outcome, Run

_WORDS = {
    JobStatus.QUEUED: "Waiting for its turn",
    JobStatus.RUNNING: "At work",
    JobStatus.PAUSED: "Paused",
    JobStatus.DONE: "Done",
    JobStatus.FAILED: "Stopped",
    JobStatus.CANCELLED: "Cancelled",
}
_ROUTINE = frozenset({"", "starting", "labeling", "applying rules"})
"""Messages that say no more than the state does."""
_OUTCOMES = {Outcome.OFF_LABEL: "off the label set", Outcome.NOT_JSON: "not JSON"}


def progress_text(
    job: Job, now: float, run: Run | None = None, outcomes: Mapping[str, int] | None = None
) -> str:
    """Return how far a job is: state, steps done, what failed and how, rate, time left, money.

    Args:
        job: The job.
        now: Seconds since 1970.
        run: The run it works for, if it is one.
        outcomes: The run's examples by outcome.

    >>> job = Job(
    ...     id=1, kind="run", subject_id=1, status=JobStatus.RUNNING, total=100, done=25, rate=2.5
    ... )
    >>> progress_text(job, 10.0, outcomes={"ok": 23, "refused": 2})
    'At work · 25 of 100 · 2 without a label (2 refused) · 2.5 a second · about 30 s left'
    """
    parts = [_state(job)]
    is_final = job.status.is_final
    if job.kind == "finetune":
        parts += [job.message] if job.message and not is_final else []
    elif job.total:
        parts.append(f"{job.done:,} of {job.total:,}")
        parts += filter(None, [_failed(job, outcomes)])
    if job.status is JobStatus.RUNNING:
        if job.rate and job.kind != "finetune":
            parts.append(_rate(job.rate))
        left = job.seconds_left(now)
        parts += [f"{roughly(left)} left"] if left is not None else []
    elif job.status is JobStatus.DONE and None not in (job.finished_at, job.started_at):
        parts.append(f"took {duration((job.finished_at or 0.0) - (job.started_at or 0.0))}")
    if run is not None:
        parts += filter(None, [spent_text(run)])
    return " · ".join(parts)


def notice(job: Job) -> str:
    """Return what people should know beside the state: what is waited for, or why it rests.

    >>> notice(Job(id=1, kind="run", subject_id=1, message="labeling"))
    ''
    """
    if job.kind == "finetune" or job.status.is_final or job.message in _ROUTINE:
        return ""
    return job.message


def spent_text(run: Run) -> str:
    """Return what a run spent, against its budget if it has one; empty where nothing is charged.

    >>> spent_text(Run(id=1, task_id=1, kind="prompt", title="p", spent_usd=0.12, budget_usd=0.5))
    '$0.12 of $0.50'
    """
    if run.unpriced:
        return f"{money(run.spent_usd)} and more: a price is unknown" if run.spent_usd else (
            "cost unknown"
        )  # fmt: skip
    if run.budget_usd is not None:
        return f"{money(run.spent_usd)} of {money(run.budget_usd)}"
    return money(run.spent_usd) if run.spent_usd else ""


def outcomes_text(outcomes: Mapping[str, int]) -> str:
    """Return the outcomes other than a label, the most frequent first.

    >>> outcomes_text({"ok": 9, "refused": 1, "not_json": 2})
    '2 not JSON, 1 refused'
    """
    others = [(n, o) for o, n in outcomes.items() if o != Outcome.OK and n]
    named = sorted(others, key=lambda pair: (-pair[0], pair[1]))
    return ", ".join(f"{n:,} {_OUTCOMES.get(Outcome(o), o)}" for n, o in named)


def _state(job: Job) -> str:
    if job.want is Want.CANCEL and not job.status.is_final:
        return "Stopping"
    if job.want is Want.PAUSE and job.status is JobStatus.RUNNING:
        return "Pausing"
    if job.status is JobStatus.QUEUED and notice(job):
        return "Waiting"
    return _WORDS[job.status]


def _failed(job: Job, outcomes: Mapping[str, int] | None) -> str:
    if not outcomes:
        return f"{job.failed:,} without a label" if job.failed else ""
    failed = sum(outcomes.values()) - outcomes.get(Outcome.OK, 0)
    return f"{failed:,} without a label ({outcomes_text(outcomes)})" if failed else ""


def _rate(rate: float) -> str:
    if rate >= 1:
        return f"{rate:,.0f} a second" if rate >= 10 else f"{rate:.1f} a second"
    return f"{rate * 60:.0f} a minute"
