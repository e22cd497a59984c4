"""Copies of a workspace file, and what can be said of its health."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite3

from studio.errors import WorkspaceError
from studio.store.connection import APPLICATION_ID, connect, kind_errors


def copy_database(source: Path, target: Path) -> None:
    """Write a compact, verified copy while others go on writing.

    Raises:
        WorkspaceError: If the copy does not verify; it is removed then.
    """
    conn = connect(source)
    try:
        with kind_errors(target):
            conn.execute("VACUUM INTO ?", (str(target),))
    finally:
        conn.close()
    if not is_whole(target):
        target.unlink(missing_ok=True)
        raise WorkspaceError(
            f"The copy of {source} does not verify.", next_step="Run `studio doctor`."
        )


def is_whole(path: Path) -> bool:
    """Return whether the file is a workspace with nothing broken in it."""
    try:
        findings = examine_database(path)
    except WorkspaceError:
        return False
    return all(f["ok"] for f in findings if f["check"] in ("kind", "integrity", "links"))


def examine_database(path: Path) -> list[dict[str, Any]]:
    """Return findings as dicts of check, ok and says: kind, integrity, links, SQLite, disk."""
    conn = connect(path, read_only=True)
    try:
        with kind_errors(path):
            kind = conn.execute("PRAGMA application_id").fetchone()[0]
            version = conn.execute("PRAGMA user_version").fetchone()[0]
            said = conn.execute("PRAGMA integrity_check(3)").fetchall()
            links = conn.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        conn.close()
    free = shutil.disk_usage(path.parent).free
    whole = [row[0] for row in said] == ["ok"]
    return [
        {"check": "kind", "ok": kind == APPLICATION_ID, "says": f"workspace, schema {version}"},
        {"check": "integrity", "ok": whole, "says": "; ".join(str(row[0]) for row in said)},
        {"check": "links", "ok": not links, "says": f"{len(links)} broken"},
        {
            "check": "sqlite",
            "ok": sqlite3.sqlite_version_info >= (3, 51, 3),
            "says": sqlite3.sqlite_version,
        },
        {"check": "disk", "ok": free > 200_000_000, "says": f"{free / 1e9:.1f} GB free"},
    ]
