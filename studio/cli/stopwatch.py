"""Command: studio stopwatch."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from studio.actions.stopwatch import TaskStopwatch, task_stopwatch
from studio.analysis.stopwatch import CAUTION
from studio.cli.common import AsJson, WorkspacePath, emit, open_ws, table, task_of
from studio.domain.amounts import percent


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("stopwatch")(stopwatch)


def stopwatch(
    task: str,
    by: Annotated[str, typer.Option(help="Only this person's work; else everybody's.")] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Show seconds an accepted label by way of working, and beside it how good these labels are.

    A time is what the browser measured, or else the time since the same person's decision before,
    at most a minute. Labels agree, or not, with adjudicated gold, another person's blind label or
    a file's.
    """
    ws = open_ws(workspace)
    found = task_stopwatch(ws, task_of(ws, task).id, person=by)
    emit(found.to_dict(), as_json, lambda: _text(found))


def _text(found: TaskStopwatch) -> str:
    slowest = found.found.slowest
    rows = [
        {
            "way": str(pace.way),
            "accepted": f"{pace.accepted:,} of {pace.given:,}",
            "seconds a label": pace.seconds_words(),
            "median": "" if math.isnan(pace.median) else f"{pace.median:.1f}",
            "an hour": "" if math.isnan(pace.per_hour.value) else f"{pace.per_hour.value:,.0f}",
            "measured": percent(pace.measured, digits=0) if pace.seconds.n else "",
            "agreement": pace.agreement_words(),
            "compared": pace.words(slowest),
        }
        for pace in found.found.paces
    ]
    told = table(rows, "Nobody has labeled anything in the studio yet.")
    return told if not rows else f"{told}\n\n{CAUTION}"
