"""Command: studio agreement."""

from __future__ import annotations

from typing import Annotated

import typer

from studio.actions.agreement import SHOWN, TaskAgreement, people_agreement
from studio.cli.common import AsJson, WorkspacePath, emit, open_ws, table, task_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("agreement")(agreement)


def agreement(
    task: str,
    split: Annotated[
        str, typer.Option(help='train, validation or test, several joined by "+"; else all.')
    ] = "",
    blind: Annotated[
        bool, typer.Option("--blind", help="Only labels given with no other label in sight.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=0, help="Most examples to name on which people differ.")
    ] = SHOWN,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Show how far people agree: alpha, kappa, each label, and who differs from whom on what.

    It is told of the examples that several people labeled; each brings their own by
    `studio correct TASK FILE --by NAME`.
    """
    ws = open_ws(workspace)
    found = people_agreement(ws, task_of(ws, task).id, split=split, blind_only=blind, limit=limit)
    emit(found.to_dict(), as_json, lambda: _text(found))


def _text(found: TaskAgreement) -> str:
    figures = found.figures
    two = len(figures.people) < 3
    kappa = {"cohen": "Cohen's kappa", "fleiss": "Fleiss' kappa"}[figures.kappa_kind]
    head = (
        f"{len(figures.people)} people, {figures.shared:,} of {figures.examples:,} labeled examples "
        f"shared\nKrippendorff's alpha {figures.alpha}: {figures.words}\n"
        f"{kappa} {figures.kappa}\ntwo people say the same: {figures.agreement}"
    )
    if found.assisted:
        head += (
            f"\n{found.assisted:,} labels were given beside a model's, a rule's or a colleague's, "
            "which makes people agree more; `--blind` leaves them out."
        )
    labels = [
        {"label": name, "alpha": str(one.alpha), "another says it too": str(one.agreement)}
        for name, one in figures.labels.items()
    ]
    people = [
        {
            "person": one.person, "labels": one.votes, "as most others": str(one.agreement),
            "right by Dawid-Skene": "two cannot tell" if two else str(one.skill),
        }
        for one in figures.people
    ]  # fmt: skip
    pairs = [
        {
            "who": " / ".join(pair.people), "same": str(pair.agreement), "kappa": str(pair.kappa),
            "differ most": "; ".join(f"{a} / {b} {n}x" for a, b, n in pair.differ[:2]),
        }
        for pair in figures.pairs[:10]
    ]  # fmt: skip
    apart = [
        {
            "id": one.example.external_id,
            "said": "; ".join(
                f"{label}: {', '.join(who)}" for label, who in one.disputed.said.items()
            ),
        }
        | ({} if two else {"likely": f"{one.disputed.likely} ({one.disputed.chance:.2f})"})
        for one in found.apart
    ]
    parts = [head, table(labels, ""), table(people, ""), table(pairs, "")]
    parts.append(table(apart, "They differ on no example."))
    return "\n\n".join(parts)
