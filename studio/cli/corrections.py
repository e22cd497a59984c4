"""Commands: studio correct | undo | redo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from studio.actions.corrections import import_corrections, redo_correction, undo_correction
from studio.cli.common import (
    AsJson,
    WorkspacePath,
    emit,
    me,
    open_ws,
    read_file,
    rejected_text,
    task_of,
)
from studio.domain.correction import Held, Mode, Undone
from studio.domain.example import Example
from studio.domain.label_change import LabelChange
from studio.workspace import Workspace

SHOWN = 5
By = Annotated[str, typer.Option(help="Whose deed; yours when left out.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("correct")(correct)
    app.command("undo")(undo)
    app.command("redo")(redo)


def correct(
    task: str,
    file: Path,
    by: Annotated[str, typer.Option(help="Whose decisions these are.")],
    blind: Annotated[bool, typer.Option("--blind", help="No model's label was in sight.")] = False,
    run: Annotated[int | None, typer.Option(help="The run whose labels were in sight.")] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Store a person's decisions from a file with the columns id, label and, if wished, note.

    `studio undo TASK --by NAME` takes the whole file back.
    """
    ws = open_ws(workspace)
    stored, rejected = import_corrections(
        ws,
        task_of(ws, task).id,
        data=read_file(file),
        filename=file.name,
        by=by,
        run_id=run,
        blind=blind,
    )
    data: dict[str, Any] = {
        "task": task,
        "stored": stored,
        "rejected": [{"line": line, "reason": reason} for line, reason in rejected],
    }
    emit(data, as_json, f"Stored {stored} decisions of {by}." + rejected_text(rejected))


def undo(
    task: str,
    by: By = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Take back a person's latest deed that stands: a label, a mark, or all that was done at once.

    A change of the label set is taken back by `studio label undo TASK`.
    """
    ws = open_ws(workspace)
    task_id = task_of(ws, task).id
    who = by or me(ws)
    change = _change_since(ws, task_id, who)
    undone = undo_correction(ws, task_id, by=who)
    held = None if undone else ws.read.deeds.held(task_id, who)
    verbs = "take back", "Took back"
    _tell(ws, task_id, undone, verbs, _next(task, change, held), held, as_json=as_json)


def redo(
    task: str,
    by: By = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Put back what a person's latest undo took, unless something new was done since."""
    ws = open_ws(workspace)
    task_id = task_of(ws, task).id
    who = by or me(ws)
    redone = redo_correction(ws, task_id, by=who)
    held = None if redone else ws.read.deeds.held(task_id, who, redo=True)
    verbs = "put back", "Put back"
    _tell(ws, task_id, redone, verbs, _next(task, None, held), held, as_json=as_json)


def _change_since(ws: Workspace, task_id: int, person: str) -> LabelChange | None:
    """Return the latest change of the label set that holds, if this person decided nothing since."""
    holding = [c for c in ws.read.label_sets.changes(task_id) if not c.is_undone]
    if not holding:
        return None
    own = ws.read.labels.worked(task_id, [person])
    decided = [c.at for c in own if c.mode is not Mode.LABEL_CHANGE and c.undoes is None]
    return holding[-1] if max(decided, default="") <= holding[-1].at else None


def _tell(
    ws: Workspace, task_id: int, done: Undone | None, verbs: tuple[str, str],
    next_step: str | None, held: Held | None, *, as_json: bool,
) -> None:  # fmt: skip
    ids = [] if done is None else [e.external_id for e in _examples(ws, task_id, done)]
    task = ws.read.tasks.get(task_id).name
    data: dict[str, Any] = {
        "task": task,
        "examples": ids,
        "label": done.label if done else None,
        "mark": done.mark.value if done and done.mark else None,
        "next": next_step,
    }
    said = [] if held else [_sentence(done, ids, *verbs)]
    emit(data, as_json, " ".join([*said, next_step or ""]).rstrip())


def _next(task: str, change: LabelChange | None, held: Held | None) -> str | None:
    """Return what to do next, and first why nothing was done where something is in the way."""
    if held is not None:
        add, undo = f"`studio label add {task} {held.label}`", f"`studio label undo {task}`"
        does = f"{undo} undoes {'it' if len(held.changes) == 1 else 'the latest'}"
        return f"{held.sentence} {does if held.changes else f'{add} does that'}."
    return f"`studio label undo {task}` takes back that {change.text}." if change else None


def _examples(ws: Workspace, task_id: int, done: Undone) -> list[Example]:
    found = {e.id: e for e in ws.read.examples.some(task_id, done.example_ids)}
    return [found[i] for i in done.example_ids]


def _sentence(done: Undone | None, ids: list[str], infinitive: str, verb: str) -> str:
    if done is None:
        return f"There is nothing to {infinitive}."
    more = f" and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else ""
    return f"{verb} {done.what} of {', '.join(ids[:SHOWN])}{more}."
