"""Commands: studio rationale add | list."""

from __future__ import annotations

from typing import Annotated

import typer

from studio.actions.rationales import record_rationale
from studio.cli.common import AsJson, WorkspacePath, emit, me, open_ws, table, task_of
from studio.errors import NotFoundError

group = typer.Typer(help="The reasons experts give.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="rationale")


@group.command("add")
def add(
    task: str,
    label: Annotated[str, typer.Option(help="The label it speaks for.")],
    text: Annotated[str, typer.Option(help="The reason, in a sentence.")],
    example: Annotated[str, typer.Option(help="Id of the example it is about.")] = "",
    evidence: Annotated[
        list[str] | None, typer.Option(help="Words of the example it points at; may be repeated.")
    ] = None,
    by: Annotated[str, typer.Option(help="Whose reason it is.")] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Store a rationale."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    example_id = None
    if example:
        example_id = ws.read.examples.by_external_id(found.id, [example]).get(example)
        if example_id is None:
            raise NotFoundError(f"There is no example {example!r} in {task!r}.")
    number = record_rationale(
        ws,
        found.id,
        label=label,
        text=text,
        example_id=example_id,
        evidence=evidence or [],
        by=by or me(ws),
    )
    emit({"task": found.name, "rationale": number}, as_json, f"Stored rationale {number}.")


@group.command("list")
def list_rationales(task: str, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """List the rationales of a task."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    rows = [
        {"rationale": r.id, "label": found.name_of(r.label_id), "text": r.text, "author": r.author}
        for r in ws.read.rationales.all(found.id)
    ]
    emit(rows, as_json, table(rows, "No rationale yet. Add one with `studio rationale add`."))
