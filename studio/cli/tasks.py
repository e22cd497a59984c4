"""Commands: studio task create | list | show."""

from __future__ import annotations

import csv
from typing import Annotated, Any

import typer

from studio.actions.tasks import create_task
from studio.cli.common import AsJson, WorkspacePath, emit, me, open_ws, table, task_of
from studio.domain.task import Task
from studio.errors import InputError
from studio.workspace import Workspace

group = typer.Typer(help="Classification questions with their labels.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="task")


@group.command("create")
def create(
    name: str,
    labels: Annotated[
        str,
        typer.Option(help='Label names, separated by commas; "quoted" where one holds a comma.'),
    ],
    definition: Annotated[
        list[str] | None, typer.Option(help='What a label means: NAME="..."; may be repeated.')
    ] = None,
    question: Annotated[str, typer.Option(help="What is asked about each text.")] = "",
    criterion: Annotated[str, typer.Option(help='The promise, e.g. "macro_f1>=0.85".')] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Create a task with its label set."""
    definitions = {}
    for item in definition or []:
        label, equals, text = item.partition("=")
        if not equals:
            raise InputError(f"The definition {item!r} has no =.", next_step='Write NAME="text".')
        definitions[label.strip()] = text
    ws = open_ws(workspace)
    task = create_task(
        ws,
        name=name,
        labels=next(csv.reader([labels], skipinitialspace=True), []),
        definitions=definitions,
        question=question,
        criterion=criterion,
        by=me(ws),
    )
    emit(
        _to_dict(ws, task),
        as_json,
        f"Created the task {task.name!r} with {len(task.labels)} labels.",
    )


@group.command("list")
def list_tasks(workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """List the tasks of the workspace."""
    ws = open_ws(workspace)
    tasks = [_to_dict(ws, task) for task in ws.read.tasks.all()]
    rows = [
        {"task": t["task"], "labels": ",".join(x["name"] for x in t["labels"]),
         "criterion": t["criterion"], "examples": sum(t["examples"].values()), "gold": t["gold"]}
        for t in tasks
    ]  # fmt: skip
    emit(tasks, as_json, table(rows, "No task yet. Create one with `studio task create`."))


@group.command("show")
def show(name: str, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Show a task: its labels, examples and gold."""
    ws = open_ws(workspace)
    data = _to_dict(ws, task_of(ws, name))
    emit(data, as_json, lambda: _text(data))


def _to_dict(ws: Workspace, task: Task) -> dict[str, Any]:
    return {
        "task": task.name,
        "question": task.question,
        "labels": [
            {
                "name": x.name,
                "definition": x.definition,
                "former": [f.name for f in task.former if f.label_id == x.id],
            }
            for x in task.labels
        ],
        "criterion": str(task.criterion) if task.criterion else None,
        "fallback": task.name_of(task.fallback_label_id),
        "champion": task.champion or None,
        "examples": ws.read.examples.counts(task.id),
        "gold": sum(c["n"] for c in ws.read.labels.counts(task.id)),
    }


def _text(data: dict[str, Any]) -> str:
    lines = [f"{data['task']}: {data['question'] or '(no question)'}"]
    for x in data["labels"]:
        once = f" (formerly {', '.join(x['former'])})" if x["former"] else ""
        lines.append(f"  {x['name']}: {x['definition'] or '(no definition)'}{once}")
    counts = ", ".join(f"{n} {split}" for split, n in data["examples"].items())
    lines += [
        f"criterion: {data['criterion'] or '(none)'}",
        f"examples: {counts}; gold: {data['gold']}",
        f"champion: {data['champion'] or '(none)'}",
    ]
    return "\n".join(lines)
