"""What people do with a label set after work began: rename, merge, split, add, and undo that."""

from __future__ import annotations

from studio.domain.label_change import Consequences, Deed, LabelChange
from studio.domain.label_plan import plan_change
from studio.errors import ConflictError, NotFoundError
from studio.handlers.asked import keep_asked
from studio.workspace import Workspace


def foresee_change(ws: Workspace, task_id: int, deed: Deed) -> Consequences:
    """Return what a change of the label set would do, before it is done.

    Raises:
        InputError: If a name cannot be used, or a label is unknown.
    """
    return ws.read.label_sets.foresee(task_id, plan_change(ws.read.tasks.get(task_id), deed))


def change_labels(ws: Workspace, task_id: int, deed: Deed, *, by: str) -> LabelChange:
    """Change the label set of a task: all of it, or nothing where something forbids it.

    Labels keep their ids: decisions, predictions, rules and rationales go along, old prompts and
    models are read by the names of now, and what was made before is marked.

    Raises:
        InputError: If a name cannot be used, or a label is unknown.
        ConflictError: If a label is to be given up that something says, or a training is just
            being launched.
    """
    with ws.store.transaction():
        task = ws.store.tasks.get(task_id)
        plan = plan_change(task, deed)
        keep_asked(ws, task)
        change_id = ws.store.label_sets.apply(task_id, plan, by=by, at=ws.now())
    return _change(ws, task_id, change_id)


def undo_label_change(
    ws: Workspace, task_id: int, change_id: int | None = None, *, by: str
) -> LabelChange:
    """Take back the latest change of the label set; what was decided since stays.

    Args:
        ws: The workspace.
        task_id: The task.
        change_id: The change that is meant; refused if it is not the latest that holds.
        by: Who takes it back.

    Raises:
        NotFoundError: If no change holds, or there is none of this number.
        ConflictError: If a later change holds, or something says a label that it brought.
    """
    with ws.store.transaction():
        if change_id is None:
            holding = [c for c in ws.store.label_sets.changes(task_id) if not c.is_undone]
            if not holding:
                raise NotFoundError("No change of the label set is left to take back.")
            change_id = holding[-1].id
        elif _change(ws, task_id, change_id).is_undone:
            raise ConflictError(f"Change {change_id} was taken back already.")
        keep_asked(ws, ws.store.tasks.get(task_id))
        ws.store.label_sets.undo(task_id, change_id, by=by, at=ws.now())
    return _change(ws, task_id, change_id)


def _change(ws: Workspace, task_id: int, change_id: int) -> LabelChange:
    for change in ws.store.label_sets.changes(task_id):
        if change.id == change_id:
            return change
    raise NotFoundError(
        f"There is no change {change_id} of this label set.",
        next_step="See `studio label changes TASK`.",
    )
