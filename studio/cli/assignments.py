"""Commands: studio assign TASK --people a,b, and list | progress | hand | close | undo."""

from __future__ import annotations

import math
from typing import Annotated

import typer
from typer.core import TyperGroup

from studio.actions.assignments import (
    OVERLAP,
    RoundPlan,
    close_round,
    hand_over_work,
    plan_round,
    round_progress,
    start_round,
    withdraw_round,
)
from studio.cli.common import AsJson, WorkspacePath, emit, me, open_ws, table, task_of
from studio.domain.amounts import count
from studio.domain.assignment import Progress, shares_text


class _StartUnlessNamed(TyperGroup):
    """`studio assign TASK` starts a round; only its other commands need a word of their own."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        known = {*self.commands, *ctx.help_option_names}
        if args and not known.intersection(args[:1]):
            args = ["start", *args]
        return super().parse_args(ctx, args)


group = typer.Typer(
    cls=_StartUnlessNamed, help="Share out work among people, and follow it.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="assign")


@group.command("start")
def start(
    task: str,
    people: Annotated[str, typer.Option(help="Who labels, separated by commas.")],
    overlap: Annotated[
        float, typer.Option(help="Share of the examples that several people get.")
    ] = OVERLAP,
    k: Annotated[
        int | None, typer.Option("--k", help="How many people get each of those; else everybody.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="How many different examples; else all there are.")
    ] = None,
    split: Annotated[
        str, typer.Option(help='train, validation or test, several joined by "+".')
    ] = "train",
    without_gold: Annotated[
        bool, typer.Option("--without-gold", help="Only examples that have no gold yet.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Another one makes another choice.")] = None,
    name: Annotated[str, typer.Option(help="What to call the round.")] = "",
    plan: Annotated[bool, typer.Option("--plan", help="Only say what it would mean.")] = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Give people examples to label; each finds their own on the page Label.

    The word start can be left out: studio assign TASK --people Ada,Bo.
    """
    ws = open_ws(workspace)
    found = task_of(ws, task)
    planned = plan_round(
        ws, found.id, people=people.split(","), overlap=overlap, together=k, size=size,
        splits=split.split("+"), without_gold=without_gold, seed=seed,
    )  # fmt: skip
    if plan:
        emit({"task": found.name, **planned.to_dict()}, as_json, _plan_text(planned))
        return
    new = start_round(ws, found.id, planned, name=name, by=me(ws))
    data = {"task": found.name, "round": new.id, "name": new.name, **planned.to_dict()}
    emit(data, as_json, lambda: f"Started round {new.id}, {new.name}.\n{_plan_text(planned)}")


@group.command("list")
def list_rounds(task: str, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """List the rounds of a task, the newest first."""
    ws = open_ws(workspace)
    found = round_progress(ws, task_of(ws, task).id)
    rows = [
        {
            "round": one.round.id, "name": one.round.name, "examples": one.round.examples,
            "shared": one.round.shared, "done": f"{one.done:,} of {one.given:,}",
            "state": "closed" if one.round.closed_at else "open",
        }
        for one in found
    ]  # fmt: skip
    none = f"No round yet. Start one with `studio assign {task} --people Ada,Bo`."
    emit([one.to_dict() for one in found], as_json, table(rows, none))


@group.command("progress")
def progress(
    task: str,
    round_: Annotated[int | None, typer.Argument(metavar="[ROUND]")] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Show how far each person is, in open rounds or in one round."""
    ws = open_ws(workspace)
    found_task = task_of(ws, task)
    if round_ is not None:
        ws.read.assignments.get(found_task.id, round_)
    found = [
        one
        for one in round_progress(ws, found_task.id)
        if (one.round.closed_at is None if round_ is None else one.round.id == round_)
    ]
    said = "\n".join(_line(one) for one in found) or "No round is open."
    emit([one.to_dict() for one in found], as_json, said)


@group.command("hand")
def hand(
    task: str,
    round_: Annotated[int, typer.Argument(metavar="ROUND")],
    giver: Annotated[str, typer.Option("--from", help="Who gives the rest away.")],
    to: Annotated[str, typer.Option(help="Who takes over, separated by commas.")],
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Hand what one person has still to label to others, evenly."""
    ws = open_ws(workspace)
    taken = hand_over_work(
        ws, task_of(ws, task).id, round_, giver=giver, takers=to.split(",")
    )  # fmt: skip
    said = ", ".join(f"{who} takes {count(n, 'example')}" for who, n in taken.items())
    emit({"round": round_, "from": giver, "taken": taken}, as_json, f"{said} of {giver}.")


@group.command("close")
def close(
    task: str,
    round_: Annotated[int, typer.Argument(metavar="ROUND")],
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """End a round; what is left of it is free for another one."""
    ws = open_ws(workspace)
    ended = close_round(ws, task_of(ws, task).id, round_)
    emit(ended.to_dict(), as_json, f"Closed. {_line(ended)}")


@group.command("undo")
def undo(
    task: str,
    round_: Annotated[int, typer.Argument(metavar="ROUND")],
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Take a round back that nobody has worked on."""
    ws = open_ws(workspace)
    withdraw_round(ws, task_of(ws, task).id, round_)
    emit({"round": round_, "undone": True}, as_json, f"Round {round_} is taken back.")


def _line(one: Progress) -> str:
    state = f"closed on {one.round.closed_at[:10]}" if one.round.closed_at else "open"
    return f"Round {one.round.id}, {one.round.name} ({state}): {shares_text(one.shares)}"


def _plan_text(planned: RoundPlan) -> str:
    given = ", ".join(f"{who} {len(ids):,}" for who, ids in planned.plan.given.items())
    lines = [
        f"{planned.plan.examples:,} of {count(planned.pool, 'example')} that could be given out: "
        f"{given}"
    ]
    if not planned.plan.shared:
        return "\n".join([*lines, "No example goes to two people, so agreement cannot be told."])
    lines.append(
        f"{count(len(planned.plan.shared), 'example')} shared, each by {planned.together} people"
    )
    if not math.isnan(planned.width):
        known = "supposed" if planned.is_supposed else "as so far"
        lines.append(
            f"With an alpha of {planned.alpha:.2f} ({known}) its interval would be about "
            f"±{planned.width:.2f}; kappa of two people, on {planned.in_pair:,} examples, "
            + (
                f"about ±{planned.pair_width:.2f}"
                if not math.isnan(planned.pair_width)
                else "cannot be told"
            )
        )
    return "\n".join(lines)
