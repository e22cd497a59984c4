"""What a person did last, labels and marks in one order: taken back, and put back.

Nothing is ever removed. An undo appends events that bring back what stood before; a redo undoes
these. Both histories have one order: a mark knows the last decision before it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from studio.domain.correction import Undone
from studio.domain.mark import MarkKind
from studio.store.connection import Connections, Row
from studio.store.labels import Labels
from studio.store.tasks import bump

_FIRST = (0, 0, 0)


class Deeds:
    """Undo and redo of what one person did in one task."""

    def __init__(self, db: Connections, labels: Labels) -> None:
        self.db = db
        self.labels = labels

    def undo(self, task_id: int, person: str, at: str) -> Undone | None:
        """Take back this person's latest deed that stands, whole.

        Returns:
            What it was; None when there is nothing left, or when the label set was changed since
            so that what stood before cannot stand again.
        """
        who = {"task": task_id, "person": person}
        with self.db.transaction() as conn:
            label = self.db.one(_LATEST.format(table="label_event", own=_OWN), who)
            mark = self.db.one(_LATEST.format(table="mark_event", own=_ROOT), who)
            if mark is not None and _mark_place(mark) > _label_place(label):
                conn.execute(_UNDO_MARK, {"id": mark["id"], "at": at})
                bump(self.db, task_id)
                return _undone_mark(mark)
            if label is None:
                return None
            ids = self._same_deed(label, standing=True)
            return self._turn(task_id, ids, _UNDO, at) if self._may_undo(ids) else None

    def redo(self, task_id: int, person: str, at: str) -> Undone | None:
        """Put back what this person's latest undo took, unless they did something new since.

        Returns:
            What it was; None when there is nothing to put back, or the label set forbids it.
        """
        who = {"task": task_id, "person": person}
        with self.db.transaction() as conn:
            decided = self.db.one(_LAST.format(table="label_event", own=_OWN), who)
            marked = self.db.one(_LAST.format(table="mark_event", own=_ROOT), who)
            label = self._latest_undo("label_event", decided, who)
            mark = self._latest_undo("mark_event", marked, who)
            done = max(_label_place(decided), _mark_place(marked))
            if done > max(_label_place(label), _mark_place(mark)):
                return None
            if mark is not None and _mark_place(mark) > _label_place(label):
                conn.execute(_REDO_MARK, {"id": mark["id"], "at": at})
                bump(self.db, task_id)
                return _undone_mark(mark)
            if label is None:
                return None
            root = self.db.one("SELECT * FROM label_event WHERE id = ?", (label["undoes"],))
            ids = self._same_deed(root, standing=False)
            return self._turn(task_id, ids, _REDO, at) if self._may_redo(ids) else None

    def _latest_undo(self, table: str, last: Row | None, who: dict[str, Any]) -> Row | None:
        """Return the latest undo after the last new event that was not put back yet."""
        if last is None:
            return None
        return self.db.one(
            _LATEST_UNDO.format(table=table, own=_NO_CHANGE.get(table, "")),
            who | {"after": last["id"]},
        )

    def _same_deed(self, row: Row, *, standing: bool) -> list[int]:
        """Return the decisions made together with this one that stand, or that are taken back."""
        if row["deed"] is None:
            return [row["id"]]
        undone = "NOT " if standing else ""
        rows = self.db.read(
            f"SELECT id FROM label_event e WHERE deed = ? AND task_id = ? AND person = ?"
            f" AND {_ROOT} AND {undone}{_UNDONE.format(table='label_event')}",
            (row["deed"], row["task_id"], row["person"]),
        )
        return [r["id"] for r in rows]

    def _turn(self, task_id: int, ids: Sequence[int], sql: str, at: str) -> Undone:
        named = json.dumps(ids)
        rows = self.db.read(
            "SELECT e.example_id, e.deed, l.name FROM label_event e LEFT JOIN label l ON l.id = e.label_id"
            " WHERE e.id IN (SELECT value FROM json_each(?)) ORDER BY e.id",
            (named,),
        )
        with self.db.transaction() as conn:
            conn.execute(sql, {"ids": named, "at": at})
            self.labels.settle(task_id, {row["example_id"] for row in rows})
        names = {row["name"] for row in rows}
        return Undone(
            example_ids=tuple(dict.fromkeys(row["example_id"] for row in rows)),
            deed=rows[0]["deed"],
            label=names.pop() if len(names) == 1 else None,
        )

    def _may_undo(self, ids: Sequence[int]) -> bool:
        return not self.db.value(
            _BARRED.format(label="b.label_id", since="e.id"), (json.dumps(ids),)
        )

    def _may_redo(self, ids: Sequence[int]) -> bool:
        since = "(SELECT max(u.id) FROM label_event u WHERE u.undoes = e.id)"
        return not self.db.value(
            _BARRED.format(label="e.label_id", since=since), (json.dumps(ids),)
        )


def _label_place(row: Row | None) -> tuple[int, int, int]:
    return _FIRST if row is None else (row["id"], 0, 0)


def _mark_place(row: Row | None) -> tuple[int, int, int]:
    return _FIRST if row is None else (row["after_event"], 1, row["id"])


def _undone_mark(row: Row) -> Undone:
    return Undone(example_ids=(row["example_id"],), kind="mark", mark=MarkKind(row["kind"]))


_ROOT = "undoes IS NULL"
# What a person decided: neither a file nor a change of the label set.
_OWN = f"{_ROOT} AND origin IN ('blind', 'assisted', 'adjudicated') AND mode != 'label_change'"
_UNDONE = (
    "EXISTS (SELECT 1 FROM {table} u WHERE u.undoes = e.id"
    " AND NOT EXISTS (SELECT 1 FROM {table} r WHERE r.undoes = u.id))"
)
_LAST = (
    "SELECT * FROM {table} e WHERE task_id = :task AND person = :person AND {own}"
    " ORDER BY id DESC LIMIT 1"
)
_LATEST = _LAST.replace("{own}", f"{{own}} AND NOT {_UNDONE}")
_LATEST_UNDO = (
    "SELECT u.* FROM {table} u JOIN {table} t ON t.id = u.undoes AND t.undoes IS NULL"
    " WHERE u.task_id = :task AND u.person = :person AND u.id > :after{own}"
    " AND NOT EXISTS (SELECT 1 FROM {table} r WHERE r.undoes = u.id) ORDER BY u.id DESC LIMIT 1"
)
# A change of the label set that is taken back undoes events, too; no person did that.
_NO_CHANGE = {"label_event": " AND u.mode != 'label_change'"}
_BEFORE = (
    "LEFT JOIN label_event b ON b.id = (SELECT max(p.id) FROM label_event p"
    " WHERE p.example_id = e.example_id AND p.person = e.person AND p.id < e.id)"
)
# A change of the label set moved the label since, or the label is no more.
_BARRED = (
    f"SELECT EXISTS (SELECT 1 FROM json_each(?) j CROSS JOIN label_event e ON e.id = j.value {_BEFORE}"
    " WHERE EXISTS (SELECT 1 FROM label l WHERE l.id = {label} AND l.retired_at IS NOT NULL)"
    " OR EXISTS (SELECT 1 FROM label_event m WHERE m.example_id = e.example_id"
    " AND m.person = e.person AND m.id > {since} AND m.mode = 'label_change'))"
)
_INSERT = "INSERT INTO label_event (task_id, example_id, person, label_id, origin, mode, undoes, note, at)"
# The latest first, so that an example labeled twice in one deed ends as it was before both.
_UNDO = (
    f"{_INSERT} SELECT e.task_id, e.example_id, e.person, b.label_id, coalesce(b.origin, e.origin),"
    " e.mode, e.id, 'undo', :at FROM json_each(:ids) j CROSS JOIN label_event e ON e.id = j.value"
    f" {_BEFORE} ORDER BY e.id DESC"
)
_REDO = (
    f"{_INSERT} SELECT e.task_id, e.example_id, e.person, e.label_id, e.origin,"
    " e.mode, (SELECT max(u.id) FROM label_event u WHERE u.undoes = e.id), 'redo', :at"
    " FROM json_each(:ids) j CROSS JOIN label_event e ON e.id = j.value ORDER BY e.id"
)
_INSERT_MARK = "INSERT INTO mark_event (task_id, kind, example_id, person, present, text, at, undoes, after_event)"
_NOW = "(SELECT coalesce(max(id), 0) FROM label_event)"
_UNDO_MARK = (
    f"{_INSERT_MARK} SELECT e.task_id, e.kind, e.example_id, e.person, coalesce(b.present, 0),"
    f" coalesce(b.text, ''), :at, e.id, {_NOW} FROM mark_event e LEFT JOIN mark_event b ON b.id ="
    " (SELECT max(p.id) FROM mark_event p WHERE p.example_id = e.example_id AND p.kind = e.kind"
    " AND p.person = e.person AND p.id < e.id) WHERE e.id = :id"
)
_REDO_MARK = (
    f"{_INSERT_MARK} SELECT e.task_id, e.kind, e.example_id, e.person, e.present, e.text, :at, u.id, {_NOW}"
    " FROM mark_event u JOIN mark_event e ON e.id = u.undoes WHERE u.id = :id"
)
