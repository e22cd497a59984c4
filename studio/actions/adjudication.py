"""What a team does about examples on which its people differ: one of them settles each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.analysis.people import Disputed, disputed
from studio.domain.correction import Mode, Origin
from studio.domain.example import Example
from studio.errors import InputError
from studio.store.labels import NewLabel
from studio.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An example on which people differ.

    Attributes:
        example: The example.
        said: Label to the names of those who gave it, in the task's order of labels.
        likely: The label Dawid-Skene takes for right; None with fewer than three people.
        chance: How sure it is; None likewise.
    """

    example: Example
    said: dict[str, tuple[str, ...]]
    likely: str | None
    chance: float | None

    def told(self, *, names: bool = False) -> str:
        """Return who said what: how many, or their names.

        >>> from studio.domain.example import Split
        >>> example = Example(id=1, external_id="7", text="rice", split=Split.TRAIN)
        >>> case = Case(
        ...     example=example, said={"yes": ("Ada",), "no": ("Bo", "Cy")}, likely="no", chance=0.9
        ... )
        >>> case.told(), case.told(names=True)
        ('yes 1, no 2', 'yes: Ada; no: Bo, Cy')
        """
        if names:
            return "; ".join(f"{label}: {', '.join(who)}" for label, who in self.said.items())
        return ", ".join(f"{label} {len(who)}" for label, who in self.said.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputes:
    """Where people differ.

    Attributes:
        open: Examples nobody has settled, the least settled first.
        settled: How many somebody has settled.
    """

    open: tuple[int, ...]
    settled: int


def find_disputes(ws: Workspace, task_id: int, *, splits: Sequence[str] = ()) -> Disputes:
    """Return on which examples people differ, and how many of these are settled.

    Args:
        ws: The workspace.
        task_id: The task.
        splits: Where to look; all splits when none is named. People's own labels are all that is
            looked at, so test stays as blind as it was.
    """
    ended = {
        i
        for i, gold in ws.read.labels.gold(task_id, splits).items()
        if gold.origin is Origin.ADJUDICATED
    }
    found = _disputed(ws, task_id, splits)
    return Disputes(
        open=tuple(i for i in found if i not in ended), settled=sum(i in ended for i in found)
    )


def dispute_cases(ws: Workspace, task_id: int, ids: Sequence[int]) -> list[Case]:
    """Return who said what of these examples, as far as people differ on them."""
    found = _disputed(ws, task_id, ())
    examples = {e.id: e for e in ws.read.examples.some(task_id, ids)}
    return [
        Case(example=examples[i], said=one.said, likely=one.likely, chance=one.chance)
        for i in ids
        if i in examples and (one := found.get(i)) is not None
    ]


def settle_dispute(
    ws: Workspace,
    task_id: int,
    example_id: int,
    *,
    label: str,
    client: str | None = None,
    seconds: float | None = None,
    by: str,
) -> bool:
    """Settle which label an example has; it beats what people and files say, theirs is kept.

    `undo_correction` takes it back, as it does every decision.

    Args:
        ws: The workspace.
        task_id: The task.
        example_id: The example.
        label: The label's name.
        client: The browser's own number of this decision, so that one sent twice counts once.
        seconds: How long the person looked at it; None where nobody measured.
        by: Who decided; this may be one of those who differ.

    Returns:
        Whether it was new.

    Raises:
        InputError: If nobody is named, or the label or the example is unknown.
    """
    if not by.strip():
        raise InputError("Nobody is named as the person who decides.", next_step="Give your name.")
    decision = NewLabel(
        example_id=example_id, label_id=ws.store.tasks.get(task_id).label(label).id, person=by,
        origin=Origin.ADJUDICATED, client=client, mode=Mode.ADJUDICATION, seconds=seconds,
    )  # fmt: skip
    return ws.store.labels.append(task_id, [decision], ws.now()) > 0


def _disputed(ws: Workspace, task_id: int, splits: Sequence[str]) -> dict[int, Disputed]:
    """Return what people differ on by example id, the least settled first."""
    task = ws.read.tasks.get(task_id)
    votes = ws.read.labels.said(task_id, splits).votes(task)
    return {one.example_id: one for one in disputed(votes)}
