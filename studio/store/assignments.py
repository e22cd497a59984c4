"""Rounds of work: which examples each person was asked to label, and how far they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from studio.domain.assignment import Progress, Round, Share
from studio.errors import ConflictError, NotFoundError
from studio.store.connection import Connections, Row
from studio.store.tasks import bump

_OPEN = "(SELECT id FROM assignment_round WHERE task_id = ?1 AND closed_at IS NULL)"
_DONE = (
    "EXISTS (SELECT 1 FROM current_label c WHERE c.example_id = a.example_id"
    " AND c.person = a.person AND c.label_id IS NOT NULL)"
)


class Assignments:
    """Who was asked to label what."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def create(self, task_id: int, new: Round, given: Mapping[str, Sequence[int]]) -> Round:
        """Store a round with what each person gets; its id is given here.

        Raises:
            ConflictError: If one of the examples is in an open round already.
        """
        pairs = [(task_id, person, i) for person, ids in given.items() for i in ids]
        with self.db.transaction() as conn:
            if self._taken(task_id, sorted({i for _, _, i in pairs})):
                raise ConflictError(
                    "Some of these examples were given to people just now.",
                    next_step="Look at the rounds, and plan it again.",
                )
            body = {
                "examples": new.examples, "shared": new.shared, "together": new.together,
                "splits": list(new.splits), "seed": new.seed,
            }  # fmt: skip
            round_id = conn.execute(
                "INSERT INTO assignment_round (task_id, name, people, overlap, body, created_by,"
                " created_at) VALUES (?,?,?,?,?,?,?)",
                (task_id, new.name, _json(new.people), new.shared / max(new.examples, 1),
                 _json(body), new.created_by, new.created_at),
            ).lastrowid  # fmt: skip
            conn.executemany(
                # A closed round may have given it before; what counts is who is asked now.
                "INSERT INTO assignment (task_id, person, example_id, round_id) VALUES (?,?,?,?)"
                " ON CONFLICT DO UPDATE SET round_id = excluded.round_id",
                [(*pair, round_id) for pair in pairs],
            )
            bump(self.db, task_id)
            return self.get(task_id, int(round_id))

    def get(self, task_id: int, round_id: int) -> Round:
        """Return one round.

        Raises:
            NotFoundError: If the task has none of this number.
        """
        row = self.db.one(
            "SELECT * FROM assignment_round WHERE task_id = ? AND id = ?", (task_id, round_id)
        )
        if row is None:
            raise NotFoundError(
                f"There is no round {round_id} in this task.",
                next_step="See `studio assign list`.",
            )
        return _round(row)

    def progress(self, task_id: int, round_id: int | None = None) -> list[Progress]:
        """Return how far the rounds are, the newest first; all of the task or one."""
        rows = self.db.read(
            "SELECT * FROM assignment_round WHERE task_id = ? AND (? IS NULL OR id = ?)"
            " ORDER BY id DESC",
            (task_id, round_id, round_id),
        )
        counted: dict[int, list[Share]] = {}
        for number, person, given, done in self.db.read(
            f"SELECT a.round_id, a.person, count(*), sum({_DONE}) FROM assignment a"
            f" WHERE a.round_id IN {_OPEN} GROUP BY 1, 2 ORDER BY 1, 2",
            (task_id,),
        ):
            counted.setdefault(number, []).append(Share(person=person, given=given, done=done))
        found = []
        for row in rows:
            ended = json.loads(row["body"]).get("ended")
            shares = counted.get(row["id"], []) if ended is None else [Share(**s) for s in ended]
            found.append(Progress(round=_round(row), shares=tuple(shares)))
        return found

    def open_for(self, task_id: int, person: str) -> list[int]:
        """Return the examples a person was asked to label in open rounds and has not, by id."""
        rows = self.db.read(
            f"SELECT a.example_id FROM assignment a WHERE a.task_id = ?1 AND a.person = ?2"
            f" AND a.round_id IN {_OPEN} AND NOT {_DONE} ORDER BY a.example_id",
            (task_id, person),
        )
        return [row[0] for row in rows]

    def pool(
        self, task_id: int, splits: Sequence[str], people: Sequence[str], *, without_gold: bool
    ) -> list[int]:
        """Return the examples a new round can have, by id.

        They are in no open round, and none of the people has labeled them.
        """
        rows = self.db.read(
            "SELECT e.id FROM example e WHERE e.task_id = ?1"
            " AND e.split IN (SELECT value FROM json_each(?2))"
            " AND NOT EXISTS (SELECT 1 FROM current_label c WHERE c.example_id = e.id"
            "  AND c.label_id IS NOT NULL AND c.person IN (SELECT value FROM json_each(?3)))"
            f" AND e.id NOT IN (SELECT example_id FROM assignment WHERE round_id IN {_OPEN})"
            " AND NOT (?4 AND EXISTS (SELECT 1 FROM gold g WHERE g.example_id = e.id))"
            " ORDER BY e.id",
            (task_id, _json(splits), _json(people), without_gold),
        )
        return [row[0] for row in rows]

    def left_of(self, round_id: int) -> dict[str, list[int]]:
        """Return what each person of a round has still to label."""
        rows = self.db.read(
            f"SELECT a.person, a.example_id FROM assignment a WHERE a.round_id = ? AND NOT {_DONE}"
            " ORDER BY a.person, a.example_id",
            (round_id,),
        )
        found: dict[str, list[int]] = {}
        for person, example_id in rows:
            found.setdefault(person, []).append(example_id)
        return found

    def known_to(
        self, task_id: int, people: Sequence[str], ids: Sequence[int]
    ) -> dict[str, set[int]]:
        """Return which of the examples each person was asked to label, or has labeled."""
        rows = self.db.read(
            "SELECT person, example_id FROM assignment WHERE task_id = ?1"
            " AND person IN (SELECT value FROM json_each(?2))"
            " AND example_id IN (SELECT value FROM json_each(?3))"
            " UNION SELECT person, example_id FROM current_label WHERE label_id IS NOT NULL"
            " AND person IN (SELECT value FROM json_each(?2))"
            " AND example_id IN (SELECT value FROM json_each(?3))",
            (task_id, _json(people), _json(ids)),
        )
        found: dict[str, set[int]] = {person: set() for person in people}
        for person, example_id in rows:
            found[person].add(example_id)
        return found

    def move(
        self, task_id: int, round_id: int, giver: str, taken: Mapping[str, Sequence[int]]
    ) -> None:
        """Hand examples of one person to others of the same round."""
        with self.db.transaction() as conn:
            conn.executemany(
                "UPDATE assignment SET person = ? WHERE task_id = ? AND person = ?"
                " AND example_id = ? AND round_id = ?",
                [
                    (taker, task_id, giver, example_id, round_id)
                    for taker, ids in taken.items()
                    for example_id in ids
                ],
            )
            people = dict.fromkeys((*self.get(task_id, round_id).people, *taken))
            conn.execute(
                "UPDATE assignment_round SET people = ? WHERE id = ?",
                (_json(list(people)), round_id),
            )
            bump(self.db, task_id)

    def close(self, task_id: int, round_id: int, at: str) -> None:
        """End a round: what was done stays, what is left is nobody's any more."""
        with self.db.transaction() as conn:
            (now,) = self.progress(task_id, round_id)
            conn.execute(
                f"DELETE FROM assignment AS a WHERE a.round_id = ? AND NOT {_DONE}", (round_id,)
            )
            conn.execute(
                "UPDATE assignment_round SET closed_at = ?, body = json_set(body, '$.ended', json(?))"
                " WHERE id = ?",
                (at, _json([share.to_dict() for share in now.shares]), round_id),
            )
            bump(self.db, task_id)

    def withdraw(self, task_id: int, round_id: int) -> None:
        """Take a round back as if it had never been."""
        with self.db.transaction() as conn:
            conn.execute("DELETE FROM assignment WHERE round_id = ?", (round_id,))
            conn.execute("DELETE FROM assignment_round WHERE id = ?", (round_id,))
            bump(self.db, task_id)

    def _taken(self, task_id: int, ids: Sequence[int]) -> bool:
        return bool(
            self.db.value(
                f"SELECT 1 FROM assignment WHERE round_id IN {_OPEN}"
                " AND example_id IN (SELECT value FROM json_each(?2)) LIMIT 1",
                (task_id, _json(ids)),
            )
        )


def _round(row: Row) -> Round:
    body = json.loads(row["body"])
    return Round(
        id=row["id"], name=row["name"], people=tuple(json.loads(row["people"])),
        examples=body["examples"], shared=body["shared"], together=body["together"],
        splits=tuple(body["splits"]), seed=body["seed"], created_by=row["created_by"],
        created_at=row["created_at"], closed_at=row["closed_at"],
    )  # fmt: skip


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
