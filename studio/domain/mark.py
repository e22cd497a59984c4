"""What a person says of an example besides its label: look at it again, a remark, not now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MarkKind(StrEnum):
    """The ways to mark an example; a person has at most one mark of each kind on it."""

    FLAG = "flag"
    NOTE = "note"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A mark that holds now.

    Attributes:
        example_id: The example.
        person: Whose mark it is.
        kind: Flag (look at it again), note (a remark) or skip (not now).
        text: The remark; may be empty for the others. Untrusted.
        at: When it was set, UTC in ISO form.
    """

    example_id: int
    person: str
    kind: MarkKind
    text: str
    at: str
