"""Backup and restore: whole, verified, and nothing is thrown away."""

import shutil
import threading
import time

import pytest

from studio.actions.runs import Choice, start_run
from studio.actions.tasks import create_task
from studio.actions.workspaces import back_up, find_backups, restore_backup, set_aside
from studio.errors import DiskFullError, InputError, WorkerError, WorkspaceError
from studio.jobs.process import WorkerLock
from studio.store.archives import check_archive
from studio.store.connection import connect
from studio.store.copies import copy_database
from studio.store.store import Store


@pytest.fixture
def backup(ws, fill, tmp_path):
    """A backup with one task and something the embedded server learnt."""
    fill(ws)
    learnt = ws.settings.embedded_folder
    learnt.mkdir()
    (learnt / "head.json").write_text("{}")
    (learnt / "server.json").write_text("a token")
    file = tmp_path / "backup.tgz"
    assert back_up(ws, file).bytes == file.stat().st_size
    return file


@pytest.fixture
def closed(ws):
    """The settings of the workspace, after everybody closed it."""

    def close():
        ws.read.close()
        ws.store.close()
        return ws.settings

    return close


def names(path):
    store = Store(path)
    try:
        return [task.name for task in store.tasks.all()]
    finally:
        store.close()


def test_there_and_back(ws, backup, closed, tmp_path):
    assert backup.stat().st_mode & 0o777 == 0o600
    create_task(ws, name="later", labels=["a", "b"], by="Ada")  # stands in the log only
    aside = restore_backup(closed(), backup)
    assert names(ws.path) == ["mail"]
    assert names(aside) == ["mail", "later"]
    assert (ws.settings.embedded_folder / "head.json").read_text() == "{}"
    assert not (ws.settings.embedded_folder / "server.json").exists()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith((".", "tmp"))]


def test_each_restore_is_another_generation_of_the_same_workspace(
    ws, backup, closed, open_studio, tmp_path
):
    """An open page of the one before would put its labels on other examples."""
    settings, seen = closed(), []
    for _ in range(2):
        restore_backup(settings, backup)
        again = open_studio(ws.path.name)
        seen.append([again.read.tasks.setting(k) for k in ("workspace_id", "generation")])
        again.read.close()
        again.store.close()
    (one, first), (same, second) = seen
    assert one == same != ""
    assert len({first, second, ""}) == 3


def test_into_an_empty_folder(open_studio, backup, tmp_path):
    from studio.config import load_settings

    (tmp_path / "new").mkdir()
    settings = load_settings({}, workspace=tmp_path / "new" / "studio.db")
    assert restore_backup(settings, backup) is None
    assert names(settings.workspace) == ["mail"]
    nowhere = load_settings({}, workspace=tmp_path / "missing" / "studio.db")
    with pytest.raises(InputError, match="does not exist"):
        restore_backup(nowhere, backup)


def test_a_backup_is_never_written_over(ws, backup, closed, tmp_path):
    with pytest.raises(InputError, match="exists already"):
        back_up(ws, backup)
    with pytest.raises(InputError, match="does not exist"):
        back_up(ws, tmp_path / "missing" / "backup.tgz")


@pytest.mark.parametrize("keep", [0, 1, 100, 2000, -40])
def test_a_broken_backup_changes_nothing(ws, backup, closed, tmp_path, keep):
    data = backup.read_bytes()
    broken = tmp_path / "broken.tgz"
    broken.write_bytes(data[:keep])
    with pytest.raises((InputError, WorkspaceError)) as caught:
        restore_backup(closed(), broken)
    assert caught.value.next_step
    assert names(ws.path) == ["mail"]
    assert not list(tmp_path.glob("*.aside"))


def test_a_file_that_is_no_backup(ws, backup, closed, tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    for file in (text, tmp_path / "missing.tgz", tmp_path):
        with pytest.raises(InputError, match="is not a backup"):
            restore_backup(closed(), file)


def test_not_while_somebody_has_it_open(ws, backup, closed):
    for refused in (lambda: restore_backup(ws.settings, backup), lambda: set_aside(ws.settings)):
        with pytest.raises(WorkspaceError, match="is open in another program") as caught:
            refused()
        assert "studio worker --stop" in caught.value.next_step
    assert restore_backup(closed(), backup) is not None


def test_not_under_a_worker(ws, backup, closed):
    settings = closed()
    with (
        WorkerLock(ws.path.with_name(ws.path.name + ".worker.lock")),
        pytest.raises(WorkerError, match="already at work"),
    ):
        restore_backup(settings, backup)


def test_in_a_folder_it_is_dated_and_the_oldest_go(ws, fill, tmp_path, monkeypatch):
    fill(ws)
    folder = tmp_path / "backups"
    folder.mkdir()
    others = ("studio-20200101-000000.tgz.part", "mine-20200101-000000.tgz", "studio-old.tgz")
    for name in others:
        (folder / name).touch()
    for day in range(1, 5):
        stamp = f"2026050{day}-120000"
        monkeypatch.setattr("studio.actions.workspaces.time.strftime", lambda _, s=stamp: s)
        made = back_up(ws, folder, keep=2)
    assert made.file.name == "studio-20260504-120000.tgz"
    assert [p.name for p in made.removed] == ["studio-20260502-120000.tgz"]
    kept = {p.name for p in folder.iterdir()} - set(others)
    assert kept == {"studio-20260503-120000.tgz", "studio-20260504-120000.tgz"}
    with pytest.raises(InputError, match="of a folder"):
        back_up(ws, tmp_path / "b.tgz", keep=2)


@pytest.mark.parametrize("stage", ["copying", "packing", "verifying"])
def test_one_that_is_cancelled_leaves_nothing(ws, fill, tmp_path, stage, monkeypatch):
    fill(ws, train=400)
    monkeypatch.setattr("studio.store.copies._STEPS_BETWEEN_LOOKS", 50)
    before = {p.name for p in tmp_path.iterdir()}
    told = []

    def cancel(what, done, total):
        told.append((what, done, total))
        if what == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(ws, tmp_path / "b.tgz", tell=cancel)
    assert {p.name for p in tmp_path.iterdir()} == before
    assert all(done <= total for what, done, total in told if what == "packing")


def test_it_says_before_how_much_space_it_needs(ws, fill, tmp_path, monkeypatch):
    fill(ws)
    free = shutil.disk_usage(tmp_path)._replace(free=10_000_000)
    monkeypatch.setattr("studio.actions.workspaces.shutil.disk_usage", lambda _: free)
    with pytest.raises(
        DiskFullError, match=r"may take 5\d MB while it is written, and .* has 10 MB"
    ):
        back_up(ws, tmp_path / "b.tgz")


def test_jobs_of_a_backup_wait_until_somebody_resumes_them(ws, fill, tmp_path, closed):
    run = start_run(ws, fill(ws).id, choice=Choice(), by="Ada")
    backup = back_up(ws, tmp_path / "b.tgz").file
    restore_backup(closed(), backup)
    store = Store(ws.path)
    job = store.jobs.get(run.job_id)
    assert (job.status, job.want) == ("paused", "pause")
    assert "resume it to go on" in job.message
    assert store.jobs.claim("w", time.time(), 10) is None
    assert str(backup) in store.tasks.setting("restored")
    store.close()


def test_a_copy_made_before_an_upgrade_can_be_restored(ws, backup, closed, tmp_path):
    plain = tmp_path / "studio.db.before-m003.bak"
    copy_database(ws.path, plain)
    before = plain.read_bytes()
    create_task(ws, name="later", labels=["a", "b"], by="Ada")
    (ws.path.parent / "friday.db").write_bytes(next(ws.path.parent.glob("*.tgz")).read_bytes())
    found = {f.file.name: f.problem for f in find_backups(ws.settings)}
    assert found.pop("friday.db") == ""  # any name will do
    assert found == {"backup.tgz": "", plain.name: ""}
    restore_backup(closed(), plain)
    assert names(ws.path) == ["mail"]
    assert (ws.settings.embedded_folder / "head.json").exists()  # none was in the copy
    assert plain.read_bytes() == before


def test_one_of_a_newer_studio_is_refused(ws, fill, closed, tmp_path):
    fill(ws)
    plain = tmp_path / "newer.db"
    copy_database(ws.path, plain)
    conn = connect(plain)
    conn.execute("PRAGMA user_version=4000")
    conn.close()
    with pytest.raises(WorkspaceError, match="newer Rationale Studio; nothing was changed"):
        restore_backup(closed(), plain)
    assert names(ws.path) == ["mail"]


def test_a_workspace_is_set_aside_whole_and_opens_under_its_new_name(ws, backup, closed):
    aside = set_aside(closed())
    assert not ws.path.exists()
    assert names(aside) == ["mail"]
    assert aside.with_name(aside.name + ".embedded").is_dir()
    with pytest.raises(InputError, match="There is no workspace"):
        set_aside(ws.settings)


def test_files_of_the_server_that_come_and_go_do_no_harm(ws, fill, tmp_path):
    """Fine-tunes write while a backup is made; what the workspace speaks of must be in it."""
    fill(ws)
    learnt = ws.settings.embedded_folder / "models"
    learnt.mkdir(parents=True)
    (learnt / "kept").write_text("k" * 100)
    stop = threading.Event()

    def churn():
        number = 0
        while not stop.is_set():
            number += 1
            (learnt / f"n{number}").write_text("x" * (number % 5000))
            with (learnt / "grows").open("a") as file:
                file.write("line\n")
            (learnt / f"n{number - 3}").unlink(missing_ok=True)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for number in range(5):
            check_archive(back_up(ws, tmp_path / f"b{number}.tgz").file)
    finally:
        stop.set()
        thread.join()
