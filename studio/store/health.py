"""What can be said of the health of a workspace file, and of what it remembers."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite3

from studio.store.connection import RESCUE, Connections, connect, is_writable, kind_errors
from studio.store.copies import find_damage
from studio.store.exchange import drafts_of
from studio.store.migrations import STEPS

ENOUGH_BYTES = 200_000_000
_LARGE_LOG = 256_000_000
# Over these SQLite's log does not work: its index is memory that machines cannot share.
_NETWORK = ("nfs", "cifs", "smb", "afs", "ceph", "gluster", "lustre", "beegfs", "fuse.sshfs", "9p")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: What was looked at.
        ok: Whether it is as it should be; None for what is only told.
        says: What was found.
        next: What to do about it; "" when there is nothing to do.
        mended: Whether it was wrong and is not any more.
    """

    check: str
    ok: bool | None
    says: str
    next: str = ""
    mended: bool = False

    def after(self, says: str) -> Finding:
        """Return the finding once it was mended."""
        return replace(self, ok=True, says=f"{self.says}; {says}", next="", mended=True)


def examine_file(path: Path) -> list[Finding]:
    """Return what can be said without opening the workspace; nothing is written to its file."""
    damage = find_damage(path, thorough=True)
    findings = [Finding("integrity", not damage, damage or "whole", RESCUE if damage else "")]
    if not damage:
        findings += _inside(path)
    return [*findings, _sqlite(), *_log_size(path), _disk(path), *_place(path)]


def _inside(path: Path) -> list[Finding]:
    conn = connect(path, read_only=True, untouched=True)
    try:
        with kind_errors(path):
            version = conn.execute("PRAGMA user_version").fetchone()[0]
            links = conn.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        conn.close()
    tables = ", ".join(sorted({str(row[0]) for row in links}))
    return [
        Finding("schema", version == len(STEPS), f"{version}; this studio writes {len(STEPS)}"),
        Finding(
            "links", not links, f"{len(links)} broken in {tables}" if links else "none is broken",
            RESCUE if links else "",
        ),
    ]  # fmt: skip


def _sqlite() -> Finding:
    good = sqlite3.sqlite_version_info >= (3, 51, 3)  # older ones may lose a page of the log
    return Finding("sqlite", good, sqlite3.sqlite_version, "" if good else "Update pysqlite3.")


def _log_size(path: Path) -> list[Finding]:
    log = path.with_name(path.name + "-wal")
    size = log.stat().st_size if log.exists() else 0
    if size < _LARGE_LOG:
        return []
    says = f"{size / 1e6:,.0f} MB wait to be moved into the file"
    return [Finding("log", None, says, "A worker does that: `studio worker`.")]


def _disk(path: Path) -> Finding:
    free = shutil.disk_usage(path.parent).free
    good = free > ENOUGH_BYTES
    return Finding("disk", good, f"{free / 1e9:.1f} GB free", "" if good else "Free some space.")


def _place(path: Path) -> list[Finding]:
    found = []
    if (kind := file_system(path)).startswith(_NETWORK):
        found.append(
            Finding("place", False, f"a network file system ({kind})", "Move it to a local disk.")
        )
    if not is_writable(path):
        found.append(Finding("permissions", None, "read-only: it can be looked at, not changed"))
    elif path.stat().st_mode & stat.S_IRWXO:
        found.append(
            Finding("permissions", None, "other users of this machine can open the file",
                    f"chmod o= {path}")
        )  # fmt: skip
    return found


def file_system(path: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """Return the kind of file system a file is on; "" where that cannot be known."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    for line in lines:
        place, _, rest = line.partition(" ")[2].partition(" ")
        place = place.replace("\\040", " ")
        if path.is_relative_to(place) and len(place) >= len(best):
            best, kind = place, rest.partition(" ")[0]
    return kind


def wrong_counters(db: Connections) -> list[int]:
    """Return the runs whose counters differ from their predictions or their ledger."""
    rows = db.read(
        "SELECT r.id FROM run r WHERE r.done != (SELECT count(*) FROM prediction p WHERE p.run_id = r.id)"
        " OR EXISTS (SELECT outcome, count(*) FROM prediction p WHERE p.run_id = r.id GROUP BY 1"
        "  EXCEPT SELECT outcome, n FROM run_outcome o WHERE o.run_id = r.id)"
        " OR EXISTS (SELECT outcome, n FROM run_outcome o WHERE o.run_id = r.id AND n > 0"
        "  EXCEPT SELECT outcome, count(*) FROM prediction p WHERE p.run_id = r.id GROUP BY 1)"
        " OR (SELECT count(*) != r.calls OR abs(coalesce(sum(l.cost_usd), 0) - r.spent_usd) > 1e-6"
        "  OR count(*) - count(l.cost_usd) - count(CASE WHEN l.outcome = 'open' THEN 1 END) != r.unpriced"
        "  FROM ledger l WHERE l.run_id = r.id) ORDER BY 1"
    )
    return [row[0] for row in rows]


def running_jobs(db: Connections) -> list[dict[str, Any]]:
    """Return id, kind, fence, owner and lease of the jobs that are said to be worked on."""
    rows = db.read(
        "SELECT id, kind, fence, owner, lease_until FROM job WHERE status = 'running' AND owner IS NOT NULL"
    )
    return [dict(row) for row in rows]


def lost_calls(db: Connections) -> dict[int, int]:
    """Return run to number of calls whose end nobody waits for any more.

    Calls of a batch are waited for by the service; those of a queued run end as lost when a
    worker takes it up.
    """
    rows = db.read(
        "SELECT l.run_id, count(*) FROM ledger l JOIN run r ON r.id = l.run_id LEFT JOIN job j ON j.id = r.job_id"
        " WHERE l.outcome = 'open' AND coalesce(j.status, 'done') NOT IN ('queued', 'running')"
        " AND NOT EXISTS (SELECT 1 FROM batch b WHERE b.run_id = l.run_id AND NOT b.imported) GROUP BY 1"
    )
    return {row[0]: row[1] for row in rows}


def left_behind(path: Path, *, older_than: float) -> list[Path]:
    """Return drafts beside the workspace that nobody finishes any more."""
    made = [p for p in path.parent.glob("*.new") if p.name.startswith(f".{path.name}.")]
    made += [p for p in path.parent.glob(".*.draft") if p not in drafts_of(path)]
    made += drafts_of(path)
    return sorted(p for p in made if p.stat().st_mtime < older_than)


def known_models(db: Connections, models: Collection[str]) -> set[str]:
    """Return those of the models that a fine-tune names."""
    rows = db.read("SELECT model FROM finetune WHERE model != ''")
    return {row[0] for row in rows} & set(models)
