"""Commands: studio report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.actions.reports import build_report, report_to_dict
from studio.analysis.report_html import render_report
from studio.cli.common import AsJson, WorkspacePath, emit, me, open_ws, task_of, write_file
from studio.domain.amounts import count


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("report")(report)


def report(
    task: str,
    html: Annotated[Path | None, typer.Option(help="Write a self-contained page there.")] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Say go, no-go or not yet against the task's criterion, with cost and minutes."""
    ws = open_ws(workspace)
    found = build_report(ws, task_of(ws, task).id, by=me(ws))
    if html is not None:
        write_file(html, render_report(found, title=f"{found.task}: report"))
    data = report_to_dict(found) | ({"html": str(html)} if html else {})
    cost = "unknown" if found.cost_usd is None else f"${found.cost_usd:.2f}"
    untimed = f"; {count(found.untimed, 'decision')} not timed" if found.untimed else ""
    lines = [
        f"{found.decision.verdict.value.upper()}: {found.decision.reason}",
        f"criterion: {found.criterion or '(none)'}; figure: {found.figure or '(none)'}",
        f"classifier: {found.classifier or '(none)'}; service cost {cost}; "
        f"{found.minutes:.1f} minutes{untimed}",
        *[f"missing: {note}" for note in found.missing],
    ]
    if found.decision.needed:
        lines.insert(1, f"About {found.decision.needed} more blind test labels would decide.")
    emit(data, as_json, "\n".join(lines + ([f"Wrote {html}."] if html else [])))
