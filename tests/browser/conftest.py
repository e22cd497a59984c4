"""The app as a process of its own, and a real Chromium to look at it.

Each test gets a workspace and an app of its own, `ws` and `served`. A module whose tests keep to
tasks of their own makes both once, with `workspace_in` and `serving`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from studio.actions.examples import Columns, import_examples
from studio.actions.tasks import create_task
from studio.bootstrap import open_workspace
from studio.workspace import Workspace
from tests.browser.running import free_port

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("STUDIO_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Picture the pages of a test that failed, and say where the pictures are."""
    report = yield
    if report.when == "call" and report.failed:
        for number, page in enumerate(getattr(item, "pages", ()), 1):
            if not page.is_closed():
                folder = item.config._tmp_path_factory.mktemp("failed", numbered=True)
                path = folder / f"{item.name}-{number}.png"
                page.screenshot(path=path)
                report.sections.append(("the page as it was", f"{path}, at {page.url}"))
    return report


@pytest.fixture(scope="module")
def chromium():
    """A running Chromium; under CI=true its absence is a failure.

    One a module, for while Playwright runs no other test could start an event loop.
    """
    if not Path(CHROMIUM).exists():
        said = f"no Chromium at {CHROMIUM}; `make test` says how to install it"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # its own 5 seconds are too few on a busy machine
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def workspace_in(folder: Path) -> Iterator[Workspace]:
    """Open a new workspace in a folder and close it at the end."""
    opened = open_workspace(folder / "studio.db", wake=lambda: None)
    yield opened
    opened.store.close()
    opened.read.close()


@pytest.fixture
def ws(tmp_path) -> Iterator[Workspace]:
    """A workspace in a folder of its own; the served app opens the same file."""
    with workspace_in(tmp_path) as opened:
        yield opened


def import_dishes(ws: Workspace, labels: Sequence[str] = ("keto", "not_keto"), examples: int = 120):
    """Return a task of which nothing is labeled."""
    task = create_task(ws, name="dishes", labels=labels, by="Ada")
    foods = ("omelette", "pancake", "steak", "risotto", "salad")
    lines = ["id,text,split"]
    lines += [f"d{i},{foods[i % 5]} number {i} with butter,train" for i in range(examples)]
    import_examples(
        ws, task.id, data="\n".join(lines).encode(), filename="dishes.csv",
        columns=Columns(split="split", id="id"), by="Ada",
    )  # fmt: skip
    return task


@dataclass
class Served:
    """The app's address; `stop` and `start` play a server that goes down."""

    workspace: Path
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = os.environ | {
            "STUDIO_WORKSPACE": str(self.workspace),
            "STUDIO_WORKER": "external",
            "STUDIO_PERSON": "Ada",
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "streamlit", "run", "app.py",
                    "--server.port", str(self.port), "--server.headless", "true",
                    "--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false",
                    "--server.fileWatcherType", "none",
                ],
                cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as reply:
                    if reply.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise AssertionError(f"the app did not start: {self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(timeout=20)


@contextmanager
def serving(ws: Workspace) -> Iterator[Served]:
    """Serve a workspace on a free port until the end, with no worker beside it."""
    app = Served(workspace=ws.path, port=free_port(), log=ws.path.with_name("app.log"))
    app.start()
    try:
        yield app
    finally:
        app.stop()


@pytest.fixture
def served(ws) -> Iterator[Served]:
    """The app on a free port, with no worker beside it."""
    with serving(ws) as app:
        yield app


@pytest.fixture
def open_browser(chromium, served, request):
    """Open pages that fail the test on a console error or a request to a foreign host."""

    @contextmanager
    def start(*, width: int = 1280, height: int = 900, scheme: str = "light", errors: bool = True):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        page = context.new_page()
        request.node.pages = [*getattr(request.node, "pages", ()), page]
        bad: list[str] = []
        own = urlsplit(served.url).netloc

        def check_request(request) -> None:
            parts = urlsplit(request.url)
            if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != own:
                bad.append(f"request to {request.url}")

        page.on("console", lambda m: bad.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: bad.append(str(e)))
        page.on("request", check_request)
        page.on("websocket", check_request)
        yield page
        context.close()
        foreign = [said for said in bad if said.startswith("request to")]
        assert not foreign
        assert not (errors and bad), bad

    return start


@pytest.fixture
def browser_page(open_browser):
    """A light, laptop-sized page."""
    with open_browser() as page:
        yield page
