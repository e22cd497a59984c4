"""What happens around a worker: its file goes away, another server ends, odd folders."""

import asyncio
import subprocess
import sys

import pytest

from studio import bootstrap
from studio.bootstrap import is_worker_alive, open_workspace
from studio.domain.run import Outcome, Question
from studio.embedded.server import EmbeddedServer, find
from studio.handlers.pacing import Pacers

pytestmark = [pytest.mark.fault, pytest.mark.usefixtures("plain_env")]


def test_a_worker_hosts_the_server_when_another_ends_and_goes_when_its_file_is_gone(
    ws, start_worker, eventually
):
    folder = ws.settings.embedded_folder
    with EmbeddedServer(folder) as elsewhere:
        worker = start_worker(sooner={"studio.bootstrap.CHECKPOINT_S": 0.5})
        eventually(lambda: is_worker_alive(ws))
        assert find(folder).url == elsewhere.url
    hosted = eventually(lambda: find(folder))
    assert hosted.pid == worker.pid
    ws.path.rename(ws.path.with_name("kept.db"))
    assert worker.wait(timeout=40) == 0
    assert find(folder) is None


def test_what_the_embedded_server_tells_of_its_queue_slows_no_run(ws):
    """It lets in 2,048 at once; taken for a minute's worth, a run would ask 34 a second."""

    async def ask(service):
        try:
            return await service.classify(
                Question(
                    model="studio-encoder",
                    messages=({"role": "user", "content": '{"text": "hello"}'},),
                    label_names=("a greeting", "a bill"),
                )
            )
        finally:
            await service.close()

    with EmbeddedServer(ws.settings.embedded_folder):
        service = ws.provider("embedded")
        assert asyncio.run(ask(service)).outcome is Outcome.OK
    pacer = Pacers().of(service)
    assert pacer.admit(20) == 0
    pacer.answered(service.limits)
    assert [pacer.admit(20) for _ in range(5_000)] == [0] * 5_000


def test_modules_beside_peoples_files_are_not_run(tmp_path, monkeypatch):
    """A worker started in a folder with a csv.py or a studio/ in it must not import them."""
    (tmp_path / "studio").mkdir()
    for name in ("studio/__init__.py", "csv.py", "json.py"):
        (tmp_path / name).write_text("open('imported', 'w').close()\nraise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STUDIO_WORKER", "auto")
    started = []
    monkeypatch.setattr(bootstrap, "start_worker", lambda path, *, argv: started.append(argv))
    ws = open_workspace(tmp_path / "w.db")
    try:
        ws.wake()
    finally:
        ws.read.close()
        ws.store.close()
    (argv,) = started
    assert argv[0] == sys.executable
    asked = [*argv[: argv.index("worker") + 1], "--help"]
    told = subprocess.run(asked, capture_output=True, timeout=60, check=False)
    assert (told.returncode, (tmp_path / "imported").exists()) == (0, False)
