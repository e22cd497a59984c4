"""What must hold of the ledger, whatever was killed: compared with the service's own count."""

from collections import Counter

from studio.actions.runs import run_status


def ledger(ws, run):
    """Return (text, outcome) of every call in the ledger of a run."""
    return [
        tuple(row)
        for row in ws.read.db.read(
            "SELECT e.text, l.outcome FROM ledger l JOIN example e ON e.id = l.example_id"
            " WHERE l.run_id = ?",
            (run.id,),
        )
    ]


def check(ws, run, service, *, most_again=0):
    """Check that nothing was lost, little was asked again, and the books are right.

    A call is in the ledger before it is made and settled with its answer, so of each text there
    are at most as many settled rows as calls, and at most as many calls as rows.

    Returns:
        How many calls were made again.
    """
    rows = ledger(ws, run)
    written = Counter(text for text, _ in rows)
    settled = Counter(text for text, outcome in rows if outcome != "lost")
    assert not [outcome for _, outcome in rows if outcome == "open"]
    for text, calls in service.calls.items():
        assert settled[text] <= calls <= written[text], text
    assert len(service.calls) == run.total
    told = run_status(ws, run.id)
    assert sum(told["outcomes"].values()) == told["done"] == run.total
    assert told["calls"] == len(rows)
    predicted = "SELECT count(DISTINCT example_id) FROM prediction WHERE run_id = ?"
    assert ws.read.db.value(predicted, (run.id,)) == run.total
    assert ws.read.db.value("PRAGMA integrity_check") == "ok"
    again = service.total - run.total
    assert sum(written.values()) - sum(settled.values()) <= most_again
    assert again <= most_again
    return again
