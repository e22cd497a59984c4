"""What happens around a worker: its file goes away, another server ends, odd folders."""

import subprocess
import sys

import pytest

from studio import bootstrap
from studio.bootstrap import is_worker_alive, open_workspace
from studio.embedded.server import EmbeddedServer, find

pytestmark = [pytest.mark.fault, pytest.mark.usefixtures("plain_env")]


def test_a_worker_hosts_the_server_when_another_ends_and_goes_when_its_file_is_gone(
    ws, start_worker, eventually
):
    folder = ws.settings.embedded_folder
    with EmbeddedServer(folder) as elsewhere:
        worker = start_worker()
        eventually(lambda: is_worker_alive(ws))
        assert find(folder).url == elsewhere.url
    hosted = eventually(lambda: find(folder))
    assert hosted.pid == worker.pid
    ws.path.rename(ws.path.with_name("kept.db"))
    assert worker.wait(timeout=40) == 0
    assert find(folder) is None


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
