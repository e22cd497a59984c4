"""What a list of chat messages says: the prompt, its examples, the text to judge."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ROLES = ("system", "developer", "user", "assistant", "tool")


class MessageError(ValueError):
    """A message cannot be used; `param` names the place."""

    def __init__(self, message: str, param: str = "messages") -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True)
class Turn:
    """One message: who speaks, and the words."""

    role: str
    text: str


@dataclass(frozen=True)
class Conversation:
    """A prompt and the text it is asked about.

    Attributes:
        system: Everything said by system and developer messages.
        shots: The prompt's labeled examples: pairs of a user and an assistant turn.
        text: The text to judge.
        ignored: Fields of the last user turn that were not read.
    """

    system: str
    shots: tuple[tuple[str, str], ...]
    text: str
    ignored: tuple[str, ...]


def read_turns(messages: object) -> list[Turn]:
    """Return the turns of a list of messages.

    Raises:
        MessageError: It is no list of messages, a role is unknown, or a part is no text.
    """
    if not isinstance(messages, Sequence) or isinstance(messages, str) or not messages:
        raise MessageError("messages must be a list with at least one message.")
    turns = []
    for number, message in enumerate(messages):
        param = f"messages[{number}]"
        if not isinstance(message, Mapping):
            raise MessageError(f"{param} is not an object.", param)
        role = message.get("role")
        if role not in ROLES:
            allowed = ", ".join(ROLES)
            raise MessageError(f"{param} has the role {role!r}; allowed are {allowed}.", param)
        turns.append(Turn(str(role), content_text(message.get("content"), f"{param}.content")))
    return turns


def read_conversation(turns: Sequence[Turn]) -> Conversation:
    """Return the prompt, its examples and the text of the last user turn.

    Raises:
        MessageError: There is no user turn.
    """
    system = "\n".join(turn.text for turn in turns if turn.role in ("system", "developer"))
    users = [number for number, turn in enumerate(turns) if turn.role == "user"]
    if not users:
        raise MessageError("There is no user message, so there is no text to judge.")
    last = users[-1]
    shots = tuple(
        (user_text(turn.text)[0], label_of(answer.text))
        for turn, answer in itertools.pairwise(turns[:last])
        if turn.role == "user" and answer.role == "assistant"
    )
    text, ignored = user_text(turns[last].text)
    return Conversation(system, shots, text, ignored)


def content_text(content: object, param: str) -> str:
    """Return the words of a message's content: a string, or text and JSON parts.

    Raises:
        MessageError: A part is not text.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        raise MessageError(f"{param} is neither a string nor a list of parts.", param)
    words = []
    for part in content:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind in ("text", "input_text", "output_text") and isinstance(part.get("text"), str):
            words.append(part["text"])
        elif kind == "input_json":
            words.append(json.dumps(part.get("json", part.get("value")), ensure_ascii=False))
        elif kind == "refusal":
            words.append(str(part.get("refusal", "")))
        else:
            raise MessageError(f"{param} holds a part of type {kind!r}; only text is read.", param)
    return "\n".join(words)


def user_text(content: str) -> tuple[str, tuple[str, ...]]:
    """Return the text to judge of a user turn, and the names of fields that are not read.

    >>> user_text('{"text": "fried rice", "menu": "lunch"}')
    ('fried rice', ('menu',))
    >>> user_text("fried rice")
    ('fried rice', ())
    """
    given = _json_object(content)
    if given is None:
        return content.strip(), ()
    if isinstance(given.get("text"), str):
        return given["text"], tuple(key for key in given if key != "text")
    strings = {key: value for key, value in given.items() if isinstance(value, str)}
    if len(strings) == 1:
        (only,) = strings
        return strings[only], tuple(key for key in given if key != only)
    return "\n".join(f"{key}: {value}" for key, value in given.items()), ()


def label_of(content: str) -> str:
    """Return the label an assistant turn names: `{"label": ...}` or the bare label.

    >>> label_of('{"label": "keto"}'), label_of(" keto ")
    ('keto', 'keto')
    """
    given = _json_object(content)
    if given is None:
        return content.strip()
    if "label" in given:
        value = given["label"]
    else:
        value = next(iter(given.values())) if len(given) == 1 else None
    if isinstance(value, bool):
        return json.dumps(value)
    return str(value).strip() if isinstance(value, (str, int)) else ""


def parse_json(raw: str | bytes) -> Any:
    """Return the value of a JSON text, halves of surrogate pairs replaced.

    JSON can carry them and nothing else can: no file, no reply, no tokenizer.

    Raises:
        ValueError: It is not JSON.
    """
    value = json.loads(raw)
    if (rb"\ud" if isinstance(raw, bytes) else r"\ud") in raw.lower():  # type: ignore[operator]
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return value


def _json_object(content: str) -> dict[str, Any] | None:
    if not content.lstrip().startswith("{"):
        return None
    try:
        given = parse_json(content)
    except (ValueError, RecursionError):
        return None
    return given if isinstance(given, dict) and given else None
