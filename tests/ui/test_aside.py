"""What is worked out beside the app: in another process, once, and told when it is there."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from studio.ui.aside import Pending, found_aside


def process_of(ws, number):
    """Return the process and the tasks, as a child sees them."""
    return os.getpid(), len(ws.read.tasks.all()), number


def fail(ws):
    raise ValueError("no")


def talk(ws):
    print("loudly")
    return "said"


def wait_for(ask, seconds=120):
    end = time.monotonic() + seconds
    while (found := ask()) is Pending.WORKING:
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.02)
    return found


@pytest.fixture
def path(tmp_path):
    from studio.actions.tasks import create_task
    from studio.bootstrap import open_workspace

    ws = open_workspace(tmp_path / "studio.db", wake=lambda: None)
    create_task(ws, name="mail", labels=["ham", "spam"], by="Ada")
    ws.store.close()
    ws.read.close()
    return ws.path


def test_another_process_finds_it_once_and_nobody_waits(path):
    began = time.monotonic()
    assert found_aside("one", path, 1, process_of, 7) is Pending.WORKING
    assert time.monotonic() - began < 5
    pid, tasks, number = wait_for(lambda: found_aside("one", path, 1, process_of, 7))
    assert pid != os.getpid()
    assert (tasks, number) == (1, 7)
    assert found_aside("one", path, 1, process_of, 7) == (pid, tasks, number)


def test_the_process_stays_for_the_next_job_of_its_lane_and_reads_the_workspace_anew(path):
    from studio.actions.tasks import create_task
    from studio.bootstrap import open_workspace

    first, tasks, _ = wait_for(lambda: found_aside("two", path, 1, process_of, 7))
    ws = open_workspace(path, wake=lambda: None)
    create_task(ws, name="letters", labels=["ham", "spam"], by="Ada")
    ws.store.close()
    ws.read.close()
    again = wait_for(lambda: found_aside("two", path, 2, process_of, 7))
    assert again == (first, tasks + 1, 7)
    assert wait_for(lambda: found_aside("three", path, 2, process_of, 7))[0] != first


def test_what_fails_is_said_to_have_failed_and_what_prints_is_heard_next(path):
    assert wait_for(lambda: found_aside("four", path, 1, fail)) is Pending.FAILED
    assert wait_for(lambda: found_aside("four", path, 1, talk)) == "said"


def test_nothing_of_the_screens_is_loaded_beside():
    code = "import sys, studio.ui.aside_child; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_idle_process_ends_and_another_begins(path, monkeypatch):
    monkeypatch.setattr("studio.ui.aside._STAYS_S", 0.05)
    pid = wait_for(lambda: found_aside("six", path, 1, process_of, 7))[0]
    end = time.monotonic() + 20
    while psutil.pid_exists(pid):
        assert time.monotonic() < end, "it stays"
        time.sleep(0.02)
    assert wait_for(lambda: found_aside("six", path, 2, process_of, 7))[0] != pid


def test_a_process_that_something_else_ended_is_replaced_and_no_job_fails(path):
    pid = wait_for(lambda: found_aside("seven", path, 1, process_of, 7))[0]
    child = psutil.Process(pid)
    child.kill()
    end = time.monotonic() + 20
    while child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "it stays"
        time.sleep(0.01)
    again = wait_for(lambda: found_aside("seven", path, 2, process_of, 7))
    assert again is not Pending.FAILED
    assert again[0] != pid
