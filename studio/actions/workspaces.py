"""What people do with a whole workspace: back it up, put a backup in its place, set it aside."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from studio.config import Settings
from studio.errors import DamagedError, DiskFullError, InputError
from studio.jobs.process import WorkerLock
from studio.store.archives import (
    SPARE_BYTES,
    check_archive,
    is_database,
    listed_bytes,
    unpack,
    write_archive,
)
from studio.store.copies import copy_database, find_damage, settle_restored, used_bytes
from studio.store.exchange import DATABASE, PARTS, aside_name, draft_folder, exchange
from studio.store.in_use import alone
from studio.workspace import Workspace

# What is being done, the bytes done and the bytes expected.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that was written.

    Attributes:
        file: Where it is.
        bytes: Its size.
        removed: Older ones that were removed to keep no more than wished.
    """

    file: Path
    bytes: int
    removed: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file that can be put in the place of the workspace.

    Attributes:
        file: Where it is.
        at: When it was written, in seconds since 1970.
        bytes: Its size.
        problem: Why it cannot be used; "" for one that was read to its end and is whole.
    """

    file: Path
    at: float
    bytes: int
    problem: str


def space_for_backup(ws: Workspace) -> int:
    """Return the bytes a backup may take while it is written: the copy, and half of it packed."""
    used = used_bytes(ws.path)
    return used + (used + listed_bytes(ws.settings.embedded_folder)) // 2 + SPARE_BYTES


def back_up(
    ws: Workspace, target: Path, *, keep: int | None = None, tell: Progress | None = None
) -> Backup:
    """Write one file with the workspace and what the embedded server learnt, while work goes on.

    The vectors that the embedded server keeps of texts stay out: it computes them again.

    Args:
        ws: The workspace.
        target: A new file, or a folder for a file with a dated name.
        keep: In a folder, how many of the workspace's dated backups remain, this one included.
        tell: Told how far it is; whatever it raises ends the work and leaves nothing behind.

    Raises:
        InputError: If the file exists already or cannot be written.
        DiskFullError: If there is not the space for it.
        DamagedError: If the workspace cannot be read whole, or the copy does not verify.
    """
    file = _new_file(ws, target, keep)
    need, free = space_for_backup(ws), shutil.disk_usage(file.parent).free
    if free < need:
        raise DiskFullError(
            f"A backup may take {need / 1e6:,.0f} MB while it is written, and {file.parent} has "
            f"{free / 1e6:,.0f} MB left.",
            next_step="Free some space, or name a place on another disk.",
        )
    with _told(file), draft_folder(file) as draft:
        copy, packed = draft / DATABASE, draft / "backup"
        say = tell or (lambda *_: None)
        copy_database(ws.path, copy, lambda done, total: say("copying", done, total))
        write_archive(
            packed, copy, ws.settings.embedded_folder,
            lambda done, total: say("packing", done, total),
        )  # fmt: skip
        say("verifying", 0, 0)
        check_archive(packed)
        try:
            os.link(packed, file)  # never over a file that came to be meanwhile
        except FileExistsError:
            raise _exists(file) from None
        except OSError:  # a disk that knows no links
            packed.rename(file)
    removed = _rotate(ws, file.parent, keep) if keep else ()
    return Backup(file=file, bytes=file.stat().st_size, removed=removed)


def find_backups(settings: Settings) -> list[Found]:
    """Return what stands beside the workspace and could take its place, newest first.

    These are backups, the copies made before an upgrade, and workspaces that were set aside; each
    is read to its end, which takes a second for some 100 MB.
    """
    path = settings.workspace
    own = glob.escape(path.name)
    copies = {
        f for ending in ("before-m*.bak", "*.aside") for f in path.parent.glob(f"{own}.{ending}")
    }
    found = []
    for file in [f for f in path.parent.iterdir() if f in copies or _is_packed(f)]:
        try:
            about = file.stat()
            problem = find_damage(file) if is_database(file) else _archive_problem(file)
        except OSError as error:
            about, problem = None, (error.strerror or "unknown").lower()
        if about is not None:
            found.append(Found(file=file, at=about.st_mtime, bytes=about.st_size, problem=problem))
    return sorted(found, key=lambda f: f.at, reverse=True)


def _is_packed(file: Path) -> bool:
    """Tell a packed file by its beginning: a backup may have any name."""
    try:
        with file.open("rb") as opened:
            return opened.read(2) == b"\x1f\x8b"
    except OSError:
        return False


def restore_backup(settings: Settings, file: Path) -> Path | None:
    """Put a backup in place of the workspace; what was there is set aside.

    Jobs that were under way when the backup was made are paused in it, so that nothing is asked
    and paid again before somebody wishes it.

    Args:
        settings: The settings that name the workspace.
        file: A backup, or a workspace file such as the copy made before an upgrade.

    Returns:
        Where the old workspace is now; None when there was none.

    Raises:
        InputError: If the file is no backup of the studio, or holds what none of ours does.
        DamagedError: If its copy is damaged; nothing is changed then.
        WorkspaceError: If a newer studio made it, or somebody has the workspace open.
        WorkerError: If a worker is at work on it.
    """
    path = settings.workspace
    _need_folder(path)
    aside = None
    with _told(path), _nobody_in(path), draft_folder(path) as draft:
        unpack(file, draft)
        copy = draft / DATABASE
        if problem := find_damage(copy, thorough=True):
            raise DamagedError(
                f"The backup {file} is damaged ({problem}); nothing was changed.",
                next_step="Name another backup.",
            )
        aside = aside_name(path)
        settle_restored(copy, says=f"{time.strftime('%Y-%m-%d %H:%M')} from {file.absolute()}")
        exchange(path, draft, aside, keep_learnt=is_database(file))
    return aside if _is_any(aside) else None


def set_aside(settings: Settings) -> Path:
    """Set the workspace aside with all its parts; the next start makes a new one.

    Returns:
        Where it is now.

    Raises:
        InputError: If there is none.
        WorkspaceError: If somebody has it open.
        WorkerError: If a worker is at work on it.
    """
    path = settings.workspace
    if not path.exists():
        raise InputError(f"There is no workspace {path}.", next_step="Name another one.")
    with _told(path), _nobody_in(path):
        aside = aside_name(path)
        exchange(path, None, aside)
    return aside


@contextlib.contextmanager
def _nobody_in(path: Path) -> Iterator[None]:
    """Keep all others away: they would go on writing to the file that was set aside."""
    with WorkerLock(path.with_name(path.name + ".worker.lock")), alone(path):
        yield


@contextlib.contextmanager
def _told(file: Path) -> Iterator[None]:
    """Turn what the disk says while a file is written into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFullError(
                f"The disk of {file} is full; nothing was left there.",
                next_step="Free some space and do it again.",
            ) from error
        raise InputError(
            f"The file {file} cannot be written: {(error.strerror or 'unknown').lower()}.",
            next_step="Name another place.",
        ) from error


def _new_file(ws: Workspace, target: Path, keep: int | None) -> Path:
    if keep is not None and not target.is_dir():
        raise InputError(
            "How many to keep can only be said of a folder.",
            next_step="Name one that exists instead of a file.",
        )
    if target.is_dir():
        target = target / f"{ws.path.stem}-{time.strftime('%Y%m%d-%H%M%S')}.tgz"
    if target.exists():
        raise _exists(target)
    _need_folder(target)
    return target


def _exists(file: Path) -> InputError:
    return InputError(f"The file {file} exists already.", next_step="Name a new one.")


def _need_folder(file: Path) -> None:
    if not file.parent.is_dir():
        raise InputError(f"The folder {file.parent} does not exist.", next_step="Create it first.")


def _rotate(ws: Workspace, folder: Path, keep: int) -> tuple[Path, ...]:
    """Remove the oldest of this workspace's dated backups; others are left alone."""
    dated = re.compile(re.escape(ws.path.stem) + r"-\d{8}-\d{6}\.tgz")
    ours = sorted(f for f in folder.iterdir() if dated.fullmatch(f.name) and f.is_file())
    for file in ours[:-keep]:
        file.unlink()
    return tuple(ours[:-keep])


def _archive_problem(file: Path) -> str:
    try:
        check_archive(file)
    except InputError as error:
        return error.message
    return ""


def _is_any(path: Path) -> bool:
    return any(os.path.lexists(path.with_name(path.name + part)) for part in PARTS)
