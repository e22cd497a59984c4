"""What a prompt must hold to before it is saved, previewed or sent."""

from __future__ import annotations

from studio.domain.example import Split, normalise
from studio.domain.prompt import PromptText
from studio.domain.task import Task
from studio.errors import InputError
from studio.workspace import Workspace


def check_prompt(ws: Workspace, task: Task, body: PromptText) -> None:
    """Refuse a prompt that names unknown labels or shows examples of the test split.

    Raises:
        InputError: With what to mend.
    """
    for label in [*body.definitions, *(label for label, _ in body.reasons)]:
        task.label(label)
    for shot in body.few_shots:
        task.label(shot.label)
    named = {shot.example_id for shot in body.few_shots if shot.example_id is not None}
    found = ws.store.examples.some(task.id, sorted(named))
    if unknown := named - {example.id for example in found}:
        raise InputError(
            f"There is no example {min(unknown)} in this task.",
            next_step="Choose a few-shot of train.",
        )
    if body.few_shots:
        # Known by its number or by its words: a few-shot may have been typed or come from a file.
        shown = {normalise(shot.text) for shot in body.few_shots}
        for example in ws.store.examples.all(task.id, [Split.TEST.value]):
            if example.id in named or normalise(example.text) in shown:
                raise InputError(
                    f"Example {example.external_id} is of the locked test split.",
                    next_step="Choose a few-shot of train.",
                )
