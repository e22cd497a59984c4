"""Backups as files: one archive with the workspace and with what the embedded server learnt."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import stat
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from studio.errors import DiskFullError, InputError
from studio.store.copies import Tell, copy_database
from studio.store.exchange import DATABASE, EMBEDDED

SPARE_BYTES = 50_000_000
_MOST_FILES = 200_000
_MOST_AT_ONCE = 64_000_000
_PIECE = 1_000_000
_NEXT = "Name one made by `studio backup`."


def write_archive(target: Path, database: Path, learnt: Path, tell: Tell | None = None) -> None:
    """Write an archive of a copied database and of the files of the embedded server.

    The copy must have been made before: what a workspace speaks of is then among the files.
    """
    total, done = database.stat().st_size + listed_bytes(learnt), 0
    with target.open("xb") as raw:
        target.chmod(0o600)
        with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=1) as archive:
            for path, name in [(database, DATABASE), *_learnt_files(learnt)]:
                try:
                    file = path.open("rb")
                except FileNotFoundError:  # the server goes on working: it may be gone by now
                    continue
                with file:
                    entry = tarfile.TarInfo(name)
                    entry.size, entry.mode = os.fstat(file.fileno()).st_size, 0o600
                    archive.addfile(entry, _Watched(file, tell, done, total))
                    done += entry.size
        raw.flush()
        os.fsync(raw.fileno())


def check_archive(file: Path) -> None:
    """Read an archive to its end.

    Raises:
        InputError: If it is no backup of ours, or damaged.
    """
    with _readable(file):
        for _ in _members(file):
            pass


def unpack(file: Path, folder: Path) -> None:
    """Unpack a backup, or copy a plain workspace file, into a folder as DATABASE and EMBEDDED.

    Raises:
        InputError: If it is no backup, or holds what no backup of ours does.
        DamagedError: If it is a plain workspace file that is damaged.
        DiskFullError: If there is not the space for what it says it holds.
    """
    if is_database(file):
        copy_database(file, folder / DATABASE)
        return
    room = shutil.disk_usage(folder).free - SPARE_BYTES
    with _readable(file):
        for member, content in _members(file):
            room -= member.size
            if room < 0:
                raise DiskFullError(
                    f"The disk of {folder.parent} has no space for the backup {file}.",
                    next_step="Free some space and do it again.",
                )
            if member.name != DATABASE and not (folder / EMBEDDED).exists():
                (folder / EMBEDDED).mkdir(mode=0o700)
            _write(folder.joinpath(*PurePosixPath(member.name).parts), content, file)


def _write(target: Path, content: IO[bytes], file: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except (FileExistsError, NotADirectoryError):  # a file under a file
        raise _no_backup(file) from None
    with os.fdopen(handle, "wb") as out:
        shutil.copyfileobj(content, out, _PIECE)


def is_database(file: Path) -> bool:
    """Return whether a file is an SQLite file rather than an archive."""
    try:
        with file.open("rb") as opened:
            return opened.read(16) == b"SQLite format 3\x00"
    except OSError:
        return False


def listed_bytes(learnt: Path) -> int:
    """Return how much of the embedded server's files goes into a backup."""
    total = 0
    for path, _ in _learnt_files(learnt):
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total


def _learnt_files(learnt: Path) -> Iterator[tuple[Path, str]]:
    """Yield what lasts: not a running server's address and locks, nor vectors it computes again."""
    for folder, _, names in os.walk(learnt):
        for name in sorted(names):
            path = Path(folder) / name
            passing = name.startswith((".", "vectors-")) or name in ("server.json", "server.lock")
            if not passing and _is_plain(path):
                yield path, str(PurePosixPath(EMBEDDED, *path.relative_to(learnt).parts))


def _is_plain(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """Say kindly that an archive cannot be read to its end."""
    try:
        yield
    except (EOFError, tarfile.TarError, zlib.error, gzip.BadGzipFile) as error:
        raise _no_backup(file) from error


def _members(file: Path) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """Yield each file of an archive and its content, after making sure that it is harmless."""
    seen: set[str] = set()
    with _open(file) as plain:
        with tarfile.open(fileobj=_Bounded(plain), mode="r:") as archive:
            for member in archive:
                if member.isdir() and _is_ours(member.name):
                    continue  # backups of earlier studios list their folders
                if problem := _harm(member, seen):
                    raise InputError(f"The backup {file} holds {problem}.", next_step=_NEXT)
                seen.add(str(PurePosixPath(member.name)))
                content = archive.extractfile(member)
                assert content is not None
                yield member, content
                while content.read(_PIECE):  # also what nobody wanted must be readable
                    pass
        if len(plain.read(_PIECE)) == _PIECE:  # the checksum stands after a little padding
            raise _no_backup(file)
    if DATABASE not in seen:
        raise _no_backup(file)


def _open(file: Path) -> gzip.GzipFile:
    try:
        if file.is_dir():
            raise _no_backup(file)
        return gzip.open(file)
    except OSError as error:
        why = (error.strerror or "unknown").lower()
        raise InputError(f"{file} is not a backup: {why}.", next_step=_NEXT) from error


def _harm(member: tarfile.TarInfo, seen: set[str]) -> str:
    """Say what an archive must not hold; "" for a file that may be unpacked."""
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        return f"what is no plain file ({member.name!r})"
    if not _is_ours(member.name):
        return f"a file of another place ({member.name!r})"
    if str(PurePosixPath(member.name)) in seen:
        return f"a file twice ({member.name!r})"
    if len(seen) >= _MOST_FILES:
        return "too many files"
    return ""


def _is_ours(name: str) -> bool:
    path = PurePosixPath(name)
    safe = not path.is_absolute() and ".." not in path.parts and "\x00" not in name
    return safe and (name == DATABASE or path.parts[:1] == (EMBEDDED,)) and len(path.parts) < 12


def _no_backup(file: Path) -> InputError:
    return InputError(f"{file} is not a backup, or only a part of one.", next_step=_NEXT)


class _Watched(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, file: IO[bytes], tell: Tell | None, done: int, total: int) -> None:
        self._file, self._say, self._done, self._total = file, tell, done, total

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._done += len(data)
        if self._say is not None:
            self._say(self._done, self._total)
        return data


class _Bounded(io.RawIOBase):
    """A file that gives little at once: a header may claim any length, and is read in one piece."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MOST_AT_ONCE:
            raise tarfile.ReadError("a header that is too long")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True
