"""The app as `studio app` starts it, on a workspace of a benchmark; ended with all it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import psutil

ROOT = Path(__file__).resolve().parent.parent
LONGEST_START_S = 90.0


@dataclass(frozen=True, slots=True)
class Serving:
    """A running app.

    Attributes:
        url: Its address.
        pid: Its process, `studio app` or the server that it became.
    """

    url: str
    pid: int

    def _each(self, of: Callable[[psutil.Process], float]) -> float:
        """Add up something of the server's processes, without the worker, which has a session of its own."""
        first, total = psutil.Process(self.pid), of(psutil.Process(self.pid))
        for process in first.children(recursive=True):
            with suppress(psutil.Error):  # it ended meanwhile: its parent has its CPU
                total += 0.0 if "worker" in process.cmdline() else of(process)
        return total

    def cpu(self) -> float:
        """Return the CPU seconds spent so far, by what was started and has ended as well."""
        return sum(self.spent())

    def spent(self) -> tuple[float, float]:
        """Return the CPU seconds of the app so far, and those beside it: no page waits for these."""
        beside = 0.0

        def own(process: psutil.Process) -> float:
            nonlocal beside
            used, ended = sum(process.cpu_times()[:2]), sum(process.cpu_times()[2:4])
            is_aside = any("studio.ui.aside" in part for part in process.cmdline())
            beside += ended + (used if is_aside else 0.0)
            return 0.0 if is_aside else used

        return self._each(own), beside

    def megabytes(self) -> float:
        """Return the memory it holds."""
        return self._each(lambda process: process.memory_info().rss) / 1e6


@contextmanager
def serving(workspace: Path) -> Iterator[Serving]:
    """Serve a workspace on a free port, without a worker: nothing here waits for one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "studio.cli.main", "app", "--no-browser", "--no-sample",
        "--port", str(port), "--workspace", str(workspace),
    ]  # fmt: skip
    log = workspace.with_name("app.log")
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
            env=os.environ | {"STUDIO_WORKER": "external", "STUDIO_PERSON": ""},
            start_new_session=True,
        )  # fmt: skip
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health", process, log)
        yield Serving(url=f"http://127.0.0.1:{port}", pid=process.pid)
    except SystemExit:
        sys.stderr.write(log.read_text(encoding="utf-8", errors="replace")[-4000:])
        raise
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(health: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + LONGEST_START_S
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), urlopen(health, timeout=2):
            return
        time.sleep(0.05)
    said = log.read_text(encoding="utf-8", errors="replace")[-500:]
    raise SystemExit(f"The app did not start: {said}")
