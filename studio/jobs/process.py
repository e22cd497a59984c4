"""Processes: starting the worker, finding out whether it lives, stopping it."""

from __future__ import annotations

import calendar
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO

from studio.domain.job import WorkerInfo
from studio.errors import WorkerError

HEARTBEAT_LIMIT_S = 10.0
_LOG_LIMIT = 5_000_000


def process_started_at(pid: int) -> float | None:
    """Return when a process of this machine started; None when it is gone (or a zombie).

    On Linux these are seconds since the machine's start, elsewhere since 1970: compare the
    figures with one another, not with a clock. A pid is used again, a pid with this figure not.
    """
    if Path("/proc/self/stat").exists():
        return _started_by_proc(pid)
    return _started_by_ps(pid)


def _started_by_proc(pid: int) -> float | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before may hold spaces and brackets
    state, ticks = fields[0], int(fields[19])
    return None if state in "ZX" else ticks / os.sysconf("SC_CLK_TCK")


def _started_by_ps(pid: int) -> float | None:
    answer = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        env={"LC_ALL": "C", "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = answer.stdout.strip().partition(" ")
    if answer.returncode != 0 or not started or state.startswith("Z"):
        return None
    return float(calendar.timegm(time.strptime(started.strip(), "%a %b %d %H:%M:%S %Y")))


def this_worker(version: str, now: float, *, settings: str = "") -> WorkerInfo:
    """Return what the calling process says of itself as a worker; see `WorkerInfo`."""
    pid = os.getpid()
    return WorkerInfo(
        host=socket.gethostname(),
        pid=pid,
        process_started=process_started_at(pid) or 0.0,
        started_at=now,
        heartbeat=now,
        version=version,
        settings=settings,
    )


def worker_alive(info: WorkerInfo | None, now: float) -> bool:
    """Tell whether a worker is at work.

    On this machine its process decides, so a killed worker is missed at once and one that was
    suspended is not replaced; of other machines only a heartbeat of the last 10 s is known.
    """
    if info is None:
        return False
    if info.host == socket.gethostname():
        return process_started_at(info.pid) == info.process_started
    return now - info.heartbeat < HEARTBEAT_LIMIT_S


def start_worker(workspace_path: Path, *, argv: list[str]) -> None:
    """Start a worker that outlives the caller, its output in `<workspace>.worker.log`.

    It gets none of the caller's pipes or open files. Starting one too many does no harm: see
    `studio.jobs.succession.take_turn`.

    Args:
        workspace_path: The workspace it is for.
        argv: The command.

    Raises:
        WorkerError: If the command cannot be started.
    """
    log = workspace_path.with_name(workspace_path.name + ".worker.log")
    try:
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_name(log.name + ".1"))
        with _open_private(log) as output:
            child = subprocess.Popen(  # noqa: S603
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:  # no space, a read-only folder, no memory
        raise WorkerError(
            f"The worker could not be started: {(error.strerror or 'unknown').lower()}.",
            next_step="Start it by hand with `studio worker` to see why.",
        ) from error
    # Somebody must wait for it: a dead child nobody waited for looks alive.
    threading.Thread(target=child.wait, name="worker-reaper", daemon=True).start()


def ask_to_stop(info: WorkerInfo) -> bool:
    """Tell a worker of this machine to finish its calls in flight, put its jobs back and end.

    Returns:
        Whether it lives, and so was told.

    Raises:
        WorkerError: If it runs on another machine.
    """
    if info.host != socket.gethostname():
        raise WorkerError(
            f"The worker runs on {info.host}, not here.", next_step="Stop it on that machine."
        )
    if process_started_at(info.pid) != info.process_started:
        return False
    with contextlib.suppress(ProcessLookupError):  # it may end between the look and the signal
        os.kill(info.pid, signal.SIGTERM)
    return True


def stop_worker(info: WorkerInfo, *, patience_s: float = 15.0) -> bool:
    """Ask a worker to stop, and wait until it is gone.

    Returns:
        Whether it is gone; False means that it still finishes something.

    Raises:
        WorkerError: If it runs on another machine.
    """
    return not ask_to_stop(info) or has_ended(info, patience_s=patience_s)


def has_ended(info: WorkerInfo, *, patience_s: float = 15.0) -> bool:
    """Wait until a worker of this machine is gone; False if it still finishes something."""
    until = time.monotonic() + patience_s
    while process_started_at(info.pid) == info.process_started:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


class WorkerLock:
    """Held by every worker of a workspace as long as its process lives, freed by its death.

    Workers share it: the first `take`s it, others may `join`. Entering it as a context keeps
    workers away, and raises a WorkerError that names them while there are some.

    Args:
        path: The lock file; made when missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Become the first worker; of several who try at once, one does.

        Returns:
            False if there is a worker already, or the workspace is being exchanged.
        """
        # From alone to shared is no single step: who slips in between had it alone, and is first.
        if not self._lock(fcntl.LOCK_EX):
            return False
        self._write_down(alone=True)
        return self._lock(fcntl.LOCK_SH)

    def join(self, *, patience_s: float = 1.0) -> None:
        """Become one more worker.

        Raises:
            WorkerError: If the workspace is being exchanged.
        """
        until = time.monotonic() + patience_s  # a first one has it alone for a moment
        while not self._lock(fcntl.LOCK_SH):
            if time.monotonic() > until:
                raise WorkerError(
                    "Another program keeps workers away from this workspace.",
                    next_step="Wait until the restore has ended, then start the worker again.",
                )
            time.sleep(0.02)
        self._write_down(alone=False)

    def release(self) -> None:
        """Give it up."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> WorkerLock:
        if not self._lock(fcntl.LOCK_EX):
            raise WorkerError(
                f"A worker is already at work on this workspace (process {self._owners()}).",
                next_step="Stop it with `studio worker --stop`.",
            )
        self._write_down(alone=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _lock(self, kind: int) -> bool:
        """Get the lock of this kind, or have none."""
        file = self._file or _open_private(self._path)
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except OSError:
            file.close()
            self._file = None
            return False
        self._file = file
        return True

    def _write_down(self, *, alone: bool) -> None:
        assert self._file is not None
        if alone:
            self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def _owners(self) -> str:
        pids = self._path.read_text(encoding="utf-8").split()
        alive = [pid for pid in pids if process_started_at(int(pid)) is not None]
        return " and ".join(alive) or "unknown"


def _open_private(path: Path) -> IO[str]:
    """Open for appending a file that only its owner can read."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a")
