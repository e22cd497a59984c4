"""An opened studio: what every action gets."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.config import Settings
from studio.domain.price import CHAT, DECISIONS, FREE, Price, find_price
from studio.domain.run import Wire
from studio.providers.base import Provider
from studio.store.store import Store

DEFAULT_PROVIDER = "default_provider"
"""Name of the stored setting that holds the provider people chose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Settings, store, providers and clock of one opened studio.

    Attributes:
        settings: The settings in force.
        store: For actions and handlers: writes, and reads that see them.
        read: For screens: the same reads; a write through it fails loudly.
        provider: Opens a provider by name; its calls belong in the worker, never in a page.
        engine: Says what the embedded server is: {"engine", "fallback", "url"}, or {"error"}.
        wake: Makes sure that a worker runs, unless the settings say that somebody else does.
        clock: Seconds since 1970.
    """

    settings: Settings
    store: Store
    read: Store
    provider: Callable[[str], Provider]
    engine: Callable[[], dict[str, Any]]
    wake: Callable[[], None]
    clock: Callable[[], float] = time.time

    @property
    def path(self) -> Path:
        """The workspace file."""
        return self.settings.workspace

    @property
    def default_provider(self) -> str:
        """The provider where none is named: the one people chose, else that of the settings."""
        return self.read.tasks.setting(DEFAULT_PROVIDER) or self.settings.provider

    def now(self) -> str:
        """Return the time as it is stored: UTC in ISO form, to the millisecond."""
        at = datetime.datetime.fromtimestamp(self.clock(), datetime.UTC)
        return at.isoformat(timespec="milliseconds")

    def price(self, service: Provider, model: str, kind: str = CHAT) -> Price | None:
        """Return what a model, or a training on it, costs at a service; None while unknown.

        What people set for the service goes before the shipped prices of its host; a server on
        this machine is free unless people set a price. Who is asked for decisions is paid by the
        price of these, or by the price of chat where there is no other.
        """
        today, prices = self.now()[:10], self.read.prices
        decides = kind == CHAT and service.wire in (Wire.DECISIONS, Wire.SYSTEMONE)
        kinds = (DECISIONS, CHAT) if decides else (kind,)
        for known, whose in ((prices.own(), service.name), (prices.shipped(), service.host)):
            for one in kinds:
                if found := find_price(known, whose, model, today, one):
                    return found
        return FREE if service.is_local else None
