"""A restore that is killed at any of its steps leaves the old workspace or the new one, whole."""

import shutil
import subprocess
import sys

import pytest

from studio.actions.tasks import create_task
from studio.actions.workspaces import back_up
from studio.config import load_settings
from studio.store.exchange import drafts_of
from studio.store.store import Store

pytestmark = pytest.mark.fault
MOST_STEPS = 60
KILLED_AT_EACH_STEP = """
import os, shutil, signal, sys
from pathlib import Path
from studio.actions.workspaces import restore_backup
from studio.config import load_settings
base, places, backup = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
left = 0

def counted(real):
    def step(*args, **more):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return real(*args, **more)
    return step

for number in range(int(sys.argv[4])):
    place = shutil.copytree(base, places / str(number))
    if not (pid := os.fork()):
        left = number
        for name in ("rename", "unlink", "rmdir", "mkdir", "fsync"):
            setattr(os, name, counted(getattr(os, name)))
        restore_backup(load_settings(workspace=place / "studio.db"), backup)
        os._exit(0)
    if os.waitpid(pid, 0)[1] == 0:
        break
print(number)
"""


@pytest.fixture
def killed(ws, fill, tmp_path):
    """The folders in which restores were killed, one after each step; the last one ended."""
    fill(ws)
    learnt = ws.settings.embedded_folder
    learnt.mkdir()
    (learnt / "head.json").write_text("backed up")
    backup = back_up(ws, tmp_path / "backup.tgz").file
    create_task(ws, name="later", labels=["a", "b"], by="Ada")
    (learnt / "head.json").write_text("later")
    base = tmp_path / "base"
    base.mkdir()
    for part in ("", "-wal"):  # as a worker that was killed leaves it: the last task in the log
        shutil.copyfile(tmp_path / f"studio.db{part}", base / f"studio.db{part}")
    shutil.copytree(learnt, base / learnt.name)
    places = tmp_path / "places"
    places.mkdir()
    command = [sys.executable, "-c", KILLED_AT_EACH_STEP, base, places, backup, str(MOST_STEPS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    last = int(done.stdout)
    assert 10 < last < MOST_STEPS - 1
    return [places / str(number) for number in range(last + 1)]


def state(path):
    """Return the tasks of a workspace and what its embedded server learnt."""
    store = Store(path)
    names = [task.name for task in store.tasks.all()]
    store.close()
    learnt = load_settings(workspace=path).embedded_folder / "head.json"
    return names, learnt.read_text()


def test_old_or_new_and_told(killed, caplog):
    old, new = (["mail", "later"], "later"), (["mail"], "backed up")
    seen, said = [], []
    for place in killed:
        caplog.clear()
        found = state(place / "studio.db")
        assert found in (old, new), place.name
        seen.append(found)
        said.append(caplog.text)
        if found == new:
            (aside,) = place.glob("*.aside")
            assert state(aside) == old
            assert not drafts_of(place / "studio.db")
            assert not (place / "studio.db.exchange").exists()
            caplog.clear()
            assert state(place / "studio.db") == new  # said once, done once
            assert caplog.text == ""
    turn = seen.index(new)
    assert seen == [old] * turn + [new] * (len(seen) - turn)
    assert any("before it changed anything" in text for text in said[:turn])
    assert sum("it was finished now" in text for text in said[turn:]) > 3
    assert said[-1] == ""
