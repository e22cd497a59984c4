"""What a service can do, found out by asking it: the reply decides, never its status alone.

At most eight questions with sentences of ours, and four lists, which carry no text and cost
nothing; always in the same order. Nothing of the user's is in any of them.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from studio.domain.capability import Capabilities, Feature, Finding, ListedModel, State
from studio.domain.prompt import answer_schema
from studio.domain.tokens import likely_tokens, most_tokens
from studio.errors import AuthenticationError, ProviderError, RefusedRequestError
from studio.providers.base import Tell
from studio.providers.chat import Reply, as_json
from studio.providers.decisions import Asked, openai_shape, system_one_shape
from studio.providers.failures import (
    FilteredError,
    from_status,
    hidden_failure,
    timed_out,
)
from studio.providers.line import Line
from studio.providers.probe_replies import (
    NAMES,
    WANTED,
    WORD,
    Judged,
    judge_chat,
    judge_decision,
    judge_embedding,
    judge_enum,
    judge_list,
    judge_logprobs,
    judge_models,
    judge_n,
    judge_response,
    judge_seed,
    parameters_in,
    read_models,
)
from studio.providers.replies import read_json, read_usage
from studio.providers.sampling import Sampling, least_effort

PATIENCE_S = 15.0
MOST_CHATS = 3
MOST_SILENT = 2
_OUTPUT = 256
_SEED = 7
_WISHES = {
    "response_format": answer_schema(NAMES),
    "logprobs": True,
    "top_logprobs": 5,
    "n": WANTED,
    "seed": _SEED,
    "store": False,
    "max_completion_tokens": _OUTPUT,
    "reasoning_effort": "none",
}
_BY_WISH = {
    Feature.ENUM: ("response_format", judge_enum),
    Feature.LOGPROBS: ("logprobs", judge_logprobs),
    Feature.N: ("n", judge_n),
}
_WEATHER = Asked("", "What is the text about?", {"weather": "", "music": ""}, {"text": "It rains."})
_CHAT_BODY = json.dumps({"messages": [{"role": "user", "content": WORD}], **_WISHES})
_SMALL_BODY = json.dumps(system_one_shape(_WEATHER))
_SHORT = 8  # tokens of an answer of one word
_LISTS = {
    Feature.FILES: ("files?limit=1", ""),
    Feature.FINE_TUNING: ("fine_tuning/jobs?limit=1", "; whether it starts one was not tried"),
    Feature.BATCHES: ("batches?limit=1", ""),
}


async def probe(line: Line, model: str = "", tell: Tell | None = None) -> Capabilities:
    """Find out what a service can do, and never fail for what it does or leaves out.

    Args:
        line: The service.
        model: The model to ask; without one, the only one it lists.
        tell: Told before each feature is looked at; what it raises ends the test.
    """
    return await _Probe(line, model, tell or (lambda *_: None)).go()


class Size(NamedTuple):
    """How much a test asks, all questions together."""

    questions: int
    input_tokens: int
    output_tokens: int


def likely_size() -> Size:
    """Return what a test of a service with the usual features asks.

    >>> likely_size().questions, most_size().questions
    (5, 8)
    """
    return Size(5, likely_tokens(_CHAT_BODY * 2 + _SMALL_BODY * 3), 2 * WANTED * _SHORT + _SHORT)


def most_size() -> Size:
    """Return the most a test asks: of a service that refuses wish after wish and writes on."""
    sent = most_tokens(_CHAT_BODY * (MOST_CHATS + 1) + _SMALL_BODY * 4)
    return Size(MOST_CHATS + 5, sent, ((MOST_CHATS + 1) * WANTED + 1) * _OUTPUT)


@dataclass(frozen=True, slots=True)
class _Heard:
    """How one request ended.

    Attributes:
        body: The decoded reply, whatever it is; None where none came.
        status: Its HTTP status; 0 where none came.
        failure: What its failing shows of a feature; None for a reply that must be looked into.
    """

    body: Any = None
    status: int = 0
    failure: Judged | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the service knows the path and dislikes what was asked."""
        return self.failure is not None and self.status in (400, 422)


class _Probe:
    """One test of one service."""

    def __init__(self, line: Line, model: str, tell: Tell) -> None:
        self._line, self._model, self._tell = line, model, tell
        self._found: dict[Feature, Judged] = {}
        self._models: tuple[ListedModel, ...] = ()
        self._questions = self._sent = self._back = self._silent = 0

    async def go(self) -> Capabilities:
        await self._list_models()
        await self._chat()
        await self._responses()
        await self._decisions()
        await self._embeddings()
        for feature, (path, beside) in _LISTS.items():
            heard = await self._ask(feature, path)
            self._found[feature] = heard.failure or judge_list(heard.body, beside)
        return Capabilities(
            model=self._model,
            findings=tuple(Finding(feature, *self._found[feature]) for feature in Feature),
            models=self._models,
            questions=self._questions,
            input_tokens=self._sent,
            output_tokens=self._back,
        )

    async def _list_models(self) -> None:
        heard = await self._ask(Feature.MODELS, "models")
        self._found[Feature.MODELS] = heard.failure or judge_models(heard.body)
        if heard.failure is None:
            self._models = read_models(heard.body)
        if not self._model and len(self._models) == 1:
            self._model = self._models[0].id

    async def _chat(self) -> None:
        """Ask for a random word under a schema that allows but a few; see what came along."""
        heard, sent, lacking = await self._wishing()
        told = self._found[Feature.CHAT] = heard.failure or judge_chat(heard.body)
        for feature, (wish, judge) in _BY_WISH.items():
            if told[0] is not State.YES:
                self._found[feature] = (told[0], "There is no chat answer to look into.")
            else:
                self._found[feature] = judge(heard.body) if wish in sent else lacking[wish]
        if told[0] is not State.YES:
            self._found[Feature.SEED] = (told[0], "There is no chat answer to look into.")
        elif "seed" not in sent:
            self._found[Feature.SEED] = lacking["seed"]
        else:
            again = await self._ask(Feature.SEED, "chat/completions", self._chat_body(sent))
            self._found[Feature.SEED] = again.failure or judge_seed(heard.body, again.body)

    async def _wishing(self) -> tuple[_Heard, dict[str, Any], dict[str, Judged]]:
        """Ask for all at once, then without what is refused by name, at last for nothing special.

        Returns:
            What came at last, the wishes sent with it, and why the others were not.
        """
        sampling, lacking = Sampling(_WISHES), dict[str, Judged]()
        sent = sampling.options(self._model, _SEED)
        for number in range(MOST_CHATS):
            heard = await self._ask(Feature.CHAT, "chat/completions", self._chat_body(sent))
            if not (heard.is_refused and sent):
                break
            named = parameters_in(heard.body)
            refused = [pair for pair in named if sampling.learn(self._model, sent, *pair)]
            left = sampling.options(self._model, _SEED)
            if not refused or number == MOST_CHATS - 2:
                left = {}
            why = heard.failure[1] if heard.failure else ""
            for wish in sent.keys() - left.keys():
                by_name = wish not in sampling.options(self._model, _SEED)
                lacking[wish] = (
                    (State.NO, why)
                    if by_name
                    else (State.UNKNOWN, f"Not told, for the wishes were refused together. {why}")
                )
            sent = left
        return heard, sent, lacking

    def _chat_body(self, wishes: dict[str, Any]) -> dict[str, Any]:
        return {"model": self._model, "messages": [{"role": "user", "content": WORD}], **wishes}

    async def _responses(self) -> None:
        body = {"model": self._model, "input": WORD, "store": False, "max_output_tokens": _OUTPUT}
        if effort := least_effort(self._model):
            body["reasoning"] = {"effort": effort}
        heard = await self._ask(Feature.RESPONSES, "responses", body)
        self._found[Feature.RESPONSES] = heard.failure or judge_response(heard.body)

    async def _decisions(self) -> None:
        """Ask in OpenAI's shape; then by the other path, or there in the other shape."""
        asked = _WEATHER._replace(model=self._model)
        heard = await self._ask(Feature.DECISIONS, "decisions", openai_shape(asked))
        judged = heard.failure or self._decision(heard, "/decisions, in OpenAI's shape")
        is_missing = heard.status in (404, 405)
        if judged[0] is State.NO and (is_missing or heard.is_refused or heard.failure is None):
            path = "systemone" if is_missing else "decisions"
            heard = await self._ask(Feature.DECISIONS, path, system_one_shape(asked))
            first = judged[1]
            judged = heard.failure or self._decision(heard, f"/{path}, in System One's shape")
            if is_missing and heard.status in (404, 405):
                judged = State.NO, f"Neither /decisions nor /{path} is there (HTTP {heard.status})."
            elif judged[0] is State.NO:
                judged = State.NO, f"At first: {first} Then by /{path}: {judged[1]}"
        self._found[Feature.DECISIONS] = judged

    def _decision(self, heard: _Heard, where: str) -> Judged:
        return judge_decision(heard.body, tuple(_WEATHER.choices), where)

    async def _embeddings(self) -> None:
        """Ask the first model that is one by its name, else the one that all is asked of."""
        named = sorted(one.id for one in self._models if "embed" in one.id.lower())
        model = named[0] if named else self._model
        body = {"model": model, "input": "It rains."}
        heard = await self._ask(Feature.EMBEDDINGS, "embeddings", body)
        self._found[Feature.EMBEDDINGS] = heard.failure or judge_embedding(heard.body, model)

    async def _ask(self, feature: Feature, path: str, body: dict[str, Any] | None = None) -> _Heard:
        """Ask a question, or for a list where there is no body."""
        self._tell(len(self._found), len(Feature), feature.words)
        if body is not None and not body["model"]:
            why = "No model is known to ask: set one with `studio provider default NAME --model`."
            return _Heard(failure=(State.UNKNOWN, why))
        if self._silent >= MOST_SILENT:
            why = f"Not asked: {self._line.host} gave no answer {MOST_SILENT} times in a row."
            return _Heard(failure=(State.UNKNOWN, why))
        self._questions += body is not None
        try:
            async with asyncio.timeout(PATIENCE_S):
                content = None if body is None else as_json(body)
                reply = await self._line.fetch(f"{self._line.url}/{path}", content)
        except (ProviderError, TimeoutError) as error:
            self._silent += 1
            told = error if isinstance(error, ProviderError) else timed_out(self._line.host)
            return _Heard(failure=(State.UNKNOWN, told.message))
        self._silent = 0
        return self._hear(reply)

    def _hear(self, reply: Reply) -> _Heard:
        body = read_json(reply.content)
        if isinstance(body, dict):
            usage = read_usage(body, 0.0, is_local=False)
            self._sent += usage.input_tokens
            self._back += usage.output_tokens
        error: ProviderError | None
        if 200 <= reply.status < 300:
            error = hidden_failure(reply.headers, body, self._line.host, self._line.secrets)
        else:
            error = from_status(*reply, self._line.host, self._line.secrets)
        return _Heard(body, reply.status, None if error is None else _judge(error, reply.status))


def _judge(error: ProviderError, status: int) -> Judged:
    """Return what a failure shows: a refusal is a no; being busy or broken shows nothing."""
    told = error.message if "(HTTP" in error.message else f"{error.message} (HTTP {status})"
    if isinstance(error, AuthenticationError):
        return State.NO, f"Not allowed: {told}"
    is_no = isinstance(error, RefusedRequestError) and not isinstance(error, FilteredError)
    return State.NO if is_no and not 300 <= status < 400 else State.UNKNOWN, told
