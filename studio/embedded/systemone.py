"""`POST /v1/systemone`: the decision models' other wire, System One by TypeSafe.

A state and named questions in, a probability for each declared answer out; the same engine as
`/v1/decisions`. There is no refusal here, so a question that the encoder cannot read gets even
chances, confidence 0 and a note in `x_studio`. Errors have this wire's own shape: `detail`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from studio.embedded.answering import Answer, Answerer
from studio.embedded.chat import extension
from studio.embedded.conversation import Conversation, user_text
from studio.embedded.models import BASE
from studio.embedded.protocol import ApiError, JsonReply, as_api_error
from studio.embedded.questions import (
    FALSE,
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
from studio.embedded.scoring import best

MOST_QUESTIONS, DEEPEST = 1000, 64
ALIASES = ("jev-latest", "jev-preview")
Place = tuple[str | int, ...]


class InvalidError(ApiError):
    """A request that cannot be read: the place, in words, and the kind of fault."""

    def __init__(self, place: Place, message: str, kind: str) -> None:
        super().__init__(message, status=422)
        self.place, self.kind = place, kind


async def evaluate(body: Mapping[str, Any], answerer: Answerer) -> dict[str, Any]:
    """Return the answers to a request.

    Raises:
        InvalidError: The request cannot be read.
        StudioError: The model cannot answer.
    """
    model = _model(body)
    state = state_text(_given(body, "state"))
    conversation = Conversation("", (), state, ())
    questions = _questions(_given(body, "questions"), model)
    answers, tokens = {}, 0
    for name, (asked, levels) in questions.items():
        answer, note = await ask(asked, model, conversation, answerer)
        answers[name] = _shape(asked, levels, answer) | {"x_studio": _told(answer, note)}
        tokens += answer.prompt_tokens if answer else 0
    return {
        "model": model,
        "answers": answers,
        "usage": {"input_tokens": tokens, "output_tokens": 0},
        "x_studio": {"engine": answerer.encoder.engine},
    }


def refusal(error: Exception) -> JsonReply:
    """Return this wire's error body for an exception."""
    if isinstance(error, InvalidError):
        fault = {"loc": ["body", *error.place], "msg": error.message, "type": error.kind}
        return JsonReply({"detail": [fault]}, 422)
    told = as_api_error(error)
    if told.code == "invalid_json":
        fault = {"loc": ["body"], "msg": told.message, "type": "json_invalid"}
        return JsonReply({"detail": [fault]}, 422)
    kind = told.kind if told.status in (401, 429, 500) else told.code or told.kind
    detail = {"error_type": kind, "message": told.message}
    return JsonReply({"detail": detail}, told.status, told.headers)


def state_text(state: object) -> str:
    r"""Return the words of a state.

    A string is read as a user turn is. Of objects and lists every value is, a line each, named by
    its key unless it is the only one.

    Raises:
        InvalidError: It is null, a number or a boolean, or nested too deep.

    >>> state_text({"ticket": {"subject": "Refund", "days": [3, 5]}})
    'subject: Refund\ndays: 3\ndays: 5'
    >>> state_text({"text": "fried rice"})
    'fried rice'
    """
    if isinstance(state, str):
        return user_text(state)[0]
    return _flat(state, ("state",))


def _flat(value: object, place: Place) -> str:
    """Return the words of a string, an object or a list; of whatever it holds, in order."""
    if isinstance(value, str):
        return value
    if not isinstance(value, (Mapping, list)):
        raise InvalidError(place, "Input should be a string, an object or an array", "union_type")
    lines: list[tuple[str, str]] = []
    left: list[tuple[str, object, int]] = [("", value, 1)]  # no recursion: others choose the depth
    while left:
        key, one, depth = left.pop()
        if depth > DEEPEST:
            message = f"Input should be nested at most {DEEPEST} levels deep"
            raise InvalidError(place, message, "recursion_loop")
        if isinstance(one, Mapping):
            left += [(str(name), inner, depth + 1) for name, inner in reversed(list(one.items()))]
        elif isinstance(one, list):
            left += [(key, inner, depth + 1) for inner in reversed(one)]
        elif isinstance(one, float) and not math.isfinite(one):
            raise InvalidError(place, "Input should be a finite number", "finite_number")
        elif one is not None:
            lines.append((key, one if isinstance(one, str) else json.dumps(one)))
    if len(lines) == 1:
        return lines[0][1]
    return "\n".join(f"{key}: {words}" if key else words for key, words in lines)


def _model(body: Mapping[str, Any]) -> str:
    model = _given(body, "model")
    if not isinstance(model, str):
        raise InvalidError(("model",), "Input should be a valid string", "string_type")
    return BASE if model in ALIASES else model


def _given(body: Mapping[str, Any], name: str) -> Any:
    if name not in body:
        raise InvalidError((name,), "Field required", "missing")
    return body[name]


def _questions(given: object, model: str) -> dict[str, tuple[Asked, list[Any]]]:
    if not isinstance(given, Mapping):
        raise InvalidError(("questions",), "Input should be a valid dictionary", "dict_type")
    _count(given, 1, MOST_QUESTIONS, ("questions",))
    return {name: _question(one, name, model) for name, one in given.items()}


def _question(given: object, name: str, model: str) -> tuple[Asked, list[Any]]:
    """Return a question, and its levels as they were given."""
    place: Place = ("questions", name)
    if not isinstance(given, Mapping):
        raise InvalidError(place, "Input should be a valid dictionary", "dict_type")
    kind, criteria = given.get("type"), given.get("criteria")
    told = given.get("instructions")
    instructions = "" if told is None else _flat(told, (*place, "instructions"))
    where = (*place, "criteria")
    if kind == "noul":
        return Asked("predicate", name, instructions, _sides(criteria, where)), []
    if kind == "choice":
        return Asked("choice", name, instructions, _choices(criteria, where)), []
    if kind == "score":
        if not isinstance(criteria, list):
            raise InvalidError(where, "Input should be a valid list", "list_type")
        return Asked("score", name, instructions, _levels(criteria, where, model)), criteria
    allowed = "Input should be 'noul', 'choice' or 'score'"
    raise InvalidError((*place, "type"), allowed, "missing" if kind is None else "literal_error")


def _sides(criteria: object, place: Place) -> tuple[Option, ...]:
    """Return what true and false mean; either may be left out."""
    if criteria is None:
        return ()
    if not isinstance(criteria, Mapping) or set(criteria) - {TRUE, FALSE}:
        message = "Input should be an object with 'true', 'false' or both"
        raise InvalidError(place, message, "model_type")
    return tuple(_option(name, criteria[name], place) for name in (FALSE, TRUE) if name in criteria)


def _choices(criteria: object, place: Place) -> tuple[Option, ...]:
    if not isinstance(criteria, Mapping):
        raise InvalidError(place, "Input should be a valid dictionary", "dict_type")
    _count(criteria, 2, MOST_CHOICES, place)
    return tuple(_option(name, words, place) for name, words in criteria.items())


def _levels(criteria: list[Any], place: Place, model: str) -> tuple[Option, ...]:
    """Return the levels: by number with their words, or by their words to a trained model."""
    _count(criteria, 2, MOST_LEVELS, place)
    words = [_flat(one, (*place, number)) for number, one in enumerate(criteria)]
    if model != BASE and len(set(words)) == len(words):
        return tuple(Option(one, one, "") for one in words)
    return tuple(Option(str(n), n, " ".join(one.split())) for n, one in enumerate(words))


def _option(name: str, words: object, place: Place) -> Option:
    told = "" if words is None else _flat(words, (*place, name))
    return Option(name, name, " ".join(told.split()))


def _count(given: Mapping[str, Any] | list[Any], least: int, most: int, place: Place) -> None:
    kind = "List" if isinstance(given, list) else "Dictionary"
    found = f"items, not {len(given)}"
    if len(given) < least:
        raise InvalidError(place, f"{kind} should have at least {least} {found}", "too_short")
    if len(given) > most:
        raise InvalidError(place, f"{kind} should have at most {most} {found}", "too_long")


def _shape(asked: Asked, levels: list[Any], answer: Answer | None) -> dict[str, Any]:
    if asked.kind == "predicate":
        return {"type": "noul", "noul": answer.probabilities[TRUE] if answer else 0.5}
    names = [one.name for one in asked.options]
    chances = [answer.probabilities[name] if answer else 1 / len(names) for name in names]
    if asked.kind == "choice":
        found = dict(zip(names, chances, strict=True))
        return {
            "type": "choice",
            "choice": best(found),
            "probabilities": found,
            "confidence": choice_confidence(chances),
        }
    return {
        "type": "score",
        "score": expected_level(chances),
        "legend": {str(number): level for number, level in enumerate(levels)},
        "probabilities": {str(number): chance for number, chance in enumerate(chances)},
        "confidence": score_confidence(chances),
    }


def _told(answer: Answer | None, note: str) -> dict[str, Any]:
    if answer is None:
        return {"notes": [note]}
    told = extension(answer, "")
    return {key: told[key] for key in told if key not in ("engine", "probabilities")}
