"""How joined votes are told on a terminal and as JSON."""

from __future__ import annotations

from typing import Any

from studio.actions.explanations import Explained
from studio.analysis.joining import JoiningChoice
from studio.cli.common import table
from studio.domain.task import Task


def joining_to_dict(choice: JoiningChoice, chosen: str) -> dict[str, Any]:
    """Return the ways to join votes with what gold says of each, as JSON."""
    return {
        "joining": chosen,
        "advised": choice.advised.value,
        "why": choice.why,
        "gold": choice.gold,
        "ways": [
            {
                "joining": way.method.value,
                "missing": way.missing,
                "accuracy": way.accuracy.to_dict(),
                "macro_f1": way.macro_f1.to_dict(),
                "difference": way.more_macro_f1.to_dict(),
                "says": way.sentence,
            }
            for way in choice.evidence
        ],
    }


def joining_text(data: dict[str, Any]) -> str:
    """Return that as people read it."""
    lines = [
        f"{'*' if way['joining'] == data['joining'] else ' '} {way['joining']:<12} {way['says']}"
        for way in data["ways"]
    ]
    used = f"* The task joins votes by {data['joining']}."
    return "\n".join([*lines, "", used, f"Advised: {data['advised']}. {data['why']}"])


def explained_to_dict(told: Explained, task: Task) -> dict[str, Any]:
    """Return which rules spoke on an example, and what came of it, as JSON."""
    joined, found = told.explanation.joined, told.explanation
    return {
        "label": task.name_of(joined.label_id),
        "by": joined.method,
        "joining": told.joining.method.value,
        "probabilities": {task.name_of(i): p for i, p in found.probabilities.items()},
        "votes": [
            {
                "rule": told.rules[vote.rule_id].body.name,
                "vote": ("not " if vote.against else "") + str(task.name_of(vote.label_id)),
                "weight": vote.weight,
                "decisive": vote.decisive,
                "decided": vote.decided,
            }
            for vote in found.votes
        ],
    }


def explained_text(data: dict[str, Any]) -> str:
    """Return that as people read it."""
    head = f"{data['example']}: {data['label'] or 'no label'} ({data['by']})"
    return f"{head}\n{table(data['votes'], 'No rule speaks on it.')}"
