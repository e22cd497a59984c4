"""How a model was asked before the label set was changed: it is asked so again, and read by now.

A model that was trained knows the label names of its training, and a run that has begun goes on as
it began. Both keep the names and the prompt, from the moment a training is launched, or the label
set changes.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from studio.domain.finetune import FineTuneStatus
from studio.domain.label_names import read_prompt
from studio.domain.prompt import PromptText, prompt_of
from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Label, Task
from studio.errors import ConflictError
from studio.store.store import Store
from studio.workspace import Workspace

ASKED = "asked"
TUNED = (ClassifierKind.MODEL, ClassifierKind.JOINED)


def keep_asked(ws: Workspace, task: Task) -> None:
    """Keep how models and runs of a task were asked so far, before its label set changes.

    Raises:
        ConflictError: If a training is just being launched: which names it learns is open.
    """
    for finetune in ws.store.finetunes.all(task.id):
        if finetune.status is FineTuneStatus.LAUNCHING:
            raise ConflictError(
                f"Fine-tune {finetune.id} is just being launched with the labels of now.",
                next_step="Wait until it trains, or cancel it; then change the labels.",
            )
        if asked_of_model(ws.store, finetune.id) is None:
            version = finetune.prompt_version_id
            body = ws.store.prompts.get(task.id, version).body if version else prompt_of(task)
            keep_model(ws, finetune.id, task, body)
    for run_id in ws.store.label_sets.open_runs(task.id):
        _keep_run(ws, ws.store.runs.get(run_id), task)


def keep_model(ws: Workspace, finetune_id: int, task: Task, body: PromptText) -> None:
    """Keep with which labels and prompt a model is trained."""
    ws.store.tasks.set_setting(f"{ASKED}:{finetune_id}", json.dumps(_asked(task, body)))


def asked_of_model(store: Store, finetune_id: int) -> dict[str, Any] | None:
    """Return what `keep_model` kept; None where the label set never changed since."""
    kept = store.tasks.setting(f"{ASKED}:{finetune_id}")
    return dict(json.loads(kept)) if kept else None


def asked_of(store: Store, run: Run) -> dict[str, Any] | None:
    """Return how a run asks, where that is not as the task is now."""
    if not run.id:
        return None
    if run.kind in TUNED:
        return asked_of_model(store, store.finetunes.of_run(run.id).id)
    found: dict[str, Any] | None = store.runs.params(run.id).get(ASKED)
    return found


def asked_task(store: Store, run: Run, task: Task) -> Task:
    """Return a task with the labels that a run asks for, by the names it asks them."""
    asked = asked_of(store, run)
    if asked is None:
        return task
    labels = tuple(
        Label(id=label_id, name=name, definition="", position=i)
        for i, (label_id, name) in enumerate(asked["labels"])
    )
    return replace(task, labels=labels, former=(), retired=())


def body_of(ws: Workspace, run: Run, task: Task) -> PromptText:
    """Return what a run tells the model."""
    params = ws.store.runs.params(run.id)
    if asked := asked_of(ws.store, run):
        body = PromptText.from_dict(asked["body"])
    elif "body" in params:
        body = read_prompt(PromptText.from_dict(params["body"]), task)
    elif run.prompt_version_id is not None:
        body = ws.store.prompts.get(task.id, run.prompt_version_id).body
    else:
        body = prompt_of(task)
    if run.kind in TUNED:
        body = replace(body, few_shots=(), policy=None)  # asked exactly as it was trained
    return body


def asked_names(asked: dict[str, Any] | None) -> dict[str, int] | None:
    """Return label name to label id of what was kept."""
    return {name: label_id for label_id, name in asked["labels"]} if asked else None


def _asked(task: Task, body: PromptText) -> dict[str, Any]:
    return {"labels": [[label.id, label.name] for label in task.labels], "body": body.to_dict()}


def _keep_run(ws: Workspace, run: Run, task: Task) -> None:
    params = ws.store.runs.params(run.id)
    if run.kind is ClassifierKind.PROMPT and ASKED not in params:
        ws.store.runs.set_param(run.id, ASKED, _asked(task, body_of(ws, run, task)))
    # What was fitted for the rules is of other labels: it is fitted anew.
    if told := params.get("joining"):
        ws.store.runs.set_param(run.id, "joining", {"method": told["method"]})
    ws.store.runs.drop_param(run.id, "rules_and_text")
