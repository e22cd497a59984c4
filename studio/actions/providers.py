"""What people do with providers: add them, look what answers."""

from __future__ import annotations

import asyncio

from studio.domain.run import Wire
from studio.errors import InputError
from studio.providers.base_url import read_base_url
from studio.store.providers import ProviderEntry
from studio.workspace import Workspace


def add_provider(
    ws: Workspace, *, name: str, base_url: str, key_env: str = "", model: str = "",
    wire: Wire = Wire.AUTO, by: str,
) -> ProviderEntry:  # fmt: skip
    """Add a service that speaks OpenAI's protocol or System One.

    Its key stays in the environment and is never stored.

    Raises:
        InputError: If the name is taken by the embedded server, or the address is not allowed.
    """
    clean = name.strip()
    if not clean or clean == "embedded":
        raise InputError(f"A provider cannot be called {name!r}.", next_step="Choose another name.")
    read_base_url(base_url)
    if key_env and not key_env.replace("_", "").isalnum():
        raise InputError(
            "The key is given by the name of a variable, not by itself.",
            next_step="Set e.g. OPENAI_API_KEY in the environment and name that.",
        )
    entry = ProviderEntry(
        name=clean, base_url=base_url.strip(), key_env=key_env, model=model, wire=wire
    )
    ws.store.providers.save(entry, by=by, at=ws.now())
    return entry


def check_provider(ws: Workspace, name: str) -> str:
    """Return one sentence on what answers; for the command line, never in a page's script.

    Raises:
        ProviderError: If nothing answers, or it refuses.
    """

    async def ask() -> str:
        service = ws.provider(name)
        try:
            return await service.check()
        finally:
            await service.close()

    return asyncio.run(ask())
