"""Guideline notes: what people agreed on."""

from __future__ import annotations

from studio.domain.guideline import Guideline
from studio.store.connection import Connections, Row
from studio.store.tasks import bump


class Guidelines:
    """The guideline notes of a task; retired ones are kept."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def add(self, task_id: int, new: Guideline) -> int:
        """Store a note and return its id; that of `new` is not looked at."""
        with self.db.transaction() as conn:
            guideline_id = conn.execute(
                "INSERT INTO guideline (task_id, label_id, other_label_id, example_id, text, author, at)"
                " VALUES (?,?,?,?,?,?,?)",
                (task_id, new.label_id, new.other_label_id, new.example_id, new.text, new.author,
                 new.at),
            ).lastrowid  # fmt: skip
            bump(self.db, task_id)
        return int(guideline_id)

    def retire(self, task_id: int, guideline_id: int, at: str | None) -> None:
        """Take a note out of use, or with None bring it back."""
        with self.db.transaction() as conn:
            conn.execute(
                "UPDATE guideline SET retired_at = ? WHERE id = ? AND task_id = ?",
                (at, guideline_id, task_id),
            )
            bump(self.db, task_id)

    def all(self, task_id: int, *, retired: bool = False) -> list[Guideline]:
        """Return the notes in use, or the retired ones, oldest first."""
        rows = self.db.read(
            "SELECT * FROM guideline WHERE task_id = ? AND (retired_at IS NOT NULL) = ? ORDER BY id",
            (task_id, retired),
        )
        return [_guideline(row) for row in rows]


def _guideline(row: Row) -> Guideline:
    return Guideline(
        id=row["id"], text=row["text"], label_id=row["label_id"],
        other_label_id=row["other_label_id"], example_id=row["example_id"], author=row["author"],
        at=row["at"], retired_at=row["retired_at"],
    )  # fmt: skip
