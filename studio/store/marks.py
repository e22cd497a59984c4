"""Marks on examples: flags, notes and skips; an append-only history and what holds now."""

from __future__ import annotations

import json
from collections.abc import Sequence

from studio.domain.mark import Mark, MarkKind
from studio.errors import InputError
from studio.store.connection import Connections, Row
from studio.store.tasks import bump


class Marks:
    """The marks people set; each person has their own."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def set(self, task_id: int, mark: Mark, *, present: bool, client: str | None = None) -> bool:
        """Set a mark, or take it away.

        Returns:
            Whether anything changed: not where it was so already, nor where `client` was seen.
        """
        with self.db.transaction() as conn:
            if not conn.execute(
                "SELECT 1 FROM example WHERE id = ? AND task_id = ?", (mark.example_id, task_id)
            ).fetchone():
                raise InputError(f"Example {mark.example_id} is not of this task.")
            here = (task_id, mark.kind.value, mark.example_id, mark.person)
            now = self.db.one(
                "SELECT text FROM mark WHERE task_id = ? AND kind = ? AND example_id = ? AND person = ?",
                here,
            )
            if (None if now is None else now["text"]) == (mark.text if present else None):
                return False
            added = conn.execute(
                "INSERT INTO mark_event (task_id, kind, example_id, person, present, text, client, at, after_event)"
                " VALUES (?,?,?,?,?,?,?,?, (SELECT coalesce(max(id), 0) FROM label_event))"
                " ON CONFLICT (client) DO NOTHING",
                (*here, int(present), mark.text if present else "", client, mark.at),
            ).rowcount
            bump(self.db, task_id)
        return bool(added > 0)

    def of(
        self, task_id: int, example_ids: Sequence[int], person: str
    ) -> dict[int, dict[MarkKind, str]]:
        """Return a person's marks: example id to kind to text, of the examples that have any."""
        rows = self.db.read(
            "SELECT m.example_id, m.kind, m.text FROM json_each(?) j"
            " CROSS JOIN mark m ON m.example_id = j.value WHERE +m.task_id = ? AND m.person = ?",
            (json.dumps(list(example_ids)), task_id, person),
        )
        found: dict[int, dict[MarkKind, str]] = {}
        for example_id, kind, text in rows:
            found.setdefault(example_id, {})[MarkKind(kind)] = text
        return found

    def counts(self, task_id: int, person: str | None = None) -> dict[MarkKind, int]:
        """Return on how many examples each kind of mark is, of a person or of anybody."""
        rows = self.db.read(
            "SELECT kind, count(DISTINCT example_id) FROM mark"
            " WHERE task_id = ?1 AND (?2 IS NULL OR person = ?2) GROUP BY kind",
            (task_id, person),
        )
        return dict.fromkeys(MarkKind, 0) | {MarkKind(kind): n for kind, n in rows}

    def list(
        self, task_id: int, kind: MarkKind, *, person: str | None = None, limit: int = 1000
    ) -> Sequence[Mark]:
        """Return the marks of a kind, of a person or of anybody, by example."""
        rows = self.db.read(
            "SELECT * FROM mark WHERE task_id = ?1 AND kind = ?2 AND (?3 IS NULL OR person = ?3)"
            " ORDER BY example_id, person LIMIT ?4",
            (task_id, kind.value, person, limit),
        )
        return [_mark(row) for row in rows]


def _mark(row: Row) -> Mark:
    return Mark(
        example_id=row["example_id"],
        person=row["person"],
        kind=MarkKind(row["kind"]),
        text=row["text"],
        at=row["at"],
    )
