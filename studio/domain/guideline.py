"""What people agreed on about a case that two of them saw differently, for everybody to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from studio.domain.task import Task

MOST_LETTERS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Guideline:
    """A guideline note.

    Attributes:
        id: Number in the workspace.
        text: What holds, in people's words; untrusted.
        label_id: The label it speaks for, if any.
        other_label_id: The label it parts that one from, if any.
        example_id: The example it came from, if any.
        author: Who wrote it.
        at: UTC time in ISO form.
        retired_at: When it was taken out of use; None while it holds.
    """

    id: int
    text: str
    label_id: int | None = None
    other_label_id: int | None = None
    example_id: int | None = None
    author: str
    at: str
    retired_at: str | None = None

    def about(self, task: Task) -> str:
        """Return what it is about: "keto rather than low-carb", "keto", or nothing particular."""
        first, other = task.name_of(self.label_id), task.name_of(self.other_label_id)
        if first and other:
            return f"{first} rather than {other}"
        return first or other or ""

    def to_dict(self, task: Task) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "guideline": self.id, "text": self.text, "label": task.name_of(self.label_id),
            "other": task.name_of(self.other_label_id), "author": self.author, "at": self.at,
            "retired": self.retired_at is not None,
        }  # fmt: skip
