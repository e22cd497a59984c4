"""Commands: studio task create | list | show | change | champion."""

from __future__ import annotations

import csv
from typing import Annotated, Any

import typer

from studio.actions.tasks import choose_champion, create_task, update_task
from studio.cli.common import AsJson, WorkspacePath, emit, me, open_ws, table, task_of
from studio.domain.task import Task
from studio.errors import InputError
from studio.workspace import Workspace

Definitions = Annotated[
    list[str] | None, typer.Option(help='What a label means: NAME="..."; may be repeated.')
]

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
    definition: Definitions = None,
    question: Annotated[str, typer.Option(help="What is asked about each text.")] = "",
    criterion: Annotated[str, typer.Option(help='The promise, e.g. "macro_f1>=0.85".')] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Create a task with its label set."""
    definitions = _definitions(definition)
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


@group.command("change")
def change(
    name: str,
    definition: Definitions = None,
    question: Annotated[str | None, typer.Option(help="What is asked about each text.")] = None,
    criterion: Annotated[
        str | None, typer.Option(help='The promise, e.g. "macro_f1>=0.85"; "" takes it back.')
    ] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Change question, criterion or definitions of a task; what is not named stays."""
    definitions = _definitions(definition)
    if not definitions and question is None and criterion is None:
        raise InputError(
            "Nothing was said to change.",
            next_step="Give --definition, --question or --criterion; "
            "labels are changed by `studio label`.",
        )
    ws = open_ws(workspace)
    task = task_of(ws, name)
    promised = str(task.criterion) if task.criterion else ""
    task = update_task(
        ws,
        task.id,
        question=task.question if question is None else question,
        criterion=promised if criterion is None else criterion,
        definitions=definitions,
    )
    data = _to_dict(ws, task)
    emit(data, as_json, lambda: _text(data))


@group.command("champion")
def champion(
    name: str,
    run: Annotated[int, typer.Argument(help="A run of the classifier; see `studio run list`.")],
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Make the classifier of a run the one the task uses."""
    ws = open_ws(workspace)
    task = choose_champion(ws, task_of(ws, name).id, run)
    title = ws.read.runs.get(run).title
    emit(_to_dict(ws, task), as_json, f"The champion of {task.name!r} is {title}.")


def _definitions(said: list[str] | None) -> dict[str, str]:
    found = {}
    for item in said or []:
        label, equals, text = item.partition("=")
        if not equals:
            raise InputError(f"The definition {item!r} has no =.", next_step='Write NAME="text".')
        found[label.strip()] = text
    return found


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
