"""Batches sent to a service: what was asked in each, and whether its answers are here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.store.connection import Connections, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One batch of a run.

    Attributes:
        id: Number in the workspace.
        run_id: The run.
        key: Names it at the service, whoever sent it.
        remote_id: The service's id; empty while it is not known to have been sent.
        status: As the service told last; "new" before.
        questions: How many.
        is_imported: Whether all that came of it is stored.
    """

    id: int
    run_id: int
    key: str
    remote_id: str
    status: str
    questions: int
    is_imported: bool


class Batches:
    """The batches of a workspace."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def add(self, run_id: int, key: str, questions: Sequence[tuple[int, str, int]], at: str) -> int:
        """Store a batch that is about to be sent, and return its id.

        Args:
            run_id: The run.
            key: Unique in the workspace.
            questions: (example id, content key, ledger number) of each.
            at: The time.
        """
        with self.db.transaction() as conn:
            batch_id = int(
                conn.execute(
                    "INSERT INTO batch (run_id, key, questions, at) VALUES (?,?,?,?)",
                    (run_id, key, len(questions), at),
                ).lastrowid
            )
            conn.executemany(
                "INSERT INTO batch_question VALUES (?,?,?,?)", [(batch_id, *q) for q in questions]
            )
        return batch_id

    def all(self, run_id: int) -> list[Batch]:
        """Return the batches of a run, oldest first."""
        return [
            _batch(row)
            for row in self.db.read("SELECT * FROM batch WHERE run_id = ? ORDER BY id", (run_id,))
        ]

    def tell(self, batch_id: int, *, remote_id: str, status: str) -> None:
        """Keep what the service says of a batch."""
        with self.db.transaction() as conn:
            conn.execute(
                "UPDATE batch SET remote_id = ?, status = ? WHERE id = ?",
                (remote_id, status, batch_id),
            )

    def close(self, batch_id: int) -> None:
        """Note that all that came of a batch is stored."""
        with self.db.transaction() as conn:
            conn.execute("UPDATE batch SET imported = 1 WHERE id = ?", (batch_id,))

    def unsettled(self, batch_id: int) -> dict[int, tuple[str, int, float | None]]:
        """Return example id to (content key, ledger number, most it can cost) of what is open."""
        rows = self.db.read(
            "SELECT q.example_id, q.key, q.ledger_id, l.bound_usd FROM batch_question q JOIN ledger l ON l.id = q.ledger_id"
            " WHERE q.batch_id = ? AND l.outcome = 'open' ORDER BY q.example_id",
            (batch_id,),
        )
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    def under_way(self, run_id: int) -> dict[int, str]:
        """Return example id to content key of what is in a batch whose answers are not stored yet."""
        rows = self.db.read(
            "SELECT q.example_id, q.key FROM batch_question q JOIN batch b ON b.id = q.batch_id"
            " WHERE b.run_id = ? AND NOT b.imported",
            (run_id,),
        )
        return {row[0]: row[1] for row in rows}

    def times_asked(self, run_id: int, example_id: int) -> int:
        """Return in how many batches of a run an example was."""
        return int(
            self.db.value(
                "SELECT count(*) FROM batch b JOIN batch_question q ON q.batch_id = b.id AND q.example_id = ?"
                " WHERE b.run_id = ?",
                (example_id, run_id),
            )
        )


def _batch(row: Row) -> Batch:
    return Batch(
        id=row["id"], run_id=row["run_id"], key=row["key"], remote_id=row["remote_id"],
        status=row["status"], questions=row["questions"], is_imported=bool(row["imported"]),
    )  # fmt: skip
