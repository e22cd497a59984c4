"""Whether what is kept beside the examples, for pages and counts to be quick, still agrees."""

from __future__ import annotations

from pysqlite3 import dbapi2 as sqlite3

from studio.store.connection import Connections

# What is kept, and what it should be: both must hold the same rows.
_PAIRS = {
    "the counts of examples": (
        "SELECT task_id, split, n FROM example_count WHERE n != 0",
        "SELECT task_id, split, count(*) FROM example GROUP BY 1, 2",
    ),
    "the counts of gold": (
        "SELECT task_id, split, label_id, origin, n FROM gold_count WHERE n != 0",
        "SELECT g.task_id, e.split, g.label_id, g.origin, count(*) FROM gold g"
        " JOIN example e ON e.id = g.example_id GROUP BY 1, 2, 3, 4",
    ),
    "the splits of gold": (
        "SELECT example_id, split FROM gold",
        "SELECT g.example_id, e.split FROM gold g JOIN example e ON e.id = g.example_id",
    ),
    "the splits of decisions": (
        "SELECT example_id, person, task_id, split FROM current_label",
        "SELECT c.example_id, c.person, e.task_id, e.split FROM current_label c"
        " JOIN example e ON e.id = c.example_id",
    ),
    "the splits of predictions": (
        "SELECT run_id, example_id, split FROM prediction",
        "SELECT p.run_id, p.example_id, e.split FROM prediction p JOIN example e ON e.id = p.example_id",
    ),
    "the errors of runs": (
        "SELECT run_id, example_id, split, confidence FROM run_error",
        "SELECT p.run_id, p.example_id, e.split, p.confidence FROM gold g"
        " JOIN prediction p ON p.example_id = g.example_id JOIN example e ON e.id = g.example_id"
        " WHERE p.label_id IS NOT g.label_id",
    ),
    "the marks": (
        "SELECT task_id, kind, example_id, person, text, at FROM mark",
        "SELECT task_id, kind, example_id, person, text, at FROM mark_event WHERE present"
        " AND id IN (SELECT max(id) FROM mark_event GROUP BY task_id, kind, example_id, person)",
    ),
}


def recount(db: Connections) -> list[str]:
    """Return what no longer agrees with the examples, decisions and predictions; nothing when all does.

    It reads everything: seconds at a million examples.
    """
    wrong = [
        name
        for name, (kept, true) in _PAIRS.items()
        if db.value(
            f"SELECT EXISTS (SELECT * FROM ({kept}) EXCEPT SELECT * FROM ({true}))"
            f" OR EXISTS (SELECT * FROM ({true}) EXCEPT SELECT * FROM ({kept}))"
        )
    ]
    return wrong if _words_agree(db) else [*wrong, "the index of words"]


def rebuild(db: Connections) -> None:
    """Make anew all that `recount` looks at; examples, decisions and predictions stay as they are."""
    with db.transaction() as conn:
        for sql in _ANEW:
            conn.execute(sql)


_ANEW = (
    "UPDATE gold SET split = (SELECT e.split FROM example e WHERE e.id = gold.example_id)",
    "UPDATE current_label SET (task_id, split) ="
    " (SELECT e.task_id, e.split FROM example e WHERE e.id = current_label.example_id)",
    "UPDATE prediction SET split = (SELECT e.split FROM example e WHERE e.id = prediction.example_id)",
    "DELETE FROM run_error",
    f"INSERT INTO run_error {_PAIRS['the errors of runs'][1]}",
    "DELETE FROM example_count",
    f"INSERT INTO example_count {_PAIRS['the counts of examples'][1]}",
    "DELETE FROM gold_count",
    f"INSERT INTO gold_count {_PAIRS['the counts of gold'][1]}",
    "DELETE FROM mark",
    f"INSERT INTO mark (task_id, kind, example_id, person, text, at) {_PAIRS['the marks'][1]}",
    "INSERT INTO example_fts (example_fts) VALUES ('rebuild')",
)


def _words_agree(db: Connections) -> bool:
    """Have SQLite compare the index of words with the texts; it asks for a write that it never makes."""
    with db.transaction() as conn:
        try:
            conn.execute(
                "INSERT INTO example_fts (example_fts, rank) VALUES ('integrity-check', 1)"
            )
        except sqlite3.DatabaseError:
            return False
    return True
