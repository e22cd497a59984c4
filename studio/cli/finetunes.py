"""studio trainingset create | show | export; studio finetune launch | list | show | events | ..."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from studio.actions.finetunes import (
    create_training_set,
    estimate_finetune,
    expected_of,
    export_training_set,
    launch_finetune,
    note_before_use,
    steer_finetune,
    training_eligibility,
)
from studio.cli.common import (
    AsJson,
    Wait,
    WorkspacePath,
    Yes,
    emit,
    me,
    open_ws,
    table,
    task_of,
    wait_for,
    write_file,
)
from studio.domain.amounts import money
from studio.domain.eligibility import Access
from studio.domain.finetune import FineTune
from studio.domain.job import Want
from studio.domain.training_file import TrainingFormat
from studio.workspace import Workspace

sets = typer.Typer(help="Frozen examples a model learns from.", no_args_is_help=True)
group = typer.Typer(help="Trainings and the models that come out.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(sets, name="trainingset")
    app.add_typer(group, name="finetune")


@sets.command("create")
def create(
    task: str,
    run: Annotated[
        int | None, typer.Option(help="Labels of this run with corrections; gold when left out.")
    ] = None,
    name: Annotated[str, typer.Option(help="What to call it.")] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Freeze a training set from examples of train."""
    ws = open_ws(workspace)
    found = create_training_set(ws, task_of(ws, task).id, name=name, run_id=run, by=me(ws))
    counts = ", ".join(f"{n} {label}" for label, n in found.labels.items())
    emit(asdict(found), as_json, f"Training set {found.id} ({found.source}): {counts}.")


@sets.command("show")
def show_set(
    task: str, number: int, workspace: WorkspacePath = None, as_json: AsJson = False
) -> None:
    """Show a training set."""
    ws = open_ws(workspace)
    found = ws.read.finetunes.training_set(task_of(ws, task).id, number)
    counts = ", ".join(f"{n} {label}" for label, n in found.labels.items())
    emit(asdict(found), as_json, f"Training set {found.id} ({found.source}): {counts}.")


@sets.command("export")
def export(
    task: str,
    number: int,
    file: Path,
    prompt: Annotated[str, typer.Option(help="The prompt to teach with.")] = "",
    form: Annotated[
        TrainingFormat, typer.Option("--format", help="Who it is for.")
    ] = TrainingFormat.OPENAI,
    without_barred: Annotated[
        bool,
        typer.Option(
            "--without-barred",
            help="Leave out labels made by a model whose terms bar training on them.",
        ),
    ] = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Write a training set as JSON lines: chat lines, or rows of state, questions and labels."""
    ws = open_ws(workspace)
    text = export_training_set(
        ws, task_of(ws, task).id, number, prompt=prompt, form=form, without_barred=without_barred
    )
    write_file(file, text)
    emit({"file": str(file), "lines": text.count("\n")}, as_json, f"Wrote {file}.")


@group.command("launch")
def launch(
    task: str,
    trainingset: Annotated[
        int | None, typer.Option(help="What to learn from; all gold of train when left out.")
    ] = None,
    prompt: Annotated[str, typer.Option(help="The prompt it is trained with.")] = "",
    base: Annotated[str, typer.Option(help="The model to start from.")] = "",
    provider: Annotated[str, typer.Option(help="Where to train.")] = "",
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only say what it would send and cost.")
    ] = False,
    yes: Yes = False,
    wait: Wait = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Launch a fine-tune; the worker watches it."""
    ws = open_ws(workspace)
    _warn(ws, provider, base)
    task_id = task_of(ws, task).id
    asked: dict[str, Any] = {
        "training_set_id": trainingset, "prompt": prompt, "provider": provider, "base_model": base,
    }  # fmt: skip
    if estimate:
        expected = estimate_finetune(ws, task_id, **asked)
        emit(expected.to_dict(), as_json, expected.sentence)
        return
    finetune = launch_finetune(ws, task_id, **asked, consent=yes, by=me(ws))
    if wait and finetune.job_id is not None:
        wait_for(ws, finetune.job_id, "fine-tune")
    _emit(ws, ws.read.finetunes.get(finetune.id), as_json)


@group.command("list")
def list_finetunes(task: str, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """List the fine-tunes of a task, newest first."""
    ws = open_ws(workspace)
    rows = [_to_dict(ws, f) for f in ws.read.finetunes.all(task_of(ws, task).id)]
    shown = [
        {k: r[k] for k in ("finetune", "status", "model", "provider", "seconds")} for r in rows
    ]
    emit(rows, as_json, table(shown, "No fine-tune yet. Launch one with `studio finetune launch`."))


@group.command("show")
def show(number: int, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Show a fine-tune."""
    ws = open_ws(workspace)
    _emit(ws, ws.read.finetunes.get(number), as_json)


@group.command("events")
def events(number: int, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Show what a training reported."""
    ws = open_ws(workspace)
    ws.read.finetunes.get(number)
    found = ws.read.finetunes.events(number)
    lines = "\n".join(f"{e.level:5} {e.message}" for e in found) or "No event yet."
    emit([asdict(e) for e in found], as_json, lines)


@group.command("pause")
def pause(number: int, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Pause a training, at its provider too where that is possible."""
    ws = open_ws(workspace)
    _emit(ws, steer_finetune(ws, number, Want.PAUSE), as_json)


@group.command("cancel")
def cancel(number: int, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Cancel a training."""
    ws = open_ws(workspace)
    _emit(ws, steer_finetune(ws, number, Want.CANCEL), as_json)


@group.command("resume")
def resume(number: int, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Resume a fine-tune that rests or failed; trains anew where its provider failed it."""
    ws = open_ws(workspace)
    _emit(ws, steer_finetune(ws, number, Want.RUN), as_json)


def _warn(ws: Workspace, provider: str, base: str) -> None:
    """Say on standard error how long the service still trains, where that is known to end."""
    service = ws.provider(provider or ws.default_provider)
    known = training_eligibility(
        ws, service.host, base or service.default_model, is_local=service.is_local
    )
    if known.warning and known.access is not Access.CLOSED:
        typer.echo(f"Mind: {known.warning}", err=True)


def _emit(ws: Workspace, finetune: FineTune, as_json: bool) -> None:
    data = _to_dict(ws, finetune)
    text = f"Fine-tune {finetune.id}: {finetune.status.value}"
    text += f", model {finetune.model}" if finetune.model else ""
    expected, cost = data["estimate"], ""
    if finetune.model and expected:
        cost = f"cost: {money(data['cost_usd'])}; expected: {money(expected['cost_usd'])}"
    said = [text, cost, finetune.error, data["outdated"], note_before_use(ws, finetune)]
    emit(data, as_json, "\n".join(filter(None, said)))


def _to_dict(ws: Workspace, finetune: FineTune) -> dict[str, Any]:
    return {
        "finetune": finetune.id,
        "status": finetune.status.value,
        "model": finetune.model,
        "metrics": finetune.metrics,
        "cost_usd": finetune.metrics.get("cost_usd"),
        "estimate": expected_of(ws, finetune),
        "trainingset": finetune.training_set_id,
        "provider": finetune.provider,
        "base": finetune.base_model,
        "seconds": finetune.seconds,
        "error": finetune.error,
        "outdated": _outdated(ws, finetune),
    }


def _outdated(ws: Workspace, finetune: FineTune) -> str | None:
    marks = ws.read.label_sets.marks(ws.read.finetunes.task_of(finetune.id))
    return marks.models.get(finetune.id)
