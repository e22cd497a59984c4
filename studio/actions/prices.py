"""What people do with prices: look at them, set their own, take these back."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.domain.price import CHAT, KINDS, TRAINING, Price
from studio.errors import InputError
from studio.providers.base_url import read_base_url
from studio.workspace import Workspace

EMBEDDED = "embedded"
_WHERE = "See `studio provider prices`."


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPrice:
    """A price as lists show it.

    Attributes:
        price: The price.
        is_own: Whether people set it here; else it came with the studio.
        age_days: Days since it was read; None where the day is unknown.
    """

    price: Price
    is_own: bool
    age_days: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; amounts are US dollars for a million tokens."""
        p = self.price
        return {
            "provider": p.provider, "model": p.model, "kind": p.kind, "input": p.input_usd,
            "cached": p.cached_usd, "output": p.output_usd, "batch_input": p.batch_input_usd,
            "batch_output": p.batch_output_usd, "own": self.is_own, "as_of": p.as_of,
            "age_days": self.age_days, "expires": p.expires or None, "source": p.source,
        }  # fmt: skip


def list_prices(ws: Workspace, provider: str = "") -> list[ListedPrice]:
    """Return people's own prices, then the shipped ones; of one provider if it is named.

    Raises:
        NotFoundError: If there is no provider of this name.
    """
    own, shipped = ws.read.prices.own(), ws.read.prices.shipped()
    if provider:
        host = _host(ws, provider)
        own = [price for price in own if price.provider == provider]
        shipped = tuple(price for price in shipped if price.provider == host)
    today = ws.now()[:10]
    return [
        ListedPrice(price=price, is_own=is_own, age_days=_days(price.as_of, today))
        for is_own, prices in ((True, own), (False, shipped))
        for price in prices
    ]


def edit_prices(
    ws: Workspace,
    *,
    put: Sequence[Price] = (),
    drop: Sequence[tuple[str, str, str]] = (),
    by: str,
) -> list[Price]:
    """Set prices of one's own and take others back, all or nothing.

    What is set here goes before the shipped price of the model, and before free where the service
    is on this machine. A price without a source gets who set it as one, and today as its day.

    Args:
        ws: The workspace.
        put: Prices to set; their provider is the name of a service.
        drop: (provider, model, kind) of prices to take back.
        by: Who does it.

    Returns:
        The prices as they were stored.

    Raises:
        InputError: If an amount or a model is missing or wrong, or a price is not there.
        NotFoundError: If there is no provider of this name.
    """
    stored = [_checked(ws, price, by) for price in put]
    with ws.store.transaction():
        for provider, model, kind in drop:
            if not ws.store.prices.unset(provider, model, kind):
                what = "" if kind == CHAT else f" ({kind})"
                raise InputError(
                    f"No price of your own is set for {model!r}{what} at {provider!r}.",
                    next_step=_WHERE,
                )
        for price in stored:
            ws.store.prices.set(price, by=by, at=ws.now())
    return stored


def _checked(ws: Workspace, price: Price, by: str) -> Price:
    if not price.model.strip():
        raise InputError("A price has no model.", next_step="Name the model as it is asked for.")
    model = price.model.strip()
    if price.provider != EMBEDDED:
        ws.read.providers.get(price.provider)
    if price.kind not in KINDS:
        raise InputError(
            f"{price.kind!r} is nothing that is paid for.", next_step=f"Use {', '.join(KINDS)}."
        )
    if price.kind == TRAINING and (price.output_usd or price.batch_input_usd is not None):
        raise InputError(
            f"Training {model} has one price, for the tokens of all its passes.",
            next_step="Give it as the input price, 0 for output, and none for batches.",
        )
    amounts = {
        "input": price.input_usd, "output": price.output_usd,
        "batch input": price.batch_input_usd, "batch output": price.batch_output_usd,
    }  # fmt: skip
    for name, usd in amounts.items():
        if usd is not None and not (0 <= usd < math.inf):
            raise InputError(
                f"The {name} price of {model} must be 0 or more US dollars.",
                next_step="Prices are for a million tokens, e.g. 0.10.",
            )
    if (price.batch_input_usd is None) != (price.batch_output_usd is None):
        raise InputError(
            f"Only one of the two batch prices of {model} is given.",
            next_step="Give both, or leave both out while they are unknown.",
        )
    return replace(
        price,
        model=model,
        source=" ".join(price.source.split()) or f"set by {by}",
        as_of=ws.now()[:10],
    )


def _host(ws: Workspace, provider: str) -> str:
    if provider == EMBEDDED:
        return ""
    return read_base_url(ws.read.providers.get(provider).base_url).host


def _days(day: str, today: str) -> int | None:
    try:
        return (datetime.date.fromisoformat(today) - datetime.date.fromisoformat(day)).days
    except ValueError:
        return None
