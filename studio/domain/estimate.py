"""What a run or a training would send, cost and take, told before it is started."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from studio.domain.amounts import UNKNOWN, count, money, roughly
from studio.domain.price import Price

N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run would ask, cost and take.

    Attributes:
        examples: Examples it covers.
        known: Of its questions, answered before, so that they cost nothing; None while nobody can
            tell.
        host: Where texts are sent; empty where none are.
        is_local: Whether that is this machine.
        model: The model asked.
        columns: What of each example is sent; nothing where no example is.
        input_tokens, output_tokens: What its questions likely have, in all.
        counted_by: How these were counted: "characters", or the vocabulary "o200k".
        price: The price of the model; None while unknown.
        cost_usd: What it likely costs in US dollars; None while unknown.
        most_usd: What it costs if each text has as many tokens as it can and each reply is as
            long as allowed; None while unknown.
        seconds: What it likely takes, by the rate of earlier runs or a built-in one; None without.
        is_guess: Whether that rate is the built-in one: nothing was measured here yet.
        is_sampled: Whether tokens and what is known were taken from a sample.
        in_batch: Whether it is sent as a batch.
        samples: How often each example is asked about.
    """

    examples: int
    known: int | None = 0
    host: str = ""
    is_local: bool = True
    model: str = ""
    columns: tuple[str, ...] = ("text",)
    input_tokens: int = 0
    output_tokens: int = 0
    counted_by: str = "characters"
    price: Price | None = None
    cost_usd: float | None = 0.0
    most_usd: float | None = 0.0
    seconds: float | None = None
    is_guess: bool = False
    is_sampled: bool = False
    in_batch: bool = False
    samples: int = 1

    @property
    def questions(self) -> int:
        """Questions that would be asked."""
        return self.samples * self.examples - (self.known or 0) if self.host else 0

    def __add__(self, other: Estimate) -> Estimate:
        """Return both together, asked of the same model about the same examples."""
        return replace(
            self,
            examples=self.examples + other.examples,
            columns=tuple(dict.fromkeys((*self.columns, *other.columns))),
            known=_sum(self.known, other.known),
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost_usd=_sum(self.cost_usd, other.cost_usd),
            most_usd=_sum(self.most_usd, other.most_usd),
            seconds=_sum(self.seconds, other.seconds),
            is_guess=self.is_guess or other.is_guess,
            is_sampled=self.is_sampled or other.is_sampled,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as `--json` shows them."""
        return {
            "examples": self.examples,
            "known": self.known,
            "questions": self.questions,
            "samples": self.samples,
            "host": self.host,
            "model": self.model,
            "columns": list(self.columns),
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "tokens_by": f"estimate ({self.counted_by})",
            "cost_usd": self.cost_usd,
            "most_usd": self.most_usd,
            "seconds": self.seconds,
            "seconds_by": self.seconds_by,
            "price_source": self.price.source if self.price else "",
            "price_as_of": self.price.as_of if self.price else "",
            "batch": self.in_batch,
        }

    def sentence(self) -> str:
        """Return it in a line.

        >>> Estimate(examples=787).sentence()
        '787 examples · nothing is asked and nothing charged'
        >>> Estimate(
        ...     examples=787, known=100, host="api.openai.com", is_local=False, seconds=70,
        ...     input_tokens=240_000, output_tokens=4_000, cost_usd=0.026, most_usd=0.9,
        ... ).sentence()
        '687 questions to api.openai.com, 100 answered before · about 244,000 tokens, \
estimate (characters) · about $0.026, at most $0.90 · about 1 min 10 s'
        """
        if not self.host:
            return f"{count(self.examples, 'example')} · nothing is asked and nothing charged"
        about = "about " if self.is_sampled and self.known else ""
        asked = f"{about}{count(self.questions, 'question')} to "
        asked += "this machine" if self.is_local else self.host
        asked += f", {self.samples} an example" if self.samples > 1 else ""
        parts = [asked + (f", {about}{self.known:,} answered before" if self.known else "")]
        if not self.is_local:
            tokens = _round(self.input_tokens + self.output_tokens)
            parts.append(f"about {tokens:,} tokens, estimate ({self.counted_by})")
        parts.append(self.cost_text())
        if self.in_batch:
            parts.append("answered within a day")
        elif self.questions:
            parts.append(self.time_text())
        return " · ".join(parts)

    @property
    def seconds_by(self) -> str:
        """What the time rests on: "earlier runs" or a "built-in rate"; empty while unknown."""
        if self.seconds is None:
            return ""
        return "built-in rate" if self.is_guess else "earlier runs"

    def time_text(self) -> str:
        """Return what it likely takes, and whether that is a guess.

        >>> Estimate(examples=120, seconds=3, is_guess=True).time_text()
        'about 3 s (a guess until a run was measured here)'
        >>> Estimate(examples=120).time_text()
        'time unknown'
        """
        if self.seconds is None:
            return f"time {UNKNOWN}"
        guess = " (a guess until a run was measured here)" if self.is_guess else ""
        return f"{roughly(self.seconds)}{guess}"

    def cost_text(self) -> str:
        """Return what it likely costs and what it costs at most.

        >>> Estimate(examples=1, host="far.example", is_local=False, cost_usd=None).cost_text()
        'at an unknown price'
        """
        if self.cost_usd is None:
            return f"at an {UNKNOWN} price"
        if not self.cost_usd and not self.most_usd:
            return "free"
        return f"about {money(self.cost_usd)}, at most {money(self.most_usd)}"

    def consent_text(self, what: str = "This run") -> str:
        """Return what somebody agrees to before texts leave the machine.

        >>> told = Estimate(examples=2, host="far.example", is_local=False, input_tokens=900,
        ...                 cost_usd=None, columns=("text", "brand", "price"))
        >>> told.consent_text()
        'This run would send the columns text, brand and price of 2 examples (about 900 tokens, \
estimate by characters) to far.example, at an unknown price.'
        """
        price = self.cost_text().replace("about", "for about", 1)
        if not self.columns:
            return f"{what} would send no example to {self.host}, {price}."
        sent = count(math.ceil(self.questions / self.samples), "example")
        sent += f", {self.samples} times each" if self.samples > 1 else ""
        tokens = f"about {_round(self.input_tokens + self.output_tokens):,} tokens"
        tokens += f", estimate by {self.counted_by}"
        return (
            f"{what} would send the {_columns(self.columns)} of {sent} ({tokens}) "
            f"to {self.host}, {price}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingEstimate:
    """What a training would send and cost.

    Attributes:
        examples: Examples it learns from.
        host: Where they are sent.
        is_local: Whether that is this machine.
        model: The model it starts from.
        columns: What of each example is sent, beside its label.
        epochs: How often it likely goes through all of them, by what services do by themselves.
        tokens: What all passes together likely have.
        counted_by: How these were counted: "characters", or the vocabulary "o200k".
        price: The price of training on that model; None while unknown.
    """

    examples: int
    host: str
    is_local: bool
    model: str
    epochs: int
    tokens: int
    counted_by: str = "characters"
    price: Price | None = None
    columns: tuple[str, ...] = ("text",)

    @property
    def sent(self) -> str:
        """What goes there of each example, beside its label.

        >>> told = TrainingEstimate(
        ...     examples=9,
        ...     host="h",
        ...     is_local=False,
        ...     model="m",
        ...     epochs=3,
        ...     tokens=9,
        ...     columns=("text", "brand"),
        ... )
        >>> told.sent
        'texts (columns text and brand)'
        """
        return "texts" if len(self.columns) == 1 else f"texts ({_columns(self.columns)})"

    @property
    def cost_usd(self) -> float | None:
        """What it likely costs in US dollars; None while the price is unknown."""
        return self.price.cost(self.tokens, 0) if self.price else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as `--json` shows them."""
        return {
            "examples": self.examples, "host": self.host, "model": self.model,
            "columns": [*self.columns, "label"],
            "epochs": self.epochs, "tokens": self.tokens,
            "tokens_by": f"estimate ({self.counted_by})", "cost_usd": self.cost_usd,
            "price_source": self.price.source if self.price else "",
            "price_as_of": self.price.as_of if self.price else "",
        }  # fmt: skip

    def sentence(self) -> str:
        """Return it in a line.

        >>> price = Price(provider="h", model="m", kind="training", input_usd=5, output_usd=0)
        >>> TrainingEstimate(examples=500, host="h", is_local=False, model="m", epochs=3,
        ...                  tokens=450_000, price=price).sentence()
        '500 examples, 3 times each, to h · about 450,000 tokens, estimate (characters) · about \
$2.25'
        """
        if self.is_local and not self.cost_usd:
            return f"{count(self.examples, 'example')} to this machine · free"
        return (
            f"{count(self.examples, 'example')}, {count(self.epochs, 'time')} each, to {self.host}"
            f" · about {_round(self.tokens):,} tokens, estimate ({self.counted_by})"
            f" · {self.cost_text()}"
        )

    def cost_text(self) -> str:
        """Return what it likely costs."""
        return f"at an {UNKNOWN} price" if self.price is None else f"about {money(self.cost_usd)}"


def likely_epochs(examples: int) -> int:
    """Return how often a training goes through its examples where nobody says how often.

    >>> [likely_epochs(n) for n in (0, 10, 50, 500, 20_000)]
    [25, 10, 3, 3, 1]
    """
    if examples * 3 < 100:
        return min(25, 100 // max(examples, 1))
    return min(3, max(1, 25_000 // examples))


def _columns(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return f"column {names[0]}"
    return f"columns {', '.join(names[:-1])} and {names[-1]}"


def _round(tokens: int) -> int:
    """Keep two or three digits: more would promise what an estimate cannot hold."""
    return round(tokens, -max(0, len(str(tokens)) - 3))


def _sum(one: N | None, other: N | None) -> N | None:
    return None if one is None or other is None else one + other
