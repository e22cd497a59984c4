"""A guided tour of good and bad prompts for a task's own type, with its own labels in it.

Every step holds a bad prompt that gets the advice it illustrates, and a good one that gets none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.analysis.advice_labels import is_rest
from studio.analysis.advice_reading import Known
from studio.analysis.prompt_advice import advise
from studio.domain.advice import Severity
from studio.domain.prompt import PromptText

_PLACE, _MEANT = re.compile(r"\[\[(\d)\]\]"), re.compile(r"\[\[=(\d)\]\]")
_NEGATED = re.compile(r"^(?:not|non|no|un|in)(?=[_\- ]|$)|^(?:false|0)$", re.IGNORECASE)
_MEANING = ("urgency", "spam", "tone")
_FEWEST, _WORDS = 3, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TourStep:
    """One lesson.

    Attributes:
        code: The advice that the bad prompt gets.
        title: What to do, in a few words.
        changes: Why, in a sentence or two.
        bad: A prompt that lacks it.
        good: The same prompt with it.
        labels: The labels of the bad prompt; it may lack one.
    """

    code: str
    title: str
    changes: str
    bad: PromptText
    good: PromptText
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tour:
    """Lessons for one type of task.

    Attributes:
        kind: The type.
        title: What people call it.
        labels: The labels in the lessons: the task's own where it told enough of them.
        is_own: Whether they are the task's own.
        steps: The lessons.
    """

    kind: str
    title: str
    labels: tuple[str, ...]
    is_own: bool
    steps: tuple[TourStep, ...]


def likely_kind(tours: Sequence[Mapping[str, Any]], labels: Sequence[str], question: str) -> str:
    """Return the type of task that its labels and question look like.

    >>> tours = [{"kind": "spam", "labels": ["spam", "fine"], "roles": {1: "spam|abus", 2: "ham"}}]
    >>> likely_kind(tours, ["ham", "spam"], ""), likely_kind(tours, ["keto", "not_keto"], "")
    ('spam', 'yes_no')
    """
    for kind in _MEANING:
        tour = next((one for one in tours if one["kind"] == kind), None)
        if tour is not None and _by_meaning(tour, labels):
            return kind
    if len(labels) == 2:
        return "yes_no"
    wants = re.search(r"\b(?:want|intent|wish|ask for|request)", question, re.IGNORECASE)
    return "intent" if wants else "topics"


def tour_of(
    told: Mapping[str, Any],
    labels: Sequence[str],
    definitions: Mapping[str, str],
    cues: Mapping[str, Sequence[str]] | None = None,
    question: str = "",
) -> Tour:
    """Return the lessons of a type, with a task's own labels where they can teach.

    They can where each has a definition that gets no advice, or words of its own, or a meaning
    that the type knows. Otherwise the lessons keep the labels of their own example.

    Args:
        told: The type, as data/prompt_tour.yaml has it.
        labels: The task's label names.
        definitions: The task's definitions by label name.
        cues: Label name to words that speak for it.
        question: What the task asks.
    """
    world = dict(enumerate(told["labels"], 1))
    said = _Words(told["good"]["instructions"], world, _base(told))
    is_own = False
    asked = [question, told.get("own") or told["good"]["instructions"]]
    for names, words in _candidates(told, labels, definitions, cues or {}):
        for instructions in filter(None, asked):
            own = _Words(instructions, names, words)
            if not is_own and all(_teaches(one, tuple(names.values())) for one in own.steps(told)):
                said, is_own = own, True
    return Tour(
        kind=told["kind"], title=told["title"], labels=tuple(said.names.values()), is_own=is_own,
        steps=said.steps(told),
    )  # fmt: skip


def start_from(step: TourStep, tour: Tour, body: PromptText) -> PromptText:
    """Return a prompt to begin with: what the lesson says, in what the task says already.

    Definitions, rationales and few-shots of the prompt stay; those of a lesson with the labels of
    another task are not taken over.
    """
    definitions = step.good.definitions if tour.is_own else {}
    kept = {name: text for name, text in body.definitions.items() if text.strip()}
    return replace(body, instructions=step.good.instructions, definitions={**definitions, **kept})


def _candidates(
    told: Mapping[str, Any], labels: Sequence[str], definitions: Mapping[str, str],
    cues: Mapping[str, Sequence[str]],
) -> list[tuple[dict[int, str], dict[int, str]]]:  # fmt: skip
    """Return pairs of names and definitions by role, the task's own words first."""
    meant = _by_meaning(told, labels) if told.get("roles") else _by_place(told, labels)
    if not meant:
        return []
    own = {role: definitions.get(name, "").strip() for role, name in meant.items()}
    spoken = {
        role: ", ".join(cues.get(name, ())[:_WORDS]).capitalize() + "."
        for role, name in meant.items()
    }
    known = {role: len(cues.get(name, ())) >= 2 for role, name in meant.items()}
    found = []
    if all(own.values()):
        found.append((meant, own))
    if all(own[role] or known[role] for role in meant):
        found.append((meant, {role: own[role] or spoken[role] for role in meant}))
    if all(known.values()):
        found.append((meant, spoken))
    if told.get("roles"):
        found.append((meant, _base(told)))
    return found


def _by_meaning(told: Mapping[str, Any], labels: Sequence[str]) -> dict[int, str]:
    """Return role to label where each role finds one of its own; empty otherwise."""
    found: dict[int, str] = {}
    for role, pattern in (told.get("roles") or {}).items():
        fitting = [
            name for name in labels
            if name not in found.values() and re.search(rf"(?:^|[\W_])(?:{pattern})", name, re.I)
        ]  # fmt: skip
        if not fitting:
            return {}
        found[int(role)] = fitting[0]
    return found if len(found) == len(labels) else {}


def _by_place(told: Mapping[str, Any], labels: Sequence[str]) -> dict[int, str]:
    """Return role to label in order, a denied one or one for the rest last; empty where too few."""
    fits = len(labels) >= _FEWEST if told.get("many") else len(labels) == len(told["labels"])
    ordered = sorted(labels, key=lambda name: is_rest(name) or bool(_NEGATED.search(name)))
    return dict(enumerate(ordered, 1)) if fits else {}


def _base(told: Mapping[str, Any]) -> dict[int, str]:
    return {int(role): text for role, text in told["good"]["definitions"].items()}


@dataclass(frozen=True, slots=True)
class _Words:
    """What stands in the places of the lessons: instructions, names and definitions by role."""

    instructions: str
    names: Mapping[int, str]
    definitions: Mapping[int, str]

    def steps(self, told: Mapping[str, Any]) -> tuple[TourStep, ...]:
        good = PromptText(
            instructions=self._filled(self.instructions),
            definitions={self.names[role]: text for role, text in self.definitions.items()},
        )
        return tuple(self._step(one, good) for one in told["steps"])

    def _step(self, told: Mapping[str, Any], good: PromptText) -> TourStep:
        bad = told["bad"]
        keeps_rest = bad.get("rest", True)
        labels = tuple(n for n in self.names.values() if keeps_rest or not is_rest(n))
        given = {self.names[int(r)]: text for r, text in bad.get("definitions", {}).items()}
        definitions = good.definitions | {n: self._filled(text) for n, text in given.items()}
        body = PromptText(
            instructions=self._filled(bad.get("instructions", self.instructions)),
            definitions={n: t for n, t in definitions.items() if t and n in labels},
            reasons=tuple((self.names[int(r)], line) for r, line in bad.get("reasons", [])),
        )
        return TourStep(
            code=told["code"], title=told["title"], changes=told["changes"], bad=body, good=good,
            labels=labels,
        )  # fmt: skip

    def _filled(self, text: str) -> str:
        said = text.replace("[[?]]", self.instructions)
        said = _MEANT.sub(lambda m: self.definitions.get(int(m[1]), "").rstrip(" ."), said)
        said = _PLACE.sub(lambda m: self.names.get(int(m[1]), ""), said)
        return said[:1].upper() + said[1:]


def _teaches(step: TourStep, labels: tuple[str, ...]) -> bool:
    """Return whether the bad prompt gets the advice of its lesson, and the good one none."""
    bad = {one.code for one in advise(step.bad, Known(labels=step.labels))}
    good = [
        one for one in advise(step.good, Known(labels=labels)) if one.severity is not Severity.IDEA
    ]
    return step.code in bad and not good
