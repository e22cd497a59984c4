"""Commands: studio rule add | list | show | try | draft | order | report | uncovered | ..."""

from __future__ import annotations

from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from studio.actions.drafts import keep_draft, kept_draft
from studio.actions.explanations import explain_label, explain_run_label
from studio.actions.rule_drafts import (
    DraftedRule,
    accept_draft,
    draft_rules,
    measure_draft,
    start_asking,
)
from studio.actions.rule_reports import (
    compare_ways,
    review_task,
    task_joining,
    uncovered_groups,
)
from studio.actions.rules import (
    Board,
    choose_joining,
    export_rules,
    import_rules,
    open_board,
    open_corpus,
    order_rules,
    print_rule,
    read_rule,
    save_rule,
)
from studio.actions.runs import Choice, run_status, start_run
from studio.actions.votes import import_votes
from studio.cli.common import (
    AsJson,
    Wait,
    WorkspacePath,
    Yes,
    at_work,
    emit,
    me,
    open_file,
    open_ws,
    read_file,
    rejected_text,
    table,
    task_of,
    wait_for,
    write_file,
)
from studio.cli.joining_output import (
    explained_text,
    explained_to_dict,
    joining_text,
    joining_to_dict,
)
from studio.cli.rule_output import (
    bucket_rows,
    bucket_text,
    gap_rows,
    gap_text,
    gate_text,
    gate_to_dict,
    review_rows,
    review_text,
)
from studio.domain.coded_rationale import CodedRationale, describe
from studio.domain.task import Task
from studio.errors import ConflictError, InputError, NotFoundError
from studio.handlers.joined import chosen_joining
from studio.handlers.rule_asking import find_rationale
from studio.workspace import Workspace

group = typer.Typer(help="Coded rationales: rules that vote for labels.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="rule")


@group.command("add")
def add(
    task: str,
    file: Annotated[Path, typer.Argument(help="YAML of one rule; see docs/rules.md.")],
    rationale: Annotated[
        int | None,
        typer.Option(help="The rationale it codes, by number; see `studio rationale list`."),
    ] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Store one rule, or a new version of the rule of this name."""
    ws = open_ws(workspace)
    task_id = task_of(ws, task).id
    if rationale is not None:
        find_rationale(ws, task_id, rationale)
    body = read_rule(read_file(file).decode("utf-8", errors="replace"))
    rule = save_rule(ws, task_id, body, rationale_id=rationale, by=me(ws))
    data = {"rule": rule.body.name, "version": rule.version}
    emit(data, as_json, f"Stored {rule.body.name!r} version {rule.version}: {describe(rule.body)}.")


@group.command("list")
def list_rules(task: str, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """List the rules in the expert's order."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    marks = ws.read.label_sets.marks(found.id).rules
    rows = [
        {"rule": r.body.name, "label": r.body.label, "decisive": r.body.decisive, "enabled": r.enabled,
         "says": describe(r.body), "outdated": marks.get(r.id)}
        for r in ws.read.rules.all(found.id)
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


@group.command("try")
def try_(
    task: str,
    file: Annotated[Path, typer.Argument(help="YAML of one rule; see docs/rules.md.")],
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Show what a rule would do on train and validation; nothing is stored."""
    ws = open_ws(workspace)
    body = read_rule(read_file(file).decode("utf-8", errors="replace"))
    with at_work("Trying the rule beside the others"):
        board = _board(ws, task_of(ws, task))
        draft = measure_draft(ws, board, body)
    emit(gate_to_dict(ws, board, draft), as_json, lambda: gate_text(board, draft))


@group.command("draft")
def draft(
    task: str,
    rationale: Annotated[int, typer.Argument(help="Its number; see `studio rationale list`.")],
    accept: Annotated[
        list[int] | None,
        typer.Option(help="Store this one of the drafts shown before; may be repeated."),
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Also ask the default provider's chat model, and wait.")
    ] = False,
    yes: Yes = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Draft rules from a rationale, each with what it would do; accept those you have seen."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    if ask:
        job_id = start_asking(ws, found.id, rationale, consent=yes, by=me(ws))
        wait_for(ws, job_id, "question")
    with at_work("Drafting rules and trying each beside the others"):
        board = _board(ws, found)
        drafts = draft_rules(ws, found.id, rationale, board)
    if accept:
        rules = _accept(ws, board, rationale, drafts, accept)
        names = [rule.body.name for rule in rules]
        data = {"task": found.name, "rationale": rationale, "rules": names}
        emit(data, as_json, f"Stored {', '.join(names)}.")
        return
    keep_draft(ws, found.id, _shown(rationale), {"seen": [d.seen for d in drafts]}, by=me(ws))
    rows = [{"draft": i, **gate_to_dict(ws, board, d)} for i, d in enumerate(drafts, 1)]
    emit(rows, as_json, lambda: _drafts_text(board, drafts, rationale))


@group.command("report")
def report(
    task: str,
    buckets: Annotated[
        bool, typer.Option("--buckets", help="The lists of examples worth opening instead.")
    ] = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Show what each rule is worth on blind gold of train and validation, and what to do."""
    ws = open_ws(workspace)
    with at_work("Looking at what each rule does"):
        board = _board(ws, task_of(ws, task))
        review = review_task(ws, board.task.id, board)
    if buckets:
        data = bucket_rows(ws, board.task, review, board.rules)
        emit(data, as_json, lambda: bucket_text(data))
        return
    rows = review_rows(review, board.rules)
    emit(rows, as_json, lambda: review_text(review, rows))


@group.command("uncovered")
def uncovered(task: str, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Show which groups of examples no rule speaks of, and the reason to ask for next."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    with at_work("Grouping the examples no rule speaks of"):
        rows = gap_rows(ws, found, uncovered_groups(ws, found.id))
    emit(rows, as_json, lambda: gap_text(rows))


@group.command("joining")
def joining(
    task: str,
    method: Annotated[
        str | None,
        typer.Argument(help="expert, weighted or label_model; shows them when left out."),
    ] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Show what gold says of each way to join votes; with a way, choose it."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    if method is not None:
        choose_joining(ws, found.id, method)
    with at_work("Holding each way to join votes against gold"):
        ways = compare_ways(_board(ws, found))
    data = joining_to_dict(ways, chosen_joining(ws, found.id))
    emit(data, as_json, lambda: joining_text(data))


@group.command("explain")
def explain(
    task: str,
    example: Annotated[str, typer.Argument(help="What its file calls the example.")],
    run: Annotated[
        int | None, typer.Option(help="As this run's rules voted; else those in force.")
    ] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Show which rules speak on an example, what each weighs, and which of them decided."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    example_id = ws.read.examples.by_external_id(found.id, [example]).get(example)
    if example_id is None:
        raise NotFoundError(
            f"There is no example {example!r} in {found.name!r}.",
            next_step="Name it as the imported file does.",
        )
    if run is not None:
        told = explain_run_label(ws, run, example_id)
    else:
        told = explain_label(ws, found.id, example_id, task_joining(ws, _board(ws, found)))
    data = {"example": example, **explained_to_dict(told, found)}
    emit(data, as_json, lambda: explained_text(data))


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
    task: str,
    file: Annotated[Path | None, typer.Argument(help="YAML of many rules.")] = None,
    votes: Annotated[
        Path | None,
        typer.Option(
            help="CSV of votes made elsewhere: id, rule, vote (LABEL, not LABEL, or empty)."
        ),
    ] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Store every rule of a YAML file, all or none; or votes made elsewhere, as rules."""
    ws = open_ws(workspace)
    found = task_of(ws, task)
    if (file is None) == (votes is None):
        raise InputError("Name one file.", next_step="FILE for rules, or --votes FILE for votes.")
    if votes is not None:
        with open_file(votes) as data:
            lines = TextIOWrapper(data, encoding="utf-8-sig", errors="replace", newline="")
            done = import_votes(ws, found.id, lines, by=me(ws))
        told = (
            f"Stored {done.votes:,} votes in {len(done.rules)} rules, {done.abstained:,} abstained."
        )
        emit(done.to_dict(), as_json, told + rejected_text(done.rejected))
        return
    assert file is not None
    text = read_file(file).decode("utf-8", errors="replace")
    saved = import_rules(ws, found.id, text, by=me(ws))
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


def _board(ws: Workspace, task: Task) -> Board:
    return open_board(ws, task.id, open_corpus(ws, task.id))


def _shown(rationale_id: int) -> str:
    return f"drafts of rationale {rationale_id}"


def _accept(
    ws: Workspace, board: Board, rationale: int, drafts: list[DraftedRule], numbers: list[int]
) -> list[CodedRationale]:
    """Store the drafts of these numbers, if they are what was shown under these numbers."""
    person = me(ws)
    seen = kept_draft(ws, board.task.id, _shown(rationale), by=person).get("seen", [])
    by_token = {one.seen: one for one in drafts}
    chosen = []
    for number in dict.fromkeys(numbers):
        token = seen[number - 1] if 1 <= number <= len(seen) else ""
        if token not in by_token:
            raise ConflictError(
                f"Draft {number} was not shown to you, or its figures have changed since.",
                next_step=f"Look at `studio rule draft {board.task.name} {rationale}` again.",
            )
        chosen.append(by_token[token])
    with ws.store.transaction():  # all or none; their figures were seen together
        return [
            accept_draft(
                ws, board.task.id, one.body, rationale_id=rationale, seen=one.seen, by=person,
                board=board,
            )
            for one in chosen
        ]  # fmt: skip


def _drafts_text(board: Board, drafts: list[DraftedRule], rationale: int) -> str:
    if not drafts:
        return "No draft: none of its words is used by the examples. Write a rule by hand."
    shown = "\n".join(gate_text(board, one, number) for number, one in enumerate(drafts, 1))
    return f"{shown}\n\nAccept with `studio rule draft {board.task.name} {rationale} --accept N`."
