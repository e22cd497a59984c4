"""Files of every older version become what a fresh one is, with all they hold."""

import json
import subprocess
import sys

import pytest

from studio.domain.correction import Origin
from studio.domain.example import Split
from studio.store import migrations
from studio.store.connection import connect
from studio.store.grid import GridFilter
from studio.store.grid_filter import Order
from studio.store.labels import NewLabel
from studio.store.recount import rebuild, recount
from studio.store.store import Store
from tests.store.test_schema import dump

OLD = range(1, len(migrations.STEPS))
RACE = """
import os, sys
from pathlib import Path
import sqlite_utils
from studio.store.store import Store
wait, go = os.pipe()
racers = []
for _ in range(8):
    if not (pid := os.fork()):
        os.close(go)
        os.read(wait, 1)
        store = Store(Path(sys.argv[1]))
        assert store.examples.counts(1)["train"] == 21
        store.close()
        os._exit(0)
    racers.append(pid)
os.close(go)
assert [os.waitpid(pid, 0)[1] for pid in racers] == [0] * 8
"""


@pytest.fixture(params=OLD, ids=[migrations.STEPS[i - 1][0] for i in OLD])
def old(request, tmp_path, monkeypatch):
    """A file as the studio of an earlier version left it, with some of everything that moves."""
    path = tmp_path / "old.db"
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", migrations.STEPS[: request.param])
        migrations.prepare(path)
    conn = connect(path)
    conn.execute("BEGIN")
    conn.execute("INSERT INTO task (name, created_at, created_by) VALUES ('mail', '2026', 'Ada')")
    conn.executemany("INSERT INTO label (task_id, name, position) VALUES (1, ?, ?)",
                     [("ham", 0), ("spam", 1)])  # fmt: skip
    splits = ["train"] * 7 + ["validation"] * 2 + ["test"]
    conn.executemany(
        "INSERT INTO example (task_id, external_id, text, split, created_at)"
        " VALUES (1,?,?,?,'2026')",
        [(f"x{i}", f"Café number {i}", splits[i % 10]) for i in range(30)],
    )
    if request.param > 2:  # since then whoever adds examples indexes their words
        conn.execute("INSERT INTO example_fts (rowid, text) SELECT id, text FROM example")
    conn.execute(
        "INSERT INTO run (task_id, kind, title, splits, total, created_at, created_by)"
        " VALUES (1, 'rules', 'rules', ?, 30, '2026', 'Ada')", (json.dumps(["train"]),),
    )  # fmt: skip
    conn.executemany(
        "INSERT INTO prediction (run_id, example_id, label_id, confidence, outcome)"
        " VALUES (1,?,?,?,'ok')",
        [(i, 1 + i % 2, i / 100) for i in range(1, 31)],
    )
    conn.executemany(
        "INSERT INTO label_event (task_id, example_id, person, label_id, origin, at)"
        " VALUES (1,?,'Ada',?,'blind','2026')",
        [(i, 1 if i % 3 else 2) for i in range(1, 16)],
    )
    conn.execute(
        "INSERT INTO gold (example_id, task_id, label_id, origin, person, event_id)"
        " SELECT example_id, 1, label_id, origin, person, event_id FROM current_label"
    )
    conn.execute("COMMIT")
    conn.close()
    return path


def contents(path):
    """Return the rows of every table a first version had, in its columns."""
    conn = connect(path, read_only=True)
    try:
        tables = {"task", "label", "example", "run", "prediction", "label_event", "gold"}
        columns = {
            t: ", ".join(r["name"] for r in conn.execute(f"PRAGMA table_info({t})")
                         if r["name"] not in ("split", "done"))
            for t in tables
        }  # fmt: skip
        return columns, {
            t: [tuple(r) for r in conn.execute(f"SELECT {columns[t]} FROM {t} ORDER BY 1, 2")]
            for t in tables
        }
    finally:
        conn.close()


def test_an_old_file_is_brought_up_to_date_with_all_it_holds(old, tmp_path):
    columns, before = contents(old)
    store = Store(old)
    try:
        for table, rows in before.items():
            now = store.db.read(f"SELECT {columns[table]} FROM {table} ORDER BY 1, 2")
            assert [tuple(row) for row in now] == rows
        assert recount(store.db) == []
        assert store.examples.counts(1) == {"train": 21, "validation": 6, "test": 3}
        assert sum(row["n"] for row in store.labels.counts(1)) == 15
        shown = store.examples.grid(
            1, run_id=1, person="Bo", filter=GridFilter(search="CAFE 7", order=Order.LEAST_SURE)
        )
        assert [row["text"] for row in shown] == ["Café number 7"]
        new = NewLabel(example_id=1, label_id=2, person="Bo", origin=Origin.ADJUDICATED)
        store.labels.append(1, [new], "2026")
        store.examples.add(1, [("new", "a new one", Split.TEST, {})], "2026")
        assert recount(store.db) == []
    finally:
        store.close()
    Store(tmp_path / "fresh.db").close()
    assert dump(old) == dump(tmp_path / "fresh.db")


def test_eight_processes_bring_an_old_file_up_to_date_at_once(old):
    race = subprocess.run(
        [sys.executable, "-c", RACE, str(old)], capture_output=True, text=True, check=False
    )
    assert (race.returncode, race.stderr) == (0, "")
    store = Store(old)
    try:
        assert recount(store.db) == []
    finally:
        store.close()


def test_a_recount_tells_what_was_changed_behind_the_triggers(old):
    store = Store(old)
    try:
        for sql, name in (
            ("UPDATE example_count SET n = n + 1", "the counts of examples"),
            ("UPDATE gold_count SET n = 99", "the counts of gold"),
            ("UPDATE prediction SET split = 'train'", "the splits of predictions"),
            ("UPDATE current_label SET split = 'train'", "the splits of decisions"),
            ("DELETE FROM run_error", "the errors of runs"),
            ("INSERT INTO mark (task_id, kind, example_id, person, text, at)"
             " VALUES (1, 'flag', 1, 'Ada', '', '2026')", "the marks"),
            ("INSERT INTO example_fts (example_fts, rowid, text) VALUES ('delete', 1, 'Café 0')",
             "the index of words"),
        ):  # fmt: skip
            with store.transaction() as conn:
                conn.execute(sql)
            assert name in recount(store.db)
    finally:
        store.close()


def test_marks_are_made_anew_from_their_history(old):
    store = Store(old)
    try:
        said = [
            (1, "flag", 1, ""),
            (1, "note", 1, "first"),
            (2, "flag", 0, ""),
            (1, "note", 1, "x"),
        ]
        with store.transaction() as conn:
            conn.executemany(
                "INSERT INTO mark_event (task_id, example_id, person, kind, present, text, at,"
                " after_event) VALUES (1, ?, 'Ada', ?, ?, ?, '2026', 0)", said,
            )  # fmt: skip
            true = [tuple(row) for row in conn.execute("SELECT * FROM mark")]
            conn.execute("DELETE FROM mark")
        assert len(true) == 2
        assert recount(store.db) == ["the marks"]
        rebuild(store.db)
        assert recount(store.db) == []
        assert [tuple(row) for row in store.db.read("SELECT * FROM mark")] == true
    finally:
        store.close()
