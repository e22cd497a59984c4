"""What says a label, moved to another label and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from studio.store.connection import Connections
from studio.store.standing import NEXT, OF_CHANGE

PREDICTION, RULE, RATIONALE = "prediction", "rule", "rationale"
RETURNED = "returned"
"""Predictions of a label that an undo takes away: what repairs them rests on these rows."""


def deed(change_id: int) -> str:
    """Return what the decisions that a change moved have in common."""
    return f"{OF_CHANGE}{change_id}"


def move_decisions(
    conn: Any, task_id: int, name: str, gone: int, into: int | None, at: str
) -> list[int]:
    """Have everybody who says one label say another, by one more event each.

    Returns:
        The examples.
    """
    conn.execute(_DECIDE, {"task": task_id, "gone": gone, "into": into, "deed": name, "at": at})
    return _examples(conn, name)


def move_rows(
    conn: Any, task_id: int, change_id: int, gone: int, into: int | None, *, kind: str = PREDICTION
) -> None:
    """Have predictions, rules and rationales of one label say another.

    With no other label, a prediction is off the label set.
    """
    names = {"task": task_id, "change": change_id, "gone": gone, "into": into, "kind": kind}
    conn.execute(_KEEP_PREDICTIONS, names)
    conn.execute(_MOVE_PREDICTIONS, names)
    if into is None:
        conn.execute(_LEAVE_OUTCOME, names)
        _count_outcomes(conn, change_id, kind)
        return
    if kind == PREDICTION:
        conn.execute(_KEEP_RULES, names)
        conn.execute(_KEEP_RATIONALES, names)
    conn.execute("UPDATE coded_rationale SET label_id = :into WHERE label_id = :gone", names)
    conn.execute("UPDATE rationale SET label_id = :into WHERE label_id = :gone", names)


def move_back(
    conn: Any, task_id: int, change_id: int, gone: int, into: int | None, at: str
) -> list[int]:
    """Give back what a change moved, where it is still as the change left it.

    Returns:
        The examples on which people say the label again.
    """
    undo = f"{deed(change_id)}:undo"
    names = {"task": task_id, "change": change_id, "gone": gone, "into": into, "at": at,
             "deed": deed(change_id), "undo": undo}  # fmt: skip
    conn.execute(_RETURN_PREDICTIONS, names)
    if into is None:
        _count_outcomes(conn, change_id, PREDICTION)
    conn.execute(_RETURN_RULES, names)
    conn.execute(_RETURN_RATIONALES, names)
    conn.execute(_DECIDE_AGAIN, names)
    return _examples(conn, undo)


def repair(conn: Any, change_id: int, kind: str) -> None:
    """Say anew which of the moved predictions gold contradicts."""
    names = {"change": change_id, "kind": kind}
    conn.execute(_FORGET_ERRORS, names)
    conn.execute(_FIND_ERRORS, names)


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a label went that is in use no more.

    Attributes:
        into: The label that says it now; None where none does.
        steps: (change, label it moved) on the way there.
    """

    into: int | None
    steps: tuple[tuple[int, int], ...]


def moved_labels(db: Connections, task_id: int) -> dict[int, Moved]:
    """Return the labels in use no more, for what was asked or decided before they went."""
    gone = {
        row[0]
        for row in db.read(
            "SELECT id FROM label WHERE task_id = ? AND retired_at IS NOT NULL", (task_id,)
        )
    }
    if not gone:
        return {}
    rows = db.read(
        "SELECT id, body ->> 'gone' AS gone, body ->> 'into' AS into_id FROM label_change"
        " WHERE task_id = ? AND undone_at IS NULL AND body ->> 'gone' IS NOT NULL ORDER BY id",
        (task_id,),
    )
    by_label = {row["gone"]: (row["id"], row["into_id"]) for row in rows}
    found = {}
    for label_id in gone:
        now: int | None = label_id
        steps: list[tuple[int, int]] = []
        while now is not None and now in gone and now in by_label:
            change, into = by_label[now]
            steps.append((change, now))
            now = into
        found[label_id] = Moved(None if now in gone else now, tuple(steps))
    return found


def returned_labels(db: Connections, task_id: int) -> list[tuple[int, int, int, int]]:
    """Return (part, first, last, whole) of the splits that were taken back, the earliest first.

    Who decided on a part after the event `first`, up to `last`, decided on the whole, by the labels
    of now: also where another change brought back a label of that name since.
    """
    rows = db.read(_PARTS, (task_id,))
    found: list[tuple[int, int, int, int]] = []
    for part, first, last, whole in rows:
        for outer, begun, ended, of in reversed(found):
            if outer == whole and begun <= first < ended:
                whole = of
                break
        found.append((part, first, last, whole))
    return found


def keep_moved(conn: Any, run_id: int, example_id: int, moved: Moved) -> None:
    """Keep what a prediction said that comes after its label went, so that an undo gives it back."""
    conn.executemany(
        "INSERT OR IGNORE INTO label_move VALUES (?, ?, ?, ?, ?)",
        [(change, PREDICTION, run_id, example_id, label) for change, label in moved.steps],
    )


def _examples(conn: Any, name: str) -> list[int]:
    rows = conn.execute("SELECT DISTINCT example_id FROM label_event WHERE deed = ?", (name,))
    return [row[0] for row in rows]


def _count_outcomes(conn: Any, change_id: int, kind: str) -> None:
    names = {"change": change_id, "kind": kind}
    conn.execute(f"DELETE FROM run_outcome WHERE run_id IN ({_RUNS})", names)
    conn.execute(
        "INSERT INTO run_outcome SELECT run_id, outcome, count(*) FROM prediction"
        f" WHERE run_id IN ({_RUNS}) GROUP BY 1, 2",
        names,
    )


_RUNS = "SELECT DISTINCT subject_id FROM label_move WHERE change_id = :change AND kind = :kind"
_DECIDE = """
INSERT INTO label_event (task_id, example_id, person, label_id, origin, run_id, mode, deed, at)
SELECT :task, c.example_id, c.person, :into, c.origin, v.run_id, 'label_change', :deed, :at
FROM current_label c JOIN label_event v ON v.id = c.event_id
WHERE c.task_id = :task AND c.label_id = :gone ORDER BY c.event_id
"""
# Those whose label is still the one that the change gave them, also by an undo of something later.
# Joined in this order: by the index of deeds each would be held against each.
_DECIDE_AGAIN = f"""
WITH RECURSIVE way (current, id) AS (
  SELECT c.event_id, c.event_id
  FROM label_event m CROSS JOIN current_label c ON c.example_id = m.example_id AND c.person = m.person
  WHERE m.deed = :deed
  UNION ALL
  SELECT w.current, {NEXT}
)
INSERT INTO label_event
  (task_id, example_id, person, label_id, origin, run_id, undoes, mode, deed, at)
SELECT :task, v.example_id, v.person, :gone, v.origin, v.run_id, v.id, 'label_change', :undo, :at
FROM way w CROSS JOIN label_event v ON v.id = w.id WHERE v.deed = :deed ORDER BY w.current
"""
# Of a split made before this was kept, new names tell its parts, and a part is in use no more.
_PARTS = """
SELECT n.value, c.after_event, coalesce(c.body ->> '$.undone.events',
  CASE WHEN l.retired_at IS NULL THEN 0 ELSE 1 << 62 END), c.body ->> '$.affected[0]'
FROM label_change c CROSS JOIN json_each(coalesce(c.body -> '$.brought',
  (SELECT json_group_array(x.value ->> 0) FROM json_each(c.body, '$.names') x))) n
CROSS JOIN label l ON l.id = n.value
WHERE c.task_id = ? AND c.kind = 'split' AND c.undone_at IS NOT NULL
  AND l.id != c.body ->> '$.affected[0]' ORDER BY c.id
"""
_KEEP_PREDICTIONS = """
INSERT INTO label_move SELECT :change, :kind, p.run_id, p.example_id, :gone
FROM run r JOIN prediction p ON p.run_id = r.id WHERE r.task_id = :task AND p.label_id = :gone
"""
_MOVE_PREDICTIONS = """
UPDATE prediction SET label_id = :into
WHERE run_id IN (SELECT id FROM run WHERE task_id = :task) AND label_id = :gone
"""
_OF_MOVE = """
FROM label_move m WHERE m.change_id = :change AND m.kind = :kind AND m.subject_id = prediction.run_id
  AND m.example_id = prediction.example_id AND m.label_id = :gone
"""
_LEAVE_OUTCOME = f"UPDATE prediction SET outcome = 'off_label' {_OF_MOVE}"
_KEEP_RULES = """
INSERT INTO label_move SELECT :change, 'rule', id, version, label_id
FROM coded_rationale WHERE label_id = :gone
"""
_KEEP_RATIONALES = """
INSERT INTO label_move SELECT :change, 'rationale', id, 0, label_id
FROM rationale WHERE label_id = :gone
"""
_RETURN_PREDICTIONS = """
UPDATE prediction SET label_id = m.label_id, outcome = 'ok'
FROM label_move m WHERE m.change_id = :change AND m.kind = 'prediction'
  AND m.subject_id = prediction.run_id AND m.example_id = prediction.example_id
  AND prediction.label_id IS :into AND prediction.outcome IN ('ok', 'off_label')
"""
_RETURN_RULES = """
UPDATE coded_rationale SET label_id = m.label_id
FROM label_move m WHERE m.change_id = :change AND m.kind = 'rule'
  AND m.subject_id = coded_rationale.id AND m.example_id = coded_rationale.version
  AND coded_rationale.label_id = :into
"""
_RETURN_RATIONALES = """
UPDATE rationale SET label_id = m.label_id
FROM label_move m WHERE m.change_id = :change AND m.kind = 'rationale'
  AND m.subject_id = rationale.id AND rationale.label_id = :into
"""
_FORGET_ERRORS = """
DELETE FROM run_error WHERE (run_id, example_id) IN
  (SELECT subject_id, example_id FROM label_move WHERE change_id = :change AND kind = :kind)
"""
_FIND_ERRORS = """
INSERT INTO run_error SELECT p.run_id, p.example_id, g.split, p.confidence
FROM label_move m JOIN prediction p ON p.run_id = m.subject_id AND p.example_id = m.example_id
JOIN gold g ON g.example_id = p.example_id
WHERE m.change_id = :change AND m.kind = :kind AND p.label_id IS NOT g.label_id
"""
