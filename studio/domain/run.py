"""One pass of one classifier over examples, and what it said of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How one question to a classifier ended."""

    OK = "ok"
    ABSTAINED = "abstained"
    REFUSED = "refused"
    FILTERED = "filtered"
    TRUNCATED = "truncated"
    OFF_LABEL = "off_label"
    NOT_JSON = "not_json"
    EMPTY = "empty"
    ERROR = "error"


class Wire(StrEnum):
    """The path by which a service is asked. The path's name says nothing of its texts' shape."""

    AUTO = "auto"
    CHAT = "chat"
    RESPONSES = "responses"
    DECISIONS = "decisions"
    SYSTEMONE = "systemone"


class Method(StrEnum):
    """Where a confidence comes from. Those of different methods do not belong in one figure.

    Only `decision`, `server` and `logprobs` are probabilities that a model gives its label;
    `weighed` is one fitted on gold to the votes of rules, `joined` to these and a model's word.
    """

    DECISION = "decision"
    SERVER = "server"
    LOGPROBS = "logprobs"
    VOTES = "votes"
    RULES = "rules"
    WEIGHED = "weighed"
    JOINED = "joined"
    UNKNOWN = "unknown"

    def words(self, votes: int = 0) -> str:
        """Return what people call it.

        Args:
            votes: How often each question was asked, where that is known.

        >>> Method.RULES.words()
        "share of the rules' votes, not a probability"
        >>> Method.VOTES.words(5)
        'share of 5 votes of the model, not a probability'
        """
        words = _METHOD_WORDS[self]
        return words.replace("several", str(votes)) if votes else words


_METHOD_WORDS = {
    Method.DECISION: "probability from the model",
    Method.SERVER: "probability from the model on this machine",
    Method.LOGPROBS: "probability from the tokens the model wrote",
    Method.VOTES: "share of several votes of the model, not a probability",
    Method.RULES: "share of the rules' votes, not a probability",
    Method.WEIGHED: "probability from the rules' votes, fitted on gold",
    Method.JOINED: "probability from the model and the rules together, fitted on gold",
    Method.UNKNOWN: "the answer does not say where it comes from",
}


class ClassifierKind(StrEnum):
    """What can label an example."""

    PROMPT = "prompt"
    RULES = "rules"
    MODEL = "model"
    JOINED = "joined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one call consumed. `cost_usd` is None where the price is unknown."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    latency_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a classifier said of one text.

    Attributes:
        outcome: How the question ended.
        label: A label name when the outcome is ok, else None.
        probabilities: Label name to probability; empty when none were given. They sum to 1, or
            `detail["uncovered"]` says how much is not known whose it is.
        method: Where the probabilities come from; None without any.
        model: The model that really answered.
        usage: What it cost.
        detail: What else it told: evidence, unused prompt lines, an error's sentence.
        raw: The reply's text.
    """

    outcome: Outcome
    label: str | None = None
    probabilities: dict[str, float] = field(default_factory=dict)
    method: Method | None = None
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    detail: dict[str, Any] = field(default_factory=dict)
    raw: str = ""

    @property
    def confidence(self) -> float | None:
        """Probability of the label; None without one or without probabilities."""
        return self.probabilities.get(self.label) if self.label is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a run says of one example.

    Attributes:
        example_id: The example.
        label_id: None unless the outcome is ok.
        confidence: Probability of the label in [0, 1]; None where the classifier gave none.
        outcome: How the question ended.
        response_id: The stored response; None for rules.
        method: Where the confidence comes from; None without one.
    """

    example_id: int
    label_id: int | None
    confidence: float | None
    outcome: Outcome
    response_id: int | None = None
    method: Method | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One pass of one classifier over examples.

    Attributes:
        id: Number in the workspace.
        task_id: The task.
        kind: Prompt, rules or model.
        title: How people call its classifier, e.g. "better v2" or "rules".
        prompt_version_id: For prompts, and for models the prompt they were trained with.
        model: The model asked for; empty for rules.
        provider: Name of the provider; empty for rules.
        splits: Which splits it covers.
        preview: True for a run over a sample only, made while editing a prompt.
        status: State of its job: queued, running, paused, done, failed, cancelled.
        total: Examples to label.
        done: Examples with a prediction.
        error: The sentence of what stopped it; empty otherwise.
        created_at: UTC time in ISO form.
        created_by: Who started it.
        job_id: Its job; None when it needed none.
        budget_usd: The most it may spend in US dollars; None without a cap.
        spent_usd: What its calls cost so far, as far as their price is known.
        calls: Calls made for it, failed and lost ones included.
        unpriced: Of these, calls whose price is unknown.
    """

    id: int
    task_id: int
    kind: ClassifierKind
    title: str
    prompt_version_id: int | None = None
    model: str = ""
    provider: str = ""
    splits: tuple[str, ...] = ()
    preview: bool = False
    status: str = "queued"
    total: int = 0
    done: int = 0
    error: str = ""
    created_at: str = ""
    created_by: str = ""
    job_id: int | None = None
    budget_usd: float | None = None
    spent_usd: float = 0.0
    calls: int = 0
    unpriced: int = 0

    @property
    def cost_usd(self) -> float | None:
        """What it cost so far in US dollars; None where the price of a call is unknown."""
        return None if self.unpriced else self.spent_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question to a model: which of the labels is this text?

    Attributes:
        model: The model to ask.
        messages: Chat messages, the text in the last one.
        label_names: The allowed answers.
        instructions: What the messages tell beside definitions and text, for services that are
            not told it by messages; the messages' own when empty.
        definitions: Label name to definition, as the messages tell it; a label may be missing.
        sample: Which of several askings of the same question; each has an answer of its own.
        reply_schema: The `response_format` of a question that is about no label; what is replied
            is `Answer.raw` then. None for a label.
    """

    model: str
    messages: tuple[dict[str, str], ...]
    label_names: tuple[str, ...]
    instructions: str = ""
    definitions: Mapping[str, str] = field(default_factory=dict)
    sample: int = 0
    reply_schema: Mapping[str, Any] | None = None

    def key(self, provider: str, engine: str = "") -> str:
        """Return a content hash: the same question to the same model has the same key.

        Args:
            provider: What names the service (`Provider.identity`); never its port.
            engine: The engine's or model's own version, where the provider tells one.
        """
        body = json.dumps(
            [
                provider,
                engine,
                self.model,
                list(self.messages),
                sorted(self.label_names),
                *([self.sample] if self.sample else []),
                *([self.reply_schema] if self.reply_schema else []),
            ],
            ensure_ascii=False,
            sort_keys=True,
        )
        return hashlib.sha256(body.encode()).hexdigest()
