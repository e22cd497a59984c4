"""The schema of a workspace, as an append-only list of steps; a step never changes once landed."""

from __future__ import annotations

import contextlib
import glob
import logging
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from studio.errors import DamagedError, WorkspaceError
from studio.store.connection import APPLICATION_ID, RESCUE, connect, is_writable, kind_errors
from studio.store.in_use import lock_of
from studio.store.step_003 import M003
from studio.store.step_004 import M004
from studio.store.step_005 import M005
from studio.store.step_006 import M006
from studio.store.step_007 import M007

_HEADER = b"SQLite format 3\x00"
# quick_check reads every page: this much is read within a tenth of a second or two.
_SMALL = 64_000_000
PATIENCE_MS = 600_000

log = logging.getLogger(__name__)

M001 = """
CREATE TABLE task (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE UNIQUE, question TEXT NOT NULL DEFAULT '',
  criterion TEXT, fallback_label_id INTEGER, champion TEXT NOT NULL DEFAULT '',
  revision INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL, created_by TEXT NOT NULL
) STRICT;
CREATE TABLE label (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id), name TEXT NOT NULL,
  definition TEXT NOT NULL DEFAULT '', position INTEGER NOT NULL, UNIQUE (task_id, name)
) STRICT;
CREATE TABLE example (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id), external_id TEXT NOT NULL,
  text TEXT NOT NULL, split TEXT NOT NULL, metadata TEXT NOT NULL DEFAULT '{}', created_at TEXT NOT NULL,
  UNIQUE (task_id, external_id)
) STRICT;
CREATE INDEX example_split ON example (task_id, split, id);
CREATE TABLE rationale (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id),
  label_id INTEGER NOT NULL REFERENCES label(id), text TEXT NOT NULL,
  example_id INTEGER REFERENCES example(id), evidence TEXT NOT NULL DEFAULT '[]',
  author TEXT NOT NULL, at TEXT NOT NULL, external_id TEXT NOT NULL DEFAULT '', retired_at TEXT
) STRICT;
CREATE TABLE coded_rationale (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id),
  label_id INTEGER NOT NULL REFERENCES label(id), rationale_id INTEGER REFERENCES rationale(id),
  name TEXT NOT NULL, body TEXT NOT NULL, position INTEGER NOT NULL, enabled INTEGER NOT NULL DEFAULT 1,
  version INTEGER NOT NULL DEFAULT 1, author TEXT NOT NULL, at TEXT NOT NULL, UNIQUE (task_id, name)
) STRICT;
CREATE TABLE coded_rationale_version (
  coded_rationale_id INTEGER NOT NULL REFERENCES coded_rationale(id), version INTEGER NOT NULL,
  body TEXT NOT NULL, author TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (coded_rationale_id, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE prompt_version (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id), name TEXT NOT NULL,
  number INTEGER NOT NULL, body TEXT NOT NULL, author TEXT NOT NULL, note TEXT NOT NULL DEFAULT '',
  at TEXT NOT NULL, UNIQUE (task_id, name, number)
) STRICT;
CREATE TABLE job (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject_id INTEGER NOT NULL, status TEXT NOT NULL DEFAULT 'queued',
  want TEXT NOT NULL DEFAULT 'run', urgent INTEGER NOT NULL DEFAULT 0, params TEXT NOT NULL DEFAULT '{}',
  total INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
  message TEXT NOT NULL DEFAULT '', fence INTEGER NOT NULL DEFAULT 0, owner TEXT, lease_until REAL,
  heartbeat REAL, created_at REAL NOT NULL, started_at REAL, finished_at REAL
) STRICT;
CREATE INDEX job_open ON job (status, urgent DESC, id) WHERE status IN ('queued', 'running', 'paused');
CREATE TABLE worker (
  host TEXT NOT NULL, pid INTEGER NOT NULL, process_started REAL NOT NULL, started_at REAL NOT NULL,
  heartbeat REAL NOT NULL, version TEXT NOT NULL, PRIMARY KEY (host, pid)
) STRICT, WITHOUT ROWID;
CREATE TABLE training_set (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id), name TEXT NOT NULL,
  source TEXT NOT NULL, hash TEXT NOT NULL, created_at TEXT NOT NULL, created_by TEXT NOT NULL
) STRICT;
CREATE TABLE training_set_example (
  training_set_id INTEGER NOT NULL REFERENCES training_set(id), example_id INTEGER NOT NULL REFERENCES example(id),
  label_id INTEGER NOT NULL REFERENCES label(id), origin TEXT NOT NULL, PRIMARY KEY (training_set_id, example_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE finetune (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id),
  training_set_id INTEGER NOT NULL REFERENCES training_set(id),
  prompt_version_id INTEGER REFERENCES prompt_version(id), provider TEXT NOT NULL, base_model TEXT NOT NULL,
  status TEXT NOT NULL, remote_id TEXT NOT NULL DEFAULT '', model TEXT NOT NULL DEFAULT '',
  metrics TEXT NOT NULL DEFAULT '{}', error TEXT NOT NULL DEFAULT '', job_id INTEGER REFERENCES job(id),
  created_at TEXT NOT NULL, created_by TEXT NOT NULL, seconds REAL
) STRICT;
CREATE TABLE finetune_event (
  finetune_id INTEGER NOT NULL REFERENCES finetune(id), remote_id TEXT NOT NULL, at REAL NOT NULL,
  level TEXT NOT NULL, message TEXT NOT NULL, data TEXT NOT NULL DEFAULT '{}', PRIMARY KEY (finetune_id, remote_id)
) STRICT;
CREATE TABLE run (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id), kind TEXT NOT NULL, title TEXT NOT NULL,
  prompt_version_id INTEGER REFERENCES prompt_version(id), finetune_id INTEGER REFERENCES finetune(id),
  model TEXT NOT NULL DEFAULT '', provider TEXT NOT NULL DEFAULT '', splits TEXT NOT NULL,
  preview INTEGER NOT NULL DEFAULT 0, params TEXT NOT NULL DEFAULT '{}', total INTEGER NOT NULL DEFAULT 0,
  job_id INTEGER REFERENCES job(id), created_at TEXT NOT NULL, created_by TEXT NOT NULL
) STRICT;
CREATE TABLE run_example (
  run_id INTEGER NOT NULL REFERENCES run(id), example_id INTEGER NOT NULL REFERENCES example(id),
  PRIMARY KEY (run_id, example_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE response (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, model TEXT NOT NULL, outcome TEXT NOT NULL, label TEXT,
  probabilities TEXT NOT NULL DEFAULT '{}', detail TEXT NOT NULL DEFAULT '{}', raw TEXT NOT NULL DEFAULT '',
  input_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0, cost_usd REAL,
  latency_ms REAL NOT NULL DEFAULT 0, at TEXT NOT NULL
) STRICT;
CREATE TABLE prediction (
  run_id INTEGER NOT NULL REFERENCES run(id), example_id INTEGER NOT NULL REFERENCES example(id),
  label_id INTEGER REFERENCES label(id), confidence REAL, outcome TEXT NOT NULL,
  response_id INTEGER REFERENCES response(id), PRIMARY KEY (run_id, example_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX prediction_confidence ON prediction (run_id, confidence, example_id);
CREATE TABLE ledger (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id), run_id INTEGER REFERENCES run(id),
  finetune_id INTEGER REFERENCES finetune(id), example_id INTEGER, at TEXT NOT NULL, outcome TEXT NOT NULL,
  cost_usd REAL, input_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX ledger_task ON ledger (task_id, run_id);
CREATE TABLE label_event (
  id INTEGER PRIMARY KEY AUTOINCREMENT, task_id INTEGER NOT NULL REFERENCES task(id),
  example_id INTEGER NOT NULL REFERENCES example(id), person TEXT NOT NULL, label_id INTEGER REFERENCES label(id),
  origin TEXT NOT NULL, run_id INTEGER REFERENCES run(id), undoes INTEGER REFERENCES label_event(id),
  note TEXT NOT NULL DEFAULT '', client TEXT, at TEXT NOT NULL, UNIQUE (client)
) STRICT;
CREATE INDEX label_event_person ON label_event (task_id, person, id);
CREATE INDEX label_event_example ON label_event (example_id, person, id);
CREATE TRIGGER label_event_no_update BEFORE UPDATE ON label_event
  BEGIN SELECT raise(ABORT, 'label history is append-only'); END;
CREATE TRIGGER label_event_no_delete BEFORE DELETE ON label_event
  BEGIN SELECT raise(ABORT, 'label history is append-only'); END;
CREATE TABLE current_label (
  example_id INTEGER NOT NULL REFERENCES example(id), person TEXT NOT NULL, label_id INTEGER REFERENCES label(id),
  origin TEXT NOT NULL, event_id INTEGER NOT NULL REFERENCES label_event(id), PRIMARY KEY (example_id, person)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER label_event_current AFTER INSERT ON label_event BEGIN
  INSERT INTO current_label (example_id, person, label_id, origin, event_id)
  VALUES (new.example_id, new.person, new.label_id, new.origin, new.id)
  ON CONFLICT (example_id, person) DO UPDATE
  SET label_id = excluded.label_id, origin = excluded.origin, event_id = excluded.event_id;
END;
CREATE TABLE gold (
  example_id INTEGER PRIMARY KEY REFERENCES example(id), task_id INTEGER NOT NULL REFERENCES task(id),
  label_id INTEGER NOT NULL REFERENCES label(id), origin TEXT NOT NULL, person TEXT NOT NULL,
  event_id INTEGER NOT NULL REFERENCES label_event(id)
) STRICT;
CREATE INDEX gold_task ON gold (task_id, label_id);
CREATE TABLE test_look (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id), run_id INTEGER NOT NULL REFERENCES run(id),
  person TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TABLE verdict (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id), verdict TEXT NOT NULL,
  body TEXT NOT NULL, person TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TABLE provider (
  name TEXT PRIMARY KEY, base_url TEXT NOT NULL, key_env TEXT NOT NULL DEFAULT '', model TEXT NOT NULL DEFAULT '',
  added_by TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TABLE consent (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id), provider TEXT NOT NULL, host TEXT NOT NULL,
  person TEXT NOT NULL, shown TEXT NOT NULL DEFAULT '{}', at TEXT NOT NULL
) STRICT;
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT
"""
M002 = """
ALTER TABLE job ADD COLUMN ready_at REAL NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN rate REAL;
ALTER TABLE worker ADD COLUMN settings TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN budget_usd REAL;
ALTER TABLE run ADD COLUMN spent_usd REAL NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN calls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN unpriced INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN done INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
ALTER TABLE ledger ADD COLUMN bound_usd REAL;
CREATE INDEX ledger_open ON ledger (run_id) WHERE outcome = 'open';
CREATE TABLE run_outcome (
  run_id INTEGER NOT NULL REFERENCES run(id), outcome TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (run_id, outcome)
) STRICT, WITHOUT ROWID;
INSERT INTO run_outcome SELECT run_id, outcome, count(*) FROM prediction GROUP BY 1, 2;
UPDATE run SET done = (SELECT count(*) FROM prediction p WHERE p.run_id = run.id),
  calls = (SELECT count(*) FROM ledger l WHERE l.run_id = run.id),
  spent_usd = (SELECT coalesce(sum(l.cost_usd), 0.0) FROM ledger l WHERE l.run_id = run.id),
  unpriced = (SELECT count(*) - count(l.cost_usd) FROM ledger l WHERE l.run_id = run.id);
CREATE TABLE price (
  provider TEXT NOT NULL, model TEXT NOT NULL, input_usd REAL NOT NULL, output_usd REAL NOT NULL,
  batch_input_usd REAL, batch_output_usd REAL, source TEXT NOT NULL, as_of TEXT NOT NULL,
  set_by TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (provider, model)
) STRICT, WITHOUT ROWID;
CREATE TABLE batch (
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run(id), key TEXT NOT NULL UNIQUE,
  remote_id TEXT NOT NULL DEFAULT '', status TEXT NOT NULL DEFAULT 'new', questions INTEGER NOT NULL,
  imported INTEGER NOT NULL DEFAULT 0, at TEXT NOT NULL
) STRICT;
CREATE INDEX batch_run ON batch (run_id, id);
CREATE TABLE batch_question (
  batch_id INTEGER NOT NULL REFERENCES batch(id), example_id INTEGER NOT NULL, key TEXT NOT NULL,
  ledger_id INTEGER NOT NULL, PRIMARY KEY (batch_id, example_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE run_figure (
  run_id INTEGER NOT NULL REFERENCES run(id), name TEXT NOT NULL, version TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (run_id, name)
) STRICT, WITHOUT ROWID;
"""
STEPS = (
    ("m001_the_loop", M001),
    ("m002_the_run_engine", M002),
    ("m003_a_million", M003),
    ("m004_wires_and_methods", M004),
    ("m005_capabilities", M005),
    ("m006_firings", M006),
    ("m007_people_and_label_sets", M007),
)


def prepare(path: Path, *, unclean: bool = False) -> None:
    """Make a new workspace, or bring an old one up to date; several starters may race.

    Args:
        path: The workspace file.
        unclean: Whether whoever had it last did not close it; a large file is only then read
            whole, for what damages one, a power cut or a full disk, ends its programs too.

    Raises:
        DamagedError: If the file is damaged or empty; nothing was written to it.
        WorkspaceError: If the file is not ours, or was made by a newer studio.
    """
    try:
        if not path.exists():
            _create(path)
        _recognise(path, thorough=unclean or path.stat().st_size < _SMALL)
    except OSError as error:
        raise WorkspaceError(
            f"The workspace {path} cannot be opened: {(error.strerror or 'unknown').lower()}.",
            next_step="Check its name and permissions, or name another workspace.",
        ) from error
    conn = connect(path)
    try:
        with kind_errors(path):
            if conn.execute("PRAGMA user_version").fetchone()[0] < len(STEPS):
                if not is_writable(path):
                    raise WorkspaceError(
                        f"The workspace {path} was made by an older studio and is read-only.",
                        next_step="Make it writable once, so that it can be brought up to date.",
                    )
                _apply(conn, path)
    finally:
        conn.close()


def _create(path: Path) -> None:
    """Build a new workspace under another name and move it in place whole, if nobody was faster."""
    if not path.parent.is_dir():
        raise WorkspaceError(
            f"The folder {path.parent} does not exist.",
            next_step="Create it, or name another workspace.",
        )
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.new")
    try:
        draft.touch(mode=0o600)
        conn = connect(draft)
        try:
            with kind_errors(path):
                _apply(conn)
        finally:
            conn.close()
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    except OSError as error:
        raise WorkspaceError(
            f"The workspace {path} cannot be created: {error.strerror}.",
            next_step="Check the folder's permissions and the disk's space.",
        ) from error
    finally:
        for leftover in path.parent.glob(glob.escape(draft.name) + "*"):
            leftover.unlink(missing_ok=True)


def refuse_foreign(path: Path) -> int:
    """Refuse what is no workspace by looking at its head only, and return the version it names."""
    if path.is_dir():
        raise WorkspaceError(f"{path} is a folder.", next_step="Name a file, e.g. studio.db.")
    with path.open("rb") as file:
        head = file.read(100)
    foreign = WorkspaceError(
        f"The file {path} is not a Rationale Studio workspace; it was not touched.",
        next_step="Name another file with --workspace.",
    )
    if not head:
        raise DamagedError(
            f"The workspace {path} is empty (0 bytes); it was not touched.", next_step=RESCUE
        )
    application, version = int.from_bytes(head[68:72], "big"), int.from_bytes(head[60:64], "big")
    if not head.startswith(_HEADER) or application != APPLICATION_ID:
        if lock_of(path).exists():  # what stood here was ours
            raise _damaged(path, "its beginning was overwritten")
        raise foreign
    return version


def _recognise(path: Path, *, thorough: bool) -> None:
    """Refuse a file that is not a workspace or is damaged, before anything is written to it."""
    version = refuse_foreign(path)
    try:
        # The log beside the file may know of a later version than the file's head.
        version = max(version, _look_inside(path, thorough=thorough))
    except DamagedError as error:
        if error.__cause__ is None:  # what the check found, not what SQLite stumbled over
            raise
        raise _damaged(path, str(error.__cause__)) from error
    if version > len(STEPS):
        raise WorkspaceError(
            f"The workspace {path} was made by a newer Rationale Studio.",
            next_step="Update the studio, or name another workspace.",
        )


def _look_inside(path: Path, *, thorough: bool) -> int:
    """Return the version that a file and its log name."""
    # Closing any other connection would move the log into a file that may be damaged.
    conn = connect(path, read_only=True, untouched=True)
    try:
        with kind_errors(path):
            version = conn.execute("PRAGMA user_version").fetchone()[0]
            said = conn.execute("PRAGMA quick_check(1)").fetchone()[0] if thorough else "ok"
    finally:
        conn.close()
    if said != "ok":
        raise _damaged(path, said)
    return int(version)


def _damaged(path: Path, why: str) -> DamagedError:
    why = " ".join(why.split())
    return DamagedError(
        f"The workspace {path} is damaged ({why}); nothing was written to it.", next_step=RESCUE
    )


def _apply(conn: Any, path: Path | None = None) -> None:
    """Run the steps not yet run, in one IMMEDIATE transaction, so that starters queue up."""
    # sqlite_utils loads pandas where it is installed (0.7 s): only a new or old file needs it.
    from sqlite_utils import Database, Migrations

    migrations = Migrations("studio")
    for name, sql in STEPS:
        migrations(name=name)(_step(sql))
    # A step over a million examples takes half a minute: those who start meanwhile wait for it.
    conn.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute(f"PRAGMA application_id={APPLICATION_ID}")
    conn.execute("BEGIN IMMEDIATE")
    try:
        version = conn.execute("PRAGMA user_version").fetchone()[0]
        if path is not None and version < len(STEPS):  # else another starter was faster
            _keep_copy(path, version + 1)
        migrations.apply(Database(conn))
        conn.execute(f"PRAGMA user_version={len(STEPS)}")
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


def _keep_copy(path: Path, step: int) -> None:
    """Set a copy beside a workspace that is about to be changed; only the latest one is kept.

    Our caller holds the lock of writers, so the copy is what stood there just before.
    """
    size, free = path.stat().st_size, shutil.disk_usage(path.parent).free
    if free < 2 * size + _SMALL:
        log.warning(
            "No copy of %s was made before it was brought up to date: that takes %.0f MB, and "
            "%.0f MB are free.", path, size / 1e6, free / 1e6,
        )  # fmt: skip
        return
    kept = path.with_name(f"{path.name}.before-m{step:03d}.bak")
    draft = path.with_name(f".{kept.name}.{os.getpid()}.new")
    reader = connect(path, untouched=True)
    try:
        with kind_errors(path):
            draft.touch(mode=0o600)
            reader.execute("VACUUM INTO ?", (str(draft),))
        draft.replace(kept)
    except WorkspaceError as error:
        log.warning("No copy of %s was made before it was brought up to date: %s", path, error)
    finally:
        reader.close()
        draft.unlink(missing_ok=True)
    for older in path.parent.glob(f"{glob.escape(path.name)}.before-m*.bak"):
        if older != kept and kept.exists():
            older.unlink()


def _step(sql: str) -> Any:
    def run(db: Any) -> None:
        # Triggers hold semicolons of their own, so statements end where a line ends with one
        # and no BEGIN is open.
        statement = ""
        for line in sql.strip().splitlines():
            statement += line + "\n"
            opened = "BEGIN" in statement and not statement.rstrip().endswith("END;")
            if line.rstrip().endswith(";") and not opened:
                db.conn.execute(statement)
                statement = ""
        if statement.strip():
            db.conn.execute(statement)

    return run
