"""Command: studio queue."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from studio.actions.evaluations import measured_lately
from studio.actions.queue import LONGEST, Queue, next_examples
from studio.actions.queue_outlook import gain_ahead, look_ahead
from studio.analysis.queue_streams import Strategy, Stream
from studio.analysis.ten_minutes import Outlook
from studio.cli.common import AsJson, WorkspacePath, emit, me, open_ws, table, task_of
from studio.domain.amounts import count
from studio.domain.example import Split
from studio.domain.report import METRIC_NAMES
from studio.domain.task import Task
from studio.workspace import Workspace

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
    and examples on which a model and the rules differ. A tenth is a random audit. Below them
    stands what about ten minutes should bring at your own pace. Give the labels by
    `studio correct TASK FILE --by NAME --blind`.
    """
    ws = open_ws(workspace)
    of, person = task_of(ws, task), by or me(ws)
    asked: dict[str, Any] = {"strategy": strategy, "split": split, "by": person, "seed": seed}
    found = next_examples(ws, of.id, limit=limit, **asked)
    ahead = _outlook(ws, of, found, asked)
    data = {**found.to_dict(reveal=reveal), "outlook": ahead.to_dict()}
    emit(data, as_json, lambda: _text(found, ahead, reveal=reveal))


def _outlook(ws: Workspace, task: Task, found: Queue, asked: dict[str, Any]) -> Outlook:
    """Return what about ten minutes of this queue should bring, as the app tells it."""
    split, by = Split(asked["split"]), asked["by"]
    ahead = look_ahead(
        ws, task.id, is_list=found.strategy.is_list, split=split, by=by, left=found.left
    )
    if ahead.teaches:
        return replace(
            ahead,
            gain=gain_ahead(ws, task.id).gain(ahead.goal),
            checks=_checks(ws, task, found, asked, min(ahead.goal, LONGEST)),
        )
    if found.strategy.is_list or split is not Split.VALIDATION:
        return ahead
    runs = [run for run in ws.read.runs.all(task.id) if run.done >= run.total > 0]
    best = max(measured_lately(ws, task, runs), key=lambda m: m.figure.value, default=None)
    name = (METRIC_NAMES.get(best.metric, best.metric), best.figure) if best else None
    return replace(ahead, measured=name)


def _checks(ws: Workspace, task: Task, found: Queue, asked: dict[str, Any], goal: int) -> int:
    """Return how many rules the next labels would give all their checks."""
    items = found.items[:goal]
    if Stream.SPOT_CHECK not in found.strategy.streams:
        return 0
    if len(items) < goal and ws.read.rules.all(task.id, enabled_only=True):
        items = next_examples(ws, task.id, limit=goal, evidence=found.evidence, **asked).items
    return sum(pick.completes for _, pick in items)


def _text(found: Queue, ahead: Outlook, *, reveal: bool) -> str:
    rows = [
        {
            "id": example.external_id,
            "text": _short(example.text),
            "why": f"{pick.why} {pick.behind if reveal else ''}".strip(),
        }
        for example, pick in found.items
    ]
    left = f"{count(found.left, 'example')} left to label."
    if found.strategy.is_list:  # most of such a list may have a label already
        left = f"{count(found.left, 'example')} left under “{found.strategy.heading}”."
    pays = found.evidence.words if ahead.teaches else ""
    tail = (left, found.note, ahead.words, pays)
    return "\n".join([table(rows, ""), "", *(part for part in tail if part)])


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"
