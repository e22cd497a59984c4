"""Which classifier a run asks: a prompt at a service, or a fine-tuned model at its own."""

from __future__ import annotations

from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Task, check_label_names
from studio.errors import InputError
from studio.workspace import Workspace


def chosen(
    ws: Workspace, task: Task, *, prompt: str = "", model: str = "", provider: str = ""
) -> tuple[Run, int | None]:
    """Return a run that is not filed yet and names its classifier, and the fine-tune behind it.

    Args:
        ws: The workspace.
        task: The task.
        prompt: A prompt's name or version; the label definitions when empty.
        model: A fine-tune's number or its model's name, instead of a prompt.
        provider: Where a prompt is sent; the configured one when empty.

    Raises:
        InputError: If the fine-tune has no model, or no model could be asked about these labels.
        NotFoundError: If there is no such prompt, fine-tune or provider.
    """
    check_label_names(list(task.label_names))  # or each question would be refused, one by one
    if model:
        tuned = ws.store.finetunes.find(task.id, model)
        if not tuned.model:
            raise InputError(
                f"Fine-tune {tuned.id} is {tuned.status}; it has no model.",
                next_step="Wait for it, or choose another.",
            )
        run = Run(
            id=0, task_id=task.id, kind=ClassifierKind.MODEL, title=f"model {tuned.id}",
            prompt_version_id=tuned.prompt_version_id, model=tuned.model, provider=tuned.provider,
        )  # fmt: skip
        return run, tuned.id
    version = ws.store.prompts.find(task.id, prompt) if prompt else None
    service = ws.provider(provider or ws.default_provider)
    run = Run(
        id=0, task_id=task.id, kind=ClassifierKind.PROMPT, title=version.title if version else "",
        prompt_version_id=version.id if version else None, model=service.default_model,
        provider=service.name,
    )  # fmt: skip
    return run, None
