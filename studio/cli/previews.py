"""Commands: studio prompt preview."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from studio.actions.evaluations import compare_runs, evaluate_run
from studio.actions.previews import preview_prompt
from studio.cli.common import AsJson, WorkspacePath, Yes, emit, me, open_ws, task_of, wait_for

group = typer.Typer()

@group.command("preview")
def preview(
    task: str,
    prompt: str,
    before: Annotated[str, typer.Option(help="The version to compare with.")] = "",
    limit: Annotated[int, typer.Option(help="Examples to try it on.")] = 40,
    provider: Annotated[
        str, typer.Option(help="Where to ask; the configured one by default.")
    ] = "",
    yes: Yes = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Try a prompt on a small sample of train and validation."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    read = ws.read.prompts
    filed = preview_prompt(
        ws,
        found.id,
        body=read.find(found.id, prompt).body,
        before=read.find(found.id, before).body if before else None,
        provider=provider,
        n=limit,
        consent=yes,
        by=me(ws),
    )
    for run_id in filter(None, (filed.before_id, filed.run_id)):
        wait_for(ws, ws.read.runs.get(run_id).job_id or 0, "preview")
    split = "train+validation"
    evaluation = evaluate_run(ws, filed.run_id, split=split, by=me(ws))
    data: dict[str, Any] = {"run": filed.run_id, "accuracy": evaluation.accuracy.to_dict()}
    text = f"accuracy {evaluation.accuracy} (always {evaluation.majority_label}: {evaluation.majority:.3f})"
    if filed.before_id:
        c = compare_runs(
            ws, filed.before_id, filed.run_id, split=split, metric="accuracy", by=me(ws)
        )
        data |= {"changed": c.changed, "fixed": len(c.fixed), "broke": len(c.broke),
                 "difference": c.difference.to_dict(), "needed": c.needed}  # fmt: skip
        text += f"\nchanged {c.changed}, fixed {len(c.fixed)}, broke {len(c.broke)}; difference {c.difference}"
    emit(data, as_json, text)
