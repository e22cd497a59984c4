"""Changes of a label set: what people ask for, and what was done.

A label keeps its id for ever: what was stored by an id needs no change when a label is renamed.
What was stored by a name is read by the names of now, see `domain.label_names`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ChangeKind(StrEnum):
    """What was done to a label set."""

    RENAME = "rename"
    MERGE = "merge"
    SPLIT = "split"
    ADD = "add"
    RETIRE = "retire"
    REORDER = "reorder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """Call a label otherwise.

    Attributes:
        label: Its name.
        to: What it is called from now on.
        meaning_changed: Whether it means something else now: its gold is queued for another look.
    """

    label: str
    to: str
    meaning_changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Give a label up for another one: whatever said it says the other.

    Attributes:
        label: The label that is given up.
        into: The label that is kept.
        to: What the kept label is called from now on; empty for its own name.
        definition: When it applies from now on; None joins both definitions.
        look_again: Whether the gold that moves is queued for another look.
    """

    label: str
    into: str
    to: str = ""
    definition: str | None = None
    look_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Tell apart what one label said: all its gold is queued for another look.

    Attributes:
        label: The label.
        parts: (name, definition) of two labels or more. The first is the label itself, which keeps
            what was said of it, under its own name or another; an empty definition of it stays as
            it was. The others are new.
    """

    label: str
    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Allow one more answer.

    Attributes:
        name, definition: Of the new label.
        look_again: Labels whose gold is queued for another look, since it may be the new one.
    """

    name: str
    definition: str = ""
    look_again: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retire:
    """Give up a label that nothing says."""

    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorder:
    """Put the labels in another order, which decides their keys and colours.

    Attributes:
        names: All labels.
    """

    names: tuple[str, ...]


Deed = Rename | Merge | Split | Add | Retire | Reorder


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChange:
    """A change of a label set that was made.

    Attributes:
        id: Number in the workspace.
        kind: What was done.
        text: It in a sentence.
        counts: What it did, see `Consequences`.
        waiting: Examples that are queued for another look because of it and still wait.
        person, at: Who did it and when, UTC in ISO form.
        undone_by, undone_at: The same of taking it back; empty and None while it holds.
    """

    id: int
    kind: ChangeKind
    text: str
    counts: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0
    person: str
    at: str
    undone_by: str = ""
    undone_at: str | None = None

    @property
    def is_undone(self) -> bool:
        """Whether it was taken back."""
        return self.undone_at is not None

    def to_dict(self) -> dict[str, Any]:
        """Return what the command line tells of it."""
        return {
            "change": self.id, "kind": self.kind.value, "text": self.text, **self.counts,
            "waiting": self.waiting, "by": self.person, "at": self.at,
            "undone_by": self.undone_by or None, "undone_at": self.undone_at,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """What a change of the label set does, counted before it is done.

    Attributes:
        text: The change in a sentence.
        gold: Gold labels that move to another label.
        predictions: What runs said that moves with them.
        rules, rationales: The same of rules and rationales.
        again: Gold labels that are queued for another look.
        marked_runs, marked_prompts, marked_rules, marked_models, marked_reports: What is marked as
            made before the change.
    """

    text: str
    gold: int = 0
    predictions: int = 0
    rules: int = 0
    rationales: int = 0
    again: int = 0
    marked_runs: int = 0
    marked_prompts: int = 0
    marked_rules: int = 0
    marked_models: int = 0
    marked_reports: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """All its numbers."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "text"}

    @property
    def sentences(self) -> list[str]:
        """Return it as people read it; nothing is said of what does not happen.

        >>> Consequences(text="", gold=412, rules=1, marked_runs=4, marked_models=1).sentences
        ['412 gold labels and 1 rule move.', '4 runs and 1 model are marked as made before.']
        """
        return self._told(would=False)

    @property
    def foretold(self) -> str:
        """Return the change and what it does as what would be, in one line.

        >>> Consequences(text="“scam” was merged into “spam”", gold=1).foretold
        '“scam” would be merged into “spam”. 1 gold label would move.'
        """
        text = _DONE.sub(lambda found: _WOULD[found[0]], self.text, count=1)
        return " ".join([f"{text}.", *self._told(would=True)])

    def _told(self, *, would: bool) -> list[str]:
        moved = self.gold, self.predictions, self.rules, self.rationales
        marked = (
            self.marked_runs, self.marked_prompts, self.marked_rules, self.marked_models,
            self.marked_reports,
        )  # fmt: skip

        def be(n: int) -> str:
            return "would be" if would else "is" if n == 1 else "are"

        said = []
        if any(moved):
            move = "would move" if would else "moves" if sum(moved) == 1 else "move"
            said.append(f"{_listed(moved, _MOVED)} {move}.")
        if self.again:
            queued = _listed([self.again], _MOVED)
            said.append(f"{queued} {be(self.again)} queued for another look.")
        if any(marked):
            said.append(f"{_listed(marked, _MARKED)} {be(sum(marked))} marked as made before.")
        return said


_MOVED = ("gold label", "prediction", "rule", "rationale")
_MARKED = ("run", "prompt version", "rule", "model", "report")
_WOULD = {"” was ": "” would be ", "The order became": "The order would become"}
_DONE = re.compile("|".join(_WOULD))


def consequences_of(change: LabelChange) -> Consequences:
    """Return what a change did, as it is foreseen of one that is not made yet."""
    return Consequences(text=change.text, **change.counts)


def _listed(counts: Sequence[int], names: Sequence[str]) -> str:
    parts = [
        f"{n:,} {what}{'' if n == 1 else 's'}" for n, what in zip(counts, names, strict=False) if n
    ]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What was made before the label set was changed, each with the changes since in a sentence.

    Attributes:
        runs, prompts, rules, models, reports: Number of a run, prompt version, rule, fine-tune or
            verdict to the sentence.
    """

    runs: Mapping[int, str] = field(default_factory=dict)
    prompts: Mapping[int, str] = field(default_factory=dict)
    rules: Mapping[int, str] = field(default_factory=dict)
    models: Mapping[int, str] = field(default_factory=dict)
    reports: Mapping[int, str] = field(default_factory=dict)


def changed_since(texts: Sequence[str]) -> str:
    """Return what is said of something that was made before changes of the label set.

    >>> changed_since(["“a” was merged into “b”", "“c” was added"])
    'The label set changed since: “a” was merged into “b”; “c” was added.'
    """
    return f"The label set changed since: {'; '.join(texts)}."
