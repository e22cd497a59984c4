"""What a team does to know how far its people agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from studio.analysis.agreement import Agreement, agree
from studio.analysis.differing import label_pairs
from studio.analysis.people import Disputed
from studio.analysis.people_votes import PeopleVotes
from studio.domain.example import Example, Split
from studio.domain.task import Task
from studio.errors import InputError
from studio.workspace import Workspace

SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """An example on which people differ.

    Attributes:
        example: The example.
        disputed: Who said what of it, and what is likely right.
    """

    example: Example
    disputed: Disputed

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "id": self.example.external_id,
            "said": {label: list(who) for label, who in self.disputed.said.items()},
            "likely": self.disputed.likely,
            "chance": None if self.disputed.chance is None else round(self.disputed.chance, 4),
            "overruled": self.disputed.is_overruled,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAgreement:
    """How far the people of a task agree.

    Attributes:
        task: The task's name.
        splits: Where it was looked; all splits when empty.
        figures: What was found.
        assisted: Votes made with a model's or a rule's label in sight, which draws people to it.
        apart: The first examples on which people differ, the least settled first.
    """

    task: str
    splits: tuple[str, ...]
    figures: Agreement
    assisted: int
    apart: tuple[Apart, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        found = self.figures.to_dict()
        return {
            "task": self.task,
            "splits": list(self.splits),
            **found,
            "assisted": self.assisted,
            "apart": [one.to_dict() for one in self.apart],
        }


def people_agreement(
    ws: Workspace,
    task_id: int,
    *,
    split: str = "",
    blind_only: bool = False,
    limit: int = SHOWN,
) -> TaskAgreement:
    """Return how far people's labels agree, on the examples that several people labeled.

    Labels from files are not people's; an adjudicated one is the end of a dispute, not a vote.

    Args:
        ws: The workspace.
        task_id: The task.
        split: train, validation or test, or several joined by "+"; all when empty.
        blind_only: Leave out votes made with a model's or a rule's label in sight.
        limit: Most examples to name on which people differ.

    Raises:
        InputError: If no example was labeled by two people, or the split is unknown.
    """
    task = ws.read.tasks.get(task_id)
    votes, splits, assisted = _votes(ws, task, split, blind_only=blind_only)
    figures = agree(votes)
    if not figures.shared:
        raise InputError(
            _nothing_shared(votes, task.name, blind_only=blind_only),
            next_step="Let a second person label some of the same examples, e.g. with "
            f"`studio correct {task.name} FILE --by NAME --blind`.",
        )
    some = figures.disputed[:limit]
    examples = {e.id: e for e in ws.read.examples.some(task_id, [d.example_id for d in some])}
    return TaskAgreement(
        task=task.name,
        splits=splits,
        figures=figures,
        assisted=assisted,
        apart=tuple(Apart(example=examples[d.example_id], disputed=d) for d in some),
    )


def where_labels_met(
    ws: Workspace,
    task_id: int,
    *,
    people: tuple[str, str] | None = None,
    split: str = "",
    blind_only: bool = False,
) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return on which examples two people, or any two, gave which two labels.

    Args:
        ws: The workspace.
        task_id: The task.
        people: Two of them; all when None.
        split: As in `people_agreement`.
        blind_only: As there.

    Returns:
        As `studio.analysis.differing.label_pairs`.
    """
    votes, *_ = _votes(ws, ws.read.tasks.get(task_id), split, blind_only=blind_only)
    return label_pairs(votes, people)


def _votes(
    ws: Workspace, task: Task, split: str, *, blind_only: bool
) -> tuple[PeopleVotes, tuple[str, ...], int]:
    """Return people's votes, the splits they are of, and how many were assisted."""
    splits = tuple(_split(name) for name in split.split("+")) if split else ()
    said = ws.read.labels.said(task.id, splits)
    said = said.only_blind() if blind_only else said
    return said.votes(task), splits, int(said.assisted.sum())


def _split(name: str) -> str:
    try:
        return Split(name).value
    except ValueError:
        raise InputError(
            f"There is no split {name!r}.", next_step="Name train, validation or test."
        ) from None


def _nothing_shared(votes: PeopleVotes, task: str, *, blind_only: bool) -> str:
    kind = "blind labels" if blind_only else "labels"
    if not votes.people:
        return f"Nobody has given {kind} in the task {task!r}; those of files are nobody's."
    if len(votes.people) == 1:
        return f"Only {votes.people[0]} has given {kind} in the task {task!r}."
    names = ", ".join(votes.people[:5]) + (" and others" if len(votes.people) > 5 else "")
    return f"{names} have not given {kind} to the same examples of the task {task!r}."
