"""Wiring: the only place that knows which store, providers, handlers and server belong together."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import importlib
import logging
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio import __version__
from studio.config import Settings, find_key, load_settings
from studio.domain.job import WorkerInfo
from studio.errors import ConflictError
from studio.jobs.process import WorkerLock, start_worker, this_worker, worker_alive
from studio.jobs.succession import BY_HAND, fingerprint, is_outdated, take_turn
from studio.jobs.worker import Handler, Worker
from studio.providers.absent import AbsentProvider
from studio.providers.base import Provider
from studio.store.connection import tell_of_space
from studio.store.store import Store
from studio.workspace import Workspace

if TYPE_CHECKING:
    from studio.embedded.server import EmbeddedServer

log = logging.getLogger(__name__)

EMBEDDED = "embedded"
EMBEDDED_MODEL = "studio-encoder"
CHECKPOINT_S = 5.0
SLOTS = 4
BORN = time.time()  # of this process, as near as it matters
_NOT_THE_WORKERS = (
    "workspace", "worker", "provider", "person",
    "expert_usd_hour", "analyst_usd_hour", "annotator_usd_hour",
)  # fmt: skip
_succeeded: set[str] = set()


def open_workspace(
    path: Path | None = None,
    *,
    provider: Callable[[str], Provider] | None = None,
    wake: Callable[[], None] | None = None,
    clock: Callable[[], float] = time.time,
) -> Workspace:
    """Open a workspace, making or updating its file.

    Args:
        path: The workspace file; the configured one when None.
        provider: How providers are opened; tests pass a scripted one.
        wake: How a worker is made sure of; tests pass something that does nothing.
        clock: Seconds since 1970.

    Raises:
        WorkspaceError: If the file is not a workspace, is damaged, or cannot be written.
        InputError: If a setting cannot be read.
    """
    settings = load_settings(workspace=path)
    store = Store(settings.workspace)
    if not store.tasks.setting("workspace_id"):
        with store.transaction():  # another starter may have been faster
            if not store.tasks.setting("workspace_id"):
                store.tasks.set_setting("workspace_id", secrets.token_hex(8))
    return Workspace(
        settings=settings,
        store=store,
        read=store.reader(),
        provider=provider or functools.partial(_open_provider, settings, store),
        engine=functools.partial(engine_of, settings),
        wake=wake or functools.partial(_wake, settings, store, clock),
        clock=clock,
    )


def make_worker(ws: Workspace) -> Worker:
    """Return the worker of a workspace with its handlers."""
    # Only a worker needs them; a command must not wait for what they bring along.
    from studio.handlers.finetunes import finetune_handler
    from studio.handlers.pacing import Pacers
    from studio.handlers.probes import probe_handler
    from studio.handlers.rewriting import rewrite_handler
    from studio.handlers.rule_asking import ask_handler
    from studio.handlers.runs import run_handler
    from studio.handlers.votes import vote_handler

    handlers: dict[str, Handler] = {
        "run": functools.partial(run_handler, ws, Pacers()),
        "finetune": functools.partial(finetune_handler, ws),
        "probe": functools.partial(probe_handler, ws),
        "rule_drafts": functools.partial(ask_handler, ws),
        "rewrite": functools.partial(rewrite_handler, ws),
        "votes": functools.partial(vote_handler, ws),
    }
    worker = Worker(
        ws.store.jobs,
        handlers,
        info=_as_worker(ws.settings, ws.store),
        clock=ws.clock,
        slots=SLOTS,
    )
    worker.obstacle = functools.partial(tell_of_space, ws.path)
    return worker


def is_worker_alive(ws: Workspace) -> bool:
    """Return whether some worker of this workspace lives."""
    return bool(workers_alive(ws))


def workers_alive(ws: Workspace) -> list[WorkerInfo]:
    """Return the workers of this workspace that live."""
    return _living(ws.read, ws.clock)


def serve_worker(
    ws: Workspace, *, if_none: bool = False, tell: Callable[[str], None] = log.info
) -> None:
    """Do the workspace's jobs until told to stop, with the embedded server beside them.

    Args:
        ws: The workspace.
        if_none: Return at once if a worker lives; one that is outdated is replaced.
        tell: Called with a sentence if another one is at work.

    Raises:
        WorkerError: If the workspace is being restored.
        WeightsError: If the encoder's weights were altered.
    """
    lock = WorkerLock(ws.path.with_name(ws.path.name + ".worker.lock"))
    mine = _as_worker(ws.settings, ws.store)
    living = functools.partial(workers_alive, ws)
    if if_none:
        if not take_turn(lock, mine, living):
            tell("A worker is at work already; nothing to do.")
            return
    else:
        mine = dataclasses.replace(mine, settings=BY_HAND)
        lock.join()
        if others := " and ".join(str(other.pid) for other in living()):
            tell(f"A worker is at work already (process {others}); this one works beside it.")
    ws.store.jobs.record_worker(mine)
    hosted: list[EmbeddedServer] = []
    try:
        _host_server(ws.settings, hosted)
        asyncio.run(_work(ws, mine, hosted))
    finally:
        for server in hosted:
            server.stop()
        ws.store.checkpoint()
        lock.release()


def serve_embedded(settings: Settings, *, port: int = 0) -> EmbeddedServer:
    """Start the embedded server alone; stop it when done.

    Raises:
        PortTakenError: If another program listens there.
        ConflictError: If one runs on this workspace already.
    """
    from studio.embedded.server import EmbeddedServer

    return EmbeddedServer(settings.embedded_folder, port=port).start()


def _host_server(settings: Settings, hosted: list[EmbeddedServer]) -> None:
    """Start the embedded server in this process unless it is here or elsewhere already."""
    from studio.embedded.server import EmbeddedServer

    if not hosted and _find_server(settings) is None:
        with contextlib.suppress(ConflictError):  # `studio serve` was faster
            hosted.append(EmbeddedServer(settings.embedded_folder).start())


async def _work(ws: Workspace, mine: WorkerInfo, hosted: list[EmbeddedServer]) -> None:
    """Run the worker; now and then move the database's log into its file and look around."""
    worker, file = make_worker(ws), _file_id(ws.path)
    worker.info = mine

    async def tidy() -> None:
        # Half a second, spent before a job of another worker has to be taken over.
        await asyncio.to_thread(importlib.import_module, "studio.providers.openai_compatible")
        while True:
            await asyncio.sleep(CHECKPOINT_S)
            if _file_id(ws.path) != file:
                log.warning("%s was removed or replaced; the worker ends", ws.path)
                worker.stop()
                return
            try:
                if mine.settings != BY_HAND:  # a key is told of once a provider needs it
                    worker.info = _as_worker(ws.settings, ws.store)
                ws.store.checkpoint()
                await asyncio.to_thread(_host_server, ws.settings, hosted)
            except Exception:
                log.exception("tidying up failed; it is tried again")

    tidying = asyncio.create_task(tidy())
    try:
        await worker.run(signals=True)
    finally:
        tidying.cancel()


def _file_id(path: Path) -> tuple[int, int] | None:
    """Return what tells this file from another one of the same name; None when it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _open_provider(settings: Settings, store: Store, name: str) -> Provider:
    """Open a provider by name; the embedded one by the address its server wrote down."""
    from studio.providers.openai_compatible import OpenAICompatible

    if name != EMBEDDED:
        entry = store.providers.get(name)
        return OpenAICompatible(
            entry.name,
            entry.base_url,
            find_key(entry.key_env),
            entry.model,
            wire=entry.wire,
            timeout_s=settings.timeout_s,
        )
    found = _find_server(settings)
    if found is None:
        return AbsentProvider(
            name=EMBEDDED,
            host="127.0.0.1",
            is_local=True,
            default_model=EMBEDDED_MODEL,
            why="The embedded server does not run.",
            next_step="It starts with the worker: `studio worker`, or open the app.",
        )
    return OpenAICompatible(
        EMBEDDED,
        found.url,
        found.token,
        EMBEDDED_MODEL,
        identity=EMBEDDED,
        timeout_s=settings.timeout_s,
        is_paced=False,  # its limits tell of its queue, which is no speed
    )


def engine_of(settings: Settings) -> dict[str, Any]:
    """Return what the embedded server says of itself, or why it says nothing."""
    found = _find_server(settings)
    if found is None:
        return {"error": "The embedded server does not run; it starts with the worker."}
    return {"url": found.url, **found.health}


def _find_server(settings: Settings) -> Any:
    from studio.embedded.server import find

    return find(settings.embedded_folder)


def _as_worker(settings: Settings, store: Store) -> WorkerInfo:
    """Return this process as a worker: its version, and what its settings and keys amount to."""
    values = {
        field.name: getattr(settings, field.name)
        for field in dataclasses.fields(settings)
        if field.name not in _NOT_THE_WORKERS
    }
    keys = {entry.key_env for entry in store.providers.all() if find_key(entry.key_env)}
    return this_worker(__version__, BORN, settings=fingerprint(values, keys))


def _living(store: Store, clock: Callable[[], float]) -> list[WorkerInfo]:
    now = clock()
    return [info for info in store.jobs.workers()[:20] if worker_alive(info, now)]


def _wake(settings: Settings, store: Store, clock: Callable[[], float]) -> None:
    """Start the worker unless a good one lives or somebody else looks after it.

    What is started waits for an outdated one to end; it is started once for each of these.
    """
    if settings.worker == "external":
        return
    living = _living(store, clock)
    mine = _as_worker(settings, store)
    names = {info.name for info in living}
    if not all(is_outdated(info, mine) for info in living) or (living and names <= _succeeded):
        return
    _succeeded.update(names)
    start_worker(
        settings.workspace,
        argv=[
            sys.executable,
            "-P",  # the folder we were started in holds people's files, not modules
            "-m",
            "studio.cli.main",
            "worker",
            "--if-none",
            "--workspace",
            str(settings.workspace),
        ],
    )
