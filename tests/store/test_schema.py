"""The schema: what SQLite itself refuses, and that steps never change once landed."""

import hashlib
import shutil

import pytest
from pysqlite3 import dbapi2 as sqlite3

from studio.domain.correction import Origin
from studio.store import migrations
from studio.store.connection import connect
from studio.store.labels import NewLabel
from studio.store.store import Store

# A step that has landed is in people's files: it never changes, others follow it.
LANDED = {
    "m001_the_loop": "cb3b564667209e0598b452922c753a671be02c3d92768bd81639fe912e03b617",
    "m002_the_run_engine": "d9b3032c10205b8114db78d2e32f93970208b7307c4e30a8b6734f256992b19e",
    "m003_a_million": "ddeb3e19995a9ce638988f7db24eca37159ac9ec8f62a81abf7e0e1a3822e413",
    "m004_wires_and_methods": "ef45d8fa30906d41503149fbfe33a8951498bc44d704e2a3a01a48bef4103b8d",
    "m005_capabilities": "288904de5312bf1ebdc5517841187d3358e61b68c28483cbf3d0b63e4f93617a",
    "m006_firings": "c9d87287170256180987209e14d7fd503c0d43c66035fbbb5d87478cc8205952",
    "m007_people_and_label_sets": "2da4a0023457ae77c976a27e6278e29656cd8d79d8cd2ef46ba630f8e86d2c47",  # noqa: E501
}


def dump(path):
    conn = connect(path, read_only=True)
    try:
        rows = conn.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2"
        )
        return [tuple(row) for row in rows]
    finally:
        conn.close()


def test_landed_steps_are_as_they_were():
    found = {name: hashlib.sha256(sql.encode()).hexdigest() for name, sql in migrations.STEPS}
    assert list(found)[: len(LANDED)] == list(LANDED)
    assert {name: found[name] for name in LANDED} == LANDED


def test_every_table_is_strict(template):
    conn = connect(template, read_only=True)
    tables = conn.execute("PRAGMA table_list").fetchall()
    conn.close()
    ours = [
        t
        for t in tables
        if t["schema"] == "main"
        and t["type"] == "table"
        and t["name"][:1] != "_"
        and not t["name"].startswith("sqlite_")
    ]
    assert len(ours) > 20
    assert [t["name"] for t in ours if not t["strict"]] == []


def test_an_old_file_becomes_equal_to_a_fresh_one(tmp_path, monkeypatch):
    """A file made before the last step gains it at the next opening, once, with what it holds."""
    step = "CREATE TABLE later (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;\n" \
        "CREATE INDEX later_body ON later (body)"  # fmt: skip
    old, fresh = tmp_path / "old.db", tmp_path / "fresh.db"
    first = Store(old)
    first.tasks.create(name="kept", question="", labels=[("a", ""), ("b", "")], criterion=None,
                       by="Ada", at="2026")  # fmt: skip
    first.close()
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, ("m999_later", step)))
    for _ in range(2):
        again = Store(old)
        assert again.tasks.by_name("kept").label_names == ("a", "b")
        again.close()
    Store(fresh).close()
    assert dump(old) == dump(fresh)
    conn = connect(old, read_only=True)
    assert conn.execute("PRAGMA user_version").fetchone()[0] == len(migrations.STEPS)
    conn.close()


def test_the_history_of_labels_cannot_be_changed(ws, fill):
    task = fill(ws)
    for sql in ("UPDATE label_event SET person = 'Eve'", "DELETE FROM label_event"):
        with pytest.raises(sqlite3.DatabaseError, match="append-only"), ws.store.transaction() as c:
            c.execute(sql)
    assert len(ws.store.labels.history(task.id)) == 24


def test_wrong_types_and_dangling_links_are_refused(ws, fill):
    task = fill(ws, test=0)
    with pytest.raises(sqlite3.IntegrityError), ws.store.transaction() as conn:
        conn.execute("UPDATE example SET text = x'00ff' WHERE id = 1")
    foreign = NewLabel(example_id=1, label_id=99_999, person="Ada", origin=Origin.BLIND)
    with pytest.raises(sqlite3.IntegrityError):
        ws.store.labels.append(task.id, [foreign], "2026")
    assert ws.store.examples.get(task.id, 1).text == "ham number tr 0"
    assert len(ws.store.labels.history(task.id)) == 18


def test_screens_cannot_write(ws, fill):
    task = fill(ws, test=0)
    with pytest.raises(PermissionError):
        ws.read.labels.record_look(task.id, 1, "Ada", "2026")
    with pytest.raises(PermissionError):
        ws.read.tasks.set_setting("key", "value")
    with pytest.raises(sqlite3.OperationalError, match=r"readonly|query_only"):
        ws.read.db._connection("read").execute("DELETE FROM task")
    assert ws.read.tasks.get(task.id).name == "mail"


def test_a_copy_of_the_template_is_a_workspace(template, tmp_path):
    shutil.copyfile(template, tmp_path / "copy.db")
    store = Store(tmp_path / "copy.db")
    assert store.tasks.all() == []
    store.close()
