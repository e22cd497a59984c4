"""What people do with a whole workspace: back it up, restore it, examine it."""

from __future__ import annotations

import contextlib
import tarfile
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.config import Settings
from studio.errors import InputError, WorkerError, WorkspaceError
from studio.jobs.process import WorkerLock
from studio.store.copies import copy_database, examine_database, is_whole
from studio.workspace import Workspace

DATABASE = "workspace.db"
EMBEDDED = "embedded"


def back_up(ws: Workspace, file: Path) -> int:
    """Write one file with the workspace and what the embedded server learnt, while work goes on.

    Returns:
        Its size in bytes.

    Raises:
        InputError: If the file exists already or cannot be written.
        WorkspaceError: If the copy does not verify.
    """
    if file.exists():
        raise InputError(f"The file {file} exists already.", next_step="Name a new one.")
    if not file.parent.is_dir():
        raise InputError(f"The folder {file.parent} does not exist.", next_step="Create it first.")
    try:
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            copy, draft = Path(folder) / DATABASE, Path(folder) / "backup"
            copy_database(ws.path, copy)
            with tarfile.open(draft, "w:gz", compresslevel=1) as archive:
                archive.add(copy, DATABASE)
                if ws.settings.embedded_folder.is_dir():
                    archive.add(ws.settings.embedded_folder, EMBEDDED, filter=_lasting)
            draft.chmod(0o600)
            draft.rename(file)
    except OSError as error:
        raise InputError(
            f"The file {file} cannot be written: {(error.strerror or 'unknown').lower()}.",
            next_step="Name another place.",
        ) from error
    return file.stat().st_size


def restore_backup(settings: Settings, file: Path) -> Path | None:
    """Put a backup in place of the workspace; what was there is set aside.

    Returns:
        Where the old workspace is now; None when there was none.

    Raises:
        InputError: If the file is not a backup of the studio.
        WorkspaceError: If its copy is damaged; nothing is changed then.
        WorkerError: If a worker is at work on the workspace.
    """
    path, learnt = settings.workspace, settings.embedded_folder
    if not path.parent.is_dir():
        raise InputError(f"The folder {path.parent} does not exist.", next_step="Create it first.")
    with _nobody_at_work(path), tempfile.TemporaryDirectory(dir=path.parent) as folder:
        try:
            with tarfile.open(file) as archive:
                archive.extractall(folder, filter="data")
        except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
            raise InputError(
                f"{file} is not a backup.", next_step="Name one made by `studio backup`."
            ) from error
        copy = Path(folder) / DATABASE
        if not copy.is_file() or not is_whole(copy):
            raise WorkspaceError(
                f"The backup {file} is damaged; nothing was changed.",
                next_step="Name another backup.",
            )
        mark = time.strftime("%Y%m%d-%H%M%S")
        aside = path.with_name(f"{path.name}.{mark}.aside") if path.exists() else None
        for end in ("", "-wal", "-shm"):
            # The log goes with its file, or the last changes would be missing from it.
            if (old := path.with_name(path.name + end)).exists():
                old.rename(path.with_name(f"{path.name}.{mark}.aside{end}"))
        if learnt.exists():
            learnt.rename(learnt.with_name(f"{learnt.name}.{mark}.aside"))
        copy.rename(path)
        if (Path(folder) / EMBEDDED).is_dir():
            (Path(folder) / EMBEDDED).rename(learnt)
    return aside


@contextlib.contextmanager
def _nobody_at_work(path: Path) -> Iterator[None]:
    """Keep workers away: one would go on writing to the file that was set aside."""
    lock = WorkerLock(path.with_name(path.name + ".worker.lock"))
    try:
        lock.__enter__()
    except WorkerError as error:
        raise WorkerError(
            error.message,
            next_step="Close the app, stop it with `studio worker --stop`, then restore again.",
        ) from None
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


def examine(ws: Workspace) -> list[dict[str, Any]]:
    """Return findings as dicts of check, ok and says."""
    return examine_database(ws.path)


def _lasting(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out what belongs to a running server: its address, token and locks."""
    transient = ("server.json", "server.lock")
    return None if Path(member.name).name in transient else member
