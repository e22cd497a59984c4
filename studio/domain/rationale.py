"""An expert's reason for a label, in words, with the words of the example it points at."""

from __future__ import annotations

import re
from dataclasses import dataclass

from studio.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Words of an example: `text[start:end] == words`."""

    start: int
    end: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rationale:
    """Why an expert gives a label.

    Attributes:
        id: Number in the workspace.
        label_id: The label it speaks for.
        text: The reason in the expert's words; untrusted.
        example_id: The example it was written about, if any.
        evidence: The words it points at.
        author: Who wrote it.
        at: UTC time in ISO form.
    """

    id: int
    label_id: int
    text: str
    example_id: int | None = None
    evidence: tuple[Evidence, ...] = ()
    author: str
    at: str


def find_evidence(text: str, words: list[str]) -> tuple[Evidence, ...]:
    """Return where the words stand in the text, first place each, ignoring case.

    Raises:
        InputError: If some of the words do not stand in the text.

    >>> find_evidence("Sugar-free cake", ["sugar-free"])
    (Evidence(start=0, end=10, words='Sugar-free'),)
    """
    found = []
    for wanted in words:
        # Not text.lower(): it moves what follows a letter like İ.
        match = re.search(re.escape(wanted), text, re.IGNORECASE) if wanted else None
        if match is None:
            raise InputError(
                f"The words {wanted!r} do not stand in the example.",
                next_step="Copy them from its text.",
            )
        found.append(Evidence(start=match.start(), end=match.end(), words=match[0]))
    return tuple(found)
