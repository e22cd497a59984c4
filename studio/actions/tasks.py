"""What people do with tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.domain.task import Criterion, Task, check_label_names
from studio.errors import InputError
from studio.workspace import Workspace

_WORKS_ON = "works_on"


def create_task(
    ws: Workspace,
    *,
    name: str,
    labels: Sequence[str],
    definitions: Mapping[str, str] | None = None,
    question: str = "",
    criterion: str = "",
    by: str,
) -> Task:
    """Create a task with its label set.

    Raises:
        InputError: If the name is empty, the labels are unusable or the criterion cannot be read.
        ConflictError: If a task of this name exists.
    """
    clean = " ".join(name.split())
    if not clean:
        raise InputError("The task has no name.", next_step="Give it a short one, e.g. keto.")
    names = check_label_names(list(labels))
    known = _definitions(names, definitions or {})
    return ws.store.tasks.create(
        name=clean,
        question=question.strip(),
        labels=[(label, known.get(label, "")) for label in names],
        criterion=Criterion.parse(criterion) if criterion.strip() else None,
        by=by,
        at=ws.now(),
    )


def update_task(
    ws: Workspace,
    task_id: int,
    *,
    question: str,
    criterion: str,
    definitions: Mapping[str, str],
) -> Task:
    """Replace question, criterion and the definitions of the named labels.

    Raises:
        InputError: If the criterion cannot be read or a label is unknown.
    """
    task = ws.store.tasks.get(task_id)
    known = _definitions(task.label_names, definitions)
    ws.store.tasks.update(
        task_id,
        question=question.strip(),
        criterion=Criterion.parse(criterion) if criterion.strip() else None,
        definitions={task.label(name).id: text for name, text in known.items()},
    )
    return ws.store.tasks.get(task_id)


def choose_champion(ws: Workspace, task_id: int, run_id: int) -> Task:
    """Make the classifier of a run the one the task uses now."""
    run = ws.store.runs.get(run_id)
    if run.task_id != task_id:
        raise InputError(
            f"Run {run_id} belongs to another task.", next_step="Name a run of this task."
        )
    ws.store.tasks.set_champion(task_id, ws.store.runs.classifier(run_id))
    return ws.store.tasks.get(task_id)


def _definitions(names: Sequence[str], definitions: Mapping[str, str]) -> dict[str, str]:
    for name in definitions:
        if name not in names:
            raise InputError(
                f"A definition names the unknown label {name!r}.",
                next_step=f"The labels are {', '.join(names)}.",
            )
    return {name: " ".join(text.split()) for name, text in definitions.items()}


def work_on(ws: Workspace, task_id: int, *, by: str) -> None:
    """Remember on which task a person works, for visits whose address names none."""
    if last_worked_on(ws, by=by) != task_id:
        ws.store.tasks.set_setting(f"{_WORKS_ON}:{by}", str(task_id))


def last_worked_on(ws: Workspace, *, by: str) -> int | None:
    """Return the id of the task a person worked on last; None where nobody remembers."""
    kept = ws.read.tasks.setting(f"{_WORKS_ON}:{by}")
    return int(kept) if kept.isdigit() else None
