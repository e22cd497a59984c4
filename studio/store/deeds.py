"""What a person did last, labels and marks in one order: taken back, and put back.

Nothing is ever removed. An undo appends events that bring back what stood before; a redo undoes
these. Both histories have one order: a mark knows the last decision before it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from studio.domain.correction import Held, Undone
from studio.domain.mark import MarkKind
from studio.store.connection import Connections, Row
from studio.store.label_moves import returned_labels
from studio.store.labels import Labels
from studio.store.standing import BEFORE, GOES_BACK, NEXT, OF_CHANGE, TAKEN_BACK, UNDONE
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
            What it was; None when there is nothing left, or when a change of the label set holds
            it: `held` says which.
        """
        with self.db.transaction() as conn:
            mark, ids = self._to_undo(task_id, person)
            if mark is not None:
                conn.execute(_UNDO_MARK, {"id": mark["id"], "at": at})
                bump(self.db, task_id)
                return _undone_mark(mark)
            if not ids or self._holder(task_id, ids, redo=False):
                return None
            return self._turn(task_id, ids, _UNDO, at)

    def redo(self, task_id: int, person: str, at: str) -> Undone | None:
        """Put back what this person's latest undo took, unless they did something new since.

        Returns:
            What it was; None when there is nothing to put back, or when a change of the label set
            holds it: `held` says which.
        """
        with self.db.transaction() as conn:
            mark, ids = self._to_redo(task_id, person)
            if mark is not None:
                conn.execute(_REDO_MARK, {"id": mark["id"], "at": at})
                bump(self.db, task_id)
                return _undone_mark(mark)
            if not ids or self._holder(task_id, ids, redo=True):
                return None
            return self._turn(task_id, ids, _REDO, at)

    def held(self, task_id: int, person: str, *, redo: bool = False) -> Held | None:
        """Return what keeps this person's next undo, or redo, from being done, if anything does."""
        _, ids = self._to_redo(task_id, person) if redo else self._to_undo(task_id, person)
        return self._holder(task_id, ids, redo=redo) if ids else None

    def _to_undo(self, task_id: int, person: str) -> tuple[Row | None, list[int]]:
        """Return the mark that an undo would take back, or else the decisions."""
        who = {"task": task_id, "person": person}
        label = self.db.one(_LATEST.format(table="label_event", own=_OWN), who)
        mark = self.db.one(_LATEST.format(table="mark_event", own=_ROOT), who)
        if mark is not None and _mark_place(mark) > _label_place(label):
            return mark, []
        return None, [] if label is None else self._same_deed(label, standing=True)

    def _to_redo(self, task_id: int, person: str) -> tuple[Row | None, list[int]]:
        """Return the mark whose undo a redo would undo, or else the decisions to put back."""
        who = {"task": task_id, "person": person}
        decided = self.db.one(_LAST.format(table="label_event", own=_OWN), who)
        marked = self.db.one(_LAST.format(table="mark_event", own=_ROOT), who)
        label = self._latest_undo("label_event", decided, who)
        mark = self._latest_undo("mark_event", marked, who)
        done = max(_label_place(decided), _mark_place(marked))
        if done > max(_label_place(label), _mark_place(mark)):
            return None, []
        if mark is not None and _mark_place(mark) > _label_place(label):
            return mark, []
        if label is None:
            return None, []
        root = self.db.one("SELECT * FROM label_event WHERE id = ?", (label["undoes"],))
        return None, self._same_deed(root, standing=False)

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
            f" AND {_ROOT} AND {undone}{UNDONE.format(table='label_event', of='e')}",
            (row["deed"], row["task_id"], row["person"]),
        )
        return [r["id"] for r in rows]

    def _turn(self, task_id: int, ids: Sequence[int], sql: str, at: str) -> Undone:
        named = self._named(task_id, ids)
        rows = self.db.read(_TURNED, named)
        with self.db.transaction() as conn:
            conn.execute(sql, named | {"at": at})
            self.labels.settle(task_id, {row["example_id"] for row in rows})
        names = {row["name"] for row in rows}
        return Undone(
            example_ids=tuple(dict.fromkeys(row["example_id"] for row in rows)),
            deed=rows[0]["deed"],
            label=names.pop() if len(names) == 1 else None,
        )

    def _holder(self, task_id: int, ids: Sequence[int], *, redo: bool) -> Held | None:
        """Return what keeps decisions from being taken back, or from being put back.

        A change of the label set that holds moved the label since, or the label is no more.
        """
        named = self._named(task_id, ids)
        moved = self.db.one((_MOVED_REDO if redo else _MOVED_UNDO), named)
        label = self.db.one((_GONE_REDO if redo else _GONE_UNDO), named)
        if moved is None and label is None:
            return None
        holding = self.db.read(
            "SELECT id, body ->> 'text' AS text, body ->> 'gone' AS gone FROM label_change"
            " WHERE task_id = ? AND undone_at IS NULL ORDER BY id",
            (task_id,),
        )
        took = {row["gone"]: row["id"] for row in holding}
        reasons = [moved["change_id"] if moved else None, took.get(label["id"]) if label else None]
        first = min((reason for reason in reasons if reason is not None), default=None)
        told = [row["text"] for row in holding if first is not None and row["id"] >= first]
        return Held(redo=redo, changes=tuple(told), label=label["name"] if label else "")

    def _named(self, task_id: int, ids: Sequence[int]) -> dict[str, Any]:
        parts = returned_labels(self.db, task_id)
        return {"ids": json.dumps(ids), "parts": json.dumps(parts)}


def _label_place(row: Row | None) -> tuple[int, int, int]:
    return _FIRST if row is None else (row["id"], 0, 0)


def _mark_place(row: Row | None) -> tuple[int, int, int]:
    return _FIRST if row is None else (row["after_event"], 1, row["id"])


def _undone_mark(row: Row) -> Undone:
    return Undone(example_ids=(row["example_id"],), kind="mark", mark=MarkKind(row["kind"]))


_ROOT = "undoes IS NULL"
# What a person decided: neither a file nor a change of the label set.
_OWN = f"{_ROOT} AND origin IN ('blind', 'assisted', 'adjudicated') AND mode != 'label_change'"
_LAST = (
    "SELECT * FROM {table} e WHERE task_id = :task AND person = :person AND {own}"
    " ORDER BY id DESC LIMIT 1"
)
_LATEST = _LAST.replace("{own}", f"{{own}} AND NOT {UNDONE.replace('{of}', 'e')}")
_LATEST_UNDO = (
    "SELECT u.* FROM {table} u JOIN {table} t ON t.id = u.undoes AND t.undoes IS NULL"
    " WHERE u.task_id = :task AND u.person = :person AND u.id > :after{own}"
    " AND NOT EXISTS (SELECT 1 FROM {table} r WHERE r.undoes = u.id) ORDER BY u.id DESC LIMIT 1"
)
# A change of the label set that is taken back undoes events, too; no person did that.
_NO_CHANGE = {"label_event": " AND u.mode != 'label_change'"}
_EACH = "FROM json_each(:ids) j CROSS JOIN label_event e ON e.id = j.value"
# The label that an event says by the labels of now: parts of a split taken back are the whole.
_NOW = (
    "coalesce((SELECT s.value ->> 3 FROM json_each(:parts) s WHERE s.value ->> 0 = {of}.label_id"
    " AND {of}.id > s.value ->> 1 AND {of}.id <= s.value ->> 2), {of}.label_id)"
)
_WAY = (
    f"WITH RECURSIVE way (root, id) AS (SELECT e.id, {BEFORE.format(of='e', than='e.id')} {_EACH}"
    f" UNION ALL SELECT w.root, {NEXT}),"
    f" stood (root, label_id, origin) AS MATERIALIZED (SELECT w.root, {_NOW.format(of='v')}, v.origin"
    f" FROM way w CROSS JOIN label_event v ON v.id = w.id WHERE NOT {GOES_BACK})"
)
# Changes of the label set that moved the label since, and hold.
_MOVED = (
    f"SELECT CAST(substr(m.deed, {len(OF_CHANGE) + 1}) AS INTEGER) AS change_id {_EACH}"
    " CROSS JOIN label_event m ON m.example_id = e.example_id AND m.person = e.person"
    " AND m.id > {since} AND m.mode = 'label_change'"
    f" WHERE NOT {TAKEN_BACK.format(of='m')} ORDER BY m.id LIMIT 1"
)
_MOVED_UNDO = _MOVED.format(since="e.id")
_MOVED_REDO = _MOVED.format(since="(SELECT max(u.id) FROM label_event u WHERE u.undoes = e.id)")
_RETIRED = "l.retired_at IS NOT NULL LIMIT 1"
_GONE_UNDO = f"{_WAY} SELECT l.id, l.name FROM stood b CROSS JOIN label l ON l.id = b.label_id AND {_RETIRED}"
_GONE_REDO = (
    f"SELECT l.id, l.name {_EACH} CROSS JOIN label l ON l.id = {_NOW.format(of='e')} AND {_RETIRED}"
)
_TURNED = (
    f"SELECT e.example_id, e.deed, l.name {_EACH}"
    f" LEFT JOIN label l ON l.id = {_NOW.format(of='e')} ORDER BY e.id"
)
_INSERT = "INSERT INTO label_event (task_id, example_id, person, label_id, origin, mode, undoes, note, at)"
# The latest first, so that an example labeled twice in one deed ends as it was before both.
_UNDO = (
    f"{_WAY} {_INSERT} SELECT e.task_id, e.example_id, e.person, b.label_id,"
    f" coalesce(b.origin, e.origin), e.mode, e.id, 'undo', :at {_EACH}"
    " LEFT JOIN stood b ON b.root = e.id ORDER BY e.id DESC"
)
_REDO = (
    f"{_INSERT} SELECT e.task_id, e.example_id, e.person, {_NOW.format(of='e')}, e.origin,"
    " e.mode, (SELECT max(u.id) FROM label_event u WHERE u.undoes = e.id), 'redo', :at"
    f" {_EACH} ORDER BY e.id"
)
_INSERT_MARK = "INSERT INTO mark_event (task_id, kind, example_id, person, present, text, at, undoes, after_event)"
_LAST_EVENT = "(SELECT coalesce(max(id), 0) FROM label_event)"
_UNDO_MARK = (
    f"{_INSERT_MARK} SELECT e.task_id, e.kind, e.example_id, e.person, coalesce(b.present, 0),"
    f" coalesce(b.text, ''), :at, e.id, {_LAST_EVENT} FROM mark_event e LEFT JOIN mark_event b ON b.id ="
    " (SELECT max(p.id) FROM mark_event p WHERE p.example_id = e.example_id AND p.kind = e.kind"
    " AND p.person = e.person AND p.id < e.id) WHERE e.id = :id"
)
_REDO_MARK = (
    f"{_INSERT_MARK} SELECT e.task_id, e.kind, e.example_id, e.person, e.present, e.text, :at, u.id, {_LAST_EVENT}"
    " FROM mark_event u JOIN mark_event e ON e.id = u.undoes WHERE u.id = :id"
)
