"""What a model costs a token, as of a day and by a source; unknown is never 0."""

from __future__ import annotations

from dataclasses import dataclass

from studio.domain.run import Usage

MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The price of a model at a provider, in US dollars for a million tokens.

    Attributes:
        provider: The name people gave the service, or the host it is; "*" for any.
        model: The model; a longer name of it (a dated snapshot) has the same price.
        input_usd: For what is sent.
        output_usd: For what comes back.
        batch_input_usd: The same in a batch; None while unknown.
        batch_output_usd: The same in a batch; None while unknown.
        source: Where the figures were read.
        as_of: The day they were read, in ISO form.
    """

    provider: str
    model: str
    input_usd: float
    output_usd: float
    batch_input_usd: float | None = None
    batch_output_usd: float | None = None
    source: str = ""
    as_of: str = ""

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
        """Return what a call cost by the tokens its reply told."""
        return self.cost(usage.input_tokens, usage.output_tokens, in_batch=in_batch)


FREE = Price(provider="*", model="*", input_usd=0.0, output_usd=0.0, batch_input_usd=0.0,
             batch_output_usd=0.0, source="This machine charges nothing.")  # fmt: skip
"""What a server on this machine costs."""
