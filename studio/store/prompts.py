"""Prompt versions; a saved one never changes."""

from __future__ import annotations

import json

from studio.domain.label_names import read_prompt
from studio.domain.prompt import PromptText, PromptVersion
from studio.domain.task import Task
from studio.errors import NotFoundError
from studio.store.connection import Connections, Row
from studio.store.tasks import Tasks, bump


class Prompts:
    """The prompts of a task."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def save(
        self, task_id: int, *, name: str, body: PromptText, author: str, note: str, at: str
    ) -> PromptVersion:
        """Store the next version of a prompt; an unchanged text returns the version that has it."""
        with self.db.transaction() as conn:
            latest = self.db.one(
                "SELECT * FROM prompt_version WHERE task_id = ? AND name = ? ORDER BY number DESC LIMIT 1",
                (task_id, name),
            )
            if latest is not None and (saved := self._version(latest)).body == body:
                return saved
            number = latest["number"] + 1 if latest is not None else 1
            version_id = conn.execute(
                "INSERT INTO prompt_version (task_id, name, number, body, author, note, at) VALUES (?,?,?,?,?,?,?)",
                (
                    task_id,
                    name,
                    number,
                    json.dumps(body.to_dict(), ensure_ascii=False),
                    author,
                    note,
                    at,
                ),
            ).lastrowid
            bump(self.db, task_id)
            return self.get(task_id, int(version_id or 0))

    def get(self, task_id: int, version_id: int) -> PromptVersion:
        """Return one version.

        Raises:
            NotFoundError: If the task has no such version.
        """
        row = self.db.one(
            "SELECT * FROM prompt_version WHERE task_id = ? AND id = ?", (task_id, version_id)
        )
        if row is None:
            raise NotFoundError(f"There is no prompt version {version_id} in this task.")
        return self._version(row)

    def find(self, task_id: int, text: str) -> PromptVersion:
        """Return the version people mean by "better", "better v2", "better:2" or its number.

        Raises:
            NotFoundError: If the task has none such.
        """
        for version in reversed(self.all(task_id)):
            if text in (
                version.name,
                version.title,
                f"{version.name}:{version.number}",
                str(version.id),
            ):
                return version
        raise NotFoundError(
            f"There is no prompt {text!r} in this task.", next_step="See `studio prompt list`."
        )

    def all(self, task_id: int) -> list[PromptVersion]:
        """Return all versions, oldest first."""
        rows = self.db.read(
            "SELECT * FROM prompt_version WHERE task_id = ? ORDER BY id", (task_id,)
        )
        task = Tasks(self.db).get(task_id)
        return [_version(row, task) for row in rows]

    def _version(self, row: Row) -> PromptVersion:
        return _version(row, Tasks(self.db).get(row["task_id"]))


def _version(row: Row, task: Task) -> PromptVersion:
    """Return a version as it reads with the label names of now; what was saved stays as it was."""
    return PromptVersion(
        id=row["id"],
        name=row["name"],
        number=row["number"],
        body=read_prompt(PromptText.from_dict(json.loads(row["body"])), task),
        author=row["author"],
        note=row["note"],
        at=row["at"],
    )
