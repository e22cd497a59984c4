"""Command: studio queue."""

from __future__ import annotations

from typing import Annotated

import typer

from studio.actions.queue import Queue, next_examples
from studio.analysis.queue_streams import Strategy
from studio.cli.common import AsJson, WorkspacePath, emit, me, open_ws, table, task_of

_WIDEST = 72


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("queue")(queue)


def queue(
    task: str,
    strategy: Annotated[str, typer.Option(help=f"{', '.join(Strategy)}.")] = Strategy.AUTO.value,
    limit: Annotated[int, typer.Option(help="Most examples, up to 500.")] = 20,
    split: Annotated[
        str, typer.Option(help="train; validation and test come in random order.")
    ] = "train",
    by: Annotated[str, typer.Option(help="Who is asked; else you.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Another one draws other samples.")] = 0,
    reveal: Annotated[
        bool,
        typer.Option("--reveal", help="Tell rules and labels behind a pick: not for blind gold."),
    ] = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Show the next examples worth an expert's minute, why each, and whether the order pays.

    Half are typical of what is least labeled, half are uncertain; among them are checks of rules
    and examples on which a model and the rules differ. A tenth is a random audit. Give the labels
    by `studio correct TASK FILE --by NAME --blind`.
    """
    ws = open_ws(workspace)
    found = next_examples(
        ws, task_of(ws, task).id, strategy=strategy, limit=limit, split=split, by=by or me(ws),
        seed=seed,
    )  # fmt: skip
    emit(found.to_dict(reveal=reveal), as_json, lambda: _text(found, reveal=reveal))


def _text(found: Queue, *, reveal: bool) -> str:
    rows = [
        {
            "id": example.external_id,
            "text": _short(example.text),
            "why": f"{pick.why} {pick.behind if reveal else ''}".strip(),
        }
        for example, pick in found.items
    ]
    tail = "\n".join(part for part in (found.note, found.evidence.words) if part)
    return f"{table(rows, '')}\n\n{found.left:,} examples have no label yet.\n{tail}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"
