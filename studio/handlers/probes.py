"""The work behind "Test connection": ask a provider what it can do, and keep what was found."""

from __future__ import annotations

from dataclasses import replace

from studio import __version__
from studio.domain.job import Job
from studio.jobs.control import Control
from studio.workspace import Workspace


async def probe_handler(ws: Workspace, job: Job, control: Control) -> None:
    """Test the provider that the job names; a test that is cut short keeps nothing."""
    name = job.params["provider"]

    def tell(done: int, total: int, next_one: str) -> None:
        control.record(done=done, total=total, message=f"looking for: {next_one.lower()}")
        control.raise_if_unwanted()

    service = ws.provider(name)
    try:
        found = await service.capabilities(tell)
    finally:
        await service.close()
    with ws.store.transaction():
        control.record(done=len(found.findings), message="")
        kept = replace(found, at=ws.now(), version=__version__)
        ws.store.providers.save_capabilities(name, kept)
