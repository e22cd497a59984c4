"""The work behind "Test connection": ask a provider what it can do, and keep what was found."""

from __future__ import annotations

from dataclasses import replace

from studio import __version__
from studio.domain.job import Job
from studio.jobs.control import Control
from studio.workspace import Workspace


async def probe_handler(ws: Workspace, job: Job, control: Control) -> None:
    """Test the provider that the job names; one cut short keeps nothing, one in vain little."""
    name = job.params["provider"]

    def tell(done: int, total: int, next_one: str) -> None:
        control.record(done=done, total=total, message=f"looking for: {next_one.lower()}")
        control.raise_if_unwanted()

    service = ws.provider(name)
    try:
        found = await service.capabilities(tell)
    finally:
        await service.close()
    price = ws.price(service, found.model)
    told = found.input_tokens + found.output_tokens or not found.questions
    is_known = price is not None and (told or price.input_usd == price.output_usd == 0)
    cost = price.cost(found.input_tokens, found.output_tokens) if price and is_known else None
    with ws.store.transaction():
        control.record(done=len(found.findings), message="")
        kept = replace(found, at=ws.now(), version=__version__, cost_usd=cost)
        earlier = ws.store.providers.capabilities(name)
        ws.store.providers.save_capabilities(name, kept.after(earlier))
