"""Commands: studio rationale add | list | show."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

from studio.actions.rationales import RationaleRecord, rationale_record, record_rationale
from studio.cli.common import AsJson, WorkspacePath, emit, me, open_ws, table, task_of
from studio.domain.coded_rationale import describe
from studio.domain.task import Task
from studio.errors import NotFoundError
from studio.workspace import Workspace

group = typer.Typer(help="The reasons experts give.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="rationale")


@group.command("add")
def add(
    task: str,
    label: Annotated[str, typer.Option(help="The label it speaks for.")],
    text: Annotated[str, typer.Option(help="The reason, in a sentence.")],
    example: Annotated[str, typer.Option(help="Id of the example it is about.")] = "",
    evidence: Annotated[
        list[str] | None, typer.Option(help="Words of the example it points at; may be repeated.")
    ] = None,
    by: Annotated[str, typer.Option(help="Whose reason it is.")] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Store a rationale."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    example_id = None
    if example:
        example_id = ws.read.examples.by_external_id(found.id, [example]).get(example)
        if example_id is None:
            raise NotFoundError(f"There is no example {example!r} in {task!r}.")
    number = record_rationale(
        ws,
        found.id,
        label=label,
        text=text,
        example_id=example_id,
        evidence=evidence or [],
        by=by or me(ws),
    )
    emit({"task": found.name, "rationale": number}, as_json, f"Stored rationale {number}.")


@group.command("list")
def list_rationales(
    task: str,
    label: Annotated[str, typer.Option(help="Only those of this label.")] = "",
    search: Annotated[str, typer.Option(help="Only those that hold these words.")] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """List the rationales of a task, label by label."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    wanted = found.label(label).id if label else None
    order = {one.id: one.position for one in found.labels}
    kept = [
        r for r in ws.read.rationales.all(found.id)
        if wanted in (None, r.label_id) and search.casefold() in r.text.casefold()
    ]  # fmt: skip
    rules = Counter(rule.rationale_id for rule in ws.read.rules.all(found.id))
    rows = [
        {"rationale": r.id, "label": found.name_of(r.label_id), "rules": rules[r.id],
         "text": r.text, "author": r.author}
        for r in sorted(kept, key=lambda r: (order.get(r.label_id, 0), r.id))
    ]  # fmt: skip
    none = "No rationale yet. Add one with `studio rationale add`."
    emit(rows, as_json, table(rows, "No rationale matches." if label or search else none))


@group.command("show")
def show(
    task: str, rationale: int, workspace: WorkspacePath = None, as_json: AsJson = False
) -> None:
    """Show a rationale: where it came from, its rules, and how they have done so far."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    record = rationale_record(ws, found.id, rationale)
    data = _to_dict(ws, found, record)
    emit(data, as_json, lambda: _text(data, record))


def _to_dict(ws: Workspace, task: Task, record: RationaleRecord) -> dict[str, Any]:
    said = record.rationale
    sources = ws.read.examples.some(task.id, record.example_ids)
    return {
        "rationale": said.id, "label": task.name_of(said.label_id), "text": said.text,
        "author": said.author, "at": said.at, "evidence": [e.words for e in said.evidence],
        "examples": [e.external_id for e in sources],
        "rules": [{"rule": r.body.name, "enabled": r.enabled, "says": describe(r.body)}
                  for r in record.rules],
        "fires": record.fires,
        "decided": {task.name_of(i) or str(i): n for i, n in record.decided.items()},
        "precision": record.precision.to_dict(),
    }  # fmt: skip


def _text(data: dict[str, Any], record: RationaleRecord) -> str:
    lines = [f"{data['label']}: {data['text']}", f"by {data['author']} on {data['at'][:10]}"]
    if data["examples"]:
        words = ", ".join(f"“{w}”" for w in data["evidence"])
        lines.append(f"about {', '.join(data['examples'])}" + (f": {words}" if words else ""))
    if not data["rules"]:
        return "\n".join([*lines, "Not coded as a rule yet: see `studio rule draft`."])
    lines += [
        f"rule {r['rule']}{'' if r['enabled'] else ' (off)'}: {r['says']}" for r in data["rules"]
    ]
    decided = ", ".join(f"{n:,} {name}" for name, n in data["decided"].items()) or "nothing"
    lines.append(f"fires on {data['fires']:,}; decided {decided}; right {record.precision}")
    return "\n".join(lines)
