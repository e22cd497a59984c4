"""Commands: studio run start | choose | list | show | pause | resume | cancel | export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from studio.actions.classifiers import compare_classifiers
from studio.actions.runs import (
    Choice,
    estimate_run,
    export_run,
    run_status,
    set_budget,
    start_run,
    steer_run,
)
from studio.analysis.tables import write_csv
from studio.cli.common import (
    AsJson,
    Wait,
    WorkspacePath,
    Yes,
    at_work,
    emit,
    language_note,
    me,
    open_ws,
    table,
    task_of,
    wait_for,
    write_file,
)
from studio.domain.amounts import money
from studio.domain.job import Want
from studio.workspace import Workspace

group = typer.Typer(help="One pass of one classifier over examples.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="run")


@group.command("start")
def start(
    task: str,
    prompt: Annotated[str, typer.Option(help="A prompt's name or version.")] = "",
    rules: Annotated[
        bool, typer.Option("--rules", help="The rules in force; with --model, both.")
    ] = False,
    model: Annotated[str, typer.Option(help="A fine-tune's number or model name.")] = "",
    split: Annotated[
        list[str] | None,
        typer.Option(help="Which splits, may be repeated; train and validation by default."),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many examples, a sample.")] = None,
    provider: Annotated[str, typer.Option(help="Where prompts are sent.")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Ask even what was answered before.")
    ] = False,
    budget: Annotated[
        float | None, typer.Option(help="Pause when it has spent so many US dollars.")
    ] = None,
    batch: Annotated[
        bool, typer.Option("--batch", help="By the service's Batch API: within a day, cheaper.")
    ] = False,
    samples: Annotated[
        int,
        typer.Option(
            help="Ask so many times, the labels in another order each time: confidence from votes,"
            " at as many times the cost."
        ),
    ] = 1,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only say what it would ask, cost and take.")
    ] = False,
    yes: Yes = False,
    wait: Wait = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Start a run; without a prompt, rules or model it uses the champion.

    Rules with a model are joined as gold advises; `studio run choose` shows it beforehand.
    """
    ws = open_ws(workspace)
    task_id = task_of(ws, task).id
    asked: dict[str, Any] = {
        "choice": Choice(prompt=prompt, rules=rules, model=model), "splits": split or [],
        "limit": limit, "provider": provider, "again": again, "batch": batch,
        "samples": samples,
    }  # fmt: skip
    if estimate:
        told = estimate_run(ws, task_id, **asked)
        emit(told.to_dict(), as_json, told.sentence)
        return
    run = start_run(ws, task_id, **asked, consent=yes, budget_usd=budget, by=me(ws))
    if wait and run.job_id is not None:
        wait_for(ws, run.job_id, "run")
    data = _status(ws, run.id)
    emit(data, as_json, lambda: _text(data))


@group.command("choose")
def choose(
    task: str,
    model: Annotated[str, typer.Option(help="A fine-tune's number or model name.")],
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a model, the rules or both decide best, on gold held back; asks nobody."""
    ws = open_ws(workspace)
    with at_work("Holding rules and model against gold"):
        choice = compare_classifiers(ws, task_of(ws, task).id, model)
    rows = [
        {"decides": c.way.words, "macro-F1": str(c.macro_f1), "accuracy": str(c.accuracy),
         "log-loss": f"{c.log_loss:.3f}"}
        for c in choice.candidates
    ]  # fmt: skip
    emit(choice.to_dict(), as_json, lambda: f"{table(rows, '')}\n{choice.why}".strip())


@group.command("list")
def list_runs(task: str, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """List the runs of a task, newest first."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    marks = ws.read.label_sets.marks(found.id).runs
    rows = [
        {"run": r.id, "classifier": r.title, "status": r.status, "done": r.done, "total": r.total,
         "cost_usd": r.cost_usd, "budget_usd": r.budget_usd, "splits": "+".join(r.splits),
         "provider": r.provider or "-", "outdated": marks.get(r.id)}
        for r in ws.read.runs.all(found.id)
    ]  # fmt: skip
    emit(rows, as_json, lambda: _list(rows))


@group.command("show")
def show(run: int, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Show a run: status, outcomes, calls and cost."""
    ws = open_ws(workspace)
    data = _status(ws, run)
    emit(data, as_json, lambda: _text(data))


@group.command("pause")
def pause(run: int, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Pause a run; what is labeled stays."""
    _steer(run, Want.PAUSE, workspace, as_json)


@group.command("resume")
def resume(
    run: int,
    budget: Annotated[
        float | None, typer.Option(help="What it may spend in all from now on, in US dollars.")
    ] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Resume a paused, failed or cancelled run where it stopped."""
    if budget is not None:
        set_budget(open_ws(workspace), run, budget)
    _steer(run, Want.RUN, workspace, as_json)


@group.command("cancel")
def cancel(run: int, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Cancel a run; what is labeled stays."""
    _steer(run, Want.CANCEL, workspace, as_json)


@group.command("export")
def export(
    run: int,
    file: Annotated[
        Path | None, typer.Argument(help="Where to; standard output when left out.")
    ] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Write the run's labels as CSV, each confidence with what kind it is."""
    ws = open_ws(workspace)
    rows = export_run(ws, run)
    columns = ["id", "text", "split", "label", "confidence", "confidence_from", "outcome"]
    text = write_csv(rows, columns)
    if file is not None:
        write_file(file, text)
    emit(rows, as_json, f"Wrote {len(rows)} rows to {file}." if file else text.rstrip())


def _steer(run: int, want: Want, workspace: Path | None, as_json: bool) -> None:
    ws = open_ws(workspace)
    steer_run(ws, run, want)
    data = _status(ws, run)
    emit(data, as_json, lambda: _text(data))


def _status(ws: Workspace, run: int) -> dict[str, Any]:
    return run_status(ws, run) | {"language": language_note(ws, run)}


def _list(rows: list[dict[str, Any]]) -> str:
    shown = [
        {
            "run": row["run"], "classifier": row["classifier"], "status": row["status"],
            "done": f"{row['done']:,} of {row['total']:,}", "cost": money(row["cost_usd"]),
            "budget": "-" if row["budget_usd"] is None else money(row["budget_usd"]),
            "splits": row["splits"], "provider": row["provider"],
        }
        for row in rows
    ]  # fmt: skip
    return table(shown, "No run yet. Start one with `studio run start`.")


def _text(data: dict[str, Any]) -> str:
    outcomes = ", ".join(f"{n:,} {name}" for name, n in data["outcomes"].items()) or "nothing yet"
    cost = money(data["cost_usd"])
    if data["budget_usd"] is not None:
        cost += f" of {money(data['budget_usd'])}"
    tokens = data["input_tokens"] + data["output_tokens"]
    lines = [
        f"Run {data['run']} ({data['title']}): {data['status']}, "
        f"{data['done']:,} of {data['total']:,}",
        f"outcomes: {outcomes}; calls: {data['calls']:,}; tokens: {tokens:,}; cost: {cost}",
    ]
    if kinds := [f"{one['n']:,} × {one['kind']}" for one in data["confidence"]]:
        lines.append(f"confidence: {'; '.join(kinds)}")
    if data["choice"]:
        lines.append(data["choice"]["why"])
    if told := data["estimate"]:
        expected = told["input_tokens"] + told["output_tokens"]
        lines.append(
            f"expected at the start: {told['questions']:,} calls; {expected:,} tokens; "
            f"{money(told['cost_usd'])}"
        )
    notes = ("error", "message", "outdated", "language")
    return "\n".join(lines + [data[name] for name in notes if data[name]])
