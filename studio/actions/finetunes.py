"""What analysts do with training sets and fine-tunes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from studio.domain.eligibility import Access, Eligibility, before_use, eligibility
from studio.domain.estimate import TrainingEstimate
from studio.domain.example import Split
from studio.domain.finetune import FineTune, FineTuneStatus, TrainingSet
from studio.domain.job import JobStatus, Want
from studio.domain.prompt import PromptVersion, prompt_of
from studio.domain.task import Task
from studio.domain.training_file import TrainingFormat, training_bar, training_file
from studio.errors import ConsentNeededError, InputError, NotFoundError
from studio.handlers.estimating import estimate_training
from studio.handlers.shots import values_of
from studio.providers.base import Provider
from studio.providers.base_url import read_base_url
from studio.workspace import Workspace

MIN_EXAMPLES = 10
FEW_EXAMPLES = 20


def create_training_set(
    ws: Workspace, task_id: int, *, name: str = "", run_id: int | None = None, by: str
) -> TrainingSet:
    """Freeze the labels a model is to learn from; only examples of train.

    Without a run these are all gold labels of train. With a run they are its labels, where
    people's corrections win; labels that only came with a file do not.

    Raises:
        InputError: If there are fewer than 10, or only one label among them.
    """
    rows, source = _usable(ws, ws.store.tasks.get(task_id), run_id)
    return ws.store.finetunes.freeze(
        task_id, name=name or source, source=source, rows=sorted(rows), by=by, at=ws.now()
    )


def preview_training_set(ws: Workspace, task_id: int, *, run_id: int | None = None) -> TrainingSet:
    """Return what `create_training_set` would freeze now, with the id 0; nothing is stored."""
    task = ws.read.tasks.get(task_id)
    rows, source = _chosen(ws, task, run_id)
    return TrainingSet(
        id=0,
        name=source,
        source=source,
        size=len(rows),
        labels=dict(Counter(task.name_of(label_id) or "" for _, label_id, _ in rows)),
        origins=dict(Counter(origin for _, _, origin in rows)),
        hash="",
        created_at="",
    )


def lint_training_set(task: Task, training_set: TrainingSet) -> list[str]:
    """Return what speaks against learning from these labels, a sentence each, the worst first."""
    found = []
    if training_set.size < MIN_EXAMPLES:
        found.append(f"There are {training_set.size} labels; at least {MIN_EXAMPLES} are needed.")
    if len(training_set.labels) == 1:
        found.append(f"Every label is {next(iter(training_set.labels))!r}; two are needed.")
    elif missing := [name for name in task.label_names if name not in training_set.labels]:
        found.append(f"No example is labeled {_listed(missing)}, so the model never answers that.")
    few = [f"{name!r} ({n})" for name, n in training_set.labels.items() if n < FEW_EXAMPLES]
    if few and training_set.size >= MIN_EXAMPLES:
        found.append(
            f"Few examples of {_listed(few, quoted=True)}; from about {FEW_EXAMPLES} of a label "
            "on a model tells it well."
        )
    if made := training_set.origins.get("prediction", 0):
        found.append(
            f"{made} of {training_set.size} labels were made by a model and are not gold: "
            "the new model learns its mistakes too."
        )
    return found


def _usable(
    ws: Workspace, task: Task, run_id: int | None
) -> tuple[list[tuple[int, int, str]], str]:
    """Return what is to be learnt from and its source, or say why it is too little."""
    rows, source = _chosen(ws, task, run_id)
    labels = {label_id for _, label_id, _ in rows}
    if len(rows) < MIN_EXAMPLES or len(labels) < 2:
        found = task.name_of(next(iter(labels), None))
        raise InputError(
            f"There are {len(rows)} labeled examples in train"
            + (f", all {found!r}." if len(labels) == 1 else "."),
            next_step=f"A training set needs at least {MIN_EXAMPLES}, of two labels or more.",
        )
    return rows, source


def _listed(names: Sequence[str], *, quoted: bool = False) -> str:
    shown = [name if quoted else repr(name) for name in names[:5]]
    return ", ".join(shown) + (" and others" if len(names) > 5 else "")


def _chosen(
    ws: Workspace, task: Task, run_id: int | None
) -> tuple[list[tuple[int, int, str]], str]:
    """Return (example id, label id, origin) of what is to be learnt from, and its source."""
    train = (Split.TRAIN.value,)
    gold = ws.read.labels.gold(task.id, train)
    if run_id is None:
        return [(i, g.label_id, g.origin.value) for i, g in gold.items()], "gold of train"
    run = ws.read.runs.get(run_id)
    if run.task_id != task.id:
        raise InputError(f"Run {run_id} belongs to another task.")
    people = {i: g for i, g in gold.items() if g.origin.value not in ("imported", "computed")}
    said = {
        p.example_id: p.label_id
        for p in ws.read.runs.predictions(run_id, splits=train)
        if p.label_id is not None
    }
    rows = [(i, label, "prediction") for i, label in said.items() if i not in people]
    rows += [(i, people[i].label_id, people[i].origin.value) for i in people if i in said]
    return rows, f"run {run_id} with {sum(i in said for i in people)} corrections"


def export_training_set(
    ws: Workspace,
    task_id: int,
    training_set_id: int,
    *,
    prompt: str = "",
    form: TrainingFormat = TrainingFormat.OPENAI,
    without_barred: bool = False,
) -> str:
    """Return a training set as JSON lines, a line an example.

    Args:
        ws: The workspace.
        task_id: The task.
        training_set_id: What to write.
        prompt: The prompt to teach with; one of the label definitions when empty.
        form: Who it is for.
        without_barred: Leave out labels made by a model whose terms bar training on them.

    Raises:
        InputError: If such labels are in it and are not to be left out.
    """
    training_set = ws.read.finetunes.training_set(task_id, training_set_id)
    task = ws.read.tasks.get(task_id)
    barred = barred_examples(ws, training_set)
    if barred and not without_barred:
        raise _barred_error(ws, training_set, barred)
    body = ws.read.prompts.find(task_id, prompt).body if prompt else prompt_of(task)
    rows = ws.read.finetunes.training_rows(training_set_id)
    kept = [row for row in rows if row[0] not in barred]
    values = values_of(ws, task_id, body, [row[0] for row in kept])
    return training_file(form, body, task.label_names, kept, values)


def barred_examples(ws: Workspace, training_set: TrainingSet) -> frozenset[int]:
    """Return the examples whose label was made by a model under terms that bar training on it.

    Gold is a person's own decision and is never among them.
    """
    if training_set.run_id is None or training_bar(_made_by(ws, training_set)) is None:
        return frozenset()
    return ws.read.finetunes.examples_of(training_set.id, "prediction")


def _made_by(ws: Workspace, training_set: TrainingSet) -> str:
    return ws.read.runs.get(training_set.run_id).model if training_set.run_id else ""


def _barred_error(ws: Workspace, training_set: TrainingSet, barred: Collection[int]) -> InputError:
    model = _made_by(ws, training_set)
    bar = training_bar(model)
    assert bar is not None
    named = ", ".join(str(i) for i in sorted(barred)[:10]) + (", …" if len(barred) > 10 else "")
    return InputError(
        f"{len(barred)} of {training_set.size} labels were made by {model}, and the terms of "
        f"{bar.whose} bar training on them ({bar.terms}): examples {named}.",
        next_step="Label these by hand, or export with --without-barred.",
    )


def training_eligibility(
    ws: Workspace, host: str, base_model: str, *, is_local: bool
) -> Eligibility:
    """Return whether a model can be trained at a host today, by our dated table."""
    return eligibility("" if is_local else host, base_model, ws.now()[:10])


def note_before_use(ws: Workspace, finetune: FineTune) -> str:
    """Return what must be done at the provider before a trained model answers; mostly nothing."""
    try:
        url = ws.read.providers.get(finetune.provider).base_url
    except NotFoundError:  # the embedded one, or one that is gone
        return ""
    return before_use(read_base_url(url).bare_host, finetune.model)


def launch_finetune(
    ws: Workspace,
    task_id: int,
    *,
    training_set_id: int | None = None,
    prompt: str = "",
    provider: str = "",
    base_model: str = "",
    consent: bool = False,
    by: str,
) -> FineTune:
    """File a fine-tune; the worker launches and watches it.

    Args:
        ws: The workspace.
        task_id: The task.
        training_set_id: What to learn from; all gold of train, frozen now, when None.
        prompt: The prompt the model is trained and asked with; the latest one when empty, one of
            the label definitions when there is none.
        provider: Where to train; the configured one when empty.
        base_model: What to start from; the provider's default when empty.
        consent: The person agrees to send the training set to that provider; recorded.
        by: Who launches it.

    Raises:
        InputError: If the training set is unusable, a model's terms bar training on its labels,
            or the service trains no such model any more.
        ConsentNeededError: If texts would leave the machine and nobody agreed.
    """
    task = ws.store.tasks.get(task_id)
    service = ws.provider(provider or ws.default_provider)
    base_model = base_model or service.default_model
    known = training_eligibility(ws, service.host, base_model, is_local=service.is_local)
    if known.access is Access.CLOSED:
        raise InputError(known.sentence, next_step=known.instead)
    told = _estimate(ws, task, service, base_model, _rows(ws, task, training_set_id, None), prompt)
    # All or nothing: a launch that is refused leaves no training set, consent or prompt behind.
    with ws.store.transaction():
        version = _version(ws, task_id, prompt) or ws.store.prompts.save(
            task_id, name="definitions", body=prompt_of(task), author="studio",
            note="made of the label definitions", at=ws.now(),
        )  # fmt: skip
        if training_set_id is None:
            rows, source = _usable(ws, task, None)
            training_set = ws.store.finetunes.freeze(
                task_id, name=source, source=source, rows=sorted(rows), by=by, at=ws.now()
            )
        else:
            training_set = ws.store.finetunes.training_set(task_id, training_set_id)
            if barred := barred_examples(ws, training_set):
                raise _barred_error(ws, training_set, barred)
        if not service.is_local and not ws.store.providers.has_consent(
            task_id, service.host, told.columns
        ):
            if not consent:
                raise ConsentNeededError(
                    f"This would send {training_set.size} {told.sent} with their labels to "
                    f"{service.host}, {told.cost_text().replace('about', 'for about', 1)}.",
                    next_step="Agree with --yes, or on the page.",
                )
            ws.store.providers.record_consent(
                task_id, provider=service.name, host=service.host, person=by,
                shown=told.to_dict(), at=ws.now(),
            )  # fmt: skip
        finetune_id = ws.store.finetunes.create(
            task_id,
            training_set_id=training_set.id,
            prompt_version_id=version.id,
            provider=service.name,
            base_model=base_model,
            by=by,
            at=ws.now(),
        )
        job_id = ws.store.jobs.file(
            kind="finetune", subject_id=finetune_id, total=100, now=ws.clock(),
            params={"estimate": told.to_dict()},
        )  # fmt: skip
        ws.store.finetunes.update(finetune_id, job_id=job_id)
    ws.wake()
    return ws.store.finetunes.get(finetune_id)


def estimate_finetune(
    ws: Workspace,
    task_id: int,
    *,
    training_set_id: int | None = None,
    run_id: int | None = None,
    prompt: str = "",
    provider: str = "",
    base_model: str = "",
) -> TrainingEstimate:
    """Return what such a fine-tune would send and cost; nothing is stored and nobody asked.

    Args:
        ws: The workspace.
        task_id: The task.
        training_set_id: What to learn from; what could be frozen now when None.
        run_id: The run whose labels would be frozen; gold of train when None.
        prompt: As `launch_finetune` takes it.
        provider: Where to train; the configured one when empty.
        base_model: What to start from; the provider's default when empty.
    """
    task = ws.read.tasks.get(task_id)
    service = ws.provider(provider or ws.default_provider)
    rows = _rows(ws, task, training_set_id, run_id)
    return _estimate(ws, task, service, base_model or service.default_model, rows, prompt)


def expected_of(ws: Workspace, finetune: FineTune) -> dict[str, Any] | None:
    """Return what was expected of a fine-tune at its launch; None of one launched before that."""
    if finetune.job_id is None:
        return None
    return ws.read.jobs.get(finetune.job_id).params.get("estimate")


def _estimate(
    ws: Workspace, task: Task, service: Provider, base_model: str,
    rows: Sequence[tuple[int, str, str]], prompt: str,
) -> TrainingEstimate:  # fmt: skip
    version = _version(ws, task.id, prompt)
    body = version.body if version else prompt_of(task)
    return estimate_training(ws, task, body, service, base_model, rows)


def _version(ws: Workspace, task_id: int, prompt: str) -> PromptVersion | None:
    """Return the prompt of this name, or the latest; None where there is none at all."""
    if prompt:
        return ws.store.prompts.find(task_id, prompt)
    versions = ws.store.prompts.all(task_id)
    return versions[-1] if versions else None


def _rows(
    ws: Workspace, task: Task, training_set_id: int | None, run_id: int | None
) -> list[tuple[int, str, str]]:
    """Return (example id, text, label name) of a training set, or of what would be frozen."""
    if training_set_id is not None:
        ws.store.finetunes.training_set(task.id, training_set_id)
        return ws.store.finetunes.training_rows(training_set_id)
    chosen = {example_id: label_id for example_id, label_id, _ in _chosen(ws, task, run_id)[0]}
    examples = ws.store.examples.some(task.id, sorted(chosen))
    return [(e.id, e.text, task.name_of(chosen[e.id]) or "") for e in examples]


def steer_finetune(ws: Workspace, finetune_id: int, want: Want) -> FineTune:
    """Pause, resume or cancel a fine-tune; one that was launched obeys at its provider, too.

    One that its provider ended without a model is trained anew when it is to go on.

    Raises:
        InputError: If one that was cancelled at its provider is to go on.
    """
    finetune = ws.store.finetunes.get(finetune_id)
    if finetune.job_id is None:
        return finetune
    if want is Want.RUN and finetune.remote_id and finetune.status is FineTuneStatus.CANCELLED:
        raise InputError(
            f"Fine-tune {finetune_id} was cancelled at its provider and cannot go on.",
            next_step="Launch a new one with the same training set.",
        )
    with ws.store.transaction():
        job = ws.store.jobs.get(finetune.job_id)
        if want is Want.RUN:
            ws.store.jobs.revive(job.id)
        # Once begun it may be known to the provider: only the worker can reach it there.
        ws.store.jobs.ask(job.id, want, ws.clock(), by_handler=job.started_at is not None)
        if ws.store.jobs.get(job.id).status is JobStatus.CANCELLED and not finetune.status.is_final:
            ws.store.finetunes.update(finetune_id, status=FineTuneStatus.CANCELLED)
    ws.wake()
    return ws.store.finetunes.get(finetune_id)
