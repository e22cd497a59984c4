"""Commands: studio prompt save | import | list | show | diff | lint | attack."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from studio.actions.examples import import_examples
from studio.actions.injections import TIMES, attack_result, estimate_attack, start_attack
from studio.actions.prompt_advice import advise_prompt
from studio.actions.prompt_files import examples_file, import_prompts
from studio.actions.prompts import save_prompt
from studio.actions.runs import run_status
from studio.analysis.example_rows import Columns
from studio.analysis.plain_yaml import load_words
from studio.analysis.prompt_files import PromptFile
from studio.analysis.word_diff import diff_bodies
from studio.cli import previews
from studio.cli.common import (
    AsJson,
    WorkspacePath,
    Yes,
    emit,
    is_file,
    me,
    open_ws,
    read_file,
    table,
    task_of,
    wait_for,
)
from studio.domain.advice import Advice, Severity, before_after
from studio.domain.amounts import count, money
from studio.domain.prompt import PromptText, prompt_of, render_system
from studio.domain.prompt_parts import ShotPolicy, in_order
from studio.domain.task import Task
from studio.errors import InputError, RunFailedError
from studio.workspace import Workspace

group = typer.Typer(help="Instructions for models, in versions.", no_args_is_help=True)
previews.add_to(group)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="prompt")


@group.command("save")
def save(
    task: str,
    name: str,
    file: Annotated[
        Path | None, typer.Argument(help="Text of the instructions, or YAML with all parts.")
    ] = None,
    instructions: Annotated[str, typer.Option(help="The instructions, instead of a file.")] = "",
    definition: Annotated[
        list[str] | None, typer.Option(help='What a label means here: NAME="..."; may be repeated.')
    ] = None,
    rationales: Annotated[
        bool, typer.Option("--rationales", help="Tell the model the task's rationales.")
    ] = False,
    few_shots: Annotated[
        str,
        typer.Option(help="Show gold of train: nearest:8 (alike to each text) or diverse:8."),
    ] = "",
    lock: Annotated[
        list[str] | None,
        typer.Option(help="A part that advice leaves alone: instructions, definitions, rationales"
                     " or few-shots; may be repeated."),
    ] = None,
    note: Annotated[str, typer.Option(help="Why, in a line.")] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Save the next version of a prompt; {{column}} in it sends that column with each text."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    body = _body(ws, found, file, instructions, definition or [], rationales)
    body = replace(
        body,
        policy=ShotPolicy.parse(few_shots) if few_shots else body.policy,
        frozen=in_order([*body.frozen, *(lock or [])]),
    )
    version = save_prompt(ws, found.id, name=name, body=body, note=note, by=me(ws))
    data = {"prompt": version.name, "version": version.number, "id": version.id}
    emit(data, as_json, f"Saved {version.title}.")


@group.command("import")
def import_file(
    task: str,
    file: Annotated[
        Path,
        typer.Argument(
            help="A promptfoo config, OpenAI chat JSON, fine-tune or Evals JSONL, our YAML, or text."
        ),
    ],
    name: Annotated[str, typer.Option(help="What to call it; by the file when left out.")] = "",
    examples: Annotated[
        bool, typer.Option("--examples", help="Import its labeled texts as examples of train too.")
    ] = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Take over prompts that another tool wrote, and say what could not be read."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    asked: dict[str, Any] = {"data": read_file(file), "filename": file.name}
    done = import_prompts(ws, found.id, **asked, name=name, by=me(ws))
    data = {"task": found.name, **done.to_dict(), "added": 0, "left_out": ""}
    lines = [f"Saved {one.title} ({done.found.kind})." for one in done.versions]
    if done.found.examples:
        told = "--examples imports them"
        if examples:
            data["added"], data["left_out"] = _import_examples(ws, found, done.found, file)
            why = f" ({data['left_out']})" if data["left_out"] else ""
            told = f"{data['added']} of them imported{why}"
        lines.append(f"{count(len(done.found.examples), 'labeled text')} in it; {told}.")
    lines += [f"not read: {one.where}: {one.reason}" for one in done.found.unread]
    emit(data, as_json, "\n".join(lines))


def _import_examples(ws: Workspace, task: Task, found: PromptFile, file: Path) -> tuple[int, str]:
    """Import the labeled texts of a file into train; return how many, and why others were not."""
    ready = examples_file(ws, task.id, found)
    if not ready.rows:
        return 0, ready.left_out()
    columns = Columns(text="text", label="label", split="split", id="id")
    came = import_examples(
        ws, task.id, data=ready.rows, filename=f"{file.stem}.jsonl", columns=columns, by=me(ws)
    )
    return came.added, ready.left_out([reason for _, reason in came.rejected])


@group.command("list")
def list_prompts(task: str, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """List the versions of a task's prompts."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    marks = ws.read.label_sets.marks(found.id).prompts
    rows = [
        {"id": v.id, "prompt": v.name, "version": v.number, "author": v.author, "at": v.at[:16], "note": v.note,
         "outdated": marks.get(v.id)}
        for v in ws.read.prompts.all(found.id)
    ]  # fmt: skip
    emit(rows, as_json, table(rows, "No prompt yet. Save one with `studio prompt save`."))


@group.command("show")
def show(task: str, prompt: str, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Show a prompt as the model reads it."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    version = ws.read.prompts.find(found.id, prompt)
    text = render_system(version.body, found.label_names)
    data = {
        "prompt": version.name,
        "version": version.number,
        "text": text,
        **version.body.to_dict(),
    }
    emit(data, as_json, text)


@group.command("diff")
def diff(
    task: str, before: str, after: str, workspace: WorkspacePath = None, as_json: AsJson = False
) -> None:
    """Show what changed between two prompts or versions, word by word."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    old, new = (ws.read.prompts.find(found.id, name).body for name in (before, after))
    changes = diff_bodies(old, new, found.label_names)
    data = {"before": before, "after": after, "changes": [asdict(change) for change in changes]}
    text = "\n".join(f"{c.part}\n  {c.marked}" for c in changes) or "Nothing changed."
    emit(data, as_json, text)


@group.command("lint")
def lint(
    task: str,
    prompt: Annotated[
        str,
        typer.Argument(
            help="A prompt's name or version, or a file; the newest version by default."
        ),
    ] = "",
    provider: Annotated[
        str, typer.Option(help="Who will read it; the configured one by default.")
    ] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Say what could be better about a prompt, why, and how; nothing is asked of a model."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    title, body = _to_lint(ws, found, prompt)
    advice = advise_prompt(ws, found.id, body, provider=provider)
    counts = {s.value: sum(a.severity is s for a in advice) for s in Severity}
    data = {"prompt": title, "counts": counts, "findings": [a.to_dict(body) for a in advice]}
    text = "\n\n".join(_told(one, body) for one in advice) or f"Nothing to say about {title}."
    emit(data, as_json, text)


def _to_lint(ws: Workspace, task: Task, prompt: str) -> tuple[str, PromptText]:
    """Return what to call a prompt and what it says."""
    versions = ws.read.prompts.all(task.id)
    if not prompt:
        newest = versions[-1] if versions else None
        return (newest.title, newest.body) if newest else ("the definitions", prompt_of(task))
    named = {v.name for v in versions} | {v.title for v in versions}
    if prompt not in named and is_file(prompt):
        return prompt, _body(ws, task, Path(prompt), "", [], rationales=False)
    version = ws.read.prompts.find(task.id, prompt)
    return version.title, version.body


def _told(one: Advice, body: PromptText) -> str:
    lines = [f"{one.severity.value}  {one.title}  ({one.place.words}, {one.code})",
             f"  why: {one.why}", f"  do:  {one.suggestion}"]  # fmt: skip
    if one.rewrite is not None:
        before, after = before_after(body, one.rewrite)
        lines += [f"  - {line}" for line in before.splitlines()]
        lines += [f"  + {line}" for line in after.splitlines()]
    return "\n".join(lines)


@group.command("attack")
def attack(
    task: str,
    prompt: Annotated[
        str, typer.Option(help="A prompt's name or version; the label definitions by default.")
    ] = "",
    model: Annotated[str, typer.Option(help="A fine-tune, instead of a prompt.")] = "",
    times: Annotated[int, typer.Option(help="Into how many texts each injection is put.")] = TIMES,
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
    """Measure how often injections in texts of train and validation get the label they want."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    asked: dict[str, Any] = {"prompt": prompt, "model": model, "provider": provider, "times": times}
    if estimate:
        expected = estimate_attack(ws, found.id, **asked)
        emit(expected.to_dict(), as_json, expected.sentence)
        return
    run = start_attack(ws, found.id, **asked, consent=yes, by=me(ws))
    wait_for(ws, run.job_id or 0, "injections")
    rate = attack_result(ws, run.id)
    if rate is None:
        raise RunFailedError(
            "The run ended before all was asked.", next_step=f"`studio run show {run.id}`"
        )
    lines = [f"flip rate {rate.rate}"]
    lines += [f"  {name}: {figure}" for name, figure in rate.families.items()]
    lines += [
        f"{rate.pairs} pairs; {rate.unsteady} do not count, for neutral words changed the label too; {rate.unanswered} had no label"
    ]
    told = run_status(ws, run.id)
    cost = {name: told[name] for name in ("calls", "cost_usd", "estimate")}
    lines.append(
        f"{count(told['calls'], 'call')}, cost {money(told['cost_usd'])};"
        f" expected: {count(told['estimate']['questions'], 'call')},"
        f" {money(told['estimate']['cost_usd'])}"
    )
    emit({"run": run.id, **rate.to_dict(), **cost}, as_json, "\n".join(lines))


def _body(
    ws: Workspace,
    task: Task,
    file: Path | None,
    instructions: str,
    definitions: list[str],
    rationales: bool,
) -> PromptText:
    data: dict[str, Any] = {"instructions": instructions}
    if file is not None:
        text = read_file(file).decode("utf-8", errors="replace")
        if file.suffix in (".yaml", ".yml"):
            loaded = load_words(text, what=str(file))
            if not isinstance(loaded, dict):
                raise InputError(f"{file} holds no prompt.", next_step="Write `instructions: …`.")
            data |= loaded
        else:
            data["instructions"] = text
    body = PromptText.from_dict(data)
    told = dict(body.definitions)
    for item in definitions:
        label, equals, text = item.partition("=")
        if not equals:
            raise InputError(f"The definition {item!r} has no =.", next_step='Write NAME="text".')
        told[label.strip()] = text
    told = told or {x.name: x.definition for x in task.labels if x.definition}
    reasons = body.reasons
    if rationales:
        known = ((task.name_of(r.label_id), r.text) for r in ws.read.rationales.all(task.id))
        reasons = tuple((label, text) for label, text in known if label)
    return replace(body, definitions=told, reasons=reasons)
