"""What business users do with a chat model's help: have a prompt rewritten, and judge it."""

from __future__ import annotations

import json

from studio.domain.capability import Feature, State
from studio.domain.estimate import Estimate
from studio.domain.prompt import PromptText
from studio.domain.run import Question
from studio.domain.task import Task
from studio.domain.tokens import MOST_OUTPUT, likely_tokens
from studio.errors import InputError
from studio.handlers.consenting import check_consent
from studio.handlers.prompt_checks import check_prompt
from studio.handlers.rewriting import KIND, Proposed, proposed_rewrite, question_for
from studio.handlers.rule_asking import most_cost
from studio.providers.base import Provider
from studio.workspace import Workspace

EMBEDDED = "embedded"


def why_no_rewrite(ws: Workspace, body: PromptText) -> str:
    """Return why nobody could rewrite a prompt, in a sentence; empty where somebody can."""
    name = ws.default_provider
    if name == EMBEDDED:
        return (
            "The embedded encoder reads prompts but writes no text. A chat model can propose a "
            "rewrite: choose a provider with one in the settings."
        )
    found = ws.read.providers.capabilities(name)
    chats = found is not None and any(
        f.feature is Feature.CHAT and f.state is State.YES for f in found.findings
    )
    if not chats:
        return f"{name} is not known to write text. Test it in the settings."
    if {"instructions", "definitions"} <= {*body.frozen}:
        return "Instructions and definitions are locked."
    return ""


def start_rewrite(
    ws: Workspace,
    task_id: int,
    body: PromptText,
    *,
    with_errors: bool = False,
    consent: bool = False,
    by: str,
) -> int:
    """File the job that asks the default provider's chat model for a rewrite; return its id.

    Sent are label names, definitions, instructions and rationales; examples of train that were
    labeled wrong only where wished. Nothing of test, and no few-shot.

    Raises:
        InputError: If there is no chat model, or all it could change is locked.
        ConsentNeededError: If it would leave the machine and nobody agreed.
    """
    if why := why_no_rewrite(ws, body):
        raise InputError(why, next_step="Or write it by hand, with the advice beside the editor.")
    task = ws.store.tasks.get(task_id)
    check_prompt(ws, task, body)
    service = ws.provider(ws.default_provider)
    question = question_for(ws, task, body, service.default_model, with_errors)
    told = _estimate(ws, service, question)
    what = "Asking for a rewrite, which sends the prompt itself too,"
    with ws.store.transaction():
        check_consent(ws, task_id, service, told, what=what, consent=consent, by=by)
        job_id = ws.store.jobs.file(
            kind=KIND, subject_id=task_id, total=1, now=ws.clock(),
            params={
                "provider": service.name, "body": body.to_dict(), "with_errors": with_errors,
                "priority": "high",
            },
        )  # fmt: skip
    ws.wake()
    return job_id


def estimate_rewrite(
    ws: Workspace, task: Task, body: PromptText, *, with_errors: bool = False
) -> Estimate:
    """Return what asking for a rewrite would send and cost; nothing is filed and nobody asked."""
    service = ws.provider(ws.default_provider)
    question = question_for(ws, task, body, service.default_model, with_errors)
    return _estimate(ws, service, question)


def rewrite_of(ws: Workspace, task: Task, body: PromptText) -> Proposed | None:
    """Return what a model proposed for this very text; None where none was asked."""
    return proposed_rewrite(ws, task, body)


def _estimate(ws: Workspace, service: Provider, question: Question) -> Estimate:
    price = ws.price(service, question.model)
    sent = sum(likely_tokens(message["content"]) for message in question.messages)
    shown = json.loads(question.messages[-1]["content"])["labeled wrong"]
    return Estimate(
        examples=len(shown), columns=("text",) if shown else (), known=None,
        host=service.host, is_local=service.is_local,
        model=question.model, input_tokens=sent, output_tokens=MOST_OUTPUT // 4, price=price,
        cost_usd=price.cost(sent, MOST_OUTPUT // 4) if price else None,
        most_usd=most_cost(price, question),
    )  # fmt: skip
