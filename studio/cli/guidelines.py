"""Commands: studio guideline add | list | retire."""

from __future__ import annotations

from typing import Annotated

import typer

from studio.actions.guidelines import add_guideline, retire_guideline
from studio.cli.common import AsJson, WorkspacePath, emit, me, open_ws, table, task_of
from studio.errors import NotFoundError

group = typer.Typer(help="What people agreed on about doubtful cases.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="guideline")


@group.command("add")
def add(
    task: str,
    text: Annotated[str, typer.Option(help="What was agreed, in a sentence.")],
    label: Annotated[str, typer.Option(help="The label it speaks for.")] = "",
    other: Annotated[str, typer.Option(help="The label it parts that one from.")] = "",
    example: Annotated[str, typer.Option(help="Id of the example it came from.")] = "",
    by: Annotated[str, typer.Option(help="Whose note it is.")] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Store a guideline note; people see it where they label."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    example_id = None
    if example:
        example_id = ws.read.examples.by_external_id(found.id, [example]).get(example)
        if example_id is None:
            raise NotFoundError(f"There is no example {example!r} in {task!r}.")
    number = add_guideline(
        ws, found.id, text=text, label=label, other=other, example_id=example_id, by=by or me(ws)
    )
    emit({"task": found.name, "guideline": number}, as_json, f"Stored guideline note {number}.")


@group.command("list")
def list_guidelines(
    task: str,
    retired: Annotated[bool, typer.Option("--retired", help="Those out of use.")] = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """List the guideline notes of a task."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    notes = ws.read.guidelines.all(found.id, retired=retired)
    ids = [note.example_id for note in notes if note.example_id is not None]
    names = {e.id: e.external_id for e in ws.read.examples.some(found.id, ids)}
    rows = [
        {**note.to_dict(found), "example": names.get(note.example_id or 0)} for note in notes
    ]  # fmt: skip
    shown = [
        {"guideline": note.id, "about": note.about(found) or "-", "text": note.text,
         "author": note.author}
        for note in notes
    ]  # fmt: skip
    none = "No note is out of use." if retired else "No guideline note yet."
    emit(rows, as_json, lambda: table(shown, none))


@group.command("retire")
def retire(
    task: str,
    guideline: int,
    back: Annotated[bool, typer.Option("--back", help="Bring it back into use.")] = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Take a guideline note out of use; it is kept."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    retire_guideline(ws, found.id, guideline, back=back)
    said = "is in use again" if back else "is out of use"
    emit({"guideline": guideline, "retired": not back}, as_json, f"Note {guideline} {said}.")
