"""Before an old workspace is changed by an upgrade, a copy is set beside it."""

import logging
import shutil

import pytest

from studio.store import migrations
from studio.store.connection import connect
from studio.store.copies import find_damage
from studio.store.migrations import STEPS
from studio.store.store import Store

NEW = ("m999_more", "CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT;")


@pytest.fixture
def old(ws, fill, monkeypatch):
    """A closed workspace of the step before, and a studio that knows one more."""
    fill(ws)
    ws.read.close()
    ws.store.close()
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, NEW))
    return ws.path


def tables(path):
    conn = connect(path, read_only=True)
    names = {row[0] for row in conn.execute("SELECT name FROM sqlite_master")}
    conn.close()
    return names


def copies(path):
    return sorted(p.name for p in path.parent.glob("*.bak"))


def test_the_copy_is_the_file_as_it_was(old):
    old.with_name("studio.db.before-m001.bak").write_text("an older one")
    old.with_name("other.db.before-m001.bak").write_text("of another workspace")
    Store(old).close()
    kept = f"studio.db.before-m{len(STEPS) + 1:03d}.bak"
    assert copies(old) == ["other.db.before-m001.bak", kept]
    copy = old.with_name(kept)
    assert "more" in tables(old)
    assert "more" not in tables(copy)
    assert find_damage(copy, thorough=True) == ""
    assert copy.stat().st_mode & 0o777 == 0o600
    before = copy.stat().st_mtime_ns
    Store(old).close()
    assert copy.stat().st_mtime_ns == before  # only an upgrade makes one


def test_it_is_told_when_there_is_no_space_for_it(old, monkeypatch, caplog):
    free = shutil.disk_usage(old.parent)._replace(free=70_000_000 - 10_000_000)
    monkeypatch.setattr(migrations.shutil, "disk_usage", lambda _: free)
    with caplog.at_level(logging.WARNING):
        Store(old).close()
    assert "more" in tables(old)
    assert copies(old) == []
    assert "No copy" in caplog.text
    assert "60 MB are free" in caplog.text


def test_an_upgrade_that_fails_leaves_the_file_and_its_copy(old, monkeypatch):
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, ("m999_bad", "CREATE TABLE task (id);")))
    with pytest.raises(Exception, match="already exists"):
        Store(old)
    monkeypatch.setattr(migrations, "STEPS", STEPS)
    Store(old).close()
    assert len(copies(old)) == 1


def test_a_new_workspace_has_no_copy(tmp_path):
    Store(tmp_path / "new.db").close()
    assert copies(tmp_path / "new.db") == []
