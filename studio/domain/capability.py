"""What a service can do, as a test of it found out: never by its word, always by its reply."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

STALE_DAYS = 30
"""After so many days a test says little of a service."""
ENDING_DAYS = 90
"""So many days before its end a model is warned of."""


class Feature(StrEnum):
    """What is looked for, in the order it is looked for."""

    MODELS = "models"
    CHAT = "chat"
    ENUM = "enum"
    LOGPROBS = "logprobs"
    N = "n"
    SEED = "seed"
    RESPONSES = "responses"
    DECISIONS = "decisions"
    EMBEDDINGS = "embeddings"
    FILES = "files"
    FINE_TUNING = "fine_tuning"
    BATCHES = "batches"

    @property
    def words(self) -> str:
        """What people call it.

        >>> Feature.FINE_TUNING.words
        'Fine-tuning'
        """
        return _WORDS[self]


class State(StrEnum):
    """Whether a service has a feature."""

    YES = "yes"
    NO = "no"
    DROPPED = "dropped"
    """It takes the wish and leaves it out without a word, which is worse than a no."""
    UNKNOWN = "unknown"


_WORDS = {
    Feature.MODELS: "Lists its models",
    Feature.CHAT: "Chat",
    Feature.ENUM: "Only your labels as answers",
    Feature.LOGPROBS: "Likelihoods of other answers",
    Feature.N: "Several answers at once",
    Feature.SEED: "The same answer again",
    Feature.RESPONSES: "Responses",
    Feature.DECISIONS: "Decisions",
    Feature.EMBEDDINGS: "Embeddings",
    Feature.FILES: "Files",
    Feature.FINE_TUNING: "Fine-tuning",
    Feature.BATCHES: "Batches",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a test found of one feature.

    Attributes:
        feature: What was looked for.
        state: Whether it is there.
        evidence: What in the reply says so, on one line; what it quotes is untrusted.
    """

    feature: Feature
    state: State
    evidence: str


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model as a service lists it.

    Attributes:
        id: What it is asked by.
        shutdown_date: The day it ends, in ISO form; empty while none is told.
    """

    id: str
    shutdown_date: str = ""

    def days_left(self, today: str) -> int | None:
        """Return the days until it ends, below 0 once it has; None while no end is told.

        >>> ListedModel("m", "2027-01-14").days_left("2026-11-22")
        53
        >>> ListedModel("m").days_left("2026-11-22") is None
        True
        """
        return days_between(today, self.shutdown_date)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a test of a service found.

    Attributes:
        model: The model that was asked; empty where none could be.
        findings: One of each feature, in their order.
        models: What the service lists.
        questions: Questions asked, each with a text of ours.
        input_tokens, output_tokens: What their replies told they took.
        at: When, in ISO form; empty until it is kept.
        version: Of the studio that tested; empty until it is kept.
    """

    model: str
    findings: tuple[Finding, ...]
    models: tuple[ListedModel, ...] = ()
    questions: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    at: str = ""
    version: str = ""

    def state(self, feature: Feature) -> State:
        """Return whether a feature is there; unknown where it was not looked for."""
        found = (one.state for one in self.findings if one.feature is feature)
        return next(found, State.UNKNOWN)

    @property
    def gives_odds(self) -> bool | None:
        """Whether an answer comes with how likely each label is; None while unknown.

        >>> found = Finding(Feature.LOGPROBS, State.DROPPED, "")
        >>> Capabilities(model="m", findings=(found,)).gives_odds
        False
        """
        if State.YES in (self.state(Feature.LOGPROBS), self.state(Feature.DECISIONS)):
            return True
        return False if self.state(Feature.LOGPROBS) in (State.NO, State.DROPPED) else None

    def age_days(self, today: str) -> int | None:
        """Return the days since the test; None where no date was kept."""
        return days_between(self.at[:10], today)

    def is_stale(self, today: str) -> bool:
        """Return whether the test is too old to be relied on."""
        age = self.age_days(today)
        return age is None or age > STALE_DAYS

    def summary(self) -> str:
        """Return how many features are there, and which are left out silently.

        >>> found = (
        ...     Finding(Feature.CHAT, State.YES, ""),
        ...     Finding(Feature.LOGPROBS, State.DROPPED, ""),
        ... )
        >>> Capabilities(model="m", findings=found).summary()
        '1 of 2 work, 1 dropped'
        """
        states = [one.state for one in self.findings]
        parts = [f"{states.count(State.YES)} of {len(states)} work"]
        parts += [
            f"{states.count(state)} {state}"
            for state in (State.DROPPED, State.UNKNOWN)
            if state in states
        ]
        return ", ".join(parts)

    def cost_text(self) -> str:
        """Return what the test took.

        >>> Capabilities(model="m", findings=(), questions=5, input_tokens=1300).cost_text()
        '5 questions with sentences of ours, 1,300 tokens sent and 0 back'
        """
        asked = "1 question" if self.questions == 1 else f"{self.questions} questions"
        return (
            f"{asked} with sentences of ours, {self.input_tokens:,} tokens sent "
            f"and {self.output_tokens:,} back"
        )

    def ending(self, model: str, today: str) -> str:
        """Return the warning that a model ends soon, or has; empty where it does not.

        >>> ends = ListedModel("m", "2027-01-14")
        >>> found = Capabilities(model="m", findings=(), models=(ends,))
        >>> found.ending("m", "2026-11-22")
        'm ends on 2027-01-14, in 53 days.'
        >>> found.ending("m", "2026-01-01"), found.ending("other", "2026-11-22")
        ('', '')
        """
        for one in self.models:
            left = one.days_left(today)
            if one.id == model and left is not None and left <= ENDING_DAYS:
                if left < 0:
                    return f"{model} ended on {one.shutdown_date}."
                when = {0: "today", 1: "tomorrow"}.get(left, f"in {left} days")
                return f"{model} ends on {one.shutdown_date}, {when}."
        return ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, which `from_dict` reads again."""
        return {
            "model": self.model,
            "at": self.at,
            "version": self.version,
            "questions": self.questions,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "features": {
                one.feature.value: {"state": one.state.value, "evidence": one.evidence}
                for one in self.findings
            },
            "models": [
                {"id": one.id, "shutdown_date": one.shutdown_date or None} for one in self.models
            ],
        }

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Capabilities:
        """Return what `to_dict` gave; a feature of a later studio is left out."""
        known = set(Feature)
        return cls(
            model=told["model"],
            findings=tuple(
                Finding(Feature(name), State(one["state"]), one["evidence"])
                for name, one in told["features"].items()
                if name in known
            ),
            models=tuple(
                ListedModel(one["id"], one["shutdown_date"] or "") for one in told["models"]
            ),
            questions=told["questions"],
            input_tokens=told["input_tokens"],
            output_tokens=told["output_tokens"],
            at=told["at"],
            version=told["version"],
        )


def by_end(models: Iterable[ListedModel], today: str) -> list[ListedModel]:
    """Return models, those that end soonest first, then by name."""

    def key(one: ListedModel) -> tuple[float, str]:
        left = one.days_left(today)
        return (math.inf if left is None else left, one.id)

    return sorted(models, key=key)


def days_between(first: str, last: str) -> int | None:
    """Return the days from one day in ISO form to another; None where one is no day.

    >>> days_between("2026-11-22", "2026-11-20"), days_between("", "2026-11-20")
    (-2, None)
    """
    try:
        return (datetime.date.fromisoformat(last) - datetime.date.fromisoformat(first)).days
    except ValueError:
        return None
