"""Commands: studio prompt preview | matrix."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from studio.actions.preview_results import Previewed, preview_result
from studio.actions.previews import PREVIEW_SIZE, estimate_preview, preview_prompt
from studio.actions.prompt_matrix import prompt_matrix, versions_tried
from studio.analysis.prompt_matrix import Cell, PromptMatrix
from studio.cli.common import (
    AsJson,
    WorkspacePath,
    Yes,
    emit,
    me,
    open_ws,
    table,
    task_of,
    wait_for,
)
from studio.domain.amounts import count, money

_SHOWN = 5
_SLICES = 12


def add_to(group: typer.Typer) -> None:
    """Add these commands to `studio prompt`."""
    group.command("preview")(preview)
    group.command("matrix")(matrix)


def preview(
    task: str,
    prompt: str,
    before: Annotated[str, typer.Option(help="The version to compare with.")] = "",
    limit: Annotated[int, typer.Option(help="Examples to try it on.")] = PREVIEW_SIZE,
    seed: Annotated[int, typer.Option(help="Draws the sample; the same seed, the same one.")] = 0,
    provider: Annotated[
        str, typer.Option(help="Where to ask; the configured one by default.")
    ] = "",
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only say what it would ask, cost and take.")
    ] = False,
    yes: Yes = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Try a prompt on a sample of train and validation, a third of it hard; never on test."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    read = ws.read.prompts
    asked: dict[str, Any] = {
        "body": read.find(found.id, prompt).body,
        "before": read.find(found.id, before).body if before else None,
        "provider": provider, "n": limit, "seed": seed,
    }  # fmt: skip
    if estimate:
        expected = estimate_preview(ws, found.id, **asked)
        emit(expected.to_dict(), as_json, expected.sentence)
        return
    filed = preview_prompt(ws, found.id, **asked, consent=yes, by=me(ws))
    for run_id in filter(None, (filed.before_id, filed.run_id)):
        wait_for(ws, ws.read.runs.get(run_id).job_id or 0, "preview")
    told = preview_result(ws, filed.run_id)
    emit(told.to_dict(), as_json, lambda: "\n".join(_lines(told)))


def matrix(
    task: str,
    every: Annotated[
        bool, typer.Option("--all", help="All slices, not only the most telling ones.")
    ] = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Compare the versions that were run: accuracy by label, length and column; never on test."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    told = prompt_matrix(ws, found.id)
    tried = versions_tried(ws, found.id)
    data = {**told.to_dict(), "versions_tried": tried.to_dict() if tried else None}
    emit(data, as_json, lambda: _matrix_text(told, tried.sentence if tried else "", every))


def _matrix_text(told: PromptMatrix, tried: str, every: bool) -> str:
    places = range(len(told.columns)) if every else told.telling(_SLICES)
    rows = [
        {
            "slice": told.columns[i].name,
            **{row.title: _cell_text(row.cells[i]) for row in told.rows},
        }
        for i in places
    ]
    notes = [f"* differs from {told.against} beyond luck, corrected for the whole matrix"]
    if left := len(told.columns) - len(rows):
        notes.append(f"{count(left, 'slice')} more that tell less: --all shows them")
    return "\n".join([table(rows, ""), "", *notes, tried]).rstrip()


def _cell_text(cell: Cell) -> str:
    a = cell.accuracy
    if not a.n:
        return "-"
    return f"{a.value:.3f} [{a.low:.2f}, {a.high:.2f}] n={a.n}{' *' if cell.tells else ''}"


def _lines(told: Previewed) -> list[str]:
    lines = [f"{told.asked} examples, {len(told.of('hard'))} of them known to be hard"]
    if told.now:
        always = f"always {told.majority[0]}: {told.majority[1]:.3f}"
        lines.append(f"accuracy {told.now} on those drawn at random ({always})")
    else:
        lines.append("no gold in the sample, so accuracy is not known")
    if told.before_id is not None:
        changed = f"{count(len(told.of('changed')), 'label')} changed"
        lines.append(f"against {told.before}: {changed}")
    if found := told.comparison:
        does = "; ".join(filter(None, ("not enough to tell", found.what_would_tell)))
        does = "tells" if found.tells else does
        lines.append(f"difference {found.difference} ({does})")
        if told.looks > 1:
            on = f"{count(told.looks, 'time')} by now, on {count(told.samples, 'sample')}"
            lines.append(f"looked at {on}: the interval is that much wider")
    for kind in ("fixed", "broke"):
        rows = told.of(kind)
        lines += [f"{kind} {len(rows)}"] if told.comparison else []
        lines += [
            f"  {row.external_id}  {row.before} > {row.now}: {row.text[:70]}"
            for row in rows[:_SHOWN]
        ]
        lines += [f"  and {len(rows) - _SHOWN} more; see --json"] if len(rows) > _SHOWN else []
    took = f"{told.seconds:.1f} s" if told.seconds is not None else "time unknown"
    questions = told.expected.get("questions")
    expected = f"; {count(int(questions), 'call')} expected" if questions is not None else ""
    return [*lines, f"{count(told.calls, 'call')}{expected}, {money(told.cost_usd)}, {took}"]
