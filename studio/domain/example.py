"""One text to classify, and the split it belongs to."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum


class Split(StrEnum):
    """Train is learnt from, validation chooses, test is locked and only measured."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


SPLIT_ALIASES = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "valid": Split.VALIDATION,
    "validation": Split.VALIDATION,
    "val": Split.VALIDATION,
    "dev": Split.VALIDATION,
    "test": Split.TEST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One text to classify, with its metadata.

    Attributes:
        id: Number in the workspace.
        external_id: The id its file gave it, unique in the task.
        text: What is classified; untrusted.
        split: Where it may be used.
        metadata: Further columns of the file, as text; untrusted.
    """

    id: int
    external_id: str
    text: str
    split: Split
    metadata: dict[str, str] = field(default_factory=dict)


# The same answer for ASCII, four times as fast: letters to lower case, all but digits to a space.
_ASCII = {i: chr(i).lower() if chr(i).isalnum() else " " for i in range(128)}


def normalise(text: str) -> str:
    """Return the text as rules and duplicate checks read it: NFKC, casefolded, words by one space.

    Everything that is neither a letter nor a digit becomes a space, so a word boundary is a space.

    >>> normalise("Crème  Brûlée -- SUGAR-free!")
    'crème brûlée sugar free'
    """
    if text.isascii():
        return " ".join(text.translate(_ASCII).split())
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(
        "".join(c if c.isalnum() or unicodedata.combining(c) else " " for c in folded).split()
    )
