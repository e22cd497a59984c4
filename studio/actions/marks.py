"""What experts do besides labeling: flag an example, remark on it, skip it."""

from __future__ import annotations

from studio.domain.mark import Mark, MarkKind
from studio.errors import InputError
from studio.workspace import Workspace

LONGEST_NOTE = 2000


def mark_example(
    ws: Workspace,
    task_id: int,
    example_id: int,
    *,
    kind: MarkKind,
    text: str = "",
    present: bool = True,
    client: str | None = None,
    by: str,
) -> bool:
    """Set a person's mark on an example, or take it away; `undo_correction` takes it back.

    Args:
        ws: The workspace.
        task_id: The task.
        example_id: The example.
        kind: Flag, note or skip.
        text: What a note says; an empty one takes the note away.
        present: False takes the mark away.
        client: The browser's own number of this deed, so that one sent twice counts once.
        by: Who marks.

    Returns:
        Whether anything changed.

    Raises:
        InputError: If nobody is named, the example is not of the task, or the note is too long.
    """
    if not by.strip():
        raise InputError("Nobody is named as the person who marks.", next_step="Give your name.")
    text = text.strip()
    if len(text) > LONGEST_NOTE:
        raise InputError(
            f"The note has {len(text):,} characters; at most {LONGEST_NOTE:,} are kept.",
            next_step="Shorten it, or write a guideline.",
        )
    mark = Mark(example_id=example_id, person=by, kind=kind, text=text, at=ws.now())
    present = present and (kind is not MarkKind.NOTE or text != "")
    return ws.store.marks.set(task_id, mark, present=present, client=client)
