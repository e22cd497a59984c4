"""Commands: studio rule add | list | show | order | report | apply | import | export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from studio.actions.rules import (
    export_rules,
    import_rules,
    order_rules,
    print_rule,
    read_rule,
    report_rules,
    save_rule,
)
from studio.actions.runs import Choice, run_status, start_run
from studio.cli.common import (
    AsJson,
    Wait,
    WorkspacePath,
    emit,
    me,
    open_ws,
    read_file,
    table,
    task_of,
    wait_for,
    write_file,
)
from studio.domain.coded_rationale import describe

group = typer.Typer(help="Coded rationales: rules that vote for labels.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="rule")


@group.command("add")
def add(
    task: str,
    file: Annotated[Path, typer.Argument(help="YAML of one rule; see docs/rules.md.")],
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Store one rule, or a new version of the rule of this name."""
    ws = open_ws(workspace)
    body = read_rule(read_file(file).decode("utf-8", errors="replace"))
    rule = save_rule(ws, task_of(ws, task).id, body, by=me(ws))
    data = {"rule": rule.body.name, "version": rule.version}
    emit(data, as_json, f"Stored {rule.body.name!r} version {rule.version}: {describe(rule.body)}.")


@group.command("list")
def list_rules(task: str, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """List the rules in the expert's order."""
    ws = open_ws(workspace)
    rows = [
        {"rule": r.body.name, "label": r.body.label, "decisive": r.body.decisive, "enabled": r.enabled,
         "says": describe(r.body)}
        for r in ws.read.rules.all(task_of(ws, task).id)
    ]  # fmt: skip
    emit(rows, as_json, table(rows, "No rule yet. Add one with `studio rule add`."))


@group.command("show")
def show(task: str, name: str, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Show one rule as YAML."""
    ws = open_ws(workspace)
    rule = ws.read.rules.by_name(task_of(ws, task).id, name)
    data = {
        "rule": name,
        "version": rule.version,
        "enabled": rule.enabled,
        "yaml": print_rule(rule.body),
    }
    emit(data, as_json, print_rule(rule.body).rstrip())


@group.command("order")
def order(
    task: str,
    names: Annotated[list[str], typer.Argument(help="Rules to put first, in this order.")],
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Put rules in order; decisive ones are tried in it."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    order_rules(ws, found.id, names)
    now = [rule.body.name for rule in ws.read.rules.all(found.id)]
    emit({"task": found.name, "rules": now}, as_json, " > ".join(now))


@group.command("report")
def report(task: str, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Show how each rule does on the blind gold of train and validation."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    rules = {rule.id: rule for rule in ws.read.rules.all(found.id)}
    scores = report_rules(ws, found.id)
    data: list[dict[str, Any]] = [
        {"rule": rules[s.rule_id].body.name, "label": rules[s.rule_id].body.label, "coverage": s.coverage,
         "overlap": s.overlap, "conflict": s.conflict, "accuracy": s.accuracy.to_dict()}
        for s in scores
    ]  # fmt: skip
    rows = [{**row, "accuracy": str(s.accuracy)} for row, s in zip(data, scores, strict=True)]
    emit(data, as_json, table(rows, "No rule yet. Add one with `studio rule add`."))


@group.command("apply")
def apply(
    task: str,
    split: Annotated[list[str] | None, typer.Option(help="Which splits; may be repeated.")] = None,
    wait: Wait = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Label with the rules: a run like any other."""
    ws = open_ws(workspace)
    run = start_run(
        ws, task_of(ws, task).id, choice=Choice(rules=True), splits=split or [], by=me(ws)
    )
    if wait and run.job_id is not None:
        wait_for(ws, run.job_id, "run")
    emit(run_status(ws, run.id), as_json, f"Run {run.id} over {run.total} examples.")


@group.command("import")
def import_(
    task: str, file: Path, workspace: WorkspacePath = None, as_json: AsJson = False
) -> None:
    """Store every rule of a YAML file, all or none."""
    ws = open_ws(workspace)
    text = read_file(file).decode("utf-8", errors="replace")
    saved = import_rules(ws, task_of(ws, task).id, text, by=me(ws))
    names = [rule.body.name for rule in saved]
    emit({"task": task, "rules": names}, as_json, f"Stored {len(names)} rules.")


@group.command("export")
def export(
    task: str,
    file: Annotated[
        Path | None, typer.Argument(help="Where to; standard output when left out.")
    ] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Write the rules in force as YAML."""
    ws = open_ws(workspace)
    text = export_rules(ws, task_of(ws, task).id)
    if file is not None:
        write_file(file, text)
    emit({"task": task, "yaml": text}, as_json, f"Wrote {file}." if file else text.rstrip())
