"""Rationales: the experts' reasons."""

from __future__ import annotations

import json
from dataclasses import asdict

from studio.domain.rationale import Evidence, Rationale
from studio.store.connection import Connections, Row
from studio.store.tasks import bump


class Rationales:
    """The reasons experts gave in a task."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def add(
        self,
        task_id: int,
        *,
        label_id: int,
        text: str,
        example_id: int | None,
        evidence: tuple[Evidence, ...],
        author: str,
        at: str,
        external_id: str = "",
    ) -> int:
        """Store a rationale and return its id."""
        with self.db.transaction() as conn:
            rationale_id = conn.execute(
                "INSERT INTO rationale (task_id, label_id, text, example_id, evidence, author, at, external_id)"
                " VALUES (?,?,?,?,?,?,?,?)",
                (task_id, label_id, text, example_id,
                 json.dumps([asdict(e) for e in evidence], ensure_ascii=False), author, at, external_id),
            ).lastrowid  # fmt: skip
            bump(self.db, task_id)
        return int(rationale_id)

    def retire(self, task_id: int, rationale_id: int, at: str | None) -> None:
        """Take a rationale out of use, or with None bring it back; it is never deleted."""
        with self.db.transaction() as conn:
            conn.execute(
                "UPDATE rationale SET retired_at = ? WHERE id = ? AND task_id = ?",
                (at, rationale_id, task_id),
            )
            bump(self.db, task_id)

    def all(self, task_id: int, *, retired: bool = False) -> list[Rationale]:
        """Return the rationales in use, or the retired ones, oldest first."""
        rows = self.db.read(
            "SELECT * FROM rationale WHERE task_id = ? AND (retired_at IS NOT NULL) = ? ORDER BY id",
            (task_id, retired),
        )
        return [_rationale(row) for row in rows]

    def by_external_id(self, task_id: int) -> dict[str, int]:
        """Return the id its file gave a rationale, to its id here."""
        rows = self.db.read(
            "SELECT external_id, id FROM rationale WHERE task_id = ? AND external_id != '' ORDER BY id",
            (task_id,),
        )
        return {row[0]: row[1] for row in rows}


def _rationale(row: Row) -> Rationale:
    return Rationale(
        id=row["id"],
        label_id=row["label_id"],
        text=row["text"],
        example_id=row["example_id"],
        evidence=tuple(Evidence(**e) for e in json.loads(row["evidence"])),
        author=row["author"],
        at=row["at"],
    )
