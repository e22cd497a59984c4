"""An app with other settings gets a worker with these, once, after the calls in flight."""

import os
import subprocess
import sys

import pytest

from studio import bootstrap
from studio.actions.runs import Choice, start_run
from studio.bootstrap import open_workspace, workers_alive
from tests.faults.books import check
from tests.faults.conftest import ROOT

pytestmark = [pytest.mark.fault, pytest.mark.usefixtures("plain_env")]


@pytest.fixture
def wake(ws):
    """Wake the worker from another process with settings of its own, as an app at its start."""

    def start(**settings):
        code = (
            "import sys; from pathlib import Path; from studio.bootstrap import open_workspace\n"
            "open_workspace(Path(sys.argv[1])).wake()"
        )
        own = {f"STUDIO_{name.upper()}": str(value) for name, value in settings.items()}
        subprocess.run(
            [sys.executable, "-c", code, str(ws.path)], cwd=ROOT, check=True, env=os.environ | own
        )

    yield start
    command = [sys.executable, "-m", "studio.cli.main", "worker", "--stop", "-w", str(ws.path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def test_a_changed_setting_replaces_the_worker_when_its_calls_have_ended(
    ws, fill, service, wake, eventually, monkeypatch
):
    service.delay = 0.5
    task = fill(ws, train=60, validation=0, test=0, gold=False)
    wake(concurrency=2)
    (old,) = eventually(lambda: workers_alive(ws))
    run = start_run(ws, task.id, choice=Choice(), provider="mock", by="Ada")
    eventually(lambda: service.total > 4)
    wake(concurrency=2)  # the same settings: nothing happens
    wake(concurrency=20)
    (new,) = eventually(lambda: [i for i in workers_alive(ws) if i.pid != old.pid])
    eventually(lambda: ws.read.runs.get(run.id).status == "done")
    assert [info.pid for info in workers_alive(ws)] == [new.pid]
    assert service.most_at_once == 20
    assert check(ws, run, service) == 0  # no call was given up for it

    # An app that has run since before has other settings; it must not replace it back.
    monkeypatch.setenv("STUDIO_CONCURRENCY", "3")
    started = []
    monkeypatch.setattr(bootstrap, "start_worker", lambda path, *, argv: started.append(argv))
    app = open_workspace(ws.path)
    app.wake()
    app.store.close()
    assert started == []


def test_a_worker_started_by_hand_is_peoples_own(ws, start_worker, wake, eventually):
    by_hand = start_worker(2)
    (info,) = eventually(lambda: workers_alive(ws))
    wake(concurrency=20)
    assert [i.pid for i in workers_alive(ws)] == [info.pid] == [by_hand.pid]
