"""Backup and restore: whole, verified, and nothing is thrown away."""

import pytest

from studio.actions.tasks import create_task
from studio.actions.workspaces import back_up, restore_backup, set_aside
from studio.errors import InputError, WorkerError, WorkspaceError
from studio.jobs.process import WorkerLock
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
