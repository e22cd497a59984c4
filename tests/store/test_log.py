"""The write-ahead log: cut off when it is large and empty, told of when a reader holds it."""

import logging

from studio.store import connection
from studio.store.connection import connect


def test_a_large_log_is_cut_off(ws, tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "LARGE_LOG", 100_000)
    log = tmp_path / "studio.db-wal"
    ws.store.tasks.set_setting("big", "x" * 300_000)
    assert log.stat().st_size > 300_000
    ws.store.checkpoint()
    assert log.stat().st_size < 50_000  # what SQLite notes of its tables comes after
    assert len(ws.read.tasks.setting("big")) == 300_000


def test_a_reader_that_never_ends_is_told_of(ws, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(connection, "LARGE_LOG", 100_000)
    reader = connect(tmp_path / "studio.db", read_only=True)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM setting").fetchone()
        ws.store.tasks.set_setting("big", "x" * 300_000)
        with caplog.at_level(logging.WARNING):
            ws.store.checkpoint()
        assert "some program has been reading for a long time" in caplog.text
        ws.store.tasks.set_setting("still", "written")
    finally:
        reader.close()
    caplog.clear()
    ws.store.checkpoint()
    assert caplog.text == ""
    assert ws.read.tasks.setting("still") == "written"
