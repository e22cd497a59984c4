"""What people do with a whole workspace: back it up, restore it, examine it."""

from __future__ import annotations

import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

from studio.config import Settings
from studio.errors import InputError, WorkspaceError
from studio.store.copies import copy_database, examine_database
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
    draft = file.with_name(f".{file.name}.new")
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        copy = Path(folder) / DATABASE
        copy_database(ws.path, copy)
        with tarfile.open(draft, "w:gz", compresslevel=1) as archive:
            archive.add(copy, DATABASE)
            if ws.settings.embedded_folder.is_dir():
                archive.add(ws.settings.embedded_folder, EMBEDDED, filter=_lasting)
    draft.chmod(0o600)
    draft.rename(file)
    return file.stat().st_size


def restore_backup(settings: Settings, file: Path) -> Path | None:
    """Put a backup in place of the workspace; what was there is set aside.

    Returns:
        Where the old workspace is now; None when there was none.

    Raises:
        InputError: If the file is not a backup of the studio.
        WorkspaceError: If its copy is damaged; nothing is changed then.
    """
    path, learnt = settings.workspace, settings.embedded_folder
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        try:
            with tarfile.open(file) as archive:
                archive.extractall(folder, filter="data")
        except (OSError, tarfile.TarError) as error:
            raise InputError(
                f"{file} is not a backup.", next_step="Name one made by `studio backup`."
            ) from error
        copy = Path(folder) / DATABASE
        bad = [f for f in examine_database(copy) if not f["ok"]] if copy.exists() else [{}]
        if bad:
            raise WorkspaceError(f"The backup {file} is damaged; nothing was changed.")
        mark = time.strftime("%Y%m%d-%H%M%S")
        aside = path.with_name(f"{path.name}.{mark}.aside") if path.exists() else None
        for old in (path, learnt, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
            if old.exists():
                old.rename(old.with_name(f"{old.name}.{mark}.aside"))
        copy.rename(path)
        if (Path(folder) / EMBEDDED).is_dir():
            (Path(folder) / EMBEDDED).rename(learnt)
    return aside


def examine(ws: Workspace) -> list[dict[str, Any]]:
    """Return findings as dicts of check, ok and says."""
    return examine_database(ws.path)


def _lasting(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out what belongs to a running server: its address, token and locks."""
    transient = ("server.json", "server.lock")
    return None if Path(member.name).name in transient else member
