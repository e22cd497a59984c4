"""A person's decision on a label: who, what, and whether a model's label was in sight."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from studio.domain.mark import MarkKind


class Origin(StrEnum):
    """How a label came to be; the order of strength is in `resolve_gold`."""

    BLIND = "blind"
    ASSISTED = "assisted"
    IMPORTED = "imported"
    COMPUTED = "computed"
    ADJUDICATED = "adjudicated"


class Mode(StrEnum):
    """By which way of working a label was given; what the stopwatch compares."""

    GRID = "grid"
    QUEUE = "queue"
    BULK = "bulk"
    PASTE = "paste"
    FILE = "file"
    ADJUDICATION = "adjudication"
    LABEL_CHANGE = "label_change"
    OTHER = ""


BLIND_ORIGINS = frozenset({Origin.BLIND, Origin.IMPORTED, Origin.COMPUTED, Origin.ADJUDICATED})
FROM_FILES = frozenset({Origin.IMPORTED, Origin.COMPUTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A person's decision on a label; appended, never overwritten.

    Attributes:
        id: Number of the event; later events have higher numbers.
        example_id: The example.
        person: Who decided; the file's name for imported and computed labels.
        label_id: The label; None takes the person's label back.
        origin: Blind when no model label was in sight.
        at: UTC time in ISO form.
        run_id: The run whose label was in sight, if any.
        undoes: The event this one undoes, if any.
        note: A remark; may be empty.
        mode: By which way of working it was given.
        seconds: How long the person looked at the example for it; None where nobody measured.
        deed: What decisions made at once have in common, so that they are undone together.
    """

    id: int
    example_id: int
    person: str
    label_id: int | None
    origin: Origin
    at: str
    run_id: int | None = None
    undoes: int | None = None
    note: str = ""
    mode: Mode = Mode.OTHER
    seconds: float | None = None
    deed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What one undo took back, or one redo put back.

    Attributes:
        example_ids: The examples it was on; several where one deed labeled several.
        deed: The deed they were made in; None for a decision by itself.
        label: The name of the label that was taken or put back; None for several labels, a label
            withdrawn, and marks.
        kind: Whether it was on labels or a mark.
        mark: Which kind of mark it was.
    """

    example_ids: tuple[int, ...]
    deed: str | None = None
    label: str | None = None
    kind: Literal["label", "mark"] = "label"
    mark: MarkKind | None = None

    @property
    def what(self) -> str:
        """What it was on, in words.

        >>> Undone(example_ids=(1, 2), label="ham").what, Undone(example_ids=(1,)).what
        ('the label ham', 'the label')
        """
        if self.mark is not None:
            return f"the {self.mark.value}"
        plural = "s" if self.label is None and len(self.example_ids) > 1 else ""
        return f"the label{plural} {self.label or ''}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What keeps a person's latest label from being undone, or their latest undo from being redone.

    Attributes:
        redo: Whether it is an undo that cannot be redone.
        changes: The changes of the label set to take back first, each in a sentence, the oldest
            first: that one is in the way.
        label: Without any, the label that would come back and is no more.
    """

    redo: bool = False
    changes: tuple[str, ...] = ()
    label: str = ""

    @property
    def sentence(self) -> str:
        """What is in the way and what to do.

        >>> Held(changes=("“a” was added", "“a” was merged into “b”")).sentence[:37]
        'The last label cannot be undone befor'
        >>> Held(redo=True, label="new").sentence
        'The last undo cannot be redone before “new” is a label again: add it to the label set.'
        """
        turned = (
            "The last undo cannot be redone" if self.redo else "The last label cannot be undone"
        )
        if not self.changes:
            return f"{turned} before “{self.label}” is a label again: add it to the label set."
        n = len(self.changes)
        later = (
            "a later change of the label set is undone"
            if n == 1
            else f"{n} later changes of the label set are undone, back to this one"
        )
        return f"{turned} before {later}: {self.changes[0]}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """Another person's decision on an example, made while one was deciding otherwise.

    Attributes:
        example_id: The example.
        person: Who decided otherwise.
        label: The name of their label.
        at: When, UTC in ISO form.
        own: The name of the own label.
    """

    example_id: int
    person: str
    label: str
    at: str
    own: str
