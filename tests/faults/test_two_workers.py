"""Two workers on one workspace: side by side, one killed, one suspended and back, one too many."""

import signal
import subprocess
import sys

import pytest

from studio.actions.runs import Choice, run_status, start_run
from studio.bootstrap import workers_alive
from studio.errors import WorkerError
from studio.jobs.process import WorkerLock
from tests.faults.books import check, ledger
from tests.faults.conftest import ROOT

pytestmark = pytest.mark.fault
IN_FLIGHT = 8


def start(ws, fill, n):
    task = fill(ws, train=n, validation=0, test=0, gold=False)
    return start_run(ws, task.id, choice=Choice(), provider="mock", by="Ada")


def owner(ws, run):
    return ws.read.db.value("SELECT owner FROM job WHERE id = ?", (run.job_id,))


def ended(ws, run):
    return lambda: ws.read.runs.get(run.id).status == "done"


@pytest.fixture
def pair(ws, start_worker, eventually):
    """Two workers that live, by their names."""
    children = {child.pid: child for child in (start_worker(), start_worker())}
    alive = eventually(lambda: len(found := workers_alive(ws)) == 2 and found)
    return {info.name: children[info.pid] for info in alive}


def test_the_other_takes_over_from_one_that_was_killed(ws, fill, service, pair, eventually):
    run = start(ws, fill, 600)
    eventually(lambda: service.total > 100)
    first = owner(ws, run)
    pair[first].kill()
    pair[first].wait()
    eventually(lambda: owner(ws, run) not in (first, None))
    assert ws.read.jobs.get(run.job_id).status == "running"
    eventually(ended(ws, run))
    assert ws.read.jobs.get(run.job_id).fence == 2
    assert run_status(ws, run.id)["outcomes"] == {"ok": 600}
    check(ws, run, service, most_again=IN_FLIGHT)


def test_one_that_was_suspended_past_its_lease_writes_nothing(ws, fill, service, pair, eventually):
    run = start(ws, fill, 900)
    eventually(lambda: service.total > 100)
    first = owner(ws, run)
    pair[first].send_signal(signal.SIGSTOP)
    with ws.store.transaction() as conn:  # 15 seconds later
        conn.execute("UPDATE job SET lease_until = 1 WHERE id = ?", (run.job_id,))
    eventually(lambda: owner(ws, run) not in (first, None))
    second = owner(ws, run)
    told = service.total
    eventually(lambda: service.total > told + 100)
    lost = [outcome for _, outcome in ledger(ws, run)].count("lost")
    pair[first].send_signal(signal.SIGCONT)
    eventually(ended(ws, run))
    assert lost <= IN_FLIGHT
    assert [outcome for _, outcome in ledger(ws, run)].count("lost") == lost
    assert (owner(ws, run), ws.read.jobs.get(run.job_id).fence) == (None, 2)
    assert run_status(ws, run.id)["outcomes"] == {"ok": 900}
    check(ws, run, service, most_again=IN_FLIGHT)
    assert {info.name for info in workers_alive(ws)} == {first, second}  # both are of use again


def test_one_started_by_hand_works_beside_another_and_both_can_be_stopped(
    ws, start_worker, eventually
):
    first = start_worker()
    eventually(lambda: workers_alive(ws))
    second = start_worker()
    eventually(lambda: len(workers_alive(ws)) == 2)
    lock = WorkerLock(ws.path.with_name(ws.path.name + ".worker.lock"))
    with pytest.raises(WorkerError, match=rf"process {first.pid} and {second.pid}\)"):
        lock.__enter__()  # as a restore does
    command = [sys.executable, "-m", "studio.cli.main", "worker", "--stop", "-w", str(ws.path)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == "Stopped 2 workers.\n"
    assert (first.wait(), second.wait()) == (0, 0)
    _, said = second.communicate()
    assert said == f"A worker is at work already (process {first.pid}); this one works beside it.\n"
    with lock:
        assert workers_alive(ws) == []


def test_of_several_that_start_by_themselves_one_stays(ws, start_worker, eventually):
    children = [start_worker(8, "--if-none") for _ in range(3)]
    eventually(lambda: sum(child.poll() is None for child in children) == 1)
    (info,) = eventually(lambda: workers_alive(ws))
    gone = [child for child in children if child.pid != info.pid]
    assert [child.wait() for child in gone] == [0, 0]
    assert [child.communicate()[1] for child in gone] == [
        "A worker is at work already; nothing to do.\n"
    ] * 2
