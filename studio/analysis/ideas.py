"""A drafted rule, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from studio.domain.coded_rationale import RuleBody
from studio.domain.example import normalise


@dataclass(frozen=True, slots=True)
class Idea:
    """A rule that might code a rationale.

    Attributes:
        body: The rule; its name is a proposal.
        why: Where it comes from, in plain words.
    """

    body: RuleBody
    why: str


def slug(*words: str) -> str:
    """Return a name for a rule made of some words.

    >>> slug("", "Crème brûlée", "rice*")
    'creme-brulee-rice'
    """
    import unicodedata

    plain = unicodedata.normalize("NFKD", normalise(" ".join(words))).encode("ascii", "ignore")
    return "-".join(plain.decode().split())[:48].strip("-") or "draft"
