"""People's decisions on labels: the append-only history, what holds now, and gold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.domain.correction import Correction, Crossed, Mode, Origin
from studio.domain.gold import GoldLabel, resolve_gold
from studio.errors import InputError
from studio.store.connection import Connections, Row
from studio.store.label_moves import moved_labels
from studio.store.people_said import Said, read_said
from studio.store.standing import STANDING
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

        Who ended a dispute and decides again changes how it ended, unless they had another's label
        in sight: to give another one then is a label like any other, and opens it again.

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
            decisions = self._weighed(self._in_use(task_id, decisions))
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
            self.settle(task_id, {d.example_id for d in decisions})
        return max(added, 0)

    def _in_use(self, task_id: int, decisions: Sequence[NewLabel]) -> list[NewLabel]:
        """Return decisions on labels in use; a label may have been merged while somebody decided."""
        moved = moved_labels(self.db, task_id)
        if any(d.label_id in moved and moved[d.label_id].into is None for d in decisions):
            raise InputError(
                "A decision names a label that was given up; nothing was stored.",
                next_step="Open the page again and choose another label.",
            )
        return [
            replace(d, label_id=moved[d.label_id].into) if d.label_id in moved else d
            for d in decisions
        ]

    def _weighed(self, decisions: Sequence[NewLabel]) -> list[NewLabel]:
        """Return decisions with the weight of an adjudication where they are part of one."""
        ended = self._adjudicated({d.example_id for d in decisions})
        weighed = []
        for d in decisions:
            who = (d.example_id, d.person)
            if d.origin is Origin.ASSISTED and ended.get(who) != d.label_id:
                ended.pop(who, None)
            if who in ended:
                ended[who] = d.label_id
                d = replace(d, origin=Origin.ADJUDICATED)
            weighed.append(d)
        return weighed

    def history(
        self, task_id: int, *, example_id: int | None = None, limit: int = 100_000
    ) -> list[Correction]:
        """Return decisions, oldest first, of a task or one of its examples."""
        rows = self.db.read(
            "SELECT * FROM label_event WHERE task_id = ? AND (? IS NULL OR example_id = ?) ORDER BY id LIMIT ?",
            (task_id, example_id, example_id, limit),
        )
        return [_correction(row) for row in rows]

    def worked(self, task_id: int, people: Sequence[str]) -> list[Correction]:
        """Return all decisions of these people, oldest first."""
        rows = self.db.read(
            "SELECT * FROM label_event WHERE task_id = ? AND person IN (SELECT value FROM json_each(?))"
            " AND origin NOT IN ('imported', 'computed') ORDER BY id",
            (task_id, json.dumps(list(people))),
        )
        return [_correction(row) for row in rows]

    def from_files(self, task_id: int, example_ids: Iterable[int]) -> dict[int, int]:
        """Return example id to the label id that files give it, of those they label."""
        rows = self.db.read(
            "SELECT c.example_id, c.label_id FROM json_each(?) j"
            " CROSS JOIN current_label c ON c.example_id = j.value"
            " WHERE +c.task_id = ? AND c.label_id IS NOT NULL AND c.origin IN ('imported', 'computed')"
            " ORDER BY c.event_id",
            (json.dumps(sorted(set(example_ids))), task_id),
        )
        return {row[0]: row[1] for row in rows}

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
        picked = [] if ids is None else [json.dumps(list(ids))]
        named = " AND example_id IN (SELECT value FROM json_each(?))" if picked else ""
        rows = self.db.read(
            f"SELECT * FROM gold WHERE {of} AND (? = '[]' OR split IN (SELECT value FROM json_each(?)))"
            f" AND (NOT ? OR origin != 'assisted'){named} ORDER BY example_id",
            (task_id, wanted, wanted, blind_only, *picked),
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

    def said(self, task_id: int, splits: Sequence[str] = ()) -> Said:
        """Return what each person says of each example, as columns.

        Labels of files are left out, and those that were taken back. Of who ended a dispute it is
        what that person had said before, if anything: how a dispute ended is no vote in it. No
        change of the label set moved that earlier decision, so it is read by the labels of now.
        """
        return read_said(self.db, task_id, splits)

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

    def last_event(self, task_id: int) -> int:
        """Return the number of the task's latest decision, 0 without any; later ones are above."""
        return int(self.db.value(_LAST, (task_id,)) or 0)

    def seconds(self, task_id: int, person: str, *, mode: Mode, limit: int = 200) -> list[float]:
        """Return what a person's latest decisions in a way of working took, as far as measured."""
        rows = self.db.read(
            "SELECT seconds FROM label_event WHERE task_id = ? AND person = ? AND mode = ?"
            " AND undoes IS NULL AND seconds IS NOT NULL ORDER BY id DESC LIMIT ?",
            (task_id, person, mode.value, limit),
        )
        return [row[0] for row in rows]

    def crossed(
        self, task_id: int, example_ids: Sequence[int], *, since: int, person: str
    ) -> list[Crossed]:
        """Return what others decided after event `since` and this person decides otherwise now."""
        rows = self.db.read(
            _CROSSED,
            {"ids": json.dumps(list(example_ids)), "task": task_id, "since": since, "own": person},
        )
        return [Crossed(**dict(row)) for row in rows]

    def beside(
        self, task_id: int, example_ids: Sequence[int], *, run_id: int | None, person: str
    ) -> list[Row]:
        """Return rows of id, split, own, predicted (label ids), settled and others, by id.

        `settled` says whether this person ended a dispute on it.
        `others` holds the ids of the labels other people or files give it now, joined by commas.
        """
        ids = json.dumps(list(example_ids))
        return self.db.read(_BESIDE, {"ids": ids, "task": task_id, "run": run_id, "person": person})

    def _adjudicated(self, example_ids: set[int]) -> dict[tuple[int, str], int | None]:
        """Return (example id, person) of those who ended the dispute on one, and the label."""
        rows = self.db.read(
            "SELECT c.example_id, c.person, c.label_id FROM json_each(?) j CROSS JOIN current_label c"
            " ON c.example_id = j.value WHERE c.origin = 'adjudicated' AND c.label_id IS NOT NULL",
            (json.dumps(sorted(example_ids)),),
        )
        return {(row[0], row[1]): row[2] for row in rows}

    def settle(self, task_id: int, example_ids: Iterable[int]) -> None:
        """Write gold anew for the examples, from each person's decision that stands."""
        wanted = sorted(set(example_ids))
        by_example: dict[int, list[Correction]] = {}
        for row in self.db.read(STANDING, (json.dumps(wanted),)):
            standing = replace(_correction(row), label_id=row["said"])
            by_example.setdefault(row["example_id"], []).append(standing)
        settled = [gold for found in by_example.values() if (gold := resolve_gold(found))]
        with self.db.transaction() as conn:
            none = json.dumps(sorted(set(wanted) - {g.example_id for g in settled}))
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
            bump(self.db, task_id)


# One step of the index a person, however many decisions each made.
_LAST = """
WITH RECURSIVE who (person) AS (
  SELECT min(person) FROM label_event WHERE task_id = ?1
  UNION ALL
  SELECT (SELECT min(person) FROM label_event WHERE task_id = ?1 AND person > who.person)
  FROM who WHERE who.person IS NOT NULL
)
SELECT max((SELECT max(id) FROM label_event WHERE task_id = ?1 AND person = who.person)) FROM who
"""
_CROSSED = """
SELECT c.example_id, c.person, l.name AS label, v.at, n.name AS own
FROM json_each(:ids) j
CROSS JOIN current_label c ON c.example_id = j.value
JOIN label_event v ON v.id = c.event_id
JOIN label l ON l.id = c.label_id
JOIN current_label o ON o.example_id = c.example_id AND o.person = :own
JOIN label n ON n.id = o.label_id
WHERE c.task_id = :task AND c.person != :own AND c.event_id > :since AND c.label_id != o.label_id
  AND c.origin NOT IN ('imported', 'computed') AND v.mode != 'label_change'
ORDER BY c.event_id
"""
_BESIDE = """
SELECT e.id, e.split, o.label_id AS own, p.label_id AS predicted,
  o.label_id IS NOT NULL AND o.origin = 'adjudicated' AS settled, (
  SELECT group_concat(DISTINCT c.label_id) FROM current_label c
  WHERE c.example_id = e.id AND c.person != :person) AS others
FROM json_each(:ids) j CROSS JOIN example e ON e.id = j.value AND +e.task_id = :task
LEFT JOIN current_label o ON o.example_id = e.id AND o.person = :person
LEFT JOIN prediction p ON p.run_id = :run AND p.example_id = e.id
ORDER BY e.id
"""


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
