"""The worker over a queue in memory: every way in which a job can go."""

import asyncio
import itertools
import os
import signal
from dataclasses import replace

import pytest

from studio.domain.job import JobStatus, Want
from studio.errors import RunFailedError
from studio.jobs.control import CancelledJobError, LaterError, PausedError
from studio.jobs.process import this_worker
from studio.jobs.queue import JobQueue, LostJobError
from studio.jobs.worker import Worker
from tests.jobs.memory_queue import MemoryQueue, job


def work(queue: JobQueue, handler, until, **options):
    """Run a worker with one handler until `until()` is true, then stop it."""
    settings = {"beat_s": 0.01, "poll_s": 0.005, "grace_s": 2.0} | options

    async def main():
        worker = Worker(queue, {"run": handler}, **settings)
        running = asyncio.create_task(worker.run())
        try:
            async with asyncio.timeout(10):
                while not until():
                    await asyncio.sleep(0.002)
        finally:
            worker.stop()
            await running

    asyncio.run(main())


def ended(queue, *numbers):
    return lambda: all(queue.status(n).is_final for n in numbers or queue.jobs)


def test_a_job_is_done_with_its_progress():
    queue = MemoryQueue(job())

    async def handler(job, control):
        assert control.fence == job.fence == 1
        await control.checkpoint(total=3)
        for n in range(1, 4):
            await control.checkpoint(done=n, failed=1, message=f"{n} of 3")

    work(queue, handler, ended(queue))
    done = queue.jobs[1]
    assert (done.status, done.message) == (JobStatus.DONE, "3 of 3")
    assert (done.done, done.failed, done.total) == (3, 1, 3)


def test_a_known_failure_keeps_its_sentence():
    queue = MemoryQueue(job())

    async def handler(job, control):
        raise RunFailedError("All questions failed.", next_step="Test the provider.")

    work(queue, handler, ended(queue))
    assert queue.status(1) is JobStatus.FAILED
    assert queue.jobs[1].message == "All questions failed. Test the provider."


@pytest.mark.parametrize("error", [ZeroDivisionError("secret detail"), asyncio.CancelledError()])
def test_a_bug_fails_its_job_only_and_is_logged_under_its_number(error, caplog):
    queue = MemoryQueue(job(1), job(2))

    async def handler(job, control):
        if job.id == 1:
            raise error

    work(queue, handler, ended(queue))
    message = queue.jobs[1].message
    assert queue.status(1) is JobStatus.FAILED
    assert queue.status(2) is JobStatus.DONE
    assert "bug" in message
    assert "secret detail" not in message
    number = message.split("number ")[1].split(")")[0]
    assert any(number in record.getMessage() and record.exc_info for record in caplog.records)


@pytest.mark.parametrize(
    ("want", "error", "status"),
    [
        (Want.PAUSE, PausedError, JobStatus.PAUSED),
        (Want.CANCEL, CancelledJobError, JobStatus.CANCELLED),
    ],
)
@pytest.mark.parametrize("waits_by", ["checkpoint", "sleep"])
def test_people_can_pause_and_cancel(want, error, status, waits_by):
    queue = MemoryQueue(job())
    raised = []

    async def handler(job, control):
        await control.checkpoint()
        queue.ask_for(1, want)
        try:
            if waits_by == "sleep":
                await control.sleep(60)  # woken by a heartbeat
            await control.checkpoint()
        except error:
            raised.append(control.wanted)
            raise

    work(queue, handler, lambda: queue.status(1) is status)
    assert raised == [want]


def test_a_paused_job_goes_on_when_people_want_it():
    queue = MemoryQueue(job())
    fences = []

    async def handler(job, control):
        fences.append(job.fence)
        if len(fences) == 1:
            queue.ask_for(1, Want.PAUSE)
        await control.checkpoint()

    def resumed():
        if queue.status(1) is JobStatus.PAUSED:
            queue.ask_for(1, Want.RUN)
        return queue.status(1) is JobStatus.DONE

    work(queue, handler, resumed)
    assert fences == [1, 2]


def test_the_lease_is_kept_while_a_handler_waits():
    queue = MemoryQueue(job())
    leases = []

    async def handler(job, control):
        while len(set(leases)) < 4:  # never a checkpoint of its own
            leases.append(queue.leases[1])
            await asyncio.sleep(0.002)

    work(queue, handler, ended(queue), clock=itertools.count().__next__, lease_s=1e6)
    assert leases == sorted(leases)
    assert queue.jobs[1].fence == 1


def test_a_job_whose_lease_ran_out_is_taken_over_and_its_old_owner_stops():
    queue = MemoryQueue(job())
    seen = []

    async def handler(job, control):
        seen.append(job.fence)
        if job.fence == 1:  # another worker takes it over meanwhile
            queue.leases[1] = -1.0
            taken = queue.claim("other", 0.0, 60.0)
            assert taken.fence == 2
            with pytest.raises(LostJobError):
                await control.checkpoint(done=99)
            await control.checkpoint(done=99)

    work(queue, handler, lambda: seen == [1], clock=lambda: 1.0)
    assert queue.owners[1] == "other"
    assert queue.status(1) is JobStatus.RUNNING
    assert queue.jobs[1].done == 0


def test_a_handler_that_waits_is_ended_when_its_job_is_lost():
    queue = MemoryQueue(job())
    stopped = []

    async def handler(job, control):
        queue.jobs[1] = replace(queue.jobs[1], fence=7)
        try:
            await asyncio.sleep(60)
        finally:
            stopped.append(True)

    work(queue, handler, lambda: bool(stopped))
    assert queue.status(1) is JobStatus.RUNNING


def test_jobs_of_a_dead_worker_are_taken_at_once():
    me = this_worker("1", 0.0)
    dead = replace(me, process_started=me.process_started - 1)  # the pid was used again
    queue = MemoryQueue(job())
    queue.record_worker(dead)
    queue.claim(dead.name, 0.0, 1e12)

    async def handler(job, control):
        assert job.fence == 2

    work(queue, handler, ended(queue), info=me)
    assert queue.status(1) is JobStatus.DONE


def test_a_cancelled_job_of_a_dead_worker_is_ended_by_its_handler():
    queue = MemoryQueue(job())
    queue.claim("dead", 0.0, 1.0)
    queue.ask_for(1, Want.CANCEL)
    told = []

    async def handler(job, control):
        try:
            await control.checkpoint()
        except CancelledJobError:
            told.append("the remote service")
            raise

    work(queue, handler, ended(queue))
    assert (queue.status(1), told) == (JobStatus.CANCELLED, ["the remote service"])


def test_an_urgent_job_does_not_wait_behind_long_ones():
    queue = MemoryQueue(job(1), job(2))
    release = asyncio.Event()
    most = []

    async def handler(job, control):
        running = [j.id for j in queue.jobs.values() if j.status is JobStatus.RUNNING]
        most.append(running)
        if job.id in (1, 2):
            await release.wait()
        else:
            assert queue.status(1) is JobStatus.RUNNING
            release.set()

    def file_preview():
        if most and 3 not in queue.jobs:
            queue.jobs[3] = job(3, urgent=True)
        return 3 in queue.jobs and ended(queue)()

    work(queue, handler, file_preview, slots=1)
    assert most[:2] == [[1], [1, 3]]  # 2 waited, 3 did not


def test_one_slot_takes_everything_urgent_jobs_first():
    queue = MemoryQueue(job(1), job(2, urgent=True))
    order = []

    async def handler(job, control):
        order.append(job.id)

    work(queue, handler, ended(queue), slots=1)
    assert order == [2, 1]


def test_other_kinds_are_left_alone():
    queue = MemoryQueue(job(1, "unknown"), job(2))

    async def handler(job, control):
        pass

    work(queue, handler, ended(queue, 2))
    assert queue.status(1) is JobStatus.QUEUED


def test_stopping_puts_running_jobs_back():
    queue = MemoryQueue(job())
    cleaned = []

    async def handler(job, control):
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)  # stores what is in hand
            cleaned.append(True)

    work(queue, handler, lambda: queue.status(1) is JobStatus.RUNNING)
    assert (queue.status(1), cleaned) == (JobStatus.QUEUED, [True])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_the_worker(number):
    queue = MemoryQueue(job())

    async def handler(job, control):
        os.kill(os.getpid(), number)
        await asyncio.sleep(60)

    async def main():
        async with asyncio.timeout(10):
            await Worker(queue, {"run": handler}, poll_s=0.005).run(signals=True)

    asyncio.run(main())
    assert queue.status(1) is JobStatus.QUEUED


def test_a_queue_that_fails_for_a_while_does_not_end_the_worker(caplog):
    class Shaky(MemoryQueue):
        failures = 5

        def claim(self, *args, **options):
            if self.failures:
                self.failures -= 1
                raise OSError("disk is busy")
            return super().claim(*args, **options)

    queue = Shaky(job())

    async def handler(job, control):
        pass

    work(queue, handler, ended(queue))
    assert "could not be asked" in caplog.text


def test_the_worker_says_that_it_lives():
    queue = MemoryQueue()

    async def handler(job, control):
        pass

    work(queue, handler, lambda: queue.known, clock=lambda: 42.0)
    (info,) = queue.workers()
    assert (info.pid, info.heartbeat) == (os.getpid(), 42.0)


def test_a_dead_worker_is_looked_for_once(monkeypatch):
    """Where there is no /proc every look starts a process, and dead workers stay in the list."""
    queue, looked = MemoryQueue(), []
    here = this_worker("1", 0.0)
    for pid in range(3):
        queue.record_worker(replace(here, pid=10**7 + pid))
    queue.record_worker(replace(here, host="elsewhere"))

    def alive(info, now):
        looked.append(info.pid)
        return False

    monkeypatch.setattr("studio.jobs.worker.worker_alive", alive)
    beats = []
    record = queue.record_worker
    queue.record_worker = lambda info: (beats.append(1), record(info))

    async def handler(job, control):
        pass

    work(queue, handler, lambda: len(beats) > 4, beat_s=0.01)
    assert sorted(looked) == [10**7, 10**7 + 1, 10**7 + 2]


def test_a_handler_can_park_its_job_with_a_reason():
    queue = MemoryQueue(job())
    fences = []

    async def handler(job, control):
        fences.append(job.fence)
        if len(fences) == 1:
            raise PausedError("The budget of $5 is reached; raise it and resume.")

    def raised():
        if queue.status(1) is JobStatus.PAUSED and len(looks) < 20:
            assert queue.jobs[1].want is Want.PAUSE  # or the next claim would take it again
            assert queue.jobs[1].message.startswith("The budget")
            looks.append(fences[:])
            if len(looks) == 20:
                queue.ask_for(1, Want.RUN)
        return queue.status(1) is JobStatus.DONE

    looks = []
    work(queue, handler, raised)
    assert (looks[-1], fences) == ([1], [1, 2])


def test_a_job_that_can_only_wait_frees_its_slot_and_comes_back():
    queue = MemoryQueue(job(1), job(2))
    now, order = [100.0], []

    async def handler(job, control):
        order.append((job.id, now[0]))
        if job.id == 1 and now[0] < 130:
            raise LaterError("waiting for the batch", 30.0)
        now[0] = 130.0  # the other one had the slot meanwhile

    work(queue, handler, ended(queue), slots=1, clock=lambda: now[0])
    assert order == [(1, 100.0), (2, 100.0), (1, 130.0)]
    assert queue.jobs[1].message == "waiting for the batch"


@pytest.mark.parametrize("beats", [False, True])
def test_a_wish_that_comes_after_the_handler_looked_is_heard_at_once(beats):
    queue = MemoryQueue(job())
    heard = []

    async def handler(job, control):
        heard.append(job.want)
        await control.checkpoint()
        queue.ask_for(1, Want.CANCEL)
        if beats:
            control.beat()
        raise LaterError("waiting for the batch", 3600.0)

    work(queue, handler, ended(queue), clock=lambda: 100.0)
    assert heard == [Want.RUN, Want.CANCEL]
    assert queue.status(1) is JobStatus.CANCELLED


def test_progress_is_recorded_without_a_wait_and_wishes_are_left_to_the_handler():
    queue = MemoryQueue(job())
    seen = []

    async def handler(job, control):
        queue.ask_for(1, Want.PAUSE)
        control.record(done=3, total=9, message="storing")
        seen.append((queue.jobs[1].done, control.wanted))
        with pytest.raises(PausedError):
            control.raise_if_unwanted()
        queue.jobs[1] = replace(queue.jobs[1], fence=9)
        with pytest.raises(LostJobError):
            control.record(done=4)
        seen.append(queue.jobs[1].done)

    work(queue, handler, lambda: len(seen) == 2)
    assert seen == [(3, Want.PAUSE), 3]


def test_a_clock_that_jumps_does_not_make_a_worker_take_its_own_job_again():
    queue = MemoryQueue(job())
    now, fences = [0.0], []

    async def handler(job, control):
        fences.append(control.fence)
        now[0] += 1e6  # the lease ran out long ago, and no beat is due
        await asyncio.sleep(0.1)
        await control.checkpoint(done=1)

    work(queue, handler, ended(queue), clock=lambda: now[0], beat_s=60.0)
    assert (queue.status(1), fences) == (JobStatus.DONE, [1])


def test_the_lease_is_kept_while_a_handler_ends_its_calls_in_flight():
    queue = MemoryQueue(job())
    beats = []

    async def handler(job, control):
        try:
            await asyncio.sleep(60)
        finally:
            before = queue.beats
            await asyncio.sleep(0.1)
            beats.append(queue.beats - before)

    work(queue, handler, lambda: queue.status(1) is JobStatus.RUNNING)
    assert beats[0] > 2
