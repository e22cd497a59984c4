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
from queue import Empty, Queue
from threading import Lock, Thread, Timer
from typing import Concatenate, ParamSpec, TypeVar

import streamlit as st

from studio.workspace import Workspace

_P = ParamSpec("_P")
_T = TypeVar("_T")
_MOST = 64
_LONGEST_S = 1800
_STAYS_S = 60
"""A busy desk asks again within it; an idle child would only hold memory."""
_CHILD = "from studio.ui.aside_child import answer; answer()"


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
        atexit.register(self._kill)

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
            try:
                asked, job = self._waiting.get(timeout=_STAYS_S if self._child else None)
            except Empty:
                self._end()
                continue
            if asked.set_running_or_notify_cancel():
                try:
                    asked.set_result(self._run(job))
                except (OSError, EOFError, pickle.UnpicklingError) as error:
                    self._end()
                    asked.set_exception(error)

    def _run(self, job: bytes) -> bytes:
        """Return what the child says of a job; a child that works too long is ended."""
        if self._child is not None and self._child.poll() is not None:
            self._end()  # something else ended it while it had nothing to do
        if self._child is None:
            self._child = subprocess.Popen(  # noqa: S603 (our own interpreter and code)
                [sys.executable, "-P", "-c", _CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
        to, of = self._child.stdin, self._child.stdout
        assert to, "it is a pipe"
        assert of, "it is a pipe"
        too_long = Timer(_LONGEST_S, self._kill)
        too_long.start()
        try:
            to.write(job)
            to.flush()
            found: bytes = pickle.load(of)  # noqa: S301 (of our own child)
            return found
        finally:
            too_long.cancel()

    def _end(self) -> None:
        """End the child; the next job starts another."""
        child, self._child = self._child, None
        if child is not None:
            with suppress(BrokenPipeError), child:  # it may have ended with a job half written
                child.kill()

    def _kill(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.kill()


@st.cache_resource(show_spinner=False)
def _asides(lane: str) -> _Asides:
    """Return those of one lane."""
    return _Asides()


def found_aside(
    lane: str,
    path: Path,
    key: Hashable,
    function: Callable[Concatenate[Workspace, _P], _T],
    *args: _P.args,
    **kwargs: _P.kwargs,
) -> _T | Pending:
    """Return what a function says of a workspace, once a process of its own has found it.

    The app's process serves everybody, so what computes for seconds would make all of them wait.

    Args:
        lane: What has the same one is worked out one after the other, in a process that stays for
            a while; what somebody waits for has one of its own.
        path: The workspace.
        key: What the result depends on beside function and arguments, a count of labels, say.
        function: A function of an importable module.
        *args: What it gets after the workspace.
        **kwargs: And by name.
    """
    job = pickle.dumps((path, function, args, kwargs))
    asked = _asides(lane).ask((key, job), job)
    if not asked.done():
        return Pending.WORKING
    if asked.cancelled() or asked.exception() is not None:
        return Pending.FAILED
    found: _T = pickle.loads(asked.result())  # noqa: S301 (of our own child)
    return found
