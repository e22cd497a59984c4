"""`POST /v1/decisions`: a probability per choice, statement or level, in OpenAI's shape."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.embedded.answering import Answer, Answerer, Question
from studio.embedded.chat import extension
from studio.embedded.conversation import (
    Conversation,
    Turn,
    content_text,
    read_conversation,
    read_turns,
)
from studio.embedded.models import BASE
from studio.embedded.naming import has_negation
from studio.embedded.protocol import ApiError, text_field
from studio.embedded.reading import read_prompt

MOST_QUESTIONS, MOST_CHOICES = 400, 255
_TRUE, _FALSE = "true", "false"


@dataclass(frozen=True)
class Option:
    """One allowed answer: its name as a label, its value on the wire, its description."""

    name: str
    value: Any
    description: str


@dataclass(frozen=True)
class Asked:
    """One question: its type, name, instructions and options."""

    kind: str
    name: str | None
    instructions: str
    options: tuple[Option, ...]


async def decide(body: Mapping[str, Any], answerer: Answerer) -> dict[str, Any]:
    """Return the decision object for a request.

    Raises:
        ApiError: A parameter cannot be used.
        MessageError: The input cannot be used.
        StudioError: The model cannot answer.
    """
    model = text_field(body, "model")
    asked = _questions(body.get("questions"))
    conversation = _input(body.get("input"))
    answers, told, tokens = [], [], 0
    for question in asked:
        answer, note = await _ask(question, model, conversation, answerer)
        answers.append(_shape(question, answer))
        told.append(_told(answer, note, answerer.encoder.engine))
        tokens += answer.prompt_tokens if answer else 0
    return {
        "answers": answers,
        "model": model,
        "usage": {
            "input_tokens": tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens,
        },
        "studio": {"engine": answerer.encoder.engine, "answers": told},
    }


async def _ask(
    asked: Asked, model: str, conversation: Conversation, answerer: Answerer
) -> tuple[Answer | None, str]:
    """Return the answer, or none and why: a question the encoder cannot read is refused."""
    described = [f"- {one.name}: {one.description}" for one in asked.options if one.description]
    parts = [conversation.system, asked.instructions, "Labels:" if described else "", *described]
    system = "\n".join(part for part in parts if part)
    if asked.kind == "predicate":
        return await _ask_statement(asked, model, system, conversation, answerer)
    labels = tuple(one.name for one in asked.options)
    question = Question(model, system, conversation.shots, labels, conversation.text)
    answer = await answerer.answer(question)
    return (answer, "") if answer.readable else (None, "Nothing describes the choices.")


async def _ask_statement(
    asked: Asked, model: str, system: str, conversation: Conversation, answerer: Answerer
) -> tuple[Answer | None, str]:
    """Judge a statement by lines for true and false where there are any, else by itself."""
    labels = (_FALSE, _TRUE)
    said = read_prompt(system, labels, conversation.shots)
    if model == BASE and not any(line.label in labels for line in (*said.lines, *said.shots)):
        if has_negation(asked.instructions):
            return None, "The statement is a negation, which this encoder cannot read."
        flat = " ".join(asked.instructions.split())
        system = f"{conversation.system}\n- {_TRUE}: {flat}"
    question = Question(model, system, conversation.shots, labels, conversation.text)
    return await answerer.answer(question), ""


def _shape(asked: Asked, answer: Answer | None) -> dict[str, Any]:
    if answer is None:
        return {"type": "refusal", "name": asked.name}
    if asked.kind == "predicate":
        chance = answer.probabilities[_TRUE]
        return {"type": "predicate", "name": asked.name, "probability": chance}
    chances = [answer.probabilities[one.name] for one in asked.options]
    if asked.kind == "choice":
        best = next(one for one in asked.options if one.name == answer.label)
        return {
            "type": "choice",
            "name": asked.name,
            "choice": best.value,
            "confidence": choice_confidence(chances),
            "probabilities": [
                {"value": one.value, "probability": chance}
                for one, chance in zip(asked.options, chances, strict=True)
            ],
        }
    return {
        "type": "score",
        "name": asked.name,
        "score": round(sum(place * chance for place, chance in enumerate(chances)), 6),
        "confidence": score_confidence(chances),
        "probabilities": [
            {"value": place, "label": one.value, "probability": chance}
            for place, (one, chance) in enumerate(zip(asked.options, chances, strict=True))
        ],
    }


def choice_confidence(chances: Sequence[float]) -> float:
    """Return how far the best choice stands above chance.

    >>> choice_confidence([0.5, 0.5]), choice_confidence([1.0, 0.0])
    (0.0, 1.0)
    """
    even = 1 / len(chances)
    return round(max(0.0, (max(chances) - even) / (1 - even)), 6)


def score_confidence(chances: Sequence[float]) -> float:
    """Return one minus the spread around the likeliest level, as a share of an even spread.

    >>> score_confidence([0.0, 1.0, 0.0])
    1.0
    """
    mode = max(range(len(chances)), key=chances.__getitem__)
    spread = math.fsum(chance * abs(place - mode) for place, chance in enumerate(chances))
    even = sum(abs(place - mode) for place in range(len(chances))) / len(chances)
    return round(max(0.0, 1 - spread / even), 6)


def _told(answer: Answer | None, note: str, engine: str) -> dict[str, Any]:
    return extension(answer, engine) if answer else {"notes": [note]}


def _input(given: object) -> Conversation:
    if isinstance(given, str):
        return read_conversation([Turn("user", given)])
    if not isinstance(given, Sequence) or not given:
        raise ApiError("input must be a string or a list of messages.", param="input")
    messages = [one for one in given if isinstance(one, Mapping) and "role" in one]
    if not messages:
        raise ApiError("input holds no message.", param="input")
    return read_conversation(read_turns(messages))


def _questions(given: object) -> list[Asked]:
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_QUESTIONS:
        message = f"questions must be a list of 1 to {MOST_QUESTIONS} questions."
        raise ApiError(message, param="questions")
    return [_question(one, f"questions[{number}]") for number, one in enumerate(given)]


def _question(given: object, param: str) -> Asked:
    if not isinstance(given, Mapping):
        raise ApiError(f"{param} is not an object.", param=param)
    kind, name = given.get("type"), given.get("name")
    instructions = content_text(given.get("instructions"), f"{param}.instructions")
    options: tuple[Option, ...] = ()
    if kind == "choice":
        options = _options(given.get("choices"), f"{param}.choices", "value", MOST_CHOICES)
    elif kind == "score":
        options = _options(given.get("levels"), f"{param}.levels", "label", 10)
    elif kind != "predicate":
        raise ApiError(f"{param}.type must be predicate, choice or score.", param=f"{param}.type")
    elif not instructions.strip():
        raise ApiError(f"{param} states nothing.", param=f"{param}.instructions")
    return Asked(str(kind), str(name) if name is not None else None, instructions, options)


def _options(given: object, param: str, key: str, most: int) -> tuple[Option, ...]:
    if not isinstance(given, list) or not 2 <= len(given) <= most:
        raise ApiError(f"{param} must list 2 to {most} options.", param=param)
    options = []
    for number, one in enumerate(given):
        value = one.get(key) if isinstance(one, Mapping) else None
        if not isinstance(value, (str, bool)):
            raise ApiError(f"{param}[{number}].{key} is missing.", param=f"{param}[{number}]")
        name = value if isinstance(value, str) else json.dumps(value)
        options.append(Option(name, value, " ".join(str(one.get("description") or "").split())))
    if len({option.name for option in options}) < len(options):
        raise ApiError(f"{param} names an option twice.", param=param)
    return tuple(options)
