"""Advice on a prompt: what stands where, why it hurts, and the words to put in its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from studio.domain.prompt import PromptText
from studio.domain.prompt_parts import Part
from studio.errors import InputError

BLANK = "[fill in: {}]"
"""What stands in a suggested text where only a person knows the words."""
SENTENCE_END = re.compile(r"(?<!\betc)(?<!\be\.g)(?<!\bi\.e)[.!?;](?=\s|$)|\n")


class Severity(StrEnum):
    """How much a finding matters, worst first."""

    ERROR = "error"
    """It makes figures dishonest or answers wrong; mend it."""
    WARNING = "warning"
    """It probably costs right answers."""
    HINT = "hint"
    """Worth a thought."""
    IDEA = "idea"
    """Nothing is wrong: a line that the expert's own work suggests."""


class Section(StrEnum):
    """A part of a prompt, or what stands beside it."""

    INSTRUCTIONS = "instructions"
    DEFINITION = "definition"
    REASONS = "reasons"
    FEW_SHOTS = "few_shots"
    LABELS = "labels"
    MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a prompt something stands.

    Attributes:
        section: The part.
        label: The label of a definition or of a new reason; empty elsewhere.
        index: Which of the reasons or few-shots; None for a new one and in other parts.
        start, end: Which characters of that text; both 0 for none in particular.
    """

    section: Section
    label: str = ""
    index: int | None = None
    start: int = 0
    end: int = 0

    @property
    def words(self) -> str:
        """Where that is, as people say it.

        >>> Place(section=Section.DEFINITION, label="keto").words
        'definition of keto'
        >>> Place(section=Section.REASONS, label="keto", index=2).words
        'rationale 3'
        """
        if self.section is Section.DEFINITION:
            return f"definition of {self.label}"
        if self.index is not None:
            return (
                f"{'rationale' if self.section is Section.REASONS else 'example'} {self.index + 1}"
            )
        plurals = {
            Section.REASONS: "rationales",
            Section.FEW_SHOTS: "examples",
            Section.LABELS: "label names",
        }
        return plurals.get(self.section, self.section.value)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"section": self.section.value, "label": self.label or None, "index": self.index,
                "start": self.start, "end": self.end}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """Words of a prompt and what to put in their place.

    Attributes:
        place: Where they stand.
        before: The words; empty to add.
        after: What to put there; empty to take them out.
    """

    place: Place
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One finding on a prompt.

    Attributes:
        code: What kind of finding, e.g. "vague".
        severity: How much it matters.
        place: Where it stands.
        title: What was found, in a few words.
        why: What comes of it, in a sentence.
        suggestion: What to do, in a sentence.
        rewrite: The same as an edit; None where only a person can tell, or the prompt is not
            where it is mended.
    """

    code: str
    severity: Severity
    place: Place
    title: str
    why: str
    suggestion: str
    rewrite: Rewrite | None = None

    def to_dict(self, body: PromptText) -> dict[str, Any]:
        """Return plain JSON values, with the sentence around a rewrite as it is and would be."""
        shown = before_after(body, self.rewrite) if self.rewrite else None
        return {
            "code": self.code,
            "severity": self.severity.value,
            "where": {**self.place.to_dict(), "words": self.place.words},
            "title": self.title,
            "why": self.why,
            "suggestion": self.suggestion,
            "rewrite": {"before": shown[0], "after": shown[1]} if shown else None,
        }


def text_at(body: PromptText, place: Place) -> str:
    """Return the text a place is in; empty for what does not stand there yet."""
    if place.section is Section.INSTRUCTIONS:
        return body.instructions
    if place.section is Section.DEFINITION:
        return body.definitions.get(place.label, "")
    if place.section is Section.REASONS and place.index is not None:
        return body.reasons[place.index][1] if place.index < len(body.reasons) else ""
    if place.section is Section.FEW_SHOTS and place.index is not None:
        return body.few_shots[place.index].text if place.index < len(body.few_shots) else ""
    return ""


def apply_rewrite(body: PromptText, rewrite: Rewrite) -> PromptText:
    """Return the prompt with the words replaced, also where they have moved a little since.

    Raises:
        InputError: If the words do not stand there any more, or the part is locked.

    >>> body = PromptText(instructions="Rice, bread, etc. decide.")
    >>> place = Place(section=Section.INSTRUCTIONS, start=11, end=17)
    >>> apply_rewrite(body, Rewrite(place=place, before=", etc.", after="")).instructions
    'Rice, bread decide.'
    """
    place = rewrite.place
    if place.section in (Section.LABELS, Section.MODEL):
        raise InputError(
            f"The {place.words} stands beside the prompt, not in it.",
            next_step="Change it where it is set.",
        )
    if is_locked(body, place):
        raise InputError(
            f"The {part_of(place.section).words} are locked.",
            next_step="Unlock them in the editor to change them.",
        )
    if place.section is Section.REASONS and place.index is None:
        return replace(body, reasons=(*body.reasons, (place.label, rewrite.after)))
    changed = _replaced(text_at(body, place), rewrite)
    if place.section is Section.INSTRUCTIONS:
        return replace(body, instructions=changed)
    if place.section is Section.DEFINITION:
        return replace(body, definitions={**body.definitions, place.label: changed})
    if place.section is Section.REASONS and place.index is not None:
        reasons = list(body.reasons)
        reasons[place.index : place.index + 1] = (
            [(reasons[place.index][0], changed)] if changed.strip() else []
        )
        return replace(body, reasons=tuple(reasons))
    shots = list(body.few_shots)
    index = place.index or 0
    shots[index : index + 1] = [replace(shots[index], text=changed)] if changed.strip() else []
    return replace(body, few_shots=tuple(shots))


def part_of(section: Section) -> Part:
    """Return the part of a prompt that a section of it belongs to."""
    return Part.DEFINITIONS if section is Section.DEFINITION else Part(section.value)


def is_locked(body: PromptText, place: Place) -> bool:
    """Return whether a place is in a part of the prompt that is locked.

    >>> body = PromptText(instructions="Decide.", frozen=("definitions",))
    >>> is_locked(body, Place(section=Section.DEFINITION, label="keto"))
    True
    >>> is_locked(body, Place(section=Section.INSTRUCTIONS))
    False
    """
    beside = place.section in (Section.LABELS, Section.MODEL)
    return not beside and part_of(place.section).value in body.frozen


def before_after(body: PromptText, rewrite: Rewrite) -> tuple[str, str]:
    """Return the sentence a rewrite is in, as it is and as it would be.

    >>> body = PromptText(instructions="Mind the sauce. Rice, bread, etc. decide.")
    >>> place = Place(section=Section.INSTRUCTIONS, start=27, end=33)
    >>> before_after(body, Rewrite(place=place, before=", etc.", after=""))
    ('Rice, bread, etc. decide.', 'Rice, bread decide.')
    """
    text = text_at(body, rewrite.place)
    start, end = rewrite.place.start, rewrite.place.end
    if not text or text[start:end] != rewrite.before:
        return rewrite.before.strip(), rewrite.after.strip()
    ends = [m.end() for m in SENTENCE_END.finditer(text)]
    first = max((i for i in ends if i <= start), default=0)
    inside = start + max(len(rewrite.before.rstrip()), 1)
    last = max(end, min((i for i in ends if i >= inside), default=len(text)))
    before = text[first:last]
    after = before[: start - first] + rewrite.after + before[end - first :]
    return before.strip(), after.strip()


def _replaced(text: str, rewrite: Rewrite) -> str:
    start, end = rewrite.place.start, rewrite.place.end
    if text[start:end] != rewrite.before:
        start = text.find(rewrite.before)
        if start < 0 or text.find(rewrite.before, start + 1) >= 0:
            raise InputError(
                "The words this advice was about have changed since.",
                next_step="Read the advice anew.",
            )
        end = start + len(rewrite.before)
    return text[:start] + rewrite.after + text[end:]
