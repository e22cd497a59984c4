"""The two paths on which a model writes its answer: chat completions, and responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from studio.domain.prompt import answer_schema
from studio.domain.run import Answer, Question
from studio.providers.chat import Bodies, as_json
from studio.providers.failures import RefusedParameterError
from studio.providers.line import Line
from studio.providers.replies import read_reply
from studio.providers.sampling import RESPONSES, Sampling

_FINISH = {"max_output_tokens": "length", "content_filter": "content_filter"}


class TextPath:
    """Asks by one path, and again without the wishes that a model refuses.

    Args:
        line: The service.
        path: Where it is under the service's address.
        sampling: What is wished beside a question.
        encode: Gives the body of a question with these wishes.
        completion: Turns a reply into the shape of a chat completion.
    """

    def __init__(
        self,
        line: Line,
        path: str,
        sampling: Sampling,
        encode: Callable[[Question, Mapping[str, Any]], bytes],
        completion: Callable[[Any], Any] = lambda reply: reply,
    ) -> None:
        self._line, self._path = line, path
        self._sampling = sampling
        self._encode, self._completion = encode, completion

    async def ask(self, question: Question) -> Answer:
        """Ask one question, for a label under a strict schema and for its probabilities."""
        reply, latency_ms = await self._reply(question)
        return read_reply(
            self._completion(reply),
            question.label_names,
            latency_ms=latency_ms,
            is_local=self._line.is_local,
        )

    async def _reply(self, question: Question) -> tuple[Any, float]:
        while True:
            wishes = self._sampling.options(question.model, question.sample)
            try:
                return await self._line.post(self._path, self._encode(question, wishes))
            except RefusedParameterError as error:
                told = error.parameter, error.reason
                if not self._sampling.learn(question.model, wishes, *told):
                    raise


def chat_path(line: Line, sampling: Sampling) -> TextPath:
    """Return the path every service has."""
    return TextPath(line, "chat/completions", sampling, Bodies().encode)


def responses_path(line: Line) -> TextPath:
    """Return the path of models that refuse chat."""
    return TextPath(line, "responses", Sampling(RESPONSES), _response_body, as_completion)


def _response_body(question: Question, wishes: Mapping[str, Any]) -> bytes:
    schema = (question.reply_schema or answer_schema(question.label_names))["json_schema"]
    body = {
        "model": question.model,
        "input": list(question.messages),
        "text": {"format": {"type": "json_schema", **schema}},
        **wishes,
    }
    return as_json(body)


def as_completion(reply: Any) -> Any:
    """Return a response in the shape of a chat completion; anything else as it is.

    >>> said = {"type": "output_text", "text": "ham", "logprobs": []}
    >>> told = {"model": "m", "output": [{"type": "message", "content": [said]}]}
    >>> as_completion(told)["choices"][0]["message"]["content"]
    'ham'
    """
    output = reply.get("output") if isinstance(reply, Mapping) else None
    if not isinstance(output, list):
        return reply
    parts = [part for item in output for part in _parts(item)]
    texts = [p["text"] for p in parts if isinstance(p.get("text"), str)]
    refusals = [p["refusal"] for p in parts if isinstance(p.get("refusal"), str)]
    listed = [p["logprobs"] for p in parts if isinstance(p.get("logprobs"), list)]
    why = reply.get("incomplete_details")
    reason = why.get("reason") if isinstance(why, Mapping) else None
    message = {"content": "".join(texts), "refusal": "".join(refusals) or None}
    choice = {
        "message": message,
        "finish_reason": _FINISH.get(reason) if isinstance(reason, str) else None,
        "logprobs": {"content": [token for tokens in listed for token in tokens]},
    }
    usage = reply.get("usage")
    details = usage.get("output_tokens_details") if isinstance(usage, Mapping) else None
    told = {**usage, "completion_tokens_details": details} if isinstance(usage, Mapping) else None
    return {**reply, "choices": [choice], "usage": told}


def _parts(item: Any) -> list[Mapping[str, Any]]:
    """Return the parts of a message; what a model thought is none."""
    content = item.get("content") if isinstance(item, Mapping) else None
    if not isinstance(content, list) or item.get("type") != "message":
        return []
    return [part for part in content if isinstance(part, Mapping)]
