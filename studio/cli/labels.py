"""Commands: studio label rename | merge | split | add | retire | order | undo | changes."""

from __future__ import annotations

import csv
from typing import Annotated, Any

import typer

from studio.actions.label_sets import change_labels, foresee_change, undo_label_change
from studio.cli.common import AsJson, WorkspacePath, emit, me, open_ws, table, task_of
from studio.domain.label_change import (
    Add,
    Deed,
    LabelChange,
    Merge,
    Rename,
    Reorder,
    Retire,
    Split,
    consequences_of,
)

group = typer.Typer(
    help="Change the labels of a task: gold, predictions and rules go along.", no_args_is_help=True
)
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")]
LookAgain = Annotated[
    bool, typer.Option("--look-again", help="Queue the gold it touches for another look.")
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="label")


@group.command("rename")
def rename(
    task: str,
    label: str,
    to: str,
    meaning_changed: Annotated[
        bool,
        typer.Option("--meaning-changed", help="Its gold is queued for another look."),
    ] = False,
    dry_run: DryRun = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Call a label otherwise; old prompts and models are read by the new name."""
    deed = Rename(label=label, to=to, meaning_changed=meaning_changed)
    _do(task, deed, dry_run, workspace, as_json)


@group.command("merge")
def merge(
    task: str,
    label: Annotated[str, typer.Argument(help="The label that is given up.")],
    into: Annotated[str, typer.Argument(help="The label that is kept.")],
    to: Annotated[str, typer.Option(help="What the kept label is called from now on.")] = "",
    definition: Annotated[
        str | None, typer.Option(help="When it applies; by default both definitions.")
    ] = None,
    look_again: LookAgain = False,
    dry_run: DryRun = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Give a label up for another one: whatever said it says the other."""
    deed = Merge(label=label, into=into, to=to, definition=definition, look_again=look_again)
    _do(task, deed, dry_run, workspace, as_json)


@group.command("split")
def split(
    task: str,
    label: str,
    parts: Annotated[
        list[str],
        typer.Argument(help='NAME or NAME="definition": first what the label stays, then the new.'),
    ],
    dry_run: DryRun = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Tell apart what one label said; all its gold is queued for another look."""
    told = tuple((name.strip(), text) for name, _, text in (part.partition("=") for part in parts))
    _do(task, Split(label=label, parts=told), dry_run, workspace, as_json)


@group.command("add")
def add(
    task: str,
    name: str,
    definition: Annotated[str, typer.Option(help="When it applies.")] = "",
    look_again: Annotated[
        list[str] | None,
        typer.Option(help="A label whose gold may be the new one; may be repeated."),
    ] = None,
    dry_run: DryRun = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Allow one more answer."""
    deed = Add(name=name, definition=definition, look_again=tuple(look_again or ()))
    _do(task, deed, dry_run, workspace, as_json)


@group.command("retire")
def retire(
    task: str,
    label: str,
    dry_run: DryRun = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Give up a label that no gold, rule or rationale says."""
    _do(task, Retire(label=label), dry_run, workspace, as_json)


@group.command("order")
def order(
    task: str,
    labels: Annotated[str, typer.Argument(help="All labels, separated by commas.")],
    dry_run: DryRun = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Put the labels in another order, which decides their keys and colours."""
    names = tuple(next(csv.reader([labels], skipinitialspace=True), []))
    _do(task, Reorder(names=names), dry_run, workspace, as_json)


@group.command("undo")
def undo(
    task: str,
    change: Annotated[int | None, typer.Argument(help="By default the latest.")] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Take back the latest change of the labels; what was decided since stays.

    Decisions on examples are taken back by `studio undo TASK`.
    """
    ws = open_ws(workspace)
    done = undo_label_change(ws, task_of(ws, task).id, change, by=me(ws))
    emit(done.to_dict(), as_json, f"Taken back: {done.text}.")


@group.command("changes")
def changes(task: str, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """List the changes of a label set, newest first, and what waits for another look."""
    ws = open_ws(workspace)
    found = ws.read.label_sets.changes(task_of(ws, task).id)[::-1]
    rows = [
        {"change": c.id, "what": c.text, "by": c.person, "at": c.at[:16], "waiting": c.waiting,
         "undone": (c.undone_at or "")[:16] or None}
        for c in found
    ]  # fmt: skip
    emit([c.to_dict() for c in found], as_json, table(rows, "The label set never changed."))


def _do(task: str, deed: Deed, dry_run: bool, workspace: Any, as_json: bool) -> None:
    ws = open_ws(workspace)
    task_id = task_of(ws, task).id
    if dry_run:
        foreseen = foresee_change(ws, task_id, deed)
        data = {"text": foreseen.text, **foreseen.counts}
        emit(data, as_json, f"{foreseen.foretold} Nothing was changed.")
        return
    done = change_labels(ws, task_id, deed, by=me(ws))
    emit(done.to_dict(), as_json, _text(done))


def _text(done: LabelChange) -> str:
    said = [f"Change {done.id}: {done.text}.", *consequences_of(done).sentences]
    return " ".join([*said, "Take it back with `studio label undo`."])
