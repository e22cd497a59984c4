"""What a team does with guideline notes: write down what was agreed, use it, retire it."""

from __future__ import annotations

from studio.domain.guideline import MOST_LETTERS, Guideline
from studio.errors import InputError, NotFoundError
from studio.workspace import Workspace


def add_guideline(
    ws: Workspace,
    task_id: int,
    *,
    text: str,
    label: str = "",
    other: str = "",
    example_id: int | None = None,
    by: str,
) -> int:
    """Store what was agreed on, so that everybody decides the next such case alike.

    Args:
        ws: The workspace.
        task_id: The task.
        text: What holds, in a sentence or two.
        label: The label it speaks for; may be empty.
        other: The label it parts that one from; may be empty.
        example_id: The example it came from; it is shown to people only, so it may be of test.
        by: Who wrote it.

    Returns:
        Its number.

    Raises:
        InputError: If the text is empty or too long, or the two labels are the same.
        NotFoundError: If a label or the example is unknown.
    """
    clean = " ".join(text.split())
    if not clean:
        raise InputError("The note is empty.", next_step="Say in a sentence what was agreed.")
    if len(clean) > MOST_LETTERS:
        raise InputError(
            f"The note has {len(clean):,} letters; at most {MOST_LETTERS:,} are read by anybody.",
            next_step="Write several short ones.",
        )
    if other and not label:
        label, other = other, ""
    if label and label == other:
        raise InputError(
            f"The note parts {label} from itself.", next_step="Name two labels, or one."
        )
    task = ws.store.tasks.get(task_id)
    if example_id is not None:
        ws.store.examples.get(task_id, example_id)
    new = Guideline(
        id=0, text=clean, label_id=task.label(label).id if label else None,
        other_label_id=task.label(other).id if other else None, example_id=example_id,
        author=by, at=ws.now(),
    )  # fmt: skip
    return ws.store.guidelines.add(task_id, new)


def retire_guideline(ws: Workspace, task_id: int, guideline_id: int, *, back: bool = False) -> None:
    """Take a note out of use, or bring it back; nothing is deleted.

    Raises:
        NotFoundError: If the task has no such note.
    """
    _one(ws, task_id, guideline_id)
    ws.store.guidelines.retire(task_id, guideline_id, None if back else ws.now())


def guideline_to_definition(ws: Workspace, task_id: int, guideline_id: int) -> str:
    """Add a note to the definition of the label it speaks for; prompts made from then on say it.

    Returns:
        The label's definition as it is now.

    Raises:
        InputError: If the note speaks for no label, or the definition says it already.
    """
    with ws.store.transaction():
        note = _one(ws, task_id, guideline_id)
        task = ws.store.tasks.get(task_id)
        label = next((one for one in task.labels if one.id == note.label_id), None)
        if label is None:
            raise InputError(
                "This note speaks for no label.", next_step="Write it anew for a label."
            )
        if note.text.casefold() in label.definition.casefold():
            raise InputError(f"The definition of {label.name} says this already.")
        said = label.definition.rstrip()
        joined = f"{said}{'' if not said or said[-1] in '.!?' else '.'} {note.text}".strip()
        ws.store.tasks.update(
            task_id, question=task.question, criterion=task.criterion,
            definitions={label.id: joined},
        )  # fmt: skip
    return joined


def _one(ws: Workspace, task_id: int, guideline_id: int) -> Guideline:
    known = ws.store.guidelines
    for note in (*known.all(task_id), *known.all(task_id, retired=True)):
        if note.id == guideline_id:
            return note
    raise NotFoundError(
        f"There is no guideline note {guideline_id} in this task.",
        next_step="See `studio guideline list`.",
    )
