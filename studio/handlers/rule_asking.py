"""The work behind "ask the model for rules": one question, and its reply kept as it came."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from studio.domain.example import Split
from studio.domain.job import Job
from studio.domain.price import Price
from studio.domain.rationale import Rationale
from studio.domain.rule_asking import read_rules, rule_question
from studio.domain.run import Answer, Question, Usage
from studio.domain.tokens import MOST_OUTPUT, most_input_tokens
from studio.errors import (
    BadReplyError,
    InputError,
    NoAnswerError,
    NotFoundError,
    ProviderError,
    RunFailedError,
)
from studio.jobs.control import Control
from studio.providers.base import Provider
from studio.workspace import Workspace

if TYPE_CHECKING:
    from studio.analysis.ideas import Idea

KIND = "rule_drafts"
_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedRules:
    """What a model proposed for a rationale.

    Attributes:
        ideas: The rules that can be used; untrusted, as is what they say of themselves.
        model: Who proposed them.
        cost_usd: What it cost; None while unknown.
    """

    ideas: tuple[Idea, ...]
    model: str
    cost_usd: float | None


async def ask_handler(ws: Workspace, job: Job, control: Control) -> None:
    """Ask the model that the job names for rules; a reply without a usable one fails the job."""
    await control.checkpoint(total=1, message="asking for rules")
    service = ws.provider(job.params["provider"])
    rationale_id = int(job.params["rationale"])
    question = question_for(ws, job.subject_id, rationale_id, service.default_model)
    try:
        answer, cost = await ask_once(ws, job, service, question)
    finally:
        await service.close()
    rationale = find_rationale(ws, job.subject_id, rationale_id)
    task = ws.store.tasks.get(job.subject_id)
    try:
        read_rules(answer.raw, task.name_of(rationale.label_id) or "")
    except InputError as error:
        # A service that was refused or cut short says so itself.
        told = answer.detail.get("error") or error.message
        raise RunFailedError(str(told), next_step=error.next_step) from None
    kept = {
        "raw": answer.raw, "model": answer.model or question.model, "at": ws.now(),
        "cost_usd": cost,
    }  # fmt: skip
    with ws.store.transaction():
        control.record(done=1, message="")
        ws.store.tasks.set_setting(_key(job.subject_id, rationale_id), json.dumps(kept))


async def ask_once(
    ws: Workspace, job: Job, service: Provider, question: Question
) -> tuple[Answer, float | None]:
    """Ask once, by a row of the ledger that stands before the call; return what it cost, too."""
    price = ws.price(service, question.model)
    bound = most_cost(price, question)
    number = ws.store.ledger.open_call(job.subject_id, job.id, bound_usd=bound, at=ws.now())
    outcome, cost, usage = "lost", bound, Usage()  # cut short, it may have been answered
    try:
        answer = await service.classify(question)
        outcome, usage = answer.outcome.value, answer.usage
        cost = price.of(usage) if price else None
    except ProviderError as error:
        outcome = error.code
        if not isinstance(error, NoAnswerError | BadReplyError):
            cost = 0.0 if price else None
        raise
    else:
        return answer, cost
    finally:
        ws.store.ledger.end_call(
            number, outcome=outcome, cost_usd=cost,
            input_tokens=usage.input_tokens, output_tokens=usage.output_tokens,
        )  # fmt: skip


def most_cost(price: Price | None, question: Question) -> float | None:
    """Return the most that asking can cost; None while the price is unknown."""
    most = most_input_tokens(question.messages, question.reply_schema or {})
    return price.cost(most, MOST_OUTPUT) if price else None


def question_for(ws: Workspace, task_id: int, rationale_id: int, model: str) -> Question:
    """Return what is asked about a rationale: its words, its example, a few of train with gold."""
    task = ws.store.tasks.get(task_id)
    rationale = find_rationale(ws, task_id, rationale_id)
    gold = ws.store.labels.gold(task_id, (Split.TRAIN.value,), blind_only=True)
    by_label: dict[int, list[int]] = {}
    for example_id, told in gold.items():
        by_label.setdefault(told.label_id, []).append(example_id)
    share = max(1, _SHOWN // max(1, len(by_label)))
    ids = [i for found in by_label.values() for i in found[:share]][:_SHOWN]
    shown = ws.store.examples.some(task_id, ids)
    texts = [(e.text, task.name_of(gold[e.id].label_id) or "") for e in shown]
    if rationale.example_id is not None and rationale.example_id not in ids:
        own = ws.store.examples.some(task_id, [rationale.example_id])
        label = task.name_of(rationale.label_id) or ""
        texts = [(e.text, label) for e in own if e.split is not Split.TEST] + texts
    return rule_question(model, task, rationale, texts)


def asked_rules(ws: Workspace, task_id: int, rationale: Rationale) -> AskedRules | None:
    """Return what a model proposed for a rationale last; None where none was asked."""
    told = ws.read.tasks.setting(_key(task_id, rationale.id))
    if not told:
        return None
    from studio.analysis.ideas import Idea, slug

    kept = json.loads(told)
    label = ws.read.tasks.get(task_id).name_of(rationale.label_id) or ""
    ideas = []
    for body, why in read_rules(kept["raw"], label):
        words = [w for c in body.any for w in getattr(c, "words", ())][:2]
        named = slug("no" if body.against else "", *words)
        ideas.append(Idea(replace(body, name=named), f"asked, {kept['model']} says: {why}"))
    return AskedRules(ideas=tuple(ideas), model=kept["model"], cost_usd=kept["cost_usd"])


def find_rationale(ws: Workspace, task_id: int, rationale_id: int) -> Rationale:
    """Return a rationale in use.

    Raises:
        NotFoundError: If the task has none of this number.
    """
    found = [r for r in ws.read.rationales.all(task_id) if r.id == rationale_id]
    if not found:
        raise NotFoundError(
            f"There is no rationale {rationale_id} in use in this task.",
            next_step="See `studio rationale list`.",
        )
    return found[0]


def _key(task_id: int, rationale_id: int) -> str:
    return f"asked rules:{task_id}:{rationale_id}"
