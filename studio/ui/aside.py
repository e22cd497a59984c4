"""Works out beside the app what takes seconds of computing, so that no page waits for it."""

from __future__ import annotations

import atexit
import os
import pickle
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from queue import Queue
from threading import Lock, Thread
from typing import Concatenate, ParamSpec, TypeVar

import streamlit as st

from studio.bootstrap import open_workspace
from studio.workspace import Workspace

_P = ParamSpec("_P")
_T = TypeVar("_T")
_MOST = 64
_LONGEST_S = 1800
_CHILD = "from studio.ui.aside import answer; answer()"


class Pending(StrEnum):
    """Why there is no result."""

    WORKING = "working"
    FAILED = "failed"


class _Asides:
    """What was asked for, the latest last; one thing after another is worked out."""

    def __init__(self) -> None:
        self._asked: OrderedDict[Hashable, Future[bytes]] = OrderedDict()
        self._lock = Lock()
        self._waiting: Queue[tuple[Future[bytes], bytes]] = Queue()
        self._child: subprocess.Popen[bytes] | None = None
        Thread(target=self._work, name="aside", daemon=True).start()
        atexit.register(self._stop)

    def ask(self, key: Hashable, job: bytes) -> Future[bytes]:
        """Return what becomes of a job; of the same key it is begun once."""
        with self._lock:
            if key not in self._asked:
                self._asked[key] = Future()
                self._waiting.put((self._asked[key], job))
            self._asked.move_to_end(key)
            while len(self._asked) > _MOST:
                self._asked.popitem(last=False)[1].cancel()
            return self._asked[key]

    def _work(self) -> None:
        while True:
            asked, job = self._waiting.get()
            if asked.set_running_or_notify_cancel():
                try:
                    asked.set_result(self._run(job))
                except (OSError, subprocess.SubprocessError) as error:
                    asked.set_exception(error)

    def _run(self, job: bytes) -> bytes:
        self._child = subprocess.Popen(  # noqa: S603 (our own interpreter and code)
            [sys.executable, "-P", "-c", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        with self._child as child:
            try:
                found, _ = child.communicate(job, timeout=_LONGEST_S)
            except subprocess.TimeoutExpired:
                child.kill()
                raise
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, child.args)
        return found

    def _stop(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.kill()


@st.cache_resource(show_spinner=False)
def _asides(of: str) -> _Asides:
    """Return those of one function: what takes minutes holds up nothing that takes seconds."""
    return _Asides()


def found_aside(
    path: Path,
    key: Hashable,
    function: Callable[Concatenate[Workspace, _P], _T],
    *args: _P.args,
    **kwargs: _P.kwargs,
) -> _T | Pending:
    """Return what a function says of a workspace, once a process of its own has found it.

    The app's process serves everybody, so what computes for seconds would make all of them wait.

    Args:
        path: The workspace.
        key: What the result depends on beside function and arguments, a count of labels, say.
        function: A function of an importable module.
        *args: What it gets after the workspace.
        **kwargs: And by name.
    """
    job = pickle.dumps((path, function, args, kwargs))
    asked = _asides(function.__qualname__).ask((key, job), job)
    if not asked.done():
        return Pending.WORKING
    if asked.cancelled() or asked.exception() is not None:
        return Pending.FAILED
    found: _T = pickle.loads(asked.result())  # noqa: S301 (of our own child)
    return found


def answer() -> None:
    """Work out one job from standard input: the other end of `found_aside`."""
    with suppress(OSError):
        os.nice(10)  # whoever keys labels goes first
    path, function, args, kwargs = pickle.load(sys.stdin.buffer)  # noqa: S301 (of our own parent)
    ws = open_workspace(path, wake=lambda: None)
    try:
        sys.stdout.buffer.write(pickle.dumps(function(ws, *args, **kwargs)))
    finally:
        ws.store.close()
        ws.read.close()
