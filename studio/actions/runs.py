"""What people do with runs: start them, steer them, take their labels away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.analysis.sampling import spread
from studio.domain.estimate import Estimate
from studio.domain.example import Split
from studio.domain.job import JobStatus, Want
from studio.domain.progress import notice
from studio.domain.prompt import prompt_of
from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Task
from studio.errors import InputError, StudioError
from studio.handlers.choosing import chosen
from studio.handlers.consenting import check_consent
from studio.handlers.estimating import SAMPLE, estimate, known_engine
from studio.handlers.joined import chosen_joining
from studio.handlers.rules_and_text import PARAM
from studio.providers.base import Provider
from studio.workspace import Workspace

EMBEDDED = "embedded"
MOST_SAMPLES = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is to label: a prompt, the rules, or a model; nothing means the task's champion.

    Attributes:
        prompt: A prompt's name ("better", "better v2") or the number of a version.
        rules: The rules in force; with a model too, the two joined as gold advises.
        model: A fine-tune's number or its model's name.
    """

    prompt: str = ""
    rules: bool = False
    model: str = ""

    @classmethod
    def of(cls, classifier: str) -> Choice:
        """Return the choice of a classifier as champions name it.

        >>> Choice.of("joined:5")
        Choice(prompt='', rules=True, model='5')
        """
        kind, _, number = classifier.partition(":")
        return cls(
            prompt=number if kind == ClassifierKind.PROMPT else "",
            rules=kind in (ClassifierKind.RULES, ClassifierKind.JOINED),
            model=number if kind in (ClassifierKind.MODEL, ClassifierKind.JOINED) else "",
        )


def start_run(  # noqa: PLR0913 - one argument a thing people choose
    ws: Workspace,
    task_id: int,
    *,
    choice: Choice,
    splits: Sequence[str] = (),
    limit: int | None = None,
    provider: str = "",
    consent: bool = False,
    again: bool = False,
    batch: bool = False,
    samples: int = 1,
    budget_usd: float | None = None,
    by: str,
) -> Run:
    """File a run; the worker does it.

    Args:
        ws: The workspace.
        task_id: The task.
        choice: What is to label; nothing means the champion, else a prompt of the definitions.
        splits: Which splits; train and validation when none is named. Test only when it is named.
        limit: A sample of at most so many examples, spread over the gold labels.
        provider: Where prompts are sent; the configured one when empty.
        consent: The person agrees to send this task's texts to that provider; recorded.
        again: Ask even where the same question was answered before.
        batch: Send the questions by the service's own Batch API: within a day, at a lower price.
        samples: How often each example is asked about, the labels in another order each time; the
            shares of the answers are the confidence then.
        budget_usd: The most it may spend; reaching it pauses the run.
        by: Who starts it.

    Raises:
        InputError: If there is nothing to label, nothing to label with, or a budget that cannot
            be kept because the model's price is unknown.
        ConsentNeededError: If texts would leave the machine and nobody agreed.
    """
    task = ws.store.tasks.get(task_id)
    wanted = _splits(splits)
    ids = _example_ids(ws, task_id, wanted, limit)
    if not ids:
        raise InputError(
            f"The task {task.name!r} has no examples in {' and '.join(wanted)}.",
            next_step="Import examples, or name another split.",
        )
    run, finetune_id = _classifier(ws, task, choice, provider, by)
    run = replace(run, splits=wanted, total=len(ids), created_at=ws.now(), budget_usd=budget_usd)
    service = ws.provider(run.provider) if run.provider else None
    if budget_usd is not None:
        _check_budget(ws, run, service, budget_usd, batch=batch)
    if batch and service is None:
        raise InputError("Rules ask no service.", next_step="Leave out the batch.")
    _check_samples(ws, run, samples, batch=batch)
    params: dict[str, Any] = {name: True for name, on in (("again", again), ("batch", batch)) if on}
    if samples > 1:
        params["samples"] = samples
    told = None
    if service is not None and not service.is_local:
        sample = ws.store.examples.sample(task_id, wanted, SAMPLE)
        told = estimate(ws, run, service, sample, again=again, in_batch=batch, samples=samples)
        params["estimate"] = told.to_dict()
    # All or nothing: a run that is refused leaves no consent and no prompt behind.
    with ws.store.transaction():
        if run.kind is ClassifierKind.PROMPT and run.prompt_version_id is None:
            version = ws.store.prompts.save(
                task.id, name="definitions", body=prompt_of(task), author="studio",
                note="made of the label definitions", at=ws.now(),
            )  # fmt: skip
            run = replace(run, prompt_version_id=version.id, title=version.title)
        if service is not None and told is not None:
            check_consent(ws, task.id, service, told, what="This run", consent=consent, by=by)
        if run.kind in (ClassifierKind.RULES, ClassifierKind.JOINED):
            # It goes on with these after a rest.
            rules = ws.store.rules.all(task.id, enabled_only=True)
            params["rules"] = [[rule.id, rule.version] for rule in rules]
            params["joining"] = {"method": chosen_joining(ws, task.id)}
        filed = ws.store.file_run(
            run,
            example_ids=ids,
            finetune_id=finetune_id,
            params=params,
            now=ws.clock(),
        )
    ws.wake()
    return filed


def estimate_run(
    ws: Workspace,
    task_id: int,
    *,
    choice: Choice,
    splits: Sequence[str] = (),
    limit: int | None = None,
    provider: str = "",
    again: bool = False,
    batch: bool = False,
    samples: int = 1,
) -> Estimate:
    """Return what such a run would ask, cost and take; nothing is filed and nobody asked.

    The arguments are those of `start_run`.

    Raises:
        InputError: If there is nothing to label with, or no such split.
    """
    task = ws.store.tasks.get(task_id)
    wanted = _splits(splits)
    _check_limit(limit)
    counts = ws.store.examples.counts(task_id)
    total = sum(counts[split] for split in set(wanted))
    run, _ = _classifier(ws, task, choice, provider, by="")
    _check_samples(ws, run, samples, batch=batch)
    service = ws.provider(run.provider) if run.provider else None
    return estimate(
        ws,
        replace(run, splits=wanted, total=total if limit is None else min(limit, total)),
        service,
        ws.store.examples.sample(task_id, wanted, SAMPLE),
        again=again,
        in_batch=batch,
        samples=samples,
        engine=known_engine(ws, service) if service else None,
    )


def needs_votes(ws: Workspace, task_id: int, *, choice: Choice, provider: str = "") -> bool:
    """Return whether who would be asked is known, by a test, to tell no probabilities.

    The arguments are those of `start_run`.
    """
    try:
        run, _ = _classifier(ws, ws.read.tasks.get(task_id), choice, provider, by="")
    except StudioError:
        return False
    found = ws.read.providers.capabilities(run.provider) if run.provider else None
    return found is not None and found.gives_odds is False


def steer_run(ws: Workspace, run_id: int, want: Want) -> Run:
    """Pause, resume or cancel a run; a failed or cancelled one goes on where it was.

    Questions of a failed run that ended in an error are asked again.
    """
    job_id = ws.store.runs.get(run_id).job_id
    if job_id is not None:
        with ws.store.transaction():
            if want is Want.RUN:
                if ws.store.runs.get(run_id).status == JobStatus.FAILED:
                    ws.store.runs.forget_errors(run_id)
                ws.store.jobs.revive(job_id)
            is_batch = bool(ws.store.runs.params(run_id).get("batch"))
            by_handler = is_batch and want is Want.CANCEL
            ws.store.jobs.ask(job_id, want, ws.clock(), by_handler=by_handler)
        ws.wake()  # the worker that had it may be dead: somebody must take note of the wish
    return ws.store.runs.get(run_id)


def set_budget(ws: Workspace, run_id: int, usd: float | None) -> Run:
    """Change what a run may spend, None for no cap; one under way keeps to it within a second.

    A run that rests is not woken: `steer_run` does that.

    Raises:
        InputError: If the amount is no amount, or the model's price is unknown.
    """
    run = ws.store.runs.get(run_id)
    if usd is not None:
        service = ws.provider(run.provider) if run.provider else None
        is_batch = bool(ws.store.runs.params(run_id).get("batch"))
        _check_budget(ws, run, service, usd, batch=is_batch)
    ws.store.runs.set_budget(run_id, usd)
    return ws.store.runs.get(run_id)


def run_status(ws: Workspace, run_id: int) -> dict[str, Any]:
    """Return a run as `--json` shows it.

    `estimate` is what was expected when it was started, `confidence` what kinds it gave, the main
    one first, `choice` what gold advised where rules and a model are joined.
    """
    run = ws.read.runs.get(run_id)
    job = ws.read.jobs.get(run.job_id) if run.job_id is not None else None
    sent, back = ws.read.prices.tokens(run)
    params = ws.read.runs.params(run_id)
    choice = params.get(PARAM, {})
    return {
        "run": run.id,
        "outdated": ws.read.label_sets.marks(run.task_id).runs.get(run.id),
        "title": run.title,
        "kind": run.kind.value,
        "status": run.status,
        "total": run.total,
        "done": run.done,
        "outcomes": ws.read.runs.outcomes(run_id),
        "error": run.error,
        "message": notice(job) if job else "",
        "calls": run.calls,
        "input_tokens": sent,
        "output_tokens": back,
        "cost_usd": run.cost_usd,
        "budget_usd": run.budget_usd,
        "estimate": params.get("estimate"),
        "confidence": [
            {"method": method.value, "kind": method.words(params.get("samples", 0)), "n": n}
            for method, n in ws.read.runs.methods(run_id).items()
        ],
        "choice": {k: v for k, v in choice.items() if k not in ("joined", "joining")} or None,
        "model": ws.read.runs.answered_by(run_id),
    }


def export_run(ws: Workspace, run_id: int) -> list[dict[str, Any]]:
    """Return the run's labels as rows; `confidence_from` says in words what a confidence is."""
    run = ws.read.runs.get(run_id)
    task = ws.read.tasks.get(run.task_id)
    predictions = ws.read.runs.predictions(run_id)
    votes = ws.read.runs.params(run_id).get("samples", 0)
    examples = {
        e.id: e for e in ws.read.examples.some(task.id, [p.example_id for p in predictions])
    }
    return [
        {
            "id": examples[p.example_id].external_id,
            "text": examples[p.example_id].text,
            "split": examples[p.example_id].split.value,
            "label": task.name_of(p.label_id) or "",
            "confidence": p.confidence,
            "confidence_from": p.method.words(votes) if p.method else "",
            "outcome": p.outcome.value,
        }
        for p in predictions
    ]


def _check_budget(
    ws: Workspace, run: Run, service: Provider | None, usd: float, *, batch: bool
) -> None:
    if not 0 < usd < math.inf:
        raise InputError("A budget is an amount above $0.", next_step="Leave it out for no cap.")
    if service is None:
        return
    price = ws.price(service, run.model)
    if price is None or price.cost(0, 0, in_batch=batch) is None:
        raise InputError(
            f"The price of {run.model or 'the model'}{' in a batch' if batch else ''} at"
            f" {service.name} is unknown, so a budget"
            " cannot be kept.",
            next_step="Set the price with `studio provider prices --set`, or in the settings.",
        )


def _check_samples(ws: Workspace, run: Run, samples: int, *, batch: bool) -> None:
    """Refuse votes where they cannot be had, or would be worse than what the service tells."""
    if not 1 <= samples <= MOST_SAMPLES:
        raise InputError(
            f"Each example is asked about 1 to {MOST_SAMPLES} times.", next_step="Ask for e.g. 5."
        )
    if samples == 1:
        return
    found = ws.read.providers.capabilities(run.provider) if run.provider else None
    why = ""
    if not run.provider:
        why = "Rules answer the same each time."
    elif batch:
        why = "A batch asks about each example once."
    elif run.provider == EMBEDDED or (found is not None and found.gives_odds):
        why = (
            f"The provider {run.provider!r} tells probabilities itself, which say more than votes."
        )
    if why:
        raise InputError(why, next_step="Leave out the samples.")


def _splits(splits: Sequence[str]) -> tuple[str, ...]:
    known = {split.value for split in Split}
    for name in splits:
        if name not in known:
            raise InputError(
                f"There is no split {name!r}.", next_step=f"Use {', '.join(sorted(known))}."
            )
    return tuple(splits) or (Split.TRAIN.value, Split.VALIDATION.value)


def _example_ids(
    ws: Workspace, task_id: int, splits: Sequence[str], limit: int | None
) -> list[int]:
    _check_limit(limit)
    ids = ws.store.examples.ids(task_id, splits)
    if limit is None or limit >= len(ids):
        return ids
    gold = {i: g.label_id for i, g in ws.store.labels.gold(task_id, splits).items()}
    return spread(ids, gold, limit)


def _check_limit(limit: int | None) -> None:
    if limit is not None and limit < 1:
        raise InputError("The limit must be at least 1.", next_step="Leave it out to label all.")


def _classifier(
    ws: Workspace, task: Task, choice: Choice, provider: str, by: str
) -> tuple[Run, int | None]:
    """Return a run that names the classifier, and the fine-tune behind it, if any."""
    if choice.prompt and (choice.rules or choice.model):
        raise InputError(
            "Name one of a prompt, the rules, or a model.",
            next_step="Rules can be joined with a model: name both, and no prompt.",
        )
    if not (choice.prompt or choice.rules or choice.model) and task.champion:
        choice = Choice.of(task.champion)
    if choice.rules and not ws.store.rules.all(task.id, enabled_only=True):
        raise InputError(
            f"The task {task.name!r} has no rules.", next_step="Code a rationale first."
        )
    if choice.model or not choice.rules:
        run, finetune_id = chosen(
            ws, task, prompt=choice.prompt, model=choice.model, provider=provider
        )
        if choice.rules:
            run = replace(run, kind=ClassifierKind.JOINED, title=f"{run.title} and rules")
        return replace(run, created_by=by), finetune_id
    rules = Run(id=0, task_id=task.id, kind=ClassifierKind.RULES, title="rules", created_by=by)
    return rules, None
