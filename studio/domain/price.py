"""What a model costs a token, as of a day and by a source; unknown is never 0."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from studio.domain.run import Usage

MILLION = 1_000_000
CHAT = "chat"
DECISIONS = "decisions"
TRAINING = "training"
KINDS = (CHAT, DECISIONS, TRAINING)
"""What is paid for."""
_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4,8}|latest)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The price of a model at a provider, in US dollars for a million tokens.

    Attributes:
        provider: The name people gave the service, or the host it is; "*" for any.
        model: The model; a dated snapshot of it has the same price.
        kind: What is paid for: "chat", "decisions", or "training" on top of a model.
        input_usd: For what is sent; of a training, for all tokens of all its passes.
        cached_usd: For what is sent and the service still knows; None while unknown.
        output_usd: For what comes back.
        batch_input_usd: The same in a batch; None while unknown.
        batch_output_usd: The same in a batch; None while unknown.
        source: Where the figures were read.
        as_of: The day they were read, in ISO form.
        expires: The day from which they hold no longer, in ISO form; empty while none is known.
    """

    provider: str
    model: str
    kind: str = CHAT
    input_usd: float
    cached_usd: float | None = None
    output_usd: float
    batch_input_usd: float | None = None
    batch_output_usd: float | None = None
    source: str = ""
    as_of: str = ""
    expires: str = ""

    def cost(
        self, input_tokens: int, output_tokens: int, *, in_batch: bool = False
    ) -> float | None:
        """Return US dollars; None for a batch whose price is unknown.

        >>> Price(provider="*", model="m", input_usd=0.1, output_usd=0.5).cost(2_000_000, 1_000_000)
        0.7
        """
        rates = (self.input_usd, self.output_usd)
        if in_batch:
            if self.batch_input_usd is None or self.batch_output_usd is None:
                return None
            rates = (self.batch_input_usd, self.batch_output_usd)
        return (input_tokens * rates[0] + output_tokens * rates[1]) / MILLION

    def of(self, usage: Usage, *, in_batch: bool = False) -> float | None:
        """Return what a call cost by the tokens its reply told; None where it told none.

        >>> Price(provider="*", model="m", input_usd=0.1, output_usd=0.5).of(Usage()) is None
        True
        """
        is_told = bool(usage.input_tokens + usage.output_tokens)
        if not is_told and (self.input_usd or self.output_usd):
            return None
        return self.cost(usage.input_tokens, usage.output_tokens, in_batch=in_batch)


FREE = Price(provider="*", model="*", input_usd=0.0, output_usd=0.0, batch_input_usd=0.0,
             batch_output_usd=0.0, source="This machine charges nothing.")  # fmt: skip
"""What a server on this machine costs."""


def find_price(
    prices: Iterable[Price], provider: str, model: str, today: str, kind: str = CHAT
) -> Price | None:
    """Return the price of a model among those of a provider, None where there is none.

    A dated snapshot has the price of its model and a fine-tune that of its base; another member
    of the family ("-nano" beside "-mini") is another model, for it may cost ten times as much.

    Args:
        prices: Where to look.
        provider: The name or the host they stand under.
        model: The model that is asked.
        today: The day in ISO form; what expired by then is not a price.
        kind: What is paid for.

    >>> mini = Price(provider="openai", model="ft:m-mini", input_usd=1, output_usd=2)
    >>> find_price([mini], "openai", "ft:m-mini-2026-08-06:acme:keto:x1", "2026-11-22") is mini
    True
    >>> find_price([mini], "openai", "ft:m-mini-nano", "2026-11-22") is None
    True
    """
    fitting = [
        price
        for price in prices
        if price.provider == provider
        and price.kind == kind
        and not (price.expires and price.expires <= today)
        and _is_named(price.model, model)
    ]
    return max(fitting, key=lambda price: len(price.model), default=None)


def _is_named(priced: str, model: str) -> bool:
    if model == priced:
        return True
    if model.startswith("ft:"):
        model = ":".join(model.split(":")[:2])
    rest = model.removeprefix(priced) if model.startswith(priced) else None
    return rest is not None and (not rest or bool(_SNAPSHOT.fullmatch(rest)))
