"""A disk that is really full, and one that may only be read: a file system of a few megabytes."""

import json
import os
import subprocess
import sys
import time

import pytest

from studio.actions.corrections import Decision, correct_labels
from studio.actions.health import examine
from studio.actions.providers import add_provider
from studio.actions.runs import Choice, start_run
from studio.actions.workspaces import back_up
from studio.bootstrap import open_workspace
from studio.errors import DiskFullError, InputError, WorkspaceError
from studio.store.copies import find_damage
from studio.store.store import Store
from tests.conftest import fill_task, nothing

SOON = {"studio.jobs.worker.OBSTACLE_S": 0.5, "studio.jobs.control.OBSTACLE_S": 0.5}
pytestmark = [pytest.mark.fault, pytest.mark.usefixtures("plain_env")]


@pytest.fixture
def disk(tmp_path):
    """A small file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m,mode=0777", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        done = None
    if done is None or done.returncode:
        pytest.skip("only an administrator can mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def ws(disk, service):
    """A workspace on the small disk; its jobs wait for a real worker."""
    ws = open_workspace(disk / "studio.db", wake=nothing)
    add_provider(ws, name="mock", base_url=service.url, model="mock-1", by="Ada")
    yield ws
    ws.read.close()
    ws.store.close()


def use_up(disk):
    """Fill the disk to its last byte, and return the file that does it."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (100_000, 1_000, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return ballast


def test_labels_that_cannot_be_stored_are_told_and_stored_later(ws, disk):
    task = fill_task(ws, train=60, gold=False)
    ids = [example.id for example in ws.read.examples.all(task.id)]
    ballast = use_up(disk)
    stored = told = 0
    while not told:
        client = f"grid-0001:{stored}"
        decision = Decision(example_id=ids[stored % 60], label="ham", client=client)
        try:
            correct_labels(ws, task.id, [decision], by="Ada")
            stored += 1
        except DiskFullError as error:
            told = "is full; the last step was not stored" in str(error)
    kept = len(ws.read.labels.history(task.id))
    assert kept == stored
    ballast.unlink()
    decision = Decision(example_id=ids[0], label="spam", client="grid-0001:again")
    correct_labels(ws, task.id, [decision], by="Ada")
    assert len(ws.read.labels.history(task.id)) == kept + 1
    assert find_damage(ws.path, thorough=True) == ""


@pytest.mark.parametrize("left", [10_000_000, 0], ids=["nearly full", "full"])
def test_a_worker_waits_for_space_and_goes_on(ws, disk, service, start_worker, eventually, left):
    task = fill_task(ws, train=300, validation=0, test=0, gold=False)
    run = start_run(ws, task.id, choice=Choice(), provider="mock", splits=["train"], by="Ada")
    start_worker(concurrency=4, sooner=SOON)
    eventually(lambda: ws.read.runs.get(run.id).done > 20)
    ballast = use_up(disk)
    os.truncate(ballast, ballast.stat().st_size - left)
    eventually(lambda: is_quiet(service))
    waiting = ws.read.runs.get(run.id)
    assert 20 < waiting.done < 300
    assert waiting.status != "failed"
    if left:  # there was room to say so
        eventually(lambda: "free some space to go on" in ws.read.jobs.get(run.job_id).message)
        eventually(lambda: ws.read.runs.get(run.id).done == service.calls.total())
    ballast.unlink()
    if not left:  # that the job was put back could not be stored either: its lease runs out
        with ws.store.transaction() as conn:  # 15 seconds later
            conn.execute("UPDATE job SET lease_until = 1 WHERE id = ?", (run.job_id,))
    eventually(lambda: ws.read.runs.get(run.id).status == "done", seconds=90)
    assert ws.read.runs.get(run.id).done == 300
    # What was in flight when the last byte was taken could not be stored, and is asked again.
    assert service.calls.total() - 300 <= (0 if left else 8)
    assert find_damage(ws.path) == ""
    assert {f.check for f in examine(ws) if f.ok is False} <= {"disk"}


def is_quiet(service, seconds=1.5):
    """Return whether nothing is asked for a while, in which the worker looked again and again."""
    before = service.calls.total()
    time.sleep(seconds)
    return service.calls.total() == before


def test_a_backup_that_does_not_fit_leaves_nothing(ws, disk):
    fill_task(ws)
    before = sorted(p.name for p in disk.iterdir())
    with pytest.raises(DiskFullError, match="MB while it is written"):
        back_up(ws, disk / "b.tgz")
    use_up(disk).rename(disk / "ballast")
    with pytest.raises((DiskFullError, InputError)):
        back_up(ws, disk / "b.tgz")
    (disk / "ballast").unlink()
    assert sorted(p.name for p in disk.iterdir()) == before


def test_a_full_disk_is_a_sentence_on_the_command_line(ws, disk):
    fill_task(ws, train=60)
    ws.read.close()
    ws.store.close()
    use_up(disk)
    for words in (["task", "list"], ["task", "create", "more", "--labels", "a,b"]):
        said = studio(*words, "--workspace", disk / "studio.db")
        assert "Traceback" not in said.stderr
        assert said.returncode in (0, 1)
        if said.returncode:
            error = json.loads(said.stderr)["error"]
            assert "is full" in error["message"]


def test_a_disk_that_may_only_be_read_can_be_looked_at(ws, disk):
    fill_task(ws)
    ws.read.close()
    ws.store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    path = disk / "studio.db"
    shown = studio("task", "show", "mail", "--workspace", path)
    assert (shown.returncode, shown.stderr) == (0, "")
    refused = studio("task", "create", "more", "--labels", "a,b", "--workspace", path)
    assert refused.returncode == 1
    assert "read-only" in json.loads(refused.stderr)["error"]["message"]
    store = Store(path)
    with pytest.raises(WorkspaceError, match="it can be looked at, not changed"):
        store.tasks.set_setting("k", "v")
    store.close()


def studio(*words):
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "studio.cli.main", *map(str, words), "--json"],
        capture_output=True, text=True, check=False, timeout=60,
        env=os.environ | {"STUDIO_WORKER": "external"},
    )  # fmt: skip
