"""After kill -9 nothing is lost, and at most the calls in flight are made twice."""

import signal

import pytest

from studio.actions.runs import Choice, run_status, start_run
from studio.bootstrap import open_workspace
from tests.conftest import nothing
from tests.faults.books import check

pytestmark = pytest.mark.fault
IN_FLIGHT = 16


def start(ws, fill, n):
    task = fill(ws, train=n, validation=0, test=0, gold=False)
    return start_run(ws, task.id, choice=Choice(), provider="mock", by="Ada")


def done(ws, run):
    return ws.read.runs.get(run.id).done


def ended(ws, run):
    return lambda: ws.read.runs.get(run.id).status == "done"


def test_killed_three_times_in_4000_nothing_is_lost(ws, fill, service, start_worker, eventually):
    run = start(ws, fill, 4_000)
    for share in (600, 1_700, 2_800):
        worker = start_worker(IN_FLIGHT)
        eventually(lambda share=share: done(ws, run) >= share, 90)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert 2_800 <= done(ws, run) < 4_000
    assert ws.read.runs.get(run.id).status == "running"  # nobody could say otherwise
    start_worker(IN_FLIGHT)
    eventually(ended(ws, run), 90)
    assert run_status(ws, run.id)["outcomes"] == {"ok": 4_000}
    again = check(ws, run, service, most_again=3 * IN_FLIGHT)
    assert service.most_at_once <= IN_FLIGHT
    print(f"{again} calls were made again after 3 kills with {IN_FLIGHT} in flight")


def test_a_worker_that_is_told_to_stop_puts_its_job_back(
    ws, fill, service, start_worker, eventually
):
    run = start(ws, fill, 300)
    first = start_worker()
    eventually(lambda: done(ws, run) > 50)
    first.send_signal(signal.SIGTERM)
    _, said = first.communicate(timeout=40)
    assert (first.returncode, said) == (0, "")
    rested = ws.read.runs.get(run.id)
    assert rested.status == "queued"
    assert 50 < rested.done < 300
    assert rested.done == service.total  # what was under way was waited for
    start_worker()
    eventually(ended(ws, run))
    assert check(ws, run, service) == 0


def test_progress_outlives_whoever_looks_at_it(ws, fill, start_worker, eventually):
    """A page refresh or an app restart opens the workspace anew and finds the same job."""
    run = start(ws, fill, 200)
    start_worker()
    seen = []
    while not seen or seen[-1][0] != "done":
        app = open_workspace(ws.path, wake=nothing)
        job = app.read.jobs.get(run.job_id)
        seen.append((job.status.value, job.done, job.total))
        app.read.close()
        app.store.close()
    assert [n for _, n, _ in seen] == sorted(n for _, n, _ in seen)
    assert {total for _, _, total in seen} == {200}
    assert any(0 < n < 200 for _, n, _ in seen)
    assert seen[-1] == ("done", 200, 200)
