"""The workspace file: made by many at once, refused when it is not ours, never written to then."""

import os
import shutil
import sqlite3 as plain_sqlite
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from studio.errors import WorkspaceError
from studio.store import migrations
from studio.store.connection import APPLICATION_ID, connect
from studio.store.copies import copy_database, find_damage
from studio.store.store import Store

RACE = """
import os, sys
from pathlib import Path
sys.modules["pandas"] = None  # slow to load, and not needed
import sqlite_utils
from studio.bootstrap import open_workspace
wait, go = os.pipe()
out = os.dup(1)
racers = []
for _ in range(8):
    if not (pid := os.fork()):
        os.close(go)
        os.read(wait, 1)
        ws = open_workspace(Path(sys.argv[1]))
        os.write(out, (ws.store.tasks.setting("workspace_id") + "\\n").encode())
        ws.read.close()
        ws.store.close()
        os._exit(0)
    racers.append(pid)
os.close(go)
assert [os.waitpid(pid, 0)[1] for pid in racers] == [0] * 8
"""
NOBODY = 65534


def refused(path):
    """Open a path, and return the sentence after making sure that nothing near it changed."""
    before = snapshot(path.parent)
    with pytest.raises(WorkspaceError) as caught:
        Store(path)
    after = snapshot(path.parent)
    assert {p: after.get(p) for p in before} == before
    # SQLite may leave an empty log and its index beside a file it cannot read to the end.
    new = {p for p in set(after) - set(before) if after[p] or p.suffix == ".new"}
    assert new <= {path.with_name(path.name + "-shm")}
    if "is not a Rationale Studio workspace" in str(caught.value):
        assert set(after) == set(before)  # nothing is put beside a file of others
    assert caught.value.next_step
    assert "\n" not in str(caught.value)
    return str(caught.value)


def snapshot(folder):
    return {p: p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


def test_eight_processes_make_the_same_workspace_at_once(tmp_path):
    path = tmp_path / "studio [1].db"
    race = subprocess.run(
        [sys.executable, "-c", RACE, str(path)], capture_output=True, text=True, check=False
    )
    assert (race.returncode, race.stderr) == (0, "")
    numbers = race.stdout.split()
    assert len(numbers) == 8
    assert len(set(numbers)) == 1  # one number, whoever was first
    left = {p.name.removeprefix(path.name) for p in tmp_path.iterdir()}
    assert left <= {"", "-wal", "-shm", ".lock"}
    assert find_damage(path, thorough=True) == ""


def test_a_file_of_another_kind_is_left_alone(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("These are my notes. " * 30)
    assert "not a Rationale Studio workspace; it was not touched" in refused(text)


def test_a_database_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "other.db"
    conn = plain_sqlite.connect(path)
    conn.execute("CREATE TABLE mine (id)")
    conn.commit()
    conn.close()
    assert "not a Rationale Studio workspace" in refused(path)


def test_a_beginning_that_was_overwritten_is_damage_where_a_workspace_stood(template, tmp_path):
    path = tmp_path / "studio.db"
    shutil.copyfile(template, path)
    Store(path).close()
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
    assert "is damaged (its beginning was overwritten)" in refused(path)


def test_a_large_file_is_read_whole_after_a_hard_end_only(template, tmp_path, monkeypatch):
    monkeypatch.setattr(migrations, "_SMALL", 0)
    path = tmp_path / "studio.db"
    shutil.copyfile(template, path)
    with path.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xaa" * 4096)
    Store(path).close()  # a page nobody looked at
    path.with_name("studio.db-wal").write_bytes(b"left behind")
    assert "is damaged" in refused(path)


def test_an_empty_file_is_no_new_workspace(tmp_path):
    path = tmp_path / "studio.db"
    path.touch()
    assert "is empty (0 bytes)" in refused(path)


def test_a_folder_and_a_missing_folder(tmp_path):
    (tmp_path / "folder").mkdir()
    assert "is a folder" in refused(tmp_path / "folder")
    assert "does not exist" in refused(tmp_path / "missing" / "studio.db")
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="does not exist"):
        Store(tmp_path / "file" / "studio.db")


def test_a_link_to_nowhere_and_an_endless_name(tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "nowhere.db")
    assert "cannot be opened" in refused(tmp_path / "link.db")
    assert "cannot be opened" in refused(tmp_path / ("x" * 300))


def test_a_newer_workspace_is_not_opened(template, tmp_path):
    path = tmp_path / "studio.db"
    shutil.copyfile(template, path)
    conn = connect(path)
    conn.execute("PRAGMA user_version=4000")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    assert "newer Rationale Studio" in refused(path)


def test_a_newer_version_that_stands_in_the_log_only(template, tmp_path):
    path = tmp_path / "studio.db"
    shutil.copyfile(template, path)
    conn = connect(path)
    conn.execute("PRAGMA user_version=4000")  # no checkpoint: the file's head is as it was
    try:
        with pytest.raises(WorkspaceError, match="newer Rationale Studio"):
            Store(path)
    finally:
        conn.close()


@pytest.mark.parametrize("page", [1, 2, 5, 9, 20, 33])
def test_a_damaged_page_is_found_before_anything_is_written(ws, fill, tmp_path, page):
    fill(ws, train=60)
    ws.store.db._connection("write").execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = tmp_path / "broken.db"
    data = bytearray((tmp_path / "studio.db").read_bytes())
    assert len(data) > 40 * 4096
    start = page * 4096
    data[start : start + 4096] = os.urandom(4096)
    folder = tmp_path / "alone"
    folder.mkdir()
    path = folder / "studio.db"
    path.write_bytes(data)
    said = refused(path)
    assert "is damaged" in said
    assert "nothing was written" in said
    assert "studio restore" in said


def test_a_truncated_file_is_found(ws, fill, tmp_path):
    fill(ws, train=60)
    ws.store.db._connection("write").execute("PRAGMA wal_checkpoint(TRUNCATE)")
    folder = tmp_path / "alone"
    folder.mkdir()
    data = (tmp_path / "studio.db").read_bytes()
    (folder / "studio.db").write_bytes(data[: len(data) // 2])
    assert "is damaged" in refused(folder / "studio.db")


def as_nobody(path, steps="    Store(Path(sys.argv[1])); print('opened')\n"):
    """Open a workspace as a user who owns nothing; return what it says."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from studio.store.store import Store; from studio.errors import WorkspaceError\n"
        f"if os.geteuid() == 0: os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        f"try:\n{steps}"
        "except WorkspaceError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.fixture
def reachable(tmp_path):
    """A folder that other users can walk to."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and len(folder.parts) > 2:
            folder.chmod(folder.stat().st_mode | 0o055)
    return tmp_path


LOOK_AND_WRITE = """
    store = Store(Path(sys.argv[1]))
    print([task.name for task in store.reader().tasks.all()])
    store.tasks.set_setting("k", "v")
"""


@pytest.mark.parametrize("log", ["", "kept"])
def test_a_folder_that_may_only_be_read_can_be_looked_at(ws, fill, reachable, log):
    fill(ws)
    locked = reachable / "locked"
    locked.mkdir()
    copy_database(ws.path, locked / "studio.db")
    if log:
        writer = connect(locked / "studio.db")
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("UPDATE task SET name = 'letters'")  # stands in the log only
    for file in locked.iterdir():
        file.chmod(0o444)
    locked.chmod(0o555)
    try:
        before = snapshot(locked)
        looked, refused = as_nobody(locked / "studio.db", LOOK_AND_WRITE).splitlines()
        assert looked == ("['letters']" if log else "['mail']")
        assert "is read-only: it can be looked at, not changed" in refused
        new = as_nobody(locked / "new.db")
        assert "cannot be" in new
        assert "permission" in new.lower()
        assert {p: d for p, d in snapshot(locked).items() if p.suffix != ".db-shm"} == {
            p: d for p, d in before.items() if p.suffix != ".db-shm"
        }
    finally:
        locked.chmod(0o755)
        if log:
            writer.close()


def test_a_file_that_may_not_be_read(template, reachable):
    shutil.copyfile(template, reachable / "secret.db")
    (reachable / "secret.db").chmod(0o000)
    assert "cannot be opened: permission denied" in as_nobody(reachable / "secret.db")


def test_a_disk_that_is_full_is_told_and_nothing_is_lost(ws, fill):
    """The limit stands in for the disk: SQLite fails the same way."""
    task = fill(ws, test=0)
    conn = ws.store.db._connection("write")
    pages = conn.execute("PRAGMA page_count").fetchone()[0]
    conn.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(WorkspaceError, match="is full; the last step was not stored"):
        ws.store.tasks.set_setting("big", "x" * 200_000)
    conn.execute("PRAGMA max_page_count=1000000")
    assert ws.store.tasks.setting("big") == ""
    ws.store.tasks.set_setting("big", "y")
    assert ws.store.tasks.get(task.id).name == "mail"


def test_connections_end_with_their_threads(ws):
    """Screens run in a new thread each time; their connections must not pile up."""

    def look():
        ws.read.tasks.all()
        ws.store.tasks.set_setting("k", "v")

    def held():
        return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0

    look()
    before = held()
    for _ in range(25):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert held() <= before + 3


def test_a_copy_is_whole_while_others_write(ws, fill, tmp_path):
    fill(ws)
    stop = threading.Event()

    def write():
        n = 0
        while not stop.is_set():
            ws.store.tasks.set_setting("n", str(n := n + 1))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copy_database(tmp_path / "studio.db", tmp_path / "copy.db")
    finally:
        stop.set()
        writer.join()
    store = Store(tmp_path / "copy.db")
    assert store.tasks.all()[0].name == "mail"
    store.close()
    conn = connect(tmp_path / "copy.db")
    assert conn.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    conn.close()
