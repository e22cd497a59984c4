"""Tasks and their labels."""

from __future__ import annotations

import json
from collections.abc import Sequence

from studio.domain.label_names import Renaming, read_names
from studio.domain.task import Criterion, Label, Task
from studio.errors import ConflictError, NotFoundError
from studio.store.connection import Connections, Row


class Tasks:
    """Tasks with their label sets."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def create(
        self,
        *,
        name: str,
        question: str,
        labels: Sequence[tuple[str, str]],
        criterion: Criterion | None,
        by: str,
        at: str,
    ) -> Task:
        """Store a task with its labels (name, definition).

        Raises:
            ConflictError: If a task of this name exists.
        """
        with self.db.transaction() as conn:
            if self.db.value("SELECT 1 FROM task WHERE name = ?", (name,)):
                raise ConflictError(
                    f"A task {name!r} exists already.",
                    next_step="Choose another name, or go on with that task.",
                )
            task_id = conn.execute(
                "INSERT INTO task (name, question, criterion, created_at, created_by) VALUES (?,?,?,?,?)",
                (name, question, str(criterion) if criterion else None, at, by),
            ).lastrowid
            conn.executemany(
                "INSERT INTO label (task_id, name, definition, position) VALUES (?,?,?,?)",
                [(task_id, label, text, i) for i, (label, text) in enumerate(labels)],
            )
            return self.get(task_id)

    def get(self, task_id: int) -> Task:
        """Return a task by id.

        Raises:
            NotFoundError: If there is none.
        """
        row = self.db.one("SELECT * FROM task WHERE id = ?", (task_id,))
        if row is None:
            raise NotFoundError(f"There is no task {task_id}.", next_step="See the list of tasks.")
        return self._task(row)

    def by_name(self, name: str) -> Task:
        """Return a task by its name, case ignored.

        Raises:
            NotFoundError: If there is none.
        """
        row = self.db.one("SELECT * FROM task WHERE name = ?", (name,))
        if row is None:
            known = ", ".join(repr(t.name) for t in self.all()[:5])
            raise NotFoundError(
                f"There is no task {name!r}.",
                next_step=f"The workspace has {known}."
                if known
                else "Create one with `studio task create`.",
            )
        return self._task(row)

    def all(self) -> list[Task]:
        """Return all tasks, oldest first."""
        return [self._task(row) for row in self.db.read("SELECT * FROM task ORDER BY id")]

    def update(
        self,
        task_id: int,
        *,
        question: str,
        criterion: Criterion | None,
        definitions: dict[int, str],
    ) -> None:
        """Replace question, criterion, and the definitions of the labels named by id."""
        with self.db.transaction() as conn:
            conn.execute(
                "UPDATE task SET question = ?, criterion = ? WHERE id = ?",
                (question, str(criterion) if criterion else None, task_id),
            )
            conn.executemany(
                "UPDATE label SET definition = ? WHERE id = ? AND task_id = ?",
                [(text, label_id, task_id) for label_id, text in definitions.items()],
            )
            bump(self.db, task_id)

    def set_fallback(self, task_id: int, label_id: int | None) -> None:
        """Say what rules answer where none of them votes."""
        with self.db.transaction() as conn:
            conn.execute("UPDATE task SET fallback_label_id = ? WHERE id = ?", (label_id, task_id))
            bump(self.db, task_id)

    def set_champion(self, task_id: int, champion: str) -> None:
        """Say which classifier the task uses now."""
        with self.db.transaction() as conn:
            conn.execute("UPDATE task SET champion = ? WHERE id = ?", (champion, task_id))
            bump(self.db, task_id)

    def setting(self, key: str) -> str:
        """Return a value kept for the workspace, or ""."""
        return str(self.db.value("SELECT value FROM setting WHERE key = ?", (key,)) or "")

    def set_setting(self, key: str, value: str) -> None:
        """Keep a value for the workspace; never a secret."""
        with self.db.transaction() as conn:
            conn.execute(
                "INSERT INTO setting VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, value),
            )

    def record_verdict(self, task_id: int, *, verdict: str, body: str, by: str, at: str) -> None:
        """Keep what a report said, when, and to whom."""
        with self.db.transaction() as conn:
            conn.execute(
                "INSERT INTO verdict (task_id, verdict, body, person, at) VALUES (?,?,?,?,?)",
                (task_id, verdict, body, by, at),
            )

    def _task(self, row: Row) -> Task:
        rows = self.db.read("SELECT * FROM label WHERE task_id = ? ORDER BY position", (row["id"],))
        labels = tuple(
            Label(id=r["id"], name=r["name"], definition=r["definition"], position=r["position"])
            for r in rows
            if r["retired_at"] is None
        )
        gone = [(r["id"], r["name"]) for r in rows if r["retired_at"] is not None]
        former, retired = read_names(labels, gone, self._renamings(row["id"]))
        return Task(
            id=row["id"],
            name=row["name"],
            question=row["question"],
            labels=labels,
            criterion=Criterion.parse(row["criterion"]) if row["criterion"] else None,
            fallback_label_id=row["fallback_label_id"],
            champion=row["champion"],
            revision=row["revision"],
            former=former,
            retired=retired,
        )

    def _renamings(self, task_id: int) -> list[Renaming]:
        rows = self.db.read(
            "SELECT body ->> 'gone' AS gone, body ->> 'into' AS into_id, body -> 'names' AS names,"
            " undone_at IS NULL AS holds FROM label_change WHERE task_id = ? ORDER BY id",
            (task_id,),
        )
        return [
            Renaming(
                names=tuple((label_id, name) for label_id, name in json.loads(row["names"])),
                gone=row["gone"],
                into=row["into_id"],
                holds=bool(row["holds"]),
            )
            for row in rows
        ]


def bump(db: Connections, task_id: int) -> None:
    """Grow the task's revision, so that whatever was cached of it is read anew."""
    with db.transaction() as conn:
        conn.execute("UPDATE task SET revision = revision + 1 WHERE id = ?", (task_id,))
