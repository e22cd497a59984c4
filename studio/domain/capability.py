"""What a service can do, as a test of it found out: never by its word, always by its reply."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from studio.domain.amounts import count, money

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
        at: When it was found, in ISO form, where an earlier test than the latest found it.
    """

    feature: Feature
    state: State
    evidence: str
    at: str = ""

    def told(self) -> str:
        """Return the evidence, with its day where that is not the day of the test.

        >>> Finding(Feature.CHAT, State.YES, "It answers “pebble”.", "2026-11-20T09:00").told()
        'On 2026-11-20: It answers “pebble”.'
        """
        return f"On {self.at[:10]}: {self.evidence}" if self.at else self.evidence


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
        cost_usd: What that cost in US dollars; None while unknown.
        at: When, in ISO form; empty until it is kept.
        version: Of the studio that tested; empty until it is kept.
        failed_at: When a later test found out nothing, in ISO form; empty where none did.
        failure: Why it did not.
    """

    model: str
    findings: tuple[Finding, ...]
    models: tuple[ListedModel, ...] = ()
    questions: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    at: str = ""
    version: str = ""
    failed_at: str = ""
    failure: str = ""

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

    def after(self, earlier: Capabilities | None) -> Capabilities:
        """Return this test beside an earlier one, which knows more where this one met silence.

        A service that is down today has lost none of its features: all that was found before is
        kept, with its day.

        >>> chat, down = Finding(Feature.CHAT, State.YES, ""), "h cannot be reached."
        >>> before = Capabilities(model="m", findings=(chat,), at="2026-11-20")
        >>> silent = (Finding(Feature.CHAT, State.UNKNOWN, down),)
        >>> both = Capabilities(model="m", findings=silent, at="2026-11-22").after(before)
        >>> both.state(Feature.CHAT), both.at, both.failure_text()
        (<State.YES: 'yes'>, '2026-11-20', 'A test on 2026-11-22 found out nothing: h cannot be \
reached. What was found before is kept.')
        """
        if earlier is None or all(one.state is State.UNKNOWN for one in earlier.findings):
            return self
        if all(one.state is State.UNKNOWN for one in self.findings):
            why = self.findings[0].evidence if self.findings else ""
            return replace(earlier, failed_at=self.at, failure=why)
        if self.model != earlier.model:
            return self
        known = {one.feature: one for one in earlier.findings if one.state is not State.UNKNOWN}
        return replace(
            self,
            findings=tuple(
                replace(known[one.feature], at=known[one.feature].at or earlier.at)
                if one.state is State.UNKNOWN and one.feature in known
                else one
                for one in self.findings
            ),
            models=self.models or earlier.models,
        )

    def failure_text(self) -> str:
        """Return that a later test found out nothing, and why; empty where none did."""
        if not self.failed_at:
            return ""
        return (
            f"A test on {self.failed_at[:10]} found out nothing: {self.failure} "
            "What was found before is kept."
        )

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
        '5 questions with sentences of ours, 1,300 tokens sent and 0 back, cost unknown'
        """
        return (
            f"{count(self.questions, 'question')} with sentences of ours, {self.input_tokens:,} "
            f"tokens sent and {self.output_tokens:,} back, cost {money(self.cost_usd)}"
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
            "cost_usd": self.cost_usd,
            "failed_at": self.failed_at or None,
            "failure": self.failure or None,
            "features": {
                one.feature.value: {"state": one.state.value, "evidence": one.evidence}
                | ({"at": one.at} if one.at else {})
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
                Finding(Feature(name), State(one["state"]), one["evidence"], one.get("at", ""))
                for name, one in told["features"].items()
                if name in known
            ),
            models=tuple(
                ListedModel(one["id"], one["shutdown_date"] or "") for one in told["models"]
            ),
            questions=told["questions"],
            input_tokens=told["input_tokens"],
            output_tokens=told["output_tokens"],
            cost_usd=told.get("cost_usd"),
            at=told["at"],
            version=told["version"],
            failed_at=told.get("failed_at") or "",
            failure=told.get("failure") or "",
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
