"""Commands: studio import | split | correct."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from studio.actions.corrections import import_corrections
from studio.actions.examples import import_examples, split_examples
from studio.analysis.example_rows import Columns
from studio.cli.common import AsJson, WorkspacePath, emit, me, open_ws, read_file, task_of

SHOWN = 5


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("import")(import_)
    app.command("split")(split)
    app.command("correct")(correct)


def import_(
    task: str,
    file: Path,
    text: Annotated[str, typer.Option(help="Column of the text; guessed when left out.")] = "",
    label: Annotated[str, typer.Option(help="Column of gold labels; none when left out.")] = "",
    split: Annotated[
        str, typer.Option(help="Column of the split, or train, validation or test for all.")
    ] = "",
    id_: Annotated[str, typer.Option("--id", help="Column of the examples' own ids.")] = "",
    group: Annotated[
        str, typer.Option(help="Column whose equal values never stand in two splits.")
    ] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Import examples from a CSV, TSV, JSONL, JSON or Parquet file."""
    ws = open_ws(workspace)
    result = import_examples(
        ws,
        task_of(ws, task).id,
        data=read_file(file),
        filename=file.name,
        columns=Columns(text=text, label=label, split=split, id=id_, group=group),
        by=me(ws),
    )
    summary = (
        f"Added {result.added} examples ({result.labeled} with gold), skipped {result.skipped} "
        f"known ones, rejected {len(result.rejected)}."
    )
    emit(result.to_dict(), as_json, summary + _rejected(result.rejected))


def split(
    task: str,
    train: Annotated[float, typer.Option(help="Share of train.")] = 0.6,
    validation: Annotated[float, typer.Option(help="Share of validation.")] = 0.2,
    test: Annotated[float, typer.Option(help="Share of test.")] = 0.2,
    group: Annotated[str, typer.Option(help="Column whose equal values stay together.")] = "",
    seed: Annotated[int, typer.Option(help="Another seed, another split.")] = 0,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Assign all examples to splits anew, duplicates and groups kept together."""
    ws = open_ws(workspace)
    counts = split_examples(
        ws,
        task_of(ws, task).id,
        train=train,
        validation=validation,
        test=test,
        group=group,
        seed=seed,
    )
    emit(counts, as_json, ", ".join(f"{n} {name}" for name, n in counts.items()))


def correct(
    task: str,
    file: Path,
    by: Annotated[str, typer.Option(help="Whose decisions these are.")],
    blind: Annotated[bool, typer.Option("--blind", help="No model's label was in sight.")] = False,
    run: Annotated[int | None, typer.Option(help="The run whose labels were in sight.")] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Store a person's decisions from a file with the columns id and label."""
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
    emit(data, as_json, f"Stored {stored} decisions of {by}." + _rejected(rejected))


def _rejected(rejected: list[tuple[int, str]]) -> str:
    lines = [f"\n  line {line}: {reason}" for line, reason in rejected[:SHOWN]]
    more = len(rejected) - SHOWN
    return "".join(lines) + (f"\n  and {more} more; see --json" if more > 0 else "")
