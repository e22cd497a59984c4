"""Training sets, trainings and the models that came out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from studio.domain.finetune import FineTune, FineTuneEvent, FineTuneStatus, TrainingSet
from studio.domain.run import Answer
from studio.errors import NotFoundError
from studio.store.connection import Connections, Row
from studio.store.responses import answer_of
from studio.store.tasks import Tasks, bump


class FineTunes:
    """The fine-tunes of a task and what they learnt from."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def freeze(
        self,
        task_id: int,
        *,
        name: str,
        source: str,
        rows: Sequence[tuple[int, int, str]],
        by: str,
        at: str,
    ) -> TrainingSet:
        """Store a training set of (example id, label id, origin)."""
        body = json.dumps(sorted(rows))
        with self.db.transaction() as conn:
            set_id = conn.execute(
                "INSERT INTO training_set (task_id, name, source, hash, created_at, created_by) VALUES (?,?,?,?,?,?)",
                (task_id, name, source, hashlib.sha256(body.encode()).hexdigest()[:16], at, by),
            ).lastrowid
            conn.executemany(
                "INSERT INTO training_set_example VALUES (?,?,?,?)",
                [(set_id, *row) for row in rows],
            )
            bump(self.db, task_id)
            return self.training_set(task_id, int(set_id or 0))

    def training_set(self, task_id: int, set_id: int) -> TrainingSet:
        """Return one training set.

        Raises:
            NotFoundError: If the task has no such training set.
        """
        row = self.db.one(
            "SELECT * FROM training_set WHERE id = ? AND task_id = ?", (set_id, task_id)
        )
        if row is None:
            raise NotFoundError(f"There is no training set {set_id} in this task.")
        return self._training_set(row)

    def training_sets(self, task_id: int) -> list[TrainingSet]:
        """Return the training sets of a task, newest first."""
        rows = self.db.read(
            "SELECT * FROM training_set WHERE task_id = ? ORDER BY id DESC", (task_id,)
        )
        return [self._training_set(row) for row in rows]

    def training_rows(self, set_id: int) -> list[tuple[int, str, str]]:
        """Return (example id, text, label name), by example id."""
        rows = self.db.read(
            "SELECT e.id, e.text, l.name, l.id AS label_id, l.task_id, l.retired_at"
            " FROM training_set_example t JOIN example e ON e.id = t.example_id"
            " JOIN label l ON l.id = t.label_id WHERE t.training_set_id = ? ORDER BY e.id",
            (set_id,),
        )
        now = self._names_now(rows)
        return [(row[0], row[1], now.get(row["label_id"], row[2])) for row in rows]

    def _names_now(self, rows: Sequence[Row]) -> dict[int, str]:
        """Return the names that labels go by now that are in use no more."""
        gone = {row["label_id"]: row["task_id"] for row in rows if row["retired_at"] is not None}
        tasks = {task_id: Tasks(self.db).get(task_id) for task_id in set(gone.values())}
        return {i: name for i, task_id in gone.items() if (name := tasks[task_id].name_of(i))}

    def examples_of(self, set_id: int, origin: str) -> frozenset[int]:
        """Return the examples of a training set whose label has this origin."""
        rows = self.db.read(
            "SELECT example_id FROM training_set_example WHERE training_set_id = ? AND origin = ?",
            (set_id, origin),
        )
        return frozenset(row[0] for row in rows)

    def create(
        self,
        task_id: int,
        *,
        training_set_id: int,
        prompt_version_id: int | None,
        provider: str,
        base_model: str,
        by: str,
        at: str,
    ) -> int:
        """Store a fine-tune that is about to be launched, and return its id."""
        with self.db.transaction() as conn:
            finetune_id = conn.execute(
                "INSERT INTO finetune (task_id, training_set_id, prompt_version_id, provider, base_model, status,"
                " created_at, created_by) VALUES (?,?,?,?,?,?,?,?)",
                (task_id, training_set_id, prompt_version_id, provider, base_model,
                 FineTuneStatus.LAUNCHING.value, at, by),
            ).lastrowid  # fmt: skip
            bump(self.db, task_id)
        return int(finetune_id)

    def update(self, finetune_id: int, **changes: Any) -> None:
        """Change columns of a fine-tune: status, remote_id, model, metrics, error, job_id, seconds."""
        allowed = {"status", "remote_id", "model", "metrics", "error", "job_id", "seconds"}
        assert set(changes) <= allowed, changes
        if "metrics" in changes:
            changes["metrics"] = json.dumps(changes["metrics"])
        if "status" in changes:
            changes["status"] = FineTuneStatus(changes["status"]).value
        sets = ", ".join(f"{key} = :{key}" for key in changes)
        with self.db.transaction() as conn:
            conn.execute(
                f"UPDATE finetune SET {sets} WHERE id = :id",
                changes | {"id": finetune_id},
            )
            bump(
                self.db, self.db.value("SELECT task_id FROM finetune WHERE id = ?", (finetune_id,))
            )

    def add_events(self, finetune_id: int, events: Sequence[tuple[str, FineTuneEvent]]) -> None:
        """Store events by the provider's id of each; known ones are left alone."""
        with self.db.transaction() as conn:
            conn.executemany(
                "INSERT OR IGNORE INTO finetune_event VALUES (?,?,?,?,?,?)",
                [
                    (finetune_id, remote_id, e.at, e.level, e.message, json.dumps(e.data))
                    for remote_id, e in events
                ],
            )

    def newest_event(self, finetune_id: int) -> tuple[str | None, int]:
        """Return the provider's id of the newest event, None without one, and how many there are."""
        row = self.db.one(
            "SELECT remote_id, (SELECT count(*) FROM finetune_event WHERE finetune_id = :id) FROM finetune_event"
            " WHERE finetune_id = :id ORDER BY at DESC, rowid DESC LIMIT 1",
            {"id": finetune_id},
        )
        return (None, 0) if row is None else (row[0], row[1])

    def events(self, finetune_id: int) -> list[FineTuneEvent]:
        """Return the events of a fine-tune, oldest first."""
        rows = self.db.read(
            "SELECT * FROM finetune_event WHERE finetune_id = ? ORDER BY at, rowid", (finetune_id,)
        )
        return [
            FineTuneEvent(
                at=r["at"], level=r["level"], message=r["message"], data=json.loads(r["data"])
            )
            for r in rows
        ]

    def get(self, finetune_id: int) -> FineTune:
        """Return a fine-tune.

        Raises:
            NotFoundError: If there is none of this number.
        """
        row = self.db.one("SELECT * FROM finetune WHERE id = ?", (finetune_id,))
        if row is None:
            raise NotFoundError(
                f"There is no fine-tune {finetune_id}.", next_step="See `studio finetune list`."
            )
        return _finetune(row)

    def of_run(self, run_id: int) -> FineTune:
        """Return the fine-tune behind a run of its model."""
        found = self.db.value("SELECT finetune_id FROM run WHERE id = ?", (run_id,))
        return self.get(int(found or 0))

    def answers(self, finetune_id: int, example_ids: Sequence[int]) -> dict[int, Answer]:
        """Return example id to what the model said of it in its latest run there."""
        rows = self.db.read(
            "SELECT p.example_id, s.* FROM run r JOIN prediction p ON p.run_id = r.id"
            " JOIN response s ON s.id = p.response_id WHERE r.finetune_id = ?"
            " AND p.example_id IN (SELECT value FROM json_each(?)) ORDER BY r.id",
            (finetune_id, json.dumps(list(example_ids))),
        )
        return {row["example_id"]: answer_of(row) for row in rows}

    def task_of(self, finetune_id: int) -> int:
        """Return the task a fine-tune belongs to."""
        return int(self.db.value("SELECT task_id FROM finetune WHERE id = ?", (finetune_id,)))

    def find(self, task_id: int, text: str) -> FineTune:
        """Return the fine-tune people mean by its number or its model's name.

        Raises:
            NotFoundError: If the task has none such.
        """
        for finetune in self.all(task_id):
            if text in (str(finetune.id), finetune.model):
                return finetune
        raise NotFoundError(
            f"There is no model {text!r} in this task.", next_step="See `studio finetune list`."
        )

    def all(self, task_id: int) -> list[FineTune]:
        """Return the fine-tunes of a task, newest first."""
        rows = self.db.read("SELECT * FROM finetune WHERE task_id = ? ORDER BY id DESC", (task_id,))
        return [_finetune(row) for row in rows]

    def _training_set(self, row: Row) -> TrainingSet:
        counted = self.db.read(
            "SELECT l.name, t.origin, count(*) AS n, l.id AS label_id, l.task_id, l.retired_at"
            " FROM training_set_example t JOIN label l ON l.id = t.label_id"
            " WHERE t.training_set_id = ? GROUP BY 1, 2 ORDER BY 1, 2",
            (row["id"],),
        )
        now = self._names_now(counted)
        labels: dict[str, int] = {}
        origins: dict[str, int] = {}
        for told in counted:
            name, origin, n = now.get(told["label_id"], told["name"]), told["origin"], told["n"]
            labels[name] = labels.get(name, 0) + n
            origins[origin] = origins.get(origin, 0) + n
        return TrainingSet(
            id=row["id"],
            name=row["name"],
            source=row["source"],
            size=sum(labels.values()),
            labels=labels,
            origins=origins,
            hash=row["hash"],
            created_at=row["created_at"],
        )


def _finetune(row: Row) -> FineTune:
    return FineTune(
        id=row["id"],
        training_set_id=row["training_set_id"],
        provider=row["provider"],
        base_model=row["base_model"],
        status=FineTuneStatus(row["status"]),
        remote_id=row["remote_id"],
        model=row["model"],
        prompt_version_id=row["prompt_version_id"],
        metrics=json.loads(row["metrics"]),
        error=row["error"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        job_id=row["job_id"],
        seconds=row["seconds"],
    )
