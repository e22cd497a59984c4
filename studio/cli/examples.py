"""Commands: studio import | split."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from studio.actions.examples import import_examples, split_examples
from studio.analysis.example_rows import Columns
from studio.cli.common import (
    AsJson,
    StoppedError,
    WorkspacePath,
    emit,
    me,
    open_file,
    open_ws,
    rejected_text,
    task_of,
)
from studio.domain.amounts import duration


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("import")(import_)
    app.command("split")(split)


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
    """Import examples from a CSV, TSV, JSONL, JSON or Parquet file.

    Where the file gives no split, texts that are alike stay in one. Up to 50,000 rows are
    stratified by label; of more, each text is drawn by its hash, which comes near the same.
    Ctrl-C keeps what is stored; importing the file again adds the rest.
    """
    ws = open_ws(workspace)
    task_id, bar = task_of(ws, task).id, _Bar()
    try:
        with open_file(file) as data:
            result = import_examples(
                ws,
                task_id,
                data=data,
                filename=file.name,
                columns=Columns(text=text, label=label, split=split, id=id_, group=group),
                by=me(ws),
                progress=bar.tell,
            )
    except KeyboardInterrupt:
        raise StoppedError(
            f"The import was stopped; {bar.stored()}.",
            next_step="Import the file again to add the rest.",
        ) from None
    finally:
        bar.clear()
    summary = (
        f"Added {result.added:,} examples ({result.labeled:,} with gold), skipped {result.skipped:,} "
        f"known ones, rejected {len(result.rejected):,}."
    )
    summary = " ".join([summary, *result.notes])
    emit(result.to_dict(), as_json, summary + rejected_text(result.rejected))


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


class _Bar:
    """How far an import is, on standard error where that is a terminal."""

    def __init__(self) -> None:
        self._show = sys.stderr.isatty()
        self._started = time.monotonic()
        self._done, self._total = 0, 0

    def tell(self, done: int, total: int | None) -> None:
        """Show that so many lines are stored."""
        self._done, self._total = done, total or 0
        passed = time.monotonic() - self._started
        if self._show and passed > 0:
            rate = done / passed
            left = duration(max(0, self._total - done) / rate)
            share = min(1.0, done / self._total) if self._total else 0.0
            drawn = f"{'#' * round(20 * share):.<20}"
            said = f"{done:,} of {self._total:,} lines, {rate:,.0f} a second, {left} left"
            sys.stderr.write(f"\r[{drawn}] {said:60}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Leave an empty line."""
        if self._show:
            sys.stderr.write("\r" + " " * 84 + "\r")

    def stored(self) -> str:
        """Say what is in the workspace."""
        if not self._done:
            return "nothing was stored"
        return f"the examples of the first {self._done:,} of {self._total:,} lines are stored"
