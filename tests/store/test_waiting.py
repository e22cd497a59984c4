"""Writers wait for one another: threads in line, processes by asking often."""

import threading

import pytest

from studio.actions.corrections import Decision, correct_labels
from studio.errors import WorkspaceError
from studio.store import connection
from studio.store.connection import Connections, connect


def test_many_threads_write_one_after_the_other(ws):
    at_once, most, written = [0], [0], []

    def write(number):
        with ws.store.transaction():
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
            ws.store.tasks.set_setting(f"by {number}", "x")
            written.append(number)
            at_once[0] -= 1

    threads = [threading.Thread(target=write, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(written) == list(range(12))
    assert most == [1]
    assert all(ws.read.tasks.setting(f"by {i}") == "x" for i in range(12))


def test_another_process_is_waited_for_and_not_for_ever(ws, monkeypatch):
    other, mine = connect(ws.path), Connections(ws.path)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(connection, "BUSY_MS", 50)
    with pytest.raises(WorkspaceError, match="stayed locked"), mine.transaction():
        pass
    monkeypatch.setattr(connection, "BUSY_MS", 30_000)
    threading.Timer(0.05, lambda: other.execute("ROLLBACK")).start()
    with mine.transaction() as conn:  # the line is free again after a failure
        conn.execute("INSERT INTO setting VALUES ('waited', 'for')")
    assert ws.read.tasks.setting("waited") == "for"
    mine.close()
    other.close()


def test_a_correction_finds_its_example_by_number(ws, fill):
    """Not by walking all examples of its task: a million of them, inside the transaction."""
    fill(ws)
    seen = []
    conn = ws.store.db._connection("write")
    conn.set_trace_callback(seen.append)
    example = ws.store.examples.all(1)[0]
    correct_labels(ws, 1, [Decision(example_id=example.id, label="spam")], by="Ada")
    conn.set_trace_callback(None)
    asked = [sql for sql in seen if sql.startswith("SELECT count(*) FROM example")]
    assert asked
    for sql in asked:
        plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {sql}")]
        assert plan[0] == "SEARCH example USING INTEGER PRIMARY KEY (rowid=?)"
