"""Questions of decision models, whichever wire they came by: one engine answers both.

Options are judged each by itself, so that their order cannot matter; a question never sees the
others of its request.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.embedded.answering import Answer, Answerer, Question
from studio.embedded.conversation import Conversation
from studio.embedded.models import BASE
from studio.embedded.naming import has_negation
from studio.embedded.reading import read_prompt

MOST_CHOICES, MOST_LEVELS = 255, 10
TRUE, FALSE = "true", "false"
_MEANS = {"yes": TRUE, "true": TRUE, "no": FALSE, "false": FALSE}


@dataclass(frozen=True)
class Option:
    """One allowed answer: its name as a label, its value on the wire, its description."""

    name: str
    value: Any
    description: str


@dataclass(frozen=True)
class Asked:
    """One question.

    Attributes:
        kind: predicate, choice or score.
        name: What the wire calls it.
        instructions: What is asked, or the statement to judge.
        options: The choices or levels; for a predicate what true and false mean, where told.
    """

    kind: str
    name: str | None
    instructions: str
    options: tuple[Option, ...]

    @property
    def described(self) -> tuple[tuple[str, str], ...]:
        """Return (name, description) of the options that have one."""
        return tuple((one.name, one.description) for one in self.options if one.description)


async def ask(
    asked: Asked, model: str, conversation: Conversation, answerer: Answerer
) -> tuple[Answer | None, str]:
    """Return the answer, or none and why: what the encoder cannot read gets no made-up figure.

    Raises:
        StudioError: The model cannot answer.
    """
    if asked.kind == "predicate":
        return await _ask_statement(asked, model, conversation, answerer)
    if model == BASE and (sides := _yes_and_no(asked.options)):
        statement = replace(asked, kind="predicate", options=())
        answer, note = await _ask_statement(statement, model, conversation, answerer)
        return (_renamed(answer, sides) if answer else None), note
    system = "\n".join(part for part in (conversation.system, asked.instructions) if part)
    labels = tuple(one.name for one in asked.options)
    question = Question(
        model, system, conversation.shots, labels, conversation.text, asked.described
    )
    answer = await answerer.answer(question)
    return (answer, "") if answer.readable else (None, "Nothing describes the choices.")


def _yes_and_no(options: Sequence[Option]) -> dict[str, str]:
    """Return which option means true and which false, if two say no more than yes and no.

    Such words resemble no text: the statement itself is what can be judged.
    """
    words = [(one.description or one.name).strip(" .!").lower() for one in options]
    means = [_MEANS.get(word, "") for word in words]
    if sorted(means) != [FALSE, TRUE]:
        return {}
    return {meaning: one.name for meaning, one in zip(means, options, strict=True)}


def _renamed(answer: Answer, names: Mapping[str, str]) -> Answer:
    return replace(
        answer,
        label=names[answer.label],
        probabilities={names[side]: chance for side, chance in answer.probabilities.items()},
        evidence=tuple(one._replace(label=names[one.label]) for one in answer.evidence),
    )


async def _ask_statement(
    asked: Asked, model: str, conversation: Conversation, answerer: Answerer
) -> tuple[Answer | None, str]:
    """Judge by what is said of true and false; where true has no words, by the statement."""
    labels, described, shots = (FALSE, TRUE), asked.described, conversation.shots
    system = "\n".join(part for part in (conversation.system, asked.instructions) if part)
    if model == BASE:
        said = read_prompt(system, labels, shots, described)
        spoken = {line.label for line in (*said.lines, *said.shots)}
        statement = " ".join(asked.instructions.split())
        if TRUE not in spoken and statement and not has_negation(statement):
            system, described = conversation.system, (*described, (TRUE, statement))
        elif not spoken:
            return None, (
                "The statement is a negation, which this encoder cannot read."
                if statement
                else "Nothing is stated."
            )
    question = Question(model, system, shots, labels, conversation.text, described)
    return await answerer.answer(question), ""


def choice_confidence(chances: Sequence[float]) -> float:
    """Return how far the best choice stands above chance, as TypeSafe computes it.

    >>> choice_confidence([0.5, 0.5]), choice_confidence([1.0, 0.0])
    (0.0, 1.0)
    """
    even = 1 / len(chances)
    return round(max(0.0, (max(chances) - even) / (1 - even)), 6)


def score_confidence(chances: Sequence[float]) -> float:
    """Return one minus the spread around the likeliest level, as TypeSafe computes it.

    The spread is a share of that of even chances around their middle.

    >>> score_confidence([0.0, 1.0, 0.0]), score_confidence([0.25, 0.5, 0.25])
    (1.0, 0.25)
    """
    count = len(chances)
    mode = max(range(count), key=chances.__getitem__)
    spread = math.fsum(chance * abs(place - mode) for place, chance in enumerate(chances))
    even = sum(abs(place - (count - 1) / 2) for place in range(count)) / count
    return round(max(0.0, 1 - spread / even), 6)


def expected_level(chances: Sequence[float]) -> float:
    """Return the mean level, counted from 0.

    >>> expected_level([0.5, 0.0, 0.5])
    1.0
    """
    return round(sum(place * chance for place, chance in enumerate(chances)), 6)
