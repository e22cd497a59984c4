"""The prompt reader: which lines of a prompt an encoder can use, and which it cannot.

It reads the studio's own form and prose of other shapes: any line that begins with a label's name
and a colon, or ends with an arrow and a label, speaks for that label.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from studio.embedded.naming import is_negated, is_readable, only_negates, pretty

Kind = Literal["definition", "reason", "few_shot", "name", "word"]

_BULLET = re.compile(r"^\s*(?:[-*•+]|\d{1,3}[.)])\s+")
_LABELS = r"(?:labels?|categories|classes|(?:label )?definitions?|answers?|options)"
_LABELS_HEADING = re.compile(rf"^\W*(?:the |allowed |possible )?{_LABELS}\W*$", re.I)
_REASONS_HEADING = re.compile(
    r"^\W*(?:reasons?|rationales?|evidence|hints|cues|rules|guidelines)\W*$", re.I
)
_FORMAT = re.compile(r"^\W*answer with (?:exactly )?one (?:of these )?labels?\W*$", re.I)
_INLINE = re.compile(rf"(?:{_LABELS}|one of)\s*:?\s*([^.\n:]+(?:,|\bor\b)[^.\n:]+)", re.I)
_NAMED = re.compile(r"^[\"'`*]*([^:\"'`*]{1,60}?)[\"'`*]*\s*:\s*\S")
_LEFT = r"[\"'`*\[(]*"
_RIGHT = r"[\"'`*\])]*"


@dataclass(frozen=True)
class Line:
    """One piece of a prompt that speaks for a label.

    Attributes:
        text: The words as they stand in the prompt, bullet and label name left out.
        label: The label they speak for.
        kind: Where they come from.
        embedded: What the encoder is given for them.
    """

    text: str
    label: str
    kind: Kind
    embedded: str


@dataclass(frozen=True)
class Reading:
    """What the reader found in a prompt.

    Attributes:
        labels: The labels to choose from.
        lines: Definitions, reasons and readable names.
        shots: The prompt's labeled examples.
        unused: Lines that an encoder cannot use, as they stand.
        mute: Labels that nothing readable speaks for.
        notes: Sentences for the prompt's author.
    """

    labels: tuple[str, ...]
    lines: tuple[Line, ...]
    shots: tuple[Line, ...]
    unused: tuple[str, ...]
    mute: tuple[str, ...]
    notes: tuple[str, ...]


def read_prompt(
    system: str,
    labels: Sequence[str] = (),
    shots: Sequence[tuple[str, str]] = (),
    described: Sequence[tuple[str, str]] = (),
) -> Reading:
    """Read a prompt's text, its labeled examples and (label, description) pairs for the labels.

    Without labels they are taken from the text, then from the examples; a reading without labels
    means that there are none.
    """
    names = tuple(dict.fromkeys(labels)) or _named_labels(system, shots)
    said, unused = _scan(system, names)
    defined = [(label, words, False) for label, words in described]
    lines, mute, notes = _weigh(names, [*defined, *said])
    examples = tuple(Line(text, label, "few_shot", text) for text, label in shots if label in names)
    if len(examples) < len(shots):
        notes.append(f"{len(shots) - len(examples)} examples of the prompt carry an unknown label.")
    spoken = {line.label for line in examples}
    notes += [_wanted(label, names) for label in mute if label not in spoken]
    return Reading(names, tuple(lines), examples, tuple(unused), tuple(mute), tuple(notes))


def _named_labels(system: str, shots: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the labels a text lists: under a heading, else inline, else before colons."""
    below = False
    listed: list[str] = []
    before_colon: list[str] = []
    for raw in system.splitlines():
        bare = _BULLET.sub("", raw).strip()
        named = _NAMED.match(bare)
        if _LABELS_HEADING.match(bare) and bare:
            below = True
        elif not bare or _REASONS_HEADING.match(bare):
            below = below and not listed
        elif below:
            listed.append(named.group(1) if named else bare.strip("\"'`*"))
        elif named and len(named.group(1).split()) <= 3 and _BULLET.match(raw):
            before_colon.append(named.group(1))
    if len(set(listed)) < 2 and (inline := _INLINE.search(system)):
        parts = re.split(r",|\bor\b|\band\b", inline.group(1))
        listed = [part.strip(" \"'`*") for part in parts if part.strip(" \"'`*")]
    found = listed if len(set(listed)) > 1 else before_colon
    if len(set(found)) < 2:
        found = [label for _, label in shots]
    return tuple(dict.fromkeys(name.strip() for name in found))


def _scan(system: str, labels: Sequence[str]) -> tuple[list[tuple[str, str, bool]], list[str]]:
    """Return (label, words, said as a reason) for the lines that name a label, and the others."""
    if not labels:
        return [], [line.strip() for line in system.splitlines() if line.strip()]
    start, arrow = _patterns(labels)
    # Sorted, so that of names which read alike it is the same one whatever their order.
    known = {_key(label): label for label in sorted(labels)}
    said: list[tuple[str, str, bool]] = []
    unused: list[str] = []
    reasons, heading = False, ""
    for raw in system.splitlines():
        line = _BULLET.sub("", raw).strip()
        if not line:
            heading = ""
        elif _LABELS_HEADING.match(line) or _REASONS_HEADING.match(line):
            reasons, heading = bool(_REASONS_HEADING.match(line)), ""
        elif found := start.match(line):
            label, words = known[_key(found.group(1))], found.group(2).strip()
            heading = "" if words else label
            if words:
                said.append((label, words, reasons))
        elif found := arrow.match(line):
            said.append((known[_key(found.group(2))], found.group(1).strip(), True))
        elif heading and (_BULLET.match(raw) or raw[:1].isspace()):
            said.append((heading, line, reasons))
        elif _key(line.strip("\"'`*")) not in known and not _FORMAT.match(line):
            unused.append(line)
    return said, unused


def _patterns(labels: Sequence[str]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    variants = [
        r"[_\-\s]+".join(re.escape(part) for part in re.split(r"[_\-\s]+", label) if part)
        for label in sorted(labels, key=lambda label: (-len(label), label))
    ]
    names = "|".join(variant for variant in variants if variant) or r"(?!)"
    tail = rf"(?:\s*[:=—–]|\s+-\s)\s*{_RIGHT}(.*)$"
    start = rf"^{_LEFT}({names}){_RIGHT}\s*(?:\([^)]*\))?{_RIGHT}{tail}"
    arrow = rf"^(?:if )?(.+?),?\s*(?:->|=>|→|⇒)\s*{_LEFT}({names}){_RIGHT}\W*$"
    return re.compile(start, re.I), re.compile(arrow, re.I)


def _key(label: str) -> str:
    return re.sub(r"[_\-\s]+", " ", label).strip().lower()


def _weigh(
    labels: Sequence[str], said: Sequence[tuple[str, str, bool]]
) -> tuple[list[Line], list[str], list[str]]:
    """Turn what was said into lines; name the labels left mute and what could not be read."""
    lines: list[Line] = []
    notes: list[str] = []
    for label, words, reason in dict.fromkeys(said):
        defined = any(line.label == label and line.kind == "definition" for line in lines)
        if only_negates(words, label, labels):
            notes.append(f'"{words}" only says what {label} is not, which cannot be read.')
        elif reason or defined:
            lines.append(Line(words, label, "reason", words))
        else:
            named = f"{pretty(label)}: {words}" if is_readable(label, labels) else words
            lines.append(Line(words, label, "definition", named))
    mute = []
    for label in labels:
        if any(line.label == label for line in lines):
            continue
        if is_readable(label, labels):
            lines.append(Line(label, label, "name", pretty(label)))
        else:
            mute.append(label)
    return lines, mute, notes


def _wanted(label: str, labels: Sequence[str]) -> str:
    why = "is a negation and cannot be read" if is_negated(label, labels) else "says nothing"
    return f"Give {label} a definition: its name {why}."
