"""`POST /v1/decisions`: a probability per choice, statement or level, in OpenAI's shape."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from studio.embedded.answering import Answer, Answerer
from studio.embedded.chat import extension
from studio.embedded.conversation import (
    Conversation,
    Turn,
    content_text,
    read_conversation,
    read_turns,
)
from studio.embedded.protocol import ApiError, text_field
from studio.embedded.questions import (
    MOST_CHOICES,
    MOST_LEVELS,
    TRUE,
    Asked,
    Option,
    ask,
    choice_confidence,
    expected_level,
    score_confidence,
)

MOST_QUESTIONS = 400


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
        answer, note = await ask(question, model, conversation, answerer)
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


def _shape(asked: Asked, answer: Answer | None) -> dict[str, Any]:
    if answer is None:
        return {"type": "refusal", "name": asked.name}
    if asked.kind == "predicate":
        chance = answer.probabilities[TRUE]
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
        "score": expected_level(chances),
        "confidence": score_confidence(chances),
        "probabilities": [
            {"value": place, "label": one.value, "probability": chance}
            for place, (one, chance) in enumerate(zip(asked.options, chances, strict=True))
        ],
    }


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
        options = _options(given.get("levels"), f"{param}.levels", "label", MOST_LEVELS)
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
