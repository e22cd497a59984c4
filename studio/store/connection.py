"""Connections to the workspace's SQLite file: one for writing and one for reading a thread."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite3

from studio.errors import DamagedError, DiskFullError, WorkspaceError

APPLICATION_ID = 0x52535431
BUSY_MS = 30_000
LARGE_LOG = 64_000_000
LOOK_S = 0.001
LEAST_BYTES = 20_000_000
log = logging.getLogger(__name__)
# pysqlite3 has no types: a row is indexable by column name and by place.
Row = Any


class Connections:
    """Opens, keeps and closes the connections of every thread.

    Writing always happens inside `transaction()`, which begins IMMEDIATE, so that a transaction
    never fails half-way because another one was faster. Reading goes through a connection that
    refuses writes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._all: weakref.WeakSet[_Kept] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside one write transaction; inner calls join the outer one.

        Raises:
            WorkspaceError: If the file is damaged, read-only or the disk is full.
        """
        conn = self._connection("write")
        if conn.in_transaction:
            yield conn
            return
        with kind_errors(self.path), self._turn(conn):
            try:
                yield conn
            except BaseException:
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                raise
            conn.execute("COMMIT")

    @contextmanager
    def _turn(self, conn: sqlite3.Connection) -> Iterator[None]:
        """Begin to write once nobody else does.

        The threads of a process wait in line, and one of them asks SQLite often: its own wait
        grows to a tenth of a second between two looks, in which others are faster again and again.
        """
        until = time.monotonic() + BUSY_MS / 1000
        if not self._writing.acquire(timeout=BUSY_MS / 1000):
            raise sqlite3.OperationalError("database is locked")
        try:
            while True:
                try:
                    conn.execute("BEGIN IMMEDIATE")
                    break
                except sqlite3.OperationalError as error:
                    if "locked" not in str(error) or time.monotonic() > until:
                        raise
                time.sleep(LOOK_S)
            yield
        finally:
            self._writing.release()

    def read(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """Return the rows of a query; inside a transaction of this thread it sees its writes."""
        kept: _Kept | None = getattr(self._local, "write", None)
        writing = kept is not None and kept.conn.in_transaction
        conn = self._connection("write" if writing else "read")
        with kind_errors(self.path):
            return list(conn.execute(sql, parameters))

    def one(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Row:
        """Return the first row of a query, or None when there is none."""
        rows = self.read(sql, parameters)
        return rows[0] if rows else None

    def value(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Any:
        """Return the first value of the first row, or None."""
        row = self.one(sql, parameters)
        return None if row is None else row[0]

    def checkpoint(self) -> None:
        """Move the log into the file; the worker does this, nobody else.

        It waits for nobody. What a reader still looks at stays in the log, which then grows: the
        worker's log tells. A large one that is empty is cut off.
        """
        conn = self._connection("write")
        with kind_errors(self.path):
            _, pages, moved = conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            size = conn.execute("PRAGMA page_size").fetchone()[0]
            if pages == moved and pages * size > LARGE_LOG:
                conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            with contextlib.suppress(sqlite3.OperationalError):  # somebody writes: the next time
                conn.execute("PRAGMA optimize")
        if (pages - moved) * size > LARGE_LOG:
            log.warning(
                "The log of %s holds %.0f MB that cannot be moved into it: some program has been "
                "reading for a long time. End it, or restart the app.",
                self.path, (pages - moved) * size / 1e6,
            )  # fmt: skip

    def close(self) -> None:
        """Close every connection of every thread."""
        with self._lock:
            for kept in list(self._all):
                kept.conn.close()
            self._all.clear()
        self._local = threading.local()

    def _connection(self, role: str) -> sqlite3.Connection:
        kept: _Kept | None = getattr(self._local, role, None)
        if kept is None:
            kept = _Kept(connect(self.path, read_only=role == "read"))
            if role == "write":
                kept.conn.execute("PRAGMA busy_timeout=0")  # `_turn` waits
            setattr(self._local, role, kept)
            with self._lock:
                self._all.add(kept)
        return kept.conn


class _Kept:
    """A connection that is closed when its thread ends; a screen has a new thread every run."""

    __slots__ = ("__weakref__", "conn")

    def __init__(self, conn: sqlite3.Connection) -> None:
        self.conn = conn

    def __del__(self) -> None:
        self.conn.close()


class ReadOnlyConnections(Connections):
    """Connections of screens: a write is a bug in the screen."""

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:  # type: ignore[override]
        """Refuse."""
        raise PermissionError("Screens only read; writing belongs in an action.")


def connect(path: Path, *, read_only: bool = False, untouched: bool = False) -> sqlite3.Connection:
    """Open one connection with the pragmas every part relies on.

    Args:
        path: The file.
        read_only: Refuse writes.
        untouched: Open the file itself for reading only, so that not even closing writes to it; so
            is a file opened that may not be written.
    """
    uri = untouched or not is_writable(path)
    with kind_errors(path):
        conn = sqlite3.connect(
            _address(path) if uri else str(path),
            timeout=BUSY_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            uri=uri,
        )
        conn.row_factory = sqlite3.Row
        for pragma in (
            "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}",
            "cache_size=-65536", "temp_store=MEMORY", "wal_autocheckpoint=0",
        ):  # fmt: skip
            conn.execute(f"PRAGMA {pragma}")
        if read_only:
            conn.execute("PRAGMA query_only=ON")
        return conn


def is_writable(path: Path) -> bool:
    """Return whether this user may write to a workspace file and to the log beside it."""
    log = path.with_name(path.name + "-wal")
    return os.access(path, os.W_OK) and (os.access(path.parent, os.W_OK) or log.exists())


def _address(path: Path) -> str:
    """Return where to open a file for reading only."""
    # Where SQLite can make no index for the log, it reads a file only on the word that nobody
    # else writes to it; with no log there is nothing that could be missed.
    folder, log = os.access(path.parent, os.W_OK), path.with_name(path.name + "-wal")
    alone = "" if folder or log.exists() else "&immutable=1"
    return f"{path.absolute().as_uri()}?mode=ro{alone}"


@contextmanager
def kind_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says of the file itself into a sentence; leave bugs in SQL as they are."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        said = str(error).lower()
        if "disk i/o" in said and _is_full(path):
            said = "disk is full"  # what SQLite says when the log's index cannot grow
        for words, kind, message, next_step in _FILE_ERRORS:
            if words in said:
                raise kind(message.format(path=path), next_step=next_step) from error
        raise


def tell_of_space(path: Path, least: int = LEAST_BYTES) -> str:
    """Return a sentence if the disk of a workspace has less space than must remain, else "".

    Some must remain so that what is under way can be stored and people can be told.
    """
    try:
        free = shutil.disk_usage(path.parent).free
    except OSError:
        return ""
    if free >= least:
        return ""
    return f"The disk of {path} has only {free / 1e6:,.0f} MB left: free some space to go on."


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < 1_000_000
    except OSError:
        return False


RESCUE = "`studio doctor` lists the backups beside it, `studio restore FILE` puts one in its place."
_FILE_ERRORS = (
    ("not a database", WorkspaceError, "The file {path} is not a Rationale Studio workspace.", "Name another file with --workspace."),
    ("malformed", DamagedError, "The workspace {path} is damaged; the last step was not stored.", RESCUE),
    ("disk is full", DiskFullError, "The disk of {path} is full; the last step was not stored.", "Free some space and do it again."),
    ("readonly", WorkspaceError, "The workspace {path} is read-only: it can be looked at, not changed.", "Change its permissions, or work on a copy."),
    ("unable to open", WorkspaceError, "The workspace {path} cannot be opened.", "Check that its folder exists and may be written."),
    ("disk i/o", WorkspaceError, "The disk of {path} does not answer properly.", "Check the disk; then run `studio doctor`."),
    ("locked", WorkspaceError, "The workspace {path} stayed locked by another program.", "Close it there, then try again."),
)  # fmt: skip
