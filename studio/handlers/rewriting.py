"""The work behind "propose a rewrite": one question to a chat model, its reply kept as it came."""

from __future__ import annotations

import json
from dataclasses import dataclass

from studio.domain.example import Split
from studio.domain.job import Job
from studio.domain.prompt import PromptText
from studio.domain.rewriting import WrongExample, read_rewrite, rewrite_question
from studio.domain.run import ClassifierKind, Question
from studio.domain.task import Task
from studio.errors import InputError, RunFailedError
from studio.handlers.rule_asking import ask_once
from studio.jobs.control import Control
from studio.workspace import Workspace

KIND = "rewrite"
_MOST_WRONG = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What a model would write; untrusted.

    Attributes:
        body: The prompt with it.
        why: What the model says for it.
        model: Who wrote it.
        cost_usd: What it cost; None while unknown.
    """

    body: PromptText
    why: str
    model: str
    cost_usd: float | None


async def rewrite_handler(ws: Workspace, job: Job, control: Control) -> None:
    """Ask the model that the job names for a rewrite; an unusable reply fails the job."""
    await control.checkpoint(total=1, message="asking for a rewrite")
    service = ws.provider(job.params["provider"])
    task = ws.store.tasks.get(job.subject_id)
    body = PromptText.from_dict(job.params["body"])
    question = question_for(ws, task, body, service.default_model, job.params["with_errors"])
    try:
        answer, cost = await ask_once(ws, job, service, question)
    finally:
        await service.close()
    try:
        read_rewrite(answer.raw, body, task.label_names)
    except InputError as error:
        # A service that was refused or cut short says so itself.
        told = answer.detail.get("error") or error.message
        raise RunFailedError(str(told), next_step=error.next_step) from None
    kept = {"raw": answer.raw, "model": answer.model or question.model, "cost_usd": cost}
    with ws.store.transaction():
        control.record(done=1, message="")
        ws.store.tasks.set_setting(_key(task.id, body), json.dumps(kept))


def question_for(
    ws: Workspace, task: Task, body: PromptText, model: str, with_errors: bool
) -> Question:
    """Return what is asked: the prompt, and texts of train labeled wrong where people agreed."""
    return rewrite_question(model, task, body, _wrong(ws, task) if with_errors else [])


def proposed_rewrite(ws: Workspace, task: Task, body: PromptText) -> Proposed | None:
    """Return what a model proposed for this very text; None where none was asked."""
    told = ws.read.tasks.setting(_key(task.id, body))
    if not told:
        return None
    kept = json.loads(told)
    try:
        after, why = read_rewrite(kept["raw"], body, task.label_names)
    except InputError:  # parts were locked since
        return None
    return Proposed(body=after, why=why, model=kept["model"], cost_usd=kept["cost_usd"])


def _wrong(ws: Workspace, task: Task) -> list[WrongExample]:
    """Return texts of train that the latest run of a prompt got wrong, each label in turn."""
    gold = ws.read.labels.gold(task.id, (Split.TRAIN.value,))
    runs = (r for r in ws.read.runs.all(task.id) if r.kind is ClassifierKind.PROMPT and r.done)
    run = next(runs, None)
    if run is None or not gold:
        return []
    said = ws.read.runs.predictions(run.id, splits=(Split.TRAIN.value,), with_gold=True)
    by_gold: dict[int, list[tuple[int, str]]] = {}
    for p in said:
        if p.example_id in gold and (right := gold[p.example_id].label_id) != p.label_id:
            by_gold.setdefault(right, []).append((p.example_id, task.name_of(p.label_id) or ""))
    share = max(1, _MOST_WRONG // max(1, len(by_gold)))
    some = dict([pair for found in by_gold.values() for pair in found[:share]][:_MOST_WRONG])
    return [
        WrongExample(
            text=e.text, gold=task.name_of(gold[e.id].label_id) or "", said=some[e.id] or "no label"
        )
        for e in ws.read.examples.some(task.id, sorted(some))
        if e.split is Split.TRAIN
    ]


def _key(task_id: int, body: PromptText) -> str:
    return f"rewrite:{task_id}:{body.hash}"
