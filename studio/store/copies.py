"""Copies of a workspace file, written while others go on writing, and verified."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite3

from studio.errors import DamagedError, WorkspaceError
from studio.store.connection import APPLICATION_ID, connect, kind_errors
from studio.store.migrations import STEPS

Tell = Callable[[int, int], None]
_STEPS_BETWEEN_LOOKS = 100_000


def copy_database(source: Path, target: Path, tell: Tell | None = None) -> None:
    """Write a compact, verified copy while others go on writing.

    Args:
        source: The workspace file; it is opened for reading only.
        target: Where the copy goes; it must not exist.
        tell: Told the bytes written and the bytes expected; what it raises ends the copying.

    Raises:
        DamagedError: If the source cannot be read whole, or the copy does not verify.
        DiskFullError: If the disk of the target is full.
    """
    raised: list[BaseException] = []
    expected = used_bytes(source)

    def look() -> int:
        try:
            if tell is not None:
                tell(target.stat().st_size, expected)
        except BaseException as error:  # SQLite would swallow it
            raised.append(error)
            return 1
        return 0

    target.touch(mode=0o600, exist_ok=False)
    conn = connect(source, untouched=True)
    conn.set_progress_handler(look, _STEPS_BETWEEN_LOOKS)
    try:
        with kind_errors(source), kind_errors(target):
            conn.execute("VACUUM INTO ?", (str(target),))
    except (sqlite3.OperationalError, WorkspaceError):
        target.unlink(missing_ok=True)
        if raised:
            raise raised[0] from None
        raise
    finally:
        conn.close()
    if problem := find_damage(target):
        target.unlink(missing_ok=True)
        raise DamagedError(
            f"The copy of {source} does not verify ({problem}).", next_step="Run `studio doctor`."
        )


def used_bytes(path: Path) -> int:
    """Return how large a compact copy will be, at most."""
    conn = connect(path, read_only=True, untouched=True)
    try:
        with kind_errors(path):
            ask: Any = lambda name: conn.execute(f"PRAGMA {name}").fetchone()[0]  # noqa: E731
            return int((ask("page_count") - ask("freelist_count")) * ask("page_size"))
    finally:
        conn.close()


def find_damage(path: Path, *, thorough: bool = False) -> str:
    """Return what is broken in a workspace file, in SQLite's words; "" when it is whole.

    Args:
        path: The file; it is opened for reading only.
        thorough: Compare every index with its table too.
    """
    try:
        conn = connect(path, read_only=True, untouched=True)
        try:
            with kind_errors(path):
                if conn.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                    return "it is no workspace"
                check = "integrity_check(3)" if thorough else "quick_check(3)"
                said = "; ".join(str(row[0]) for row in conn.execute(f"PRAGMA {check}"))
        finally:
            conn.close()
    except WorkspaceError as error:
        return str(error.__cause__ or error.message)
    return "" if said == "ok" else " ".join(said.split())


def settle_restored(copy: Path, *, says: str) -> None:
    """Make a copy fit to take a workspace's place: its jobs wait, and it tells where it is from.

    Raises:
        WorkspaceError: If it was made by a newer studio.
    """
    conn = connect(copy)
    try:
        with kind_errors(copy):
            if conn.execute("PRAGMA user_version").fetchone()[0] > len(STEPS):
                raise WorkspaceError(
                    "The backup was made by a newer Rationale Studio; nothing was changed.",
                    next_step="Update the studio, then restore it.",
                )
            conn.execute("BEGIN IMMEDIATE")
            conn.execute(
                "UPDATE job SET status = 'paused', want = 'pause', owner = NULL, lease_until = NULL,"
                " fence = fence + 1, message = 'Paused by restoring a backup; resume it to go on.'"
                " WHERE status IN ('queued', 'running', 'paused') AND want != 'cancel'"
            )
            conn.execute("INSERT OR REPLACE INTO setting VALUES ('restored', ?)", (says,))
            conn.execute(
                "INSERT OR REPLACE INTO setting VALUES ('generation', ?)", (secrets.token_hex(8),)
            )
            conn.execute("COMMIT")
    finally:
        conn.close()
