"""What a team does to know which way of working is fast, and whether it is good as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from studio.analysis.stopwatch import Stopwatch, stopwatch
from studio.errors import InputError
from studio.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStopwatch:
    """How fast and how good the ways of working on a task were.

    Attributes:
        task: The task's name.
        person: Whose work; everybody's when empty.
        found: What was measured.
    """

    task: str
    person: str
    found: Stopwatch

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        slowest = self.found.slowest
        return {
            "task": self.task,
            "person": self.person or None,
            "compared_with": str(slowest) if slowest else None,
            "ways": [pace.to_dict() for pace in self.found.paces],
        }


def task_stopwatch(ws: Workspace, task_id: int, *, person: str = "") -> TaskStopwatch:
    """Return seconds an accepted label by way of working, and how far these labels are right.

    Args:
        ws: The workspace.
        task_id: The task.
        person: Only this person's work; everybody's when empty.

    Raises:
        InputError: If this person has decided nothing in the task.
    """
    task = ws.read.tasks.get(task_id)
    people = ws.read.examples.deciders(task_id)
    if person and person not in people:
        raise InputError(
            f"{person!r} has given no label in the task {task.name!r}.",
            next_step=f"Those who have: {', '.join(people[:10]) or 'nobody yet'}.",
        )
    events = ws.read.labels.worked(task_id, people)
    files = ws.read.labels.from_files(task_id, {e.example_id for e in events})
    return TaskStopwatch(
        task=task.name, person=person, found=stopwatch(events, files, person=person)
    )
