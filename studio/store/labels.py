"""People's decisions on labels: the append-only history, what holds now, and gold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from studio.domain.correction import Correction, Mode, Origin
from studio.domain.gold import GoldLabel, resolve_gold
from studio.errors import InputError
from studio.store.connection import Connections, Row
from studio.store.tasks import bump


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLabel:
    """A decision to append.

    Attributes:
        example_id, label_id, person, origin: As in `Correction`.
        run_id: The run whose label was in sight, if any.
        undoes: The event this one undoes, if any.
        note: A remark.
        client: The browser's own number of this decision; a second one of the same number is
            ignored, so that sending again never counts twice.
        mode, seconds, deed: As in `Correction`.
    """

    example_id: int
    label_id: int | None
    person: str
    origin: Origin
    run_id: int | None = None
    undoes: int | None = None
    note: str = ""
    client: str | None = None
    mode: Mode = Mode.OTHER
    seconds: float | None = None
    deed: str | None = None


class Labels:
    """The history of labels and the gold that follows from it."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def append(self, task_id: int, decisions: Sequence[NewLabel], at: str) -> int:
        """Append decisions and settle gold anew where they touch it.

        Returns:
            How many were new.
        """
        with self.db.transaction() as conn:
            known = conn.execute(
                "SELECT count(*) FROM example WHERE +task_id = ? AND id IN (SELECT value FROM json_each(?))",
                (task_id, json.dumps([d.example_id for d in decisions])),
            ).fetchone()[0]
            if known != len({d.example_id for d in decisions}):
                raise InputError("A decision names an example of another task; nothing was stored.")
            added: int = conn.executemany(
                "INSERT INTO label_event"
                " (task_id, example_id, person, label_id, origin, run_id, undoes, note, client, mode,"
                " seconds, deed, at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (client) DO NOTHING",
                [
                    (task_id, d.example_id, d.person, d.label_id, d.origin.value, d.run_id, d.undoes,
                     d.note, d.client, d.mode.value, d.seconds, d.deed, at)
                    for d in decisions
                ],
            ).rowcount  # fmt: skip
            self._settle(task_id, {d.example_id for d in decisions})
            bump(self.db, task_id)
        return max(added, 0)

    def undo(self, task_id: int, person: str, at: str) -> Correction | None:
        """Take back this person's latest decision that still stands, by one more event.

        Returns:
            The event that was undone, or None when there is nothing to undo.
        """
        with self.db.transaction():
            row = self.db.one(
                "SELECT * FROM label_event e WHERE task_id = ? AND person = ? AND undoes IS NULL"
                " AND origin IN ('blind', 'assisted', 'adjudicated')"
                " AND NOT EXISTS (SELECT 1 FROM label_event u WHERE u.undoes = e.id) ORDER BY id DESC LIMIT 1",
                (task_id, person),
            )
            if row is None:
                return None
            event = _correction(row)
            previous = self.db.one(
                "SELECT label_id, origin FROM label_event WHERE example_id = ? AND person = ? AND id < ?"
                " ORDER BY id DESC LIMIT 1",
                (event.example_id, person, event.id),
            )
            restored = NewLabel(
                example_id=event.example_id,
                label_id=previous["label_id"] if previous else None,
                person=person,
                origin=Origin(previous["origin"]) if previous else event.origin,
                undoes=event.id,
                note="undo",
            )
            self.append(task_id, [restored], at)
            return event

    def history(
        self, task_id: int, *, example_id: int | None = None, limit: int = 100_000
    ) -> list[Correction]:
        """Return decisions, oldest first, of a task or one of its examples."""
        rows = self.db.read(
            "SELECT * FROM label_event WHERE task_id = ? AND (? IS NULL OR example_id = ?) ORDER BY id LIMIT ?",
            (task_id, example_id, example_id, limit),
        )
        return [_correction(row) for row in rows]

    def current(self, task_id: int, *, people_only: bool = True) -> dict[int, int]:
        """Return example to the label people give it now (the gold of people's own decisions)."""
        rows = self.db.read(
            "SELECT example_id, label_id FROM gold WHERE task_id = ?"
            " AND (NOT ? OR origin NOT IN ('imported', 'computed'))",
            (task_id, people_only),
        )
        return {row[0]: row[1] for row in rows}

    def gold(
        self,
        task_id: int,
        splits: Sequence[str] = (),
        *,
        blind_only: bool = False,
        ids: Sequence[int] | None = None,
    ) -> dict[int, GoldLabel]:
        """Return example id to gold label, of the splits (all when none is named) or the ids."""
        wanted = json.dumps(list(splits))
        # By ids no index helps but the table's own order.
        of = "task_id = ?" if ids is None else "+task_id = ?"
        named = "" if ids is None else " AND example_id IN (SELECT value FROM json_each(?))"
        rows = self.db.read(
            f"SELECT * FROM gold WHERE {of} AND (? = '[]' OR split IN (SELECT value FROM json_each(?)))"
            f" AND (NOT ? OR origin != 'assisted'){named} ORDER BY example_id",
            (
                task_id,
                wanted,
                wanted,
                blind_only,
                *([] if ids is None else [json.dumps(list(ids))]),
            ),
        )
        return {
            row["example_id"]: GoldLabel(
                example_id=row["example_id"],
                label_id=row["label_id"],
                origin=Origin(row["origin"]),
                person=row["person"],
                event_id=row["event_id"],
            )
            for row in rows
        }

    def by_people(
        self, task_id: int, splits: Sequence[str] = ()
    ) -> list[tuple[int, str, int, Origin]]:
        """Return what each person says now of each example: (example id, person, label id, origin).

        Labels of files are left out, and those that were taken back.
        """
        wanted = json.dumps(list(splits))
        rows = self.db.read(
            "SELECT example_id, person, label_id, origin FROM current_label"
            " WHERE task_id = ? AND label_id IS NOT NULL AND origin NOT IN ('imported', 'computed')"
            " AND (? = '[]' OR split IN (SELECT value FROM json_each(?))) ORDER BY example_id, person",
            (task_id, wanted, wanted),
        )
        return [(row[0], row[1], row[2], Origin(row[3])) for row in rows]

    def counts(self, task_id: int) -> list[dict[str, Any]]:
        """Return dicts of split, label_id, origin, n over all gold."""
        rows = self.db.read(
            "SELECT split, label_id, origin, n FROM gold_count WHERE task_id = ? AND n > 0 ORDER BY 1, 2, 3",
            (task_id,),
        )
        return [dict(row) for row in rows]

    def record_look(self, task_id: int, run_id: int, person: str, at: str) -> None:
        """Count one look at figures on the test split."""
        with self.db.transaction() as conn:
            conn.execute(
                "INSERT INTO test_look (task_id, run_id, person, at) VALUES (?,?,?,?)",
                (task_id, run_id, person, at),
            )

    def looks(self, task_id: int) -> int:
        """Return how often figures on the test split were looked at."""
        return int(self.db.value("SELECT count(*) FROM test_look WHERE task_id = ?", (task_id,)))

    def _settle(self, task_id: int, example_ids: Iterable[int]) -> None:
        """Write gold anew for the examples, from each person's current decision."""
        wanted = json.dumps(sorted(set(example_ids)))
        by_example: dict[int, list[Correction]] = {}
        for row in self.db.read(
            "SELECT v.* FROM current_label c JOIN label_event v ON v.id = c.event_id"
            " WHERE c.example_id IN (SELECT value FROM json_each(?))",
            (wanted,),
        ):
            by_example.setdefault(row["example_id"], []).append(_correction(self._standing(row)))
        settled = [gold for found in by_example.values() if (gold := resolve_gold(found))]
        with self.db.transaction() as conn:
            none = json.dumps(sorted(set(json.loads(wanted)) - {g.example_id for g in settled}))
            conn.execute(
                "DELETE FROM gold WHERE example_id IN (SELECT value FROM json_each(?))", (none,)
            )
            conn.executemany(
                "INSERT INTO gold (example_id, task_id, label_id, origin, person, event_id, split)"
                " SELECT id, ?2, ?3, ?4, ?5, ?6, split FROM example WHERE id = ?1"
                " ON CONFLICT (example_id) DO UPDATE SET label_id = excluded.label_id,"
                " origin = excluded.origin, person = excluded.person, event_id = excluded.event_id",
                [
                    (g.example_id, task_id, g.label_id, g.origin.value, g.person, g.event_id)
                    for g in settled
                ],
            )

    def _standing(self, row: Row) -> Row:
        """Return the decision an undo brought back, so that gold is again what it was before."""
        while row["undoes"] is not None:
            earlier = self.db.one(
                "SELECT * FROM label_event WHERE example_id = ? AND person = ? AND id < ?"
                " ORDER BY id DESC LIMIT 1",
                (row["example_id"], row["person"], row["undoes"]),
            )
            if earlier is None:
                return row
            row = earlier
        return row


def _correction(row: Row) -> Correction:
    return Correction(
        id=row["id"],
        example_id=row["example_id"],
        person=row["person"],
        label_id=row["label_id"],
        origin=Origin(row["origin"]),
        at=row["at"],
        run_id=row["run_id"],
        undoes=row["undoes"],
        note=row["note"],
        mode=Mode(row["mode"]),
        seconds=row["seconds"],
        deed=row["deed"],
    )
