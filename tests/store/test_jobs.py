"""Job rows: leases, fences, and what people want."""

import contextlib

import pytest

from studio.domain.job import JobStatus, Want
from studio.errors import NotFoundError


@pytest.fixture
def jobs(ws):
    return ws.store.jobs


def file(jobs, now=0.0, **params):
    return jobs.file(kind="run", subject_id=1, total=10, now=now, params=params)


def test_the_oldest_goes_first_but_urgent_before(jobs):
    slow, fast = file(jobs), file(jobs, priority="high")
    assert jobs.claim("w", 1.0, 15.0).id == fast
    assert jobs.claim("w", 1.0, 15.0, urgent_only=True) is None
    assert jobs.claim("w", 1.0, 15.0, ["other"]) is None
    assert jobs.claim("w", 1.0, 15.0).id == slow
    assert jobs.claim("w", 1.0, 15.0) is None


def test_a_lease_that_ran_out_goes_to_the_next_with_a_new_fence(jobs):
    job = file(jobs)
    first = jobs.claim("w1", 0.0, 15.0)
    assert jobs.claim("w2", 14.0, 15.0) is None
    second = jobs.claim("w2", 16.0, 15.0)
    assert second.fence == first.fence + 1
    assert jobs.beat(job, first.fence, 17.0, 15.0, done=5, failed=0, total=10, message="") is None
    assert not jobs.holds(job, first.fence)
    jobs.finish(job, first.fence, JobStatus.FAILED, "too late", 18.0)
    assert jobs.get(job).status is JobStatus.RUNNING
    assert (
        jobs.beat(job, second.fence, 17.0, 15.0, done=5, failed=0, total=10, message="half")
        is Want.RUN
    )
    assert jobs.get(job).done == 5


def test_a_worker_is_not_given_what_it_works_on_whatever_the_clock_says(jobs):
    job = file(jobs)
    jobs.claim("w1", 0.0, 15.0)
    assert jobs.claim("w1", 1e9, 15.0, mine=[job]) is None
    assert jobs.claim("w2", 1e9, 15.0).id == job


def test_the_job_of_a_dead_worker_is_free_at_once(jobs):
    file(jobs)
    jobs.claim("w1", 0.0, 15.0)
    assert jobs.claim("w2", 1.0, 15.0, dead=["w1"]) is not None


@pytest.mark.parametrize(
    ("want", "status"), [(Want.CANCEL, JobStatus.CANCELLED), (Want.PAUSE, JobStatus.PAUSED)]
)
def test_a_job_nobody_works_on_obeys_at_once(jobs, want, status):
    job = file(jobs)
    jobs.ask(job, want, 1.0)
    assert jobs.get(job).status is status
    assert jobs.claim("w", 1.0, 15.0) is None


def test_a_running_job_obeys_at_its_next_beat(jobs):
    job = file(jobs)
    claimed = jobs.claim("w", 0.0, 15.0)
    jobs.ask(job, Want.PAUSE, 1.0)
    assert jobs.get(job).status is JobStatus.RUNNING
    assert (
        jobs.beat(job, claimed.fence, 1.0, 15.0, done=1, failed=0, total=10, message="")
        is Want.PAUSE
    )
    jobs.park(job, claimed.fence)
    assert jobs.claim("w", 2.0, 15.0) is None
    jobs.ask(job, Want.RUN, 2.0)
    assert jobs.claim("w", 2.0, 15.0).id == job


def test_cancelling_may_be_left_to_the_handler(jobs):
    """A training that is known elsewhere must be ended there, too."""
    job = file(jobs)
    claimed = jobs.claim("w", 0.0, 15.0)
    jobs.release(job, claimed.fence, 1.0)
    jobs.ask(job, Want.CANCEL, 2.0, by_handler=True)
    again = jobs.claim("w", 2.0, 15.0)
    assert again.id == job
    assert again.want is Want.CANCEL


def test_a_job_for_later_is_left_alone_until_its_time(jobs):
    job = file(jobs)
    claimed = jobs.claim("w", 0.0, 15.0)
    jobs.release(job, claimed.fence, 1.0, ready_at=31.0, message="waiting for the batch")
    stored = jobs.get(job)
    assert (stored.status, stored.ready_at) == (JobStatus.QUEUED, 31.0)
    assert stored.message == "waiting for the batch"
    assert jobs.claim("w", 30.0, 15.0) is None
    again = jobs.claim("w", 31.0, 15.0)
    assert (again.id, again.ready_at) == (job, 0.0)


@pytest.mark.parametrize("by_handler", [False, True])
@pytest.mark.parametrize("want", [Want.PAUSE, Want.CANCEL])
def test_a_job_for_later_obeys_at_once(jobs, want, by_handler):
    job = file(jobs)
    claimed = jobs.claim("w", 0.0, 15.0)
    jobs.release(job, claimed.fence, 1.0, ready_at=1e6)
    jobs.ask(job, want, 2.0, by_handler=by_handler)
    if by_handler:
        assert jobs.claim("w", 2.0, 15.0).want is want
    elif want is Want.CANCEL:
        assert jobs.get(job).status is JobStatus.CANCELLED
    else:
        assert jobs.get(job).status is JobStatus.PAUSED
        jobs.ask(job, Want.RUN, 3.0)
        assert jobs.claim("w", 3.0, 15.0).id == job  # people who resume do not mean later


def test_a_job_to_be_cancelled_later_is_not_claimed_again_and_again_until_then(jobs):
    job = file(jobs)
    claimed = jobs.claim("w", 0.0, 15.0)
    jobs.ask(job, Want.CANCEL, 1.0)
    jobs.release(job, claimed.fence, 1.0, ready_at=31.0, message="nobody answers")
    assert jobs.claim("w", 30.0, 15.0) is None
    assert jobs.claim("w", 32.0, 15.0).want is Want.CANCEL


@pytest.mark.parametrize("want", [Want.PAUSE, Want.CANCEL])
def test_a_wish_that_comes_after_the_handler_looked_waits_for_nothing(jobs, want):
    """It looked, found nothing to do for an hour, and people spoke before it was put back."""
    job = file(jobs)
    claimed = jobs.claim("w", 0.0, 15.0)
    jobs.ask(job, want, 1.0, by_handler=True)
    jobs.release(job, claimed.fence, 1.0, ready_at=3600.0, heard=Want.RUN)
    again = jobs.claim("w", 1.1, 15.0)
    assert (again.id, again.want) == (job, want)
    jobs.release(job, again.fence, 2.0, ready_at=32.0, heard=want)  # its service does not answer
    assert jobs.claim("w", 31.0, 15.0) is None
    assert jobs.claim("w", 33.0, 15.0).want is want


@pytest.mark.parametrize("is_waiting", [False, True])
def test_a_job_that_people_pause_no_longer_says_what_it_waited_for(jobs, is_waiting):
    job = file(jobs)
    claimed = jobs.claim("w", 0.0, 15.0)
    told = {"done": 1, "failed": 0, "total": 10, "message": "it is asked again in 30 s"}
    jobs.beat(job, claimed.fence, 0.0, 15.0, **told)
    if is_waiting:
        jobs.release(job, claimed.fence, 1.0, ready_at=31.0)
    jobs.ask(job, Want.PAUSE, 2.0)
    jobs.park(job, claimed.fence)
    assert (jobs.get(job).status, jobs.get(job).message) == (JobStatus.PAUSED, "")
    jobs.ask(job, Want.RUN, 3.0)
    jobs.park(job, jobs.claim("w", 3.0, 15.0).fence, "The budget is reached.")
    jobs.ask(job, Want.PAUSE, 4.0)
    assert jobs.get(job).message == "The budget is reached."


def test_a_job_parked_with_a_reason_waits_for_people(jobs):
    job = file(jobs)
    claimed = jobs.claim("w", 0.0, 15.0)
    jobs.park(job, claimed.fence, "The budget is reached.")
    stored = jobs.get(job)
    assert (stored.status, stored.want) == (JobStatus.PAUSED, Want.PAUSE)
    assert stored.message == "The budget is reached."
    assert jobs.claim("w", 1.0, 15.0) is None
    jobs.ask(job, Want.RUN, 2.0)
    assert jobs.claim("w", 2.0, 15.0).id == job


@pytest.mark.parametrize("reason", [None, "The budget is reached."])
def test_a_job_parked_while_people_cancel_it_is_ended_by_its_handler(jobs, reason):
    job = file(jobs)
    claimed = jobs.claim("w", 0.0, 15.0)
    jobs.ask(job, Want.CANCEL, 1.0)
    jobs.park(job, claimed.fence, reason)
    assert jobs.claim("w", 2.0, 15.0).want is Want.CANCEL


def test_a_beat_joins_the_transaction_around_it(ws, jobs):
    job = file(jobs)
    claimed = jobs.claim("w", 0.0, 15.0)
    told = {"failed": 0, "total": 10, "message": "", "rate": 2.5}
    with contextlib.suppress(ZeroDivisionError), ws.store.transaction():
        jobs.beat(job, claimed.fence, 1.0, 15.0, done=5, **told)
        raise ZeroDivisionError
    assert jobs.get(job).done == 0
    with ws.store.transaction():
        jobs.beat(job, claimed.fence, 1.0, 15.0, done=6, **told)
    assert (jobs.get(job).done, jobs.get(job).rate) == (6, 2.5)


@pytest.mark.parametrize(
    ("want", "status"),
    [
        (Want.RUN, JobStatus.QUEUED),
        (Want.PAUSE, JobStatus.PAUSED),
        (Want.CANCEL, JobStatus.RUNNING),
    ],
)
def test_a_worker_that_goes_puts_its_job_back(jobs, want, status):
    job = file(jobs)
    claimed = jobs.claim("w", 0.0, 15.0)
    jobs.ask(job, want, 1.0)
    jobs.release(job, claimed.fence, 1.0)
    assert jobs.get(job).status is status
    taken = jobs.claim("w2", 2.0, 15.0)
    assert (taken is None) is (want is Want.PAUSE)


def test_a_final_job_is_revived_only_on_wish(jobs):
    job = file(jobs)
    jobs.ask(job, Want.CANCEL, 1.0)
    jobs.ask(job, Want.RUN, 2.0)
    assert jobs.get(job).status is JobStatus.CANCELLED
    jobs.revive(job)
    assert jobs.get(job).status is JobStatus.QUEUED
    done = jobs.claim("w", 3.0, 15.0)
    jobs.finish(job, done.fence, JobStatus.DONE, "", 4.0)
    jobs.revive(job)
    assert jobs.get(job).status is JobStatus.DONE
    assert jobs.open() == []


def test_an_unknown_job(jobs):
    with pytest.raises(NotFoundError):
        jobs.get(7)
