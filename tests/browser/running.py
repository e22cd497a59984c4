"""The app as `studio app` starts it, with worker and embedded server; and pages under watch."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from studio.bootstrap import open_workspace
from studio.domain.job import WorkerInfo
from studio.errors import StudioError
from studio.jobs.process import stop_worker, worker_alive

ROOT = Path(__file__).parents[2]
STUDIO = Path(sys.executable).with_name("studio")
# Opened at a page's address, Streamlit's client looks for its server below that page first.
PROBE = re.compile(r"/[a-z]+/_stcore/(health|host-config)$")
OURS = ("STUDIO_WORKSPACE", "STUDIO_WORKER", "STUDIO_PERSON", "STUDIO_PROVIDER")


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class StudioApp:
    """`studio app` on one workspace, with the worker it starts; `stop` and `start` restart it.

    Attributes:
        workspace: Its file.
        sample: Whether an empty workspace gets the keto task.
        bare: Start Streamlit itself, as people do who do not use `studio app`.
        port: Where it listens.
        process: The running app.
    """

    workspace: Path
    sample: bool = False
    bare: bool = False
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _opened: Any = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The app's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the app printed."""
        return self.workspace.with_name("app.log")

    def start(self) -> None:
        """Start the app and wait until it answers."""
        command = [
            str(STUDIO), "app", "--no-browser", "--port", str(self.port),
            "--workspace", str(self.workspace), "--sample" if self.sample else "--no-sample",
        ]  # fmt: skip
        if self.bare:
            command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "asgi.py"),
                       "--server.port", str(self.port)]  # fmt: skip
        environ = {name: value for name, value in os.environ.items() if name not in OURS}
        environ |= {"STUDIO_WORKSPACE": str(self.workspace)} if self.bare else {}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=environ,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            with suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2).close()
                return
            time.sleep(0.05)
        raise AssertionError(f"the app did not start: {self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End the app; its worker goes on."""
        if self.process is None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, sign)
            end = time.monotonic() + 15
            while self._listens() and time.monotonic() < end:
                time.sleep(0.05)
        self.process.wait(timeout=15)
        self.process = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def read(self) -> Any:
        """The workspace as SQLite holds it, to read; it needs no app."""
        if self._opened is None:
            self._opened = open_workspace(self.workspace, wake=lambda: None)
        return self._opened.read

    def workers(self) -> list[WorkerInfo]:
        """Return the workers of this workspace that live."""
        return [info for info in self.read.jobs.workers() if worker_alive(info, time.time())]

    @contextmanager
    def held_worker(self) -> Iterator[None]:
        """Let the worker do nothing for a while."""
        (worker,) = self.workers()
        os.kill(worker.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(worker.pid, signal.SIGCONT)

    def end(self) -> None:
        """Stop the app, its worker and with it the embedded server."""
        self.stop()
        with suppress(StudioError):  # a damaged workspace has no worker
            for info in self.workers():
                stop_worker(info)
        if self._opened is not None:
            self._opened.store.close()
            self._opened.read.close()
            self._opened = None


@contextmanager
def studio_app(workspace: Path, *, sample: bool = False, bare: bool = False) -> Iterator[StudioApp]:
    """Run the app on a workspace file and end everything it started."""
    app = StudioApp(workspace, sample=sample, bare=bare)
    app.start()
    try:
        yield app
    finally:
        app.end()


@dataclass
class Watch:
    """What a page did that it must not do."""

    own: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    requests: int = 0
    sockets: int = 0

    @contextmanager
    def while_down(self) -> Iterator[None]:
        """Forgive what a page complains of while nobody answers it."""
        so_far = len(self.errors)
        yield
        del self.errors[so_far:]

    def on_request(self, request: Any) -> None:
        """Count a request and keep its address when it is of another host."""
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss"):
            self.requests += 1
            if parts.netloc != self.own:
                self.foreign.append(request.url)

    def on_socket(self, socket: Any) -> None:
        """The same for a websocket."""
        self.sockets += 1
        self.on_request(socket)

    def on_console(self, message: Any) -> None:
        """Keep what the browser calls an error."""
        where = message.location.get("url", "")
        if message.type == "error" and not PROBE.search(where):
            self.errors.append(f"{message.text} ({where})")

    def on_failure(self, error: Any) -> None:
        """Keep an error of the page's own code."""
        self.errors.append(str(error))


def watch(page: Any, url: str) -> Watch:
    """Watch a page's console and every request it makes."""
    seen = Watch(own=urlsplit(url).netloc)
    page.on("console", seen.on_console)
    page.on("pageerror", seen.on_failure)
    page.on("request", seen.on_request)
    page.on("websocket", seen.on_socket)
    return seen


def settled(page: Any, timeout: float = 30_000) -> None:
    """Wait until the page's script has run to its end."""
    page.wait_for_function(
        """() => {
            const app = document.querySelector('[data-testid="stApp"]');
            return app && app.getAttribute('data-test-script-state') !== 'running'
              && app.getAttribute('data-test-connection-state') === 'CONNECTED'
              && !document.querySelector('[data-stale="true"]');
        }""",
        timeout=timeout,
    )


def main_button(page: Any, name: str, *, exact: bool = True) -> Any:
    """Return a button of the page, outside the sidebar."""
    return page.get_by_test_id("stMain").get_by_role("button", name=name, exact=exact)


def wait_for_text(page: Any, text: str | re.Pattern[str], *, seconds: float = 30) -> Any:
    """Wait until a text stands on the page, outside the sidebar, and return where."""
    found = page.get_by_test_id("stMain").get_by_text(text).first
    found.wait_for(timeout=1000 * seconds)
    return found


def type_labels(page: Any, labels: list[tuple[str, str]]) -> None:
    """Fill the table of labels, which is a canvas: cells are found by their place."""
    table = page.get_by_test_id("stDataFrame").first.locator(".dvn-scroller").first
    for number, pair in enumerate(labels):
        for place, text in zip((60, 420), pair, strict=True):
            table.click(position={"x": place, "y": 55 + 40 * number})
            page.keyboard.press("Enter")
            editor = page.locator("#portal textarea").first
            editor.fill(text)
            editor.press("Enter")
            editor.wait_for(state="detached")
    page.wait_for_timeout(400)  # the table hands its edits over after a moment


def wait_for_job(app: StudioApp, is_so: Callable[[Any], bool], *, seconds: float = 30) -> Any:
    """Return the newest open job as soon as it is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        job = max(app.read.jobs.open(), key=lambda job: job.id, default=None)
        if job is not None and is_so(job):
            return job
        time.sleep(0.01)
    raise AssertionError("the job was never seen so")


def give_name(page: Any, name: str) -> None:
    """Answer the question of the first visit."""
    field_ = page.get_by_role("textbox", name="Your name")
    field_.wait_for(timeout=30_000)
    field_.fill(name)
    field_.press("Enter")


def open_page(page: Any, title: str) -> None:
    """Go to a page by its link in the navigation, and wait until it is drawn."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click(delay=60)
    page.get_by_role("heading", name=title, exact=True, level=1).wait_for(timeout=30_000)
    settled(page)
