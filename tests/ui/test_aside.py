"""What is worked out beside the app: in another process, once, and told when it is there."""

from __future__ import annotations

import os
import time

import pytest

from studio.ui.aside import Pending, found_aside


def process_of(ws, number):
    """Return the process and the tasks, as a child sees them."""
    return os.getpid(), len(ws.read.tasks.all()), number


def fail(ws):
    raise ValueError("no")


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
    assert found_aside(path, 1, process_of, 7) is Pending.WORKING
    assert time.monotonic() - began < 5
    pid, tasks, number = wait_for(lambda: found_aside(path, 1, process_of, 7))
    assert pid != os.getpid()
    assert (tasks, number) == (1, 7)
    assert found_aside(path, 1, process_of, 7) == (pid, tasks, number)
    assert wait_for(lambda: found_aside(path, 2, process_of, 7))[0] != pid


def test_what_fails_is_said_to_have_failed(path):
    assert wait_for(lambda: found_aside(path, 1, fail)) is Pending.FAILED
