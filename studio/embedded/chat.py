"""`POST /v1/chat/completions`: a chat request in, a label with its probabilities out."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from studio.embedded.answering import Answer, Answerer, Question
from studio.embedded.conversation import Conversation, read_conversation, read_turns
from studio.embedded.disk import new_id
from studio.embedded.protocol import ApiError, text_field

MOST_CHOICES = 128
_CONTENT = json.JSONEncoder(ensure_ascii=False)


@dataclass(frozen=True)
class Form:
    """The form an answer must have.

    Attributes:
        field: The field that carries the label.
        values: The allowed values by the label's name.
        others: Further required fields, filled with empty values.
    """

    field: str
    values: dict[str, Any]
    others: dict[str, Any]


async def complete(body: Mapping[str, Any], answerer: Answerer) -> dict[str, Any]:
    """Return the chat completion for a request.

    Raises:
        ApiError: A parameter cannot be used.
        MessageError: A message cannot be used.
        StudioError: The model cannot answer.
    """
    model = text_field(body, "model")
    conversation = read_conversation(read_turns(body.get("messages")))
    form, wanted = _form(body.get("response_format")), _wanted_logprobs(body)
    copies = body.get("n") or 1
    if not isinstance(copies, int) or not 1 <= copies <= MOST_CHOICES:
        raise ApiError(f"n must be a whole number from 1 to {MOST_CHOICES}.", param="n")
    question = Question(
        model, conversation.system, conversation.shots, tuple(form.values), conversation.text
    )
    answer = await answerer.answer(question)
    content = _content(form, answer)
    used = answerer.count_answer_tokens(content) * copies
    return {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [_choice(number, content, answer, wanted) for number in range(copies)],
        "usage": {
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": used,
            "total_tokens": answer.prompt_tokens + used,
        },
        "system_fingerprint": answer.fingerprint,
        "studio": extension(answer, answerer.encoder.engine, _more_notes(form, conversation)),
    }


def chunks(reply: Mapping[str, Any], with_usage: bool) -> Iterator[str]:
    """Yield a reply as server-sent events."""
    shared = {key: reply[key] for key in ("id", "created", "model", "system_fingerprint")}
    shared["object"] = "chat.completion.chunk"
    for choice in reply["choices"]:
        delta = {"role": "assistant", "content": choice["message"]["content"]}
        part = {"index": choice["index"], "logprobs": choice["logprobs"]}
        yield _event(shared, [{**part, "delta": delta, "finish_reason": None}])
        yield _event(shared, [{**part, "logprobs": None, "delta": {}, "finish_reason": "stop"}])
    if with_usage:
        yield _event({**shared, "usage": reply["usage"]}, [])
    yield "data: [DONE]\n\n"


def extension(answer: Answer, engine: str, more: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the `studio` field of a reply: what the reader did, in full."""
    return {
        "engine": engine,
        "probabilities": answer.probabilities,
        "evidence": [
            {"line": one.line, "label": one.label, "kind": one.kind, "weight": one.weight}
            for one in answer.evidence
        ],
        "unused_lines": list(answer.unused),
        "truncated": answer.truncated,
        "not_english": answer.not_english,
        "notes": [*answer.notes, *more],
    }


def _event(shared: Mapping[str, Any], choices: list[dict[str, Any]]) -> str:
    return f"data: {json.dumps({**shared, 'choices': choices}, ensure_ascii=False)}\n\n"


def _choice(number: int, content: str, answer: Answer, wanted: int | None) -> dict[str, Any]:
    return {
        "index": number,
        "message": {"role": "assistant", "content": content, "refusal": None, "annotations": []},
        "finish_reason": "stop",
        "logprobs": None if wanted is None else _logprobs(answer, wanted),
    }


def _logprobs(answer: Answer, wanted: int) -> dict[str, Any]:
    """Return one token, the label, with the other labels beside it."""
    ranked = sorted(answer.probabilities.items(), key=lambda pair: (-pair[1], pair[0]))
    tokens = [
        {
            "token": label,
            "logprob": math.log(chance) if chance > 0 else -9999.0,
            "bytes": list(label.encode("utf-8", "surrogatepass")),
        }
        for label, chance in ranked[: max(wanted, 1)]
    ]
    return {"content": [{**tokens[0], "top_logprobs": tokens[:wanted]}], "refusal": None}


def _wanted_logprobs(body: Mapping[str, Any]) -> int | None:
    wanted = body.get("top_logprobs")
    if wanted is not None and (not isinstance(wanted, int) or not 0 <= wanted <= 20):
        raise ApiError("top_logprobs must be a whole number from 0 to 20.", param="top_logprobs")
    if not body.get("logprobs"):
        return None
    return wanted or 0


def _content(form: Form, answer: Answer) -> str:
    value = form.values.get(answer.label, answer.label)
    return _CONTENT.encode({form.field: value, **form.others})


def _form(response_format: object) -> Form:
    """Read the labels and the answer's form from a JSON schema; without one, `{"label": ...}`."""
    outer = response_format if isinstance(response_format, Mapping) else {}
    inner = outer.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, Mapping) else None
    fields = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(fields, Mapping):
        return Form("label", {}, {})
    listed = [
        name
        for name, about in fields.items()
        if isinstance(about, Mapping) and isinstance(about.get("enum"), list) and about["enum"]
    ]
    if not listed:
        return Form("label" if "label" in fields else next(iter(fields), "label"), {}, {})
    field = "label" if "label" in listed else listed[0]
    values = {_label_name(value): value for value in fields[field]["enum"]}
    others = {name: _empty(about) for name, about in fields.items() if name != field}
    return Form(field, values, others)


def _label_name(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _empty(about: object) -> Any:
    """Return the emptiest value a field's schema allows."""
    if not isinstance(about, Mapping):
        return ""
    if isinstance(about.get("enum"), list) and about["enum"]:
        return about["enum"][0]
    kind = about.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if "null" in kinds:
        return None
    empty: dict[object, Any] = {"number": 0, "integer": 0, "boolean": False, "array": []}
    return empty.get(kinds[0], {} if kinds[0] == "object" else "")


def _more_notes(form: Form, conversation: Conversation) -> tuple[str, ...]:
    notes = []
    if form.others:
        notes.append(f"This reader writes no prose: {', '.join(form.others)} left empty.")
    if conversation.ignored:
        notes.append(f"Not read of the user message: {', '.join(conversation.ignored)}.")
    return tuple(notes)
