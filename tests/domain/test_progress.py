"""How far work is, in words: each state as the app and the terminal show it."""

from dataclasses import replace

import pytest

from studio.domain.job import Job, JobStatus, Want
from studio.domain.progress import notice, progress_text, spent_text
from studio.domain.run import ClassifierKind, Run

JOB = Job(id=1, kind="run", subject_id=1, status=JobStatus.RUNNING, total=1000, done=250)
RUN = Run(id=1, task_id=1, kind=ClassifierKind.PROMPT, title="p", budget_usd=0.5, spent_usd=0.12)


@pytest.mark.parametrize(
    ("job", "outcomes", "text"),
    [
        (JOB, {}, "At work · 250 of 1,000"),
        (replace(JOB, rate=25.0), {"ok": 250},
         "At work · 250 of 1,000 · 25 a second · about 30 s left"),
        (replace(JOB, rate=0.5), {"ok": 250},
         "At work · 250 of 1,000 · 30 a minute · about 25 min left"),
        (JOB, {"ok": 244, "refused": 1, "not_json": 3, "off_label": 2},
         "At work · 250 of 1,000 · 6 without a label (3 not JSON, 2 off the label set, 1 refused)"),
        (replace(JOB, want=Want.PAUSE), {}, "Pausing · 250 of 1,000"),
        (replace(JOB, want=Want.CANCEL), {}, "Stopping · 250 of 1,000"),
        (replace(JOB, status=JobStatus.PAUSED, rate=9.0), {}, "Paused · 250 of 1,000"),
        (replace(JOB, status=JobStatus.QUEUED, done=0), {}, "Waiting for its turn · 0 of 1,000"),
        (replace(JOB, status=JobStatus.QUEUED, message="batch 1 is in progress"), {},
         "Waiting · 250 of 1,000"),
        (replace(JOB, status=JobStatus.DONE, done=1000, started_at=0.0, finished_at=90.0), {},
         "Done · 1,000 of 1,000 · took 1 min 30 s"),
        (replace(JOB, kind="finetune", message="fold 2", rate=1.0, total=0), {},
         "At work · fold 2"),
    ],
)  # fmt: skip
def test_each_state_in_words(job, outcomes, text):
    assert progress_text(job, 100.0, outcomes=outcomes) == text


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (RUN, "$0.12 of $0.50"),
        (replace(RUN, budget_usd=None), "$0.12"),
        (replace(RUN, spent_usd=0.0), "$0 of $0.50"),
        (replace(RUN, budget_usd=None, spent_usd=0.0), ""),
        (replace(RUN, budget_usd=None, spent_usd=0.0, unpriced=2), "cost unknown"),
        (replace(RUN, unpriced=2), "$0.12 and more: a price is unknown"),
    ],
)
def test_money_is_never_0_where_it_is_unknown(run, text):
    assert spent_text(run) == text
    assert progress_text(JOB, 100.0, run).endswith(text or "1,000")


def test_only_what_says_more_than_the_state_is_a_notice():
    said = "far.example wants to be asked more slowly; it is asked again in 9 s"
    assert notice(replace(JOB, message="labeling")) == ""
    assert notice(replace(JOB, message=said)) == said
    assert notice(replace(JOB, message=said, status=JobStatus.DONE)) == ""
