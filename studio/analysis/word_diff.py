"""What changed between two texts, word by word, as a person would mark it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from studio.domain.prompt import PromptText
from studio.domain.prompt_parts import Part

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_ISLAND = 3
"""Fewer kept letters between two changes are read as part of one change."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a comparison.

    Attributes:
        kind: "same", "removed" or "added".
        text: The words, blanks included.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A part of a prompt that says something else.

    Attributes:
        part: What it is called, e.g. "Definition of keto".
        pieces: Its words in order.
    """

    part: str
    pieces: tuple[Piece, ...]

    @property
    def marked(self) -> str:
        """The words with [-removed-] and {+added+} in them.

        >>> Change("Instructions", diff_words("Is it keto?", "Is it strictly keto?")).marked
        'Is it {+strictly +}keto?'
        """
        marks = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
        return "".join(marks[p.kind].format(p.text) for p in self.pieces)


def diff_words(before: str, after: str) -> tuple[Piece, ...]:
    """Return the words of both texts: what stayed, what went, what came.

    >>> [(p.kind, p.text) for p in diff_words("red or blue", "red or green")]
    [('same', 'red or '), ('removed', 'blue'), ('added', 'green')]
    """
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    pieces: list[Piece] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, a, b, c, d in _calm(matcher.get_opcodes(), old):
        if kind == "equal":
            pieces.append(Piece("same", "".join(old[a:b])))
        else:
            pieces += [Piece("removed", "".join(old[a:b]))] if b > a else []
            pieces += [Piece("added", "".join(new[c:d]))] if d > c else []
    return tuple(pieces)


def diff_bodies(before: PromptText, after: PromptText, labels: tuple[str, ...]) -> list[Change]:
    """Return what the second prompt says otherwise, part by part; empty where nothing changed."""
    found = [("Instructions", before.instructions, after.instructions)]
    named = dict.fromkeys([*labels, *before.definitions, *after.definitions])
    found += [
        (f"Definition of {n}", before.definitions.get(n, ""), after.definitions.get(n, ""))
        for n in named
    ]
    changes = [Change(part, diff_words(a, b)) for part, a, b in found if a != b]
    changes += _lines("Rationale for", before.reasons, after.reasons)
    shots = [tuple((s.label, s.text) for s in body.few_shots) for body in (before, after)]
    changes += _lines("Example of", *shots)
    pairs = [
        ("Few-shots chosen", *(str(body.policy or "by hand") for body in (before, after))),
        ("Locked", *(_locked(body) for body in (before, after))),
    ]
    return changes + [Change(part, _swapped(a, b)) for part, a, b in pairs if a != b]


def _locked(body: PromptText) -> str:
    return ", ".join(Part(name).words for name in body.frozen) or "nothing"


def _swapped(before: str, after: str) -> tuple[Piece, ...]:
    """Return two settings as a whole, for words they share by chance tell nothing."""
    return Piece("removed", before), Piece("added", after)


def _lines(
    part: str, before: tuple[tuple[str, str], ...], after: tuple[tuple[str, str], ...]
) -> list[Change]:
    """Return the lines that went and came; a line reworded in place is one change."""
    changes: list[Change] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            continue
        old, new = list(before[a:b]), list(after[c:d])
        for label, text in old:
            near = next((pair for pair in new if pair[0] == label and _alike(text, pair[1])), None)
            if near:
                new.remove(near)
            pieces = diff_words(text, near[1]) if near else (Piece("removed", text),)
            changes.append(Change(f"{part} {label}", pieces))
        changes += [Change(f"{part} {label}", (Piece("added", text),)) for label, text in new]
    return changes


def _alike(a: str, b: str) -> bool:
    return difflib.SequenceMatcher(None, a.split(), b.split(), autojunk=False).ratio() >= 0.5


def _calm(
    codes: Sequence[tuple[str, int, int, int, int]], old: list[str]
) -> list[tuple[str, int, int, int, int]]:
    """Join changes that only a blank or a tiny word parts: nobody reads such confetti."""
    joined: list[tuple[str, int, int, int, int]] = []
    for i, (kind, a, b, c, d) in enumerate(codes):
        is_inside = kind == "equal" and 0 < i < len(codes) - 1
        is_island = is_inside and len("".join(old[a:b]).strip()) < _ISLAND
        if joined and joined[-1][0] != "equal" and (is_island or kind != "equal"):
            joined[-1] = ("replace", joined[-1][1], b, joined[-1][3], d)
        else:
            joined.append(("equal" if kind == "equal" else "replace", a, b, c, d))
    return joined
