"""Changes of label sets: each one transaction that keeps what it moved, so that it is undone exactly.

Decisions move by one more event a person and example, which says the label of now; the decision
itself stays what gold rests on. Predictions, rules and rationales move in their rows, and what they
said is kept in `label_move`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from studio.domain.label_change import ChangeKind, Consequences, LabelChange, Marks
from studio.domain.label_plan import Plan
from studio.errors import ConflictError
from studio.store import label_moves as moves
from studio.store.connection import Connections, Row
from studio.store.label_marks import read_marks
from studio.store.label_rows import definitions_of, names_of, restore_labels, write_labels
from studio.store.labels import Labels
from studio.store.tasks import bump
from studio.store.waiting import WAITING


class LabelSets:
    """The changes of a task's label set, and what waits for another look because of them."""

    def __init__(self, db: Connections, labels: Labels) -> None:
        self.db = db
        self.labels = labels

    def foresee(self, task_id: int, plan: Plan) -> Consequences:
        """Return what a change would do, counted as the workspace is now."""
        names = {"task": task_id, "gone": plan.gone, "again": json.dumps(plan.again),
                 "affected": json.dumps(plan.affected)}  # fmt: skip
        found = dict(self.db.one(_COUNTS, names))
        if plan.kind is ChangeKind.REORDER:
            found |= dict.fromkeys((name for name in found if name.startswith("marked")), 0)
        if plan.kind is ChangeKind.RENAME and not plan.affected:
            found["marked_reports"] = 0  # its figures are of the same labels
        return Consequences(text=plan.text, **found)

    def apply(self, task_id: int, plan: Plan, *, by: str, at: str) -> int:
        """Do what was planned, and return the number of the change.

        Raises:
            ConflictError: If a label is to be given up that something says.
        """
        with self.db.transaction() as conn:
            before = self._rows(task_id)
            body: dict[str, Any] = {
                "text": plan.text,
                "gone": plan.gone,
                "into": plan.into,
                "affected": list(plan.affected),
                "counts": self.foresee(task_id, plan).counts,
                "before": self._last(task_id),
                "fallback": self._fallback(task_id),
                "labels": [dict(row) for row in before],
            }
            ids = write_labels(conn, task_id, plan, before, at)
            in_use = {row["id"] for row in before if row["retired_at"] is None}
            body["brought"] = [label_id for label_id in ids if label_id not in in_use]
            body["names"] = names_of(before, plan, ids)
            body["defined"] = definitions_of(before, plan, ids)
            change_id = conn.execute(
                "INSERT INTO label_change (task_id, kind, body, after_event, person, at)"
                " VALUES (?,?,?,0,?,?)",
                (task_id, plan.kind.value, json.dumps(body, ensure_ascii=False), by, at),
            ).lastrowid
            conn.execute(
                _QUEUE, {"task": task_id, "change": change_id, "again": json.dumps(plan.again)}
            )
            if plan.gone is not None:
                self._move(task_id, change_id, plan.gone, plan.into, at)
            conn.execute(
                "UPDATE label_change SET after_event = (SELECT coalesce(max(id), 0) FROM label_event)"
                " WHERE id = ?",
                (change_id,),
            )
            self._forget_figures(task_id)
        return int(change_id)

    def undo(self, task_id: int, change_id: int, *, by: str, at: str) -> None:
        """Take back the latest change that holds.

        Raises:
            ConflictError: If a later one holds, or something says a label that it brought.
        """
        with self.db.transaction() as conn:
            row = self._latest(task_id, change_id)
            body = json.loads(row["body"])
            kept = {label["id"]: label for label in body["labels"] if label["retired_at"] is None}
            gone = [
                r["id"]
                for r in self._rows(task_id)
                if r["retired_at"] is None and r["id"] not in kept
            ]
            if row["kind"] == ChangeKind.SPLIT:
                for label_id in gone:
                    self._return(task_id, change_id, label_id, body["affected"][0], at)
            else:
                self._give_up(task_id, change_id, gone)
            if body["gone"] is not None:
                touched = moves.move_back(conn, task_id, change_id, body["gone"], body["into"], at)
                self.labels.settle(task_id, touched)
                moves.repair(conn, change_id, moves.PREDICTION)
            restore_labels(conn, task_id, self._rows(task_id), body, at)
            body["undone"] = self._last(task_id)
            conn.execute(
                "UPDATE label_change SET body = ?, undone_by = ?, undone_at = ? WHERE id = ?",
                (json.dumps(body, ensure_ascii=False), by, at, change_id),
            )
            conn.execute("DELETE FROM relook WHERE change_id = ?", (change_id,))
            conn.execute("DELETE FROM label_move WHERE change_id = ?", (change_id,))
            self._forget_figures(task_id)

    def changes(self, task_id: int) -> list[LabelChange]:
        """Return all changes of a task, oldest first, the undone ones too."""
        waiting = {
            row[0]: row[1]
            for row in self.db.read(
                f"SELECT r.change_id, count(*) FROM relook r {WAITING} AND r.task_id = ? GROUP BY 1",
                (task_id,),
            )
        }
        rows = self.db.read("SELECT * FROM label_change WHERE task_id = ? ORDER BY id", (task_id,))
        return [_change(row, waiting.get(row["id"], 0)) for row in rows]

    def relook(self, task_id: int) -> list[int]:
        """Return the examples that wait until somebody decides them again, by id."""
        rows = self.db.read(
            f"SELECT DISTINCT r.example_id FROM relook r {WAITING} AND r.task_id = ? ORDER BY 1",
            (task_id,),
        )
        return [row[0] for row in rows]

    def waiting(self, task_id: int, ids: Sequence[int]) -> set[int]:
        """Return which of the examples wait until somebody decides them again."""
        rows = self.db.read(
            "SELECT DISTINCT r.example_id FROM label_change h CROSS JOIN json_each(?) j"
            " CROSS JOIN relook r ON r.task_id = h.task_id AND r.change_id = h.id"
            f" AND r.example_id = j.value {WAITING} AND h.task_id = ?",
            (json.dumps(list(ids)), task_id),
        )
        return {row[0] for row in rows}

    def marks(self, task_id: int) -> Marks:
        """Return what was made before the label set was changed."""
        return read_marks(self.db, task_id)

    def open_runs(self, task_id: int) -> list[int]:
        """Return the runs that began and have not ended for good: they may go on."""
        rows = self.db.read(
            "SELECT r.id FROM run r JOIN job j ON j.id = r.job_id WHERE r.task_id = ?"
            " AND j.status != 'done' AND (r.calls OR r.done OR r.params ->> 'batch')",
            (task_id,),
        )
        return [row[0] for row in rows]

    def _latest(self, task_id: int, change_id: int) -> Row:
        row = self.db.one(
            "SELECT * FROM label_change WHERE task_id = ? AND undone_at IS NULL ORDER BY id DESC LIMIT 1",
            (task_id,),
        )
        if row is None or row["id"] != change_id:
            after = "" if row is None else f" Change {row['id']} was made after it."
            raise ConflictError(
                f"Change {change_id} is not the latest change of the label set.{after}",
                next_step="Take back the latest change first.",
            )
        return row

    def _move(self, task_id: int, change_id: int, gone: int, into: int | None, at: str) -> None:
        """Let everything that says one label say another; with no other one, nobody may say it."""
        with self.db.transaction() as conn:
            if into is None:
                self._refuse_used(task_id, [gone])
            moves.move_rows(conn, task_id, change_id, gone, into)
            touched = moves.move_decisions(conn, task_id, moves.deed(change_id), gone, into, at)
            self.labels.settle(task_id, touched)
            moves.repair(conn, change_id, moves.PREDICTION)
            conn.execute(
                "UPDATE task SET fallback_label_id = ? WHERE id = ? AND fallback_label_id = ?",
                (into, task_id, gone),
            )

    def _return(self, task_id: int, change_id: int, part: int, whole: int, at: str) -> None:
        """Let a part of a label that was split say the whole again."""
        with self.db.transaction() as conn:
            moves.move_rows(conn, task_id, change_id, part, whole, kind=moves.RETURNED)
            name = f"{moves.deed(change_id)}:undo"
            touched = moves.move_decisions(conn, task_id, name, part, whole, at)
            self.labels.settle(task_id, touched)
            moves.repair(conn, change_id, moves.RETURNED)
            conn.execute(
                "UPDATE task SET fallback_label_id = ? WHERE id = ? AND fallback_label_id = ?",
                (whole, task_id, part),
            )

    def _give_up(self, task_id: int, change_id: int, gone: Iterable[int]) -> None:
        """Take labels away that a change brought, if nothing says them."""
        with self.db.transaction() as conn:
            self._refuse_used(task_id, list(gone))
            for label_id in gone:
                moves.move_rows(conn, task_id, change_id, label_id, None, kind=moves.RETURNED)
                moves.repair(conn, change_id, moves.RETURNED)

    def _refuse_used(self, task_id: int, label_ids: list[int]) -> None:
        for label_id in label_ids:
            used = self.db.one(_USED, {"task": task_id, "label": label_id})
            said = [f"{used[key]:,} {key}" for key in used.keys() if used[key]]  # noqa: SIM118
            if said:
                name = self.db.value("SELECT name FROM label WHERE id = ?", (label_id,))
                raise ConflictError(
                    f"The label {name!r} cannot be given up: it is said by {', '.join(said)}.",
                    next_step="Merge it into another label instead.",
                )

    def _rows(self, task_id: int) -> list[Row]:
        return self.db.read(
            "SELECT id, name, definition, position, retired_at FROM label WHERE task_id = ? ORDER BY position, id",
            (task_id,),
        )

    def _fallback(self, task_id: int) -> int | None:
        found: int | None = self.db.value(
            "SELECT fallback_label_id FROM task WHERE id = ?", (task_id,)
        )
        return found

    def _last(self, task_id: int) -> dict[str, int]:
        return dict(self.db.one(_LAST_IDS, {"task": task_id}))

    def _forget_figures(self, task_id: int) -> None:
        """Have figures of runs computed anew: they are of other labels now."""
        with self.db.transaction() as conn:
            conn.execute(
                "DELETE FROM run_figure WHERE name LIKE 'evaluation %'"
                " AND run_id IN (SELECT id FROM run WHERE task_id = ?)",
                (task_id,),
            )
            bump(self.db, task_id)


def _change(row: Row, waiting: int) -> LabelChange:
    body = json.loads(row["body"])
    return LabelChange(
        id=row["id"],
        kind=ChangeKind(row["kind"]),
        text=body["text"],
        counts=body["counts"],
        waiting=waiting,
        person=row["person"],
        at=row["at"],
        undone_by=row["undone_by"],
        undone_at=row["undone_at"],
    )


_QUEUE = (
    "INSERT INTO relook SELECT task_id, :change, example_id FROM gold WHERE task_id = :task"
    " AND label_id IN (SELECT value FROM json_each(:again))"
)
_COUNTS = """
SELECT
  (SELECT coalesce(sum(n), 0) FROM gold_count WHERE task_id = :task AND label_id = :gone) AS gold,
  (SELECT count(*) FROM run r JOIN prediction p ON p.run_id = r.id
    WHERE r.task_id = :task AND p.label_id = :gone) AS predictions,
  (SELECT count(*) FROM coded_rationale WHERE task_id = :task AND label_id = :gone) AS rules,
  (SELECT count(*) FROM rationale WHERE task_id = :task AND label_id = :gone) AS rationales,
  (SELECT coalesce(sum(n), 0) FROM gold_count WHERE task_id = :task
    AND label_id IN (SELECT value FROM json_each(:again))) AS again,
  (SELECT count(*) FROM run WHERE task_id = :task AND NOT preview) AS marked_runs,
  (SELECT count(*) FROM prompt_version WHERE task_id = :task) AS marked_prompts,
  (SELECT count(*) FROM coded_rationale WHERE task_id = :task
    AND label_id IN (SELECT value FROM json_each(:affected))) AS marked_rules,
  (SELECT count(*) FROM finetune WHERE task_id = :task AND model != '') AS marked_models,
  (SELECT count(*) FROM verdict WHERE task_id = :task) AS marked_reports
"""
_USED = """
SELECT
  (SELECT count(*) FROM current_label WHERE task_id = :task AND label_id = :label) AS labels,
  (SELECT count(*) FROM coded_rationale WHERE task_id = :task AND label_id = :label) AS rules,
  (SELECT count(*) FROM rationale WHERE task_id = :task AND label_id = :label
    AND retired_at IS NULL) AS rationales
"""
_LAST_IDS = """
SELECT
  (SELECT coalesce(max(id), 0) FROM label_event) AS events,
  (SELECT coalesce(max(id), 0) FROM run WHERE task_id = :task) AS runs,
  (SELECT coalesce(max(id), 0) FROM prompt_version WHERE task_id = :task) AS prompts,
  (SELECT coalesce(max(id), 0) FROM finetune WHERE task_id = :task) AS models,
  (SELECT coalesce(max(id), 0) FROM verdict WHERE task_id = :task) AS reports
"""
