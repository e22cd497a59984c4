"""Copies of a workspace file, and what can be said of its health."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite3

from studio.errors import WorkspaceError
from studio.store.connection import APPLICATION_ID, connect


def copy_database(source: Path, target: Path) -> None:
    """Write a compact, verified copy while others go on writing.

    Raises:
        WorkspaceError: If the copy does not verify; it is removed then.
    """
    conn = connect(source)
    try:
        conn.execute("VACUUM INTO ?", (str(target),))
    finally:
        conn.close()
    if not all(finding["ok"] for finding in examine_database(target)):
        target.unlink(missing_ok=True)
        raise WorkspaceError(
            f"The copy of {source} does not verify.", next_step="Run `studio doctor`."
        )


def examine_database(path: Path) -> list[dict[str, Any]]:
    """Return findings as dicts of check, ok and says: kind, integrity, links, SQLite, disk."""
    conn = connect(path, read_only=True)
    try:
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
