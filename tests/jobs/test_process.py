"""Real processes: started apart, found alive, stopped, missed when killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from studio.errors import WorkerError
from studio.jobs import process
from studio.jobs.process import (
    WorkerLock,
    process_started_at,
    start_worker,
    stop_worker,
    this_worker,
    worker_alive,
)

SLEEPER = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(60)"


def eventually(condition, seconds=10.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


@pytest.fixture
def started(tmp_path):
    """A process started as a worker, described as one."""
    workspace = tmp_path / "studio.db"
    start_worker(workspace, argv=[sys.executable, "-c", SLEEPER])
    log = tmp_path / "studio.db.worker.log"
    pid = int(eventually(lambda: log.exists() and log.read_text().strip()))
    info = replace(this_worker("1", 0.0), pid=pid, process_started=process_started_at(pid))
    yield info
    if process_started_at(pid) == info.process_started:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: process_started_at(pid) is None)


def test_a_worker_is_apart_from_who_started_it(started, tmp_path):
    assert os.getsid(started.pid) == started.pid != os.getsid(0)
    mode = (tmp_path / "studio.db.worker.log").stat().st_mode & 0o777
    assert mode == 0o600


def test_a_killed_worker_is_missed_at_once(started):
    now = time.time()
    fresh = replace(started, heartbeat=now)
    assert worker_alive(fresh, now)
    assert worker_alive(replace(fresh, heartbeat=0.0), now)  # suspended, not dead
    os.kill(started.pid, signal.SIGKILL)
    eventually(lambda: not worker_alive(fresh, now))


def test_stopping_waits_until_it_is_gone(started):
    assert stop_worker(started)
    assert not worker_alive(started, time.time())
    assert stop_worker(started)  # nothing left to stop


def test_stopping_tells_when_it_does_not_go(tmp_path):
    stubborn = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)\n"
        "time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
    with child:
        child.stdout.readline()
        started_at = process_started_at(child.pid)
        info = replace(this_worker("1", 0.0), pid=child.pid, process_started=started_at)
        assert not stop_worker(info, patience_s=0.1)
        child.kill()


def test_a_worker_that_ends_just_before_it_is_told_to_is_gone(monkeypatch):
    """It lived when it was looked at, and not any more when the signal was sent."""
    here = this_worker("1", 0.0)
    looks = iter([here.process_started])
    monkeypatch.setattr(process, "process_started_at", lambda pid: next(looks, None))
    assert stop_worker(replace(here, pid=2**22 + 1))


def test_a_zombie_is_dead():
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    try:
        eventually(lambda: process_started_at(child.pid) is None)
    finally:
        child.wait()


def test_a_worker_elsewhere_is_known_by_its_heartbeat():
    other = replace(this_worker("1", 100.0), host="elsewhere")
    assert worker_alive(other, 109.0)
    assert not worker_alive(other, 111.0)
    assert not worker_alive(None, 0.0)
    with pytest.raises(WorkerError, match="elsewhere"):
        stop_worker(other)


def test_a_pid_used_again_is_another_process():
    me = this_worker("1", 0.0)
    assert me.host == socket.gethostname()
    assert worker_alive(me, 1e9)
    assert not worker_alive(replace(me, process_started=me.process_started - 0.01), 1e9)


@pytest.mark.skipif(not Path("/bin/ps").exists(), reason="needs ps")
def test_ps_tells_the_same_as_proc():
    by_ps = process._started_by_ps(os.getpid())
    assert by_ps is None or abs(by_ps - time.time()) < 3600 * 24
    assert process._started_by_ps(2**22 - 3) is None


def test_what_cannot_be_started_is_said(tmp_path):
    with pytest.raises(WorkerError, match="could not be started") as caught:
        start_worker(tmp_path / "studio.db", argv=[str(tmp_path / "missing")])
    assert isinstance(caught.value.__cause__, OSError)


def test_a_long_log_is_put_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "_LOG_LIMIT", 3)
    log = tmp_path / "studio.db.worker.log"
    log.write_text("long ago")
    start_worker(tmp_path / "studio.db", argv=[sys.executable, "-c", "print('new')"])
    eventually(lambda: log.read_text() == "new\n")
    assert (tmp_path / "studio.db.worker.log.1").read_text() == "long ago"


def test_who_keeps_workers_away_is_told_of_them(tmp_path):
    path = tmp_path / "studio.db.worker.lock"
    first, second = WorkerLock(path), WorkerLock(path)
    assert first.take()
    second.join()
    with pytest.raises(WorkerError, match=f"process {os.getpid()} and {os.getpid()}"):
        WorkerLock(path).__enter__()
    first.release()
    with pytest.raises(WorkerError, match="already at work"):
        WorkerLock(path).__enter__()
    second.release()
    with WorkerLock(path):
        assert not first.take()
        with pytest.raises(WorkerError, match="keeps workers away"):
            second.join(patience_s=0.05)
    assert path.stat().st_mode & 0o777 == 0o600


def test_of_many_first_ones_there_is_one(tmp_path):
    """Each tries in a process of its own, all at one moment."""
    path, go = tmp_path / "lock", tmp_path / "go"
    code = (
        "import sys, time; from pathlib import Path; from studio.jobs.process import WorkerLock\n"
        "print('ready', flush=True); lock, go = WorkerLock(Path(sys.argv[1])), Path(sys.argv[2])\n"
        "while not go.exists(): pass\n"
        "print(lock.take(), flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path), str(go)]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    go.touch()
    assert sorted(child.stdout.readline() for child in children) == 3 * ["False\n"] + ["True\n"]
    for child in children:
        child.communicate()


def test_the_lock_ends_with_its_process(tmp_path):
    path = tmp_path / "lock"
    code = (
        "import sys, time; from pathlib import Path; from studio.jobs.process import WorkerLock\n"
        "lock = WorkerLock(Path(sys.argv[1])); lock.take()\n"
        "print('held', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    with child:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(WorkerError, match=f"process {child.pid}"), WorkerLock(path):
            pass
        child.kill()
    with WorkerLock(path):
        pass
