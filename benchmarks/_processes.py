"""What a command and every process it starts cost: wall time, CPU, and memory at its peak."""

from __future__ import annotations

import os
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "BENCHMARK_GROUP"
LOOK_S = 0.1


@dataclass(frozen=True)
class Cost:
    """What a command cost.

    Attributes:
        code: Its exit status.
        wall: Seconds until it ended.
        cpu: User and system seconds of all processes of the group.
        peak: Most bytes resident at once, summed over them (what they share counts twice).
        said: What it wrote.
    """

    code: int
    wall: float
    cpu: float
    peak: int
    said: str


class Group:
    """The processes that carry this group's mark in their environment, whoever their parent is.

    A worker outlives the command that started it and leaves its process tree; the mark stays.
    """

    def __init__(self) -> None:
        self._mark = secrets.token_hex(8)
        self._known: dict[tuple[int, float], bool] = {}
        self._lock = threading.Lock()

    def start(
        self, command: Sequence[str], cwd: Path, environ: Mapping[str, str], output: Path
    ) -> subprocess.Popen[bytes]:
        """Start a process of the group, its output in a file."""
        with output.open("ab") as file, self._lock:  # not to be looked at before it has the mark
            return subprocess.Popen(
                command,
                cwd=cwd,
                env={**os.environ, **environ, MARK: self._mark},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def measure(
        self, command: Sequence[str], cwd: Path, environ: Mapping[str, str], limit_s: float = 300
    ) -> Cost:
        """Run a command to its end; processes of the group that were there count from now on."""
        output = cwd / "output.log"
        output.write_bytes(b"")
        before, peak, ended = self.cpu(), [0], threading.Event()

        def look() -> None:
            while not ended.is_set():
                peak[0] = max(peak[0], self.rss())
                ended.wait(LOOK_S)

        looking = threading.Thread(target=look)
        started = time.monotonic()
        process = self.start(command, cwd, environ, output)
        looking.start()
        guard = threading.Timer(limit_s, self.kill)
        guard.start()
        _, status, used = os.wait4(process.pid, 0)  # with every child that it waited for
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu = used.ru_utime + used.ru_stime + self.cpu() - before
        guard.cancel()
        ended.set()
        looking.join()
        said = output.read_text(encoding="utf-8", errors="replace")
        return Cost(process.returncode, wall, cpu, peak[0], said)

    def alive(self) -> list[psutil.Process]:
        """Return the processes of the group."""
        found = []
        with self._lock:
            for process in psutil.process_iter():
                key = (process.pid, process.create_time())
                if key not in self._known:
                    self._known[key] = self._is_marked(process)
                if self._known[key]:
                    found.append(process)
        return found

    def cpu(self, which: Callable[[str], bool] = bool) -> float:
        """Return the CPU seconds of the processes alive whose command line is wanted."""
        total = 0.0
        for process in self.alive():
            try:
                if which(" ".join(process.cmdline())):
                    # Its ended children too; of those alive, each speaks for itself.
                    total += sum(process.cpu_times()[:4])
            except psutil.Error:
                continue
        return total

    def rss(self) -> int:
        """Return the bytes resident."""
        total = 0
        for process in self.alive():
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
        return total

    def kill(self) -> None:
        """Kill all of it with SIGKILL, at once, and wait until nothing of it runs."""
        while True:
            running = 0
            for process in self.alive():
                try:
                    if process.status() != psutil.STATUS_ZOMBIE:
                        process.kill()
                        running += 1
                except psutil.Error:
                    continue
            if not running:
                return
            time.sleep(0.02)

    def _is_marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == self._mark
        except (psutil.Error, OSError):
            return False
