"""After kill -9 nothing is lost, and at most the calls in flight are made twice."""

import signal

import pytest

from studio.actions.runs import Choice, run_status, start_run
from studio.bootstrap import open_workspace
from studio.store.copies import is_whole
from tests.conftest import nothing

pytestmark = pytest.mark.fault
IN_FLIGHT = 8


def start(ws, fill, n):
    task = fill(ws, train=n, validation=0, test=0, gold=False)
    return start_run(ws, task.id, choice=Choice(), provider="mock", by="Ada")


def done(ws, run):
    return ws.read.runs.get(run.id).done


def test_killed_twice_nothing_is_lost(ws, fill, service, start_worker, eventually):
    run = start(ws, fill, 600)
    for share in (120, 300):
        worker = start_worker(IN_FLIGHT)
        eventually(lambda share=share: done(ws, run) >= share)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert 300 <= done(ws, run) < 600
    assert ws.read.runs.get(run.id).status == "running"  # nobody could say otherwise
    start_worker(IN_FLIGHT)
    eventually(lambda: ws.read.runs.get(run.id).status == "done")
    assert run_status(ws, run.id)["outcomes"] == {"ok": 600}
    assert len(service.calls) == 600
    again = sum(service.calls.values()) - 600
    assert again <= 2 * IN_FLIGHT
    print(f"{again} calls were made again after 2 kills with {IN_FLIGHT} in flight")
    assert is_whole(ws.path)


def test_a_second_worker_goes_by_itself_and_the_first_works_on(ws, fill, start_worker, eventually):
    run = start(ws, fill, 300)
    start_worker()
    eventually(lambda: done(ws, run) > 0)
    second = start_worker()
    _, said = second.communicate(timeout=40)
    assert second.returncode == 1
    assert "A worker is already at work on this workspace (process" in said
    assert "Traceback" not in said
    eventually(lambda: ws.read.runs.get(run.id).status == "done")


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
    assert rested.done == sum(service.calls.values())  # what was under way was waited for
    start_worker()
    eventually(lambda: ws.read.runs.get(run.id).status == "done")
    assert set(service.calls.values()) == {1}


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
