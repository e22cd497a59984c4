"""What people do about injections: attack a classifier, and read how often it gave way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from studio.analysis.injection import FlipRate, flip_rate
from studio.analysis.sampling import spread
from studio.domain.estimate import Estimate
from studio.domain.example import Example, Split
from studio.domain.injection import target_of
from studio.domain.prompt import PromptText
from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Task
from studio.errors import InputError
from studio.handlers.asked import body_of
from studio.handlers.choosing import chosen
from studio.handlers.consenting import check_consent
from studio.handlers.estimating import SAMPLE, estimate
from studio.handlers.injections import FIGURE, changed_texts, read_attack, read_injections
from studio.providers.base import Provider
from studio.workspace import Workspace

TIMES = 1
MOST_TIMES = 50
_OPEN = (Split.TRAIN.value, Split.VALIDATION.value)


def start_attack(
    ws: Workspace,
    task_id: int,
    *,
    prompt: str = "",
    model: str = "",
    provider: str = "",
    times: int = TIMES,
    consent: bool = False,
    by: str,
) -> Run:
    """File a run that attacks a classifier with the injections that come with the studio.

    Each injection is put into texts of train and validation, each text in turn; never into test.

    Args:
        ws: The workspace.
        task_id: The task.
        prompt: A prompt's name or version; the label definitions when empty.
        model: A fine-tune's number or its model's name, instead of a prompt.
        provider: Where a prompt is sent; the configured one when empty.
        times: Into how many texts each injection is put.
        consent: The person agrees to send this task's texts to that provider; recorded.
        by: Who starts it.

    Raises:
        InputError: If there is nothing to attack, or no text to put an injection into.
        ConsentNeededError: If texts would leave the machine and nobody agreed.
    """
    task, run, body, finetune_id = _attacked(ws, task_id, prompt, model, provider, times)
    service = ws.provider(run.provider)
    ids = _sample(ws, task, times)
    told = _estimate(ws, task, run, service, body, times, ids)
    what = f"A test with injections, which asks about {len(ids)} texts as they are and changed,"
    with ws.store.transaction():
        check_consent(ws, task.id, service, told, what=what, consent=consent, by=by)
        params = {"body": body.to_dict(), FIGURE: times, "estimate": told.to_dict()}
        filed = ws.store.file_run(
            replace(run, created_by=by, created_at=ws.now(), total=len(ids)),
            example_ids=ids, finetune_id=finetune_id, params=params, now=ws.clock(),
        )  # fmt: skip
    ws.wake()
    return filed


def estimate_attack(
    ws: Workspace,
    task_id: int,
    *,
    prompt: str = "",
    model: str = "",
    provider: str = "",
    times: int = TIMES,
) -> Estimate:
    """Return what such a run would ask, cost and take; nothing is filed and nobody asked."""
    task, run, body, _ = _attacked(ws, task_id, prompt, model, provider, times)
    ids = _sample(ws, task, times)
    return _estimate(ws, task, run, ws.provider(run.provider), body, times, ids)


def attack_result(ws: Workspace, run_id: int) -> FlipRate | None:
    """Return how often the classifier of such a run gave way; None while it is not through."""
    pairs = read_attack(ws, run_id)
    return None if pairs is None else flip_rate(pairs)


def last_attack(ws: Workspace, task_id: int, prompt_version_id: int) -> Run | None:
    """Return the latest run that attacked this version of a prompt; None without one."""
    runs = (
        run for run in ws.read.runs.all(task_id, previews=True)
        if run.preview and run.kind is ClassifierKind.PROMPT
        and run.prompt_version_id == prompt_version_id and FIGURE in ws.read.runs.params(run.id)
    )  # fmt: skip
    return next(runs, None)


def _attacked(
    ws: Workspace, task_id: int, prompt: str, model: str, provider: str, times: int
) -> tuple[Task, Run, PromptText, int | None]:
    """Return the task, a run that names the classifier, what it is told, and its fine-tune."""
    task = ws.store.tasks.get(task_id)
    if prompt and model:
        raise InputError("Name a prompt or a model, not both.", next_step="Leave one out.")
    if not 1 <= times <= MOST_TIMES:
        raise InputError(
            f"Each injection is put into 1 to {MOST_TIMES} texts.", next_step="Ask for e.g. 2."
        )
    run, finetune_id = chosen(ws, task, prompt=prompt, model=model, provider=provider)
    run = replace(run, title="injections", splits=_OPEN, preview=True)
    return task, run, body_of(ws, run, task), finetune_id


def _sample(ws: Workspace, task: Task, times: int) -> list[int]:
    """Return the texts that are attacked, each gold label in turn."""
    ids = ws.store.examples.ids(task.id, _OPEN)
    if not ids:
        raise InputError(
            "There are no examples in train and validation to put injections into.",
            next_step="Import examples first.",
        )
    gold = {i: g.label_id for i, g in ws.store.labels.gold(task.id, _OPEN).items()}
    return spread(ids, gold, times * len(read_injections()))


def _estimate(
    ws: Workspace, task: Task, run: Run, service: Provider, body: PromptText, times: int,
    ids: Sequence[int],
) -> Estimate:  # fmt: skip
    """Return what is asked: each text once as it is, and twice for each pair."""
    injections = read_injections()
    texts = ws.store.examples.some(task.id, ids[:SAMPLE])
    bare = estimate(ws, replace(run, total=len(ids)), service, texts, body=body)
    changed: list[Example] = []
    for number in range(max(len(injections), len(texts))):
        example, target = texts[number % len(texts)], target_of(task.label_names, "", number)
        changed += changed_texts(example, injections[number % len(injections)], target)
    return bare + estimate(
        ws, replace(run, total=2 * times * len(injections)), service, changed, body=body
    )
