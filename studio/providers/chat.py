"""The body of a chat question, and what carries it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from studio.domain.prompt import answer_schema
from studio.domain.run import Question

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Reply(NamedTuple):
    """What came back, of whatever status.

    Attributes:
        status: The HTTP status.
        headers: The headers; their names may be asked for in any case.
        content: The body.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes

    def __repr__(self) -> str:
        """Return no word of it: a service may repeat the key, and crash reports show variables."""
        return f"Reply({self.status}, {len(self.content)} bytes)"


class ChatTransport(Protocol):
    """Carries questions to one service: once, without following any redirect.

    There are two, proven to give the same: `PlainTransport` asks every question, for its work is
    a quarter of the other's, and it spares a worker the second that importing the package takes;
    `PackageTransport` sends by the openai package, which does everything else too.
    """

    async def fetch(self, address: str, body: bytes | None = None) -> Reply:
        """Return the reply of an address to a JSON body, or to nothing.

        Raises:
            ProviderError: If no reply came.
        """
        ...

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        ...


class Bodies:
    r"""Encodes questions, and what they share only once: all but the last message, as a rule.

    >>> question = Question(
    ...     model="m", messages=({"role": "user", "content": "hi"},), label_names=("a", "b")
    ... )
    >>> json.loads(Bodies().encode(question, {"seed": 0}))["messages"]
    [{'role': 'user', 'content': 'hi'}]
    """

    def __init__(self) -> None:
        self._shared: tuple[Any, ...] = ()
        self._head = b""

    def encode(self, question: Question, wishes: Mapping[str, Any]) -> bytes:
        """Return the body of a question with what is wished beside it, as JSON."""
        *first, last = question.messages
        shared = (question.model, question.label_names, first, wishes, question.reply_schema)
        if shared != self._shared:
            self._head = _head(question, first, wishes)
            # Copies, for whoever asks may change theirs.
            copies = [dict(message) for message in first]
            self._shared = (
                question.model, question.label_names, copies, dict(wishes), question.reply_schema
            )  # fmt: skip
        return b"%b%b]}" % (self._head, as_json(last))


def _head(question: Question, first: list[dict[str, str]], wishes: Mapping[str, Any]) -> bytes:
    """Return the body up to where the last message stands."""
    body = {
        "model": question.model,
        "response_format": question.reply_schema or answer_schema(question.label_names),
        **wishes,
        "messages": first,
    }
    return as_json(body)[: -len("]}")] + (b"," if first else b"")


def as_json(value: Any) -> bytes:
    """Return a value as the JSON that is sent."""
    return _encode(value).encode("utf-8", "replace")  # half a character could not be sent
