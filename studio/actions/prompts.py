"""What business users do with prompts: save them, and see which examples one would show."""

from __future__ import annotations

from studio.domain.prompt import FewShot, PromptText, PromptVersion
from studio.domain.task import Task
from studio.errors import InputError
from studio.handlers.prompt_checks import check_prompt
from studio.handlers.shots import shots_now
from studio.workspace import Workspace


def save_prompt(
    ws: Workspace, task_id: int, *, name: str, body: PromptText, note: str = "", by: str
) -> PromptVersion:
    """Store the next version of a prompt; an unchanged text returns the version that has it.

    Raises:
        InputError: If the name is empty, a label is unknown, or a few-shot is of the test split.
    """
    clean = " ".join(name.split())
    if not clean:
        raise InputError("The prompt has no name.", next_step="Give it a short one, e.g. first.")
    check_prompt(ws, ws.store.tasks.get(task_id), body)
    return ws.store.prompts.save(
        task_id, name=clean, body=body, author=by, note=" ".join(note.split()), at=ws.now()
    )


def chosen_shots(ws: Workspace, task: Task, body: PromptText, text: str) -> tuple[FewShot, ...]:
    """Return all few-shots that a text would be sent with if a run started now."""
    return (*body.few_shots, *shots_now(ws, task, body, text))
