"""Starting, finding and stopping the embedded server."""

from __future__ import annotations

import asyncio
import fcntl
import functools
import http.client
import json
import os
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from studio import __version__
from studio.embedded.disk import read_json, write_json
from studio.errors import ConflictError, PortTakenError, WorkspaceError

HOST = "127.0.0.1"
ADDRESS = "server.json"


@dataclass(frozen=True)
class Address:
    """Where a live server is.

    Attributes:
        url: What an OpenAI client takes as its base URL: `http://127.0.0.1:PORT/v1`.
        token: What every request carries as a bearer token, the client's key.
        pid: The process it lives in.
        started: When it started, in seconds since 1970.
        health: What `/health` said: engine, fallback, version.
    """

    url: str
    token: str
    pid: int
    started: float
    health: dict[str, Any]


class EmbeddedServer:
    """The OpenAI-compatible server, in a thread of this process.

    Args:
        folder: Where it keeps its files; made when missing. One server a folder.
        port: A port of 127.0.0.1; 0 takes a free one.

    Attributes:
        url: What an OpenAI client takes as its base URL, once started.
        token: The bearer token it asks for, the client's key.

    >>> with EmbeddedServer("studio.db.embedded") as server:  # doctest: +SKIP
    ...     client = OpenAI(base_url=server.url, api_key=server.token)
    """

    def __init__(self, folder: Path | str, port: int = 0) -> None:
        self.folder, self._port = Path(folder), port
        self.url, self.token = "", secrets.token_urlsafe(32)
        self._lock: IO[str] | None = None
        self._uvicorn: Any = None
        self._batches: Any = None
        self._thread: threading.Thread | None = None
        self._close: list[Any] = []

    def start(self) -> EmbeddedServer:
        """Start and return once requests are answered.

        Raises:
            PortTakenError: Another program listens on the port.
            ConflictError: A server runs on this folder already.
            WeightsError: The encoder's weights were altered.
            WorkspaceError: The folder cannot be written.
        """
        self._take_folder()
        try:
            listener = self._listen()
            try:
                self._launch(listener)
            except BaseException:
                listener.close()
                raise
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Answer what was asked, stop, and leave no trace of being alive."""
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=15)
        for close in reversed(self._close):
            close()
        self._close.clear()
        self._uvicorn = self._thread = None
        if self._lock is not None:
            (self.folder / ADDRESS).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def wait(self) -> None:
        """Block until the server stops."""
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(0.5)

    def __enter__(self) -> EmbeddedServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _take_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = (self.folder / "server.lock").open("a")
        except OSError as error:
            raise WorkspaceError(f"{self.folder} cannot be written: {error.strerror}.") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            self._lock = None
            there = find(self.folder)
            where = f" at {there.url}" if there else ""
            raise ConflictError(
                f"An embedded server already runs on {self.folder}{where}.",
                next_step="Use that one, or stop it first.",
            ) from error

    def _listen(self) -> socket.socket:
        listener = socket.socket(proto=socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by every connection; without it each reply waits 40 ms for the client's ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((HOST, self._port))
            listener.listen(512)
        except (OSError, OverflowError) as error:
            listener.close()
            raise PortTakenError(
                f"Port {self._port} of {HOST} cannot be used: another program listens there.",
                next_step="Choose another port, or 0 for a free one.",
            ) from error
        self.url = f"http://{HOST}:{listener.getsockname()[1]}/v1"
        return listener

    def _launch(self, listener: socket.socket) -> None:
        import uvicorn

        started = time.time()
        app = self._app(started)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", server_header=False,
            timeout_graceful_shutdown=5, timeout_keep_alive=60, http="auto",
            ws="none", proxy_headers=False,
        )  # fmt: skip
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._serve, args=(listener,), name="embedded-server", daemon=True
        )
        self._thread.start()
        while not self._uvicorn.started:
            if not self._thread.is_alive():
                raise WorkspaceError("The embedded server ended while it was starting.")
            time.sleep(0.005)
        about = {"url": self.url, "token": self.token, "pid": os.getpid(), "started": started}
        write_json(self.folder / ADDRESS, about)

    def _serve(self, listener: socket.socket) -> None:
        asyncio.run(self._answer(listener))

    async def _answer(self, listener: socket.socket) -> None:
        batches = asyncio.create_task(self._batches.work())
        try:
            await self._uvicorn.serve(sockets=[listener])
        finally:
            batches.cancel()
            await asyncio.gather(batches, return_exceptions=True)

    def _app(self, started: float) -> Any:
        """Put the parts together; what must be closed is noted in the order it was opened."""
        from studio.embedded.answering import Answerer
        from studio.embedded.app import Routes
        from studio.embedded.batches import Batches
        from studio.embedded.batching import Batcher
        from studio.embedded.cache import VectorCache
        from studio.embedded.encoder import load_encoder
        from studio.embedded.files import Files
        from studio.embedded.fine_tuning import FineTuning
        from studio.embedded.models import Models

        encoder = load_encoder()
        cache = VectorCache(self.folder, encoder)
        self._close.append(cache.close)
        batcher = Batcher(cache)
        self._close.append(batcher.close)
        files = Files(self.folder / "files")
        models = Models(self.folder / "models", int(started))
        jobs = FineTuning(self.folder, files, models)
        jobs.start()
        self._close.append(jobs.stop)
        about = {
            "engine": encoder.engine,
            "fallback": encoder.note or None,
            "version": __version__,
            "pid": os.getpid(),
            "started": started,
        }
        answerer = Answerer(encoder, batcher.vectors, models)
        in_time = Answerer(encoder, functools.partial(batcher.vectors, patient=True), models)
        self._batches = Batches(self.folder, files, in_time)
        return Routes(answerer, models, files, jobs, self._batches, about).app(self.token)


def find(folder: Path | str) -> Address | None:
    """Return where the live server of a folder is, or None when none answers."""
    try:
        about = read_json(Path(folder) / ADDRESS)
        said = _health(about["url"])
        address = Address(about["url"], about["token"], about["pid"], about["started"], said)
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        return None
    same = said.get("pid") == address.pid and said.get("started") == address.started
    return address if same else None


def serve(folder: Path | str, port: int = 0) -> None:
    """Run a server in this process until it is interrupted or terminated.

    Raises:
        StudioError: It cannot start; see `EmbeddedServer.start`.
    """
    import signal

    server = EmbeddedServer(folder, port)
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    with server:
        print(json.dumps({"url": server.url, "folder": str(server.folder)}), flush=True)  # noqa: T201
        while not asked.wait(0.5):
            pass


def _health(url: str) -> dict[str, Any]:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or HOST, place.port, timeout=2)
    try:
        connection.request("GET", "/health")
        said = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    if not isinstance(said, dict):
        raise ValueError("no health object")  # noqa: TRY004 (read as any other wrong reply)
    return said
