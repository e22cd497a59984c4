"""Decision models: a probability for every label in one pass, by either of two wires.

OpenAI's shape and System One's carry one idea. Which of them a path speaks is not told by its
name, so it is found once by asking about a text of our own; the user's texts follow in that shape.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from studio.domain.prompt import NEUTRAL
from studio.domain.run import Answer, Outcome, Question, Usage
from studio.domain.task import MAX_LABELS
from studio.errors import BadReplyError, InputError, ProviderError, RefusedRequestError
from studio.providers.chat import as_json
from studio.providers.decision_replies import QUESTION, read_decision
from studio.providers.failures import WrongPathError
from studio.providers.line import Line


class Asked(NamedTuple):
    """One choice question, before it has a shape.

    Attributes:
        model: Who is asked.
        instructions: What to decide by; nothing of the text.
        choices: Label name to its description, empty without one.
        state: The text, as JSON data.
    """

    model: str
    instructions: str
    choices: Mapping[str, str]
    state: Any


Shape = Callable[[Asked], dict[str, Any]]


def openai_shape(asked: Asked) -> dict[str, Any]:
    """Return the body of OpenAI's `/v1/decisions`.

    >>> openai_shape(Asked("m", "Is it ham?", {"ham": "", "spam": "ads"}, {"text": "hi"}))["input"]
    [{'role': 'user', 'content': '{"text": "hi"}'}]
    """
    choices = [
        {"value": name, "description": told} if told else {"value": name}
        for name, told in asked.choices.items()
    ]
    question = {
        "type": "choice",
        "name": QUESTION,
        "instructions": asked.instructions,
        "choices": choices,
    }
    text = json.dumps(asked.state, ensure_ascii=False)
    return {
        "model": asked.model,
        "input": [{"role": "user", "content": text}],
        "questions": [question],
    }


def system_one_shape(asked: Asked) -> dict[str, Any]:
    """Return the body of System One's `/v1/systemone`.

    >>> asked = Asked("m", "Is it ham?", {"ham": "", "spam": "ads"}, {"text": "hi"})
    >>> system_one_shape(asked)["questions"]["label"]["criteria"]
    {'ham': None, 'spam': 'ads'}
    """
    question = {
        "type": "choice",
        "instructions": asked.instructions,
        "criteria": {name: told or None for name, told in asked.choices.items()},
    }
    return {"model": asked.model, "state": asked.state, "questions": {QUESTION: question}}


_PROBE = Asked("", "What is the text about?", {"weather": "", "music": ""}, {"text": "It rains."})
_found: dict[tuple[str, str], Shape] = {}
"""Address and model to the shape they speak: one address may speak both, by model."""


class DecisionPath:
    """Asks a decision model by one path, in the shape it turns out to speak.

    Args:
        line: The service.
        path: Where it is under the service's address.
        shapes: The shapes to try, the likelier one first.
    """

    def __init__(self, line: Line, path: str, *shapes: Shape) -> None:
        self._line, self._path, self._shapes = line, path, shapes
        self._probing = asyncio.Lock()

    async def ask(self, question: Question) -> Answer:
        """Ask one question.

        Raises:
            InputError: If no decision model could take it.
            ProviderError: As `Line.post` does.
        """
        asked = _as_asked(question)
        shape, spent = await self._shape(question.model)
        try:
            reply, latency_ms = await self._line.post(self._path, as_json(shape(asked)))
        except RefusedRequestError:
            _found.pop(self._key(question.model), None)  # it may have learned another shape
            raise
        answer = self._read(reply, question.label_names, latency_ms)
        usage = replace(
            answer.usage, input_tokens=answer.usage.input_tokens + spent.input_tokens,
            output_tokens=answer.usage.output_tokens + spent.output_tokens,
        )  # fmt: skip
        return replace(answer, usage=usage)

    async def _shape(self, model: str) -> tuple[Shape, Usage]:
        """Return the shape a model speaks, and what finding it took just now."""
        key = self._key(model)
        async with self._probing:
            if key in _found:
                return _found[key], Usage()
            shape, spent = await self._probe(model)
            _found[key] = shape
            return shape, spent

    def _key(self, model: str) -> tuple[str, str]:
        return f"{self._line.url}/{self._path}", model

    async def _probe(self, model: str) -> tuple[Shape, Usage]:
        first: ProviderError | None = None
        for shape in self._shapes:
            try:
                body = as_json(shape(_PROBE._replace(model=model)))
                reply, latency_ms = await self._line.post(self._path, body)
            except WrongPathError:
                raise
            except RefusedRequestError as error:
                first = first or error
                continue
            answer = self._read(reply, tuple(_PROBE.choices), latency_ms)
            if answer.outcome in (Outcome.OK, Outcome.REFUSED):
                return shape, answer.usage
        raise first or BadReplyError(
            f"{self._line.host} answers a decision in no shape that is known.",
            next_step="Add the provider with another --wire, or ask another model.",
        )

    def _read(self, reply: Any, names: tuple[str, ...], latency_ms: float) -> Answer:
        return read_decision(reply, names, latency_ms=latency_ms, is_local=self._line.is_local)


def decisions_path(line: Line) -> DecisionPath:
    """Return the path that OpenAI and gateways have."""
    return DecisionPath(line, "decisions", openai_shape, system_one_shape)


def system_one_path(line: Line) -> DecisionPath:
    """Return the path that nearly everyone else has, local servers included."""
    return DecisionPath(line, "systemone", system_one_shape, openai_shape)


def _as_asked(question: Question) -> Asked:
    """Return a task's question as one choice.

    Raises:
        InputError: If it has too few or too many labels.
    """
    names = question.label_names
    if not 2 <= len(names) <= MAX_LABELS:
        raise InputError(
            f"A decision model takes 2 to {MAX_LABELS} labels; these are {len(names)}.",
            next_step="Use a chat model (--wire chat), or fewer labels.",
        )
    content = question.messages[-1]["content"]
    try:
        state = json.loads(content)
    except ValueError:
        state = content
    choices = {name: " ".join(question.definitions.get(name, "").split()) for name in names}
    return Asked(question.model, _instructions(question), choices, state)


def _instructions(question: Question) -> str:
    """Return what to decide by; where only messages tell it, their system message."""
    if question.instructions:
        return question.instructions
    told = [m["content"] for m in question.messages[:-1] if m["role"] in ("system", "developer")]
    return "\n\n".join(told) or NEUTRAL
