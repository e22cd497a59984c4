"""Who has a workspace open: a lock beside the file, shared by all who do, freed by their death."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from studio.errors import WorkspaceError

PATIENCE_S = 5.0


class Opened:
    """Says, as long as it lives, that this process has the workspace open.

    Attributes:
        alone: Whether nobody else had it open; `ready` ends the time in which nobody else may.

    Raises:
        WorkspaceError: If somebody is putting another file in its place.
    """

    def __init__(self, path: Path) -> None:
        self._handle = _open_lock(path)
        self.alone = self._handle is not None and _try(self._handle, fcntl.LOCK_EX)
        if self._handle is not None and not self.alone:
            self._join(path)

    @property
    def unlocked(self) -> bool:
        """Whether there can be no lock, as in a folder that may only be read."""
        return self._handle is None

    def ready(self) -> None:
        """Let others in."""
        if self._handle is not None:
            fcntl.flock(self._handle, fcntl.LOCK_SH)

    def close(self) -> None:
        """Say that this process has it open no more."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def _join(self, path: Path) -> None:
        assert self._handle is not None
        until = time.monotonic() + PATIENCE_S  # a starter looks around for a moment
        while not _try(self._handle, fcntl.LOCK_SH):
            if time.monotonic() > until:
                self.close()
                raise WorkspaceError(
                    f"The workspace {path} is being restored or examined by another program.",
                    next_step="Wait until that has ended.",
                )
            time.sleep(0.02)

    def __del__(self) -> None:
        self.close()


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep everybody else out of a workspace while its file is exchanged.

    Raises:
        WorkspaceError: If it is open in an app or a command; they would go on with the old file.
    """
    held = Opened(path)
    try:
        if held.unlocked:
            raise WorkspaceError(
                f"The folder {path.parent} cannot be written.",
                next_step="Check that it exists, its permissions, and the disk's space.",
            )
        if not held.alone:
            raise WorkspaceError(
                f"The workspace {path} is open in another program.",
                next_step="Close the app, stop the worker with `studio worker --stop`, then do it again.",
            )
        yield
    finally:
        held.close()


def lock_of(path: Path) -> Path:
    """Return where the lock of a workspace is; once opened, there is one beside it."""
    return path.with_name(path.name + ".lock")


def _open_lock(path: Path) -> int | None:
    """Return a handle of the lock; None where there can be none, as in a read-only folder."""
    for flags in (os.O_RDWR | os.O_CREAT, os.O_RDONLY):
        with contextlib.suppress(OSError):
            return os.open(lock_of(path), flags | os.O_CLOEXEC, 0o600)
    return None


def _try(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
