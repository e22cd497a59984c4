"""The other end of `aside`: a process that works out one job after another and says what it found.

It stays for a while, since loading what a job computes with costs more than most jobs do. It loads
nothing of the screens.
"""

from __future__ import annotations

import os
import pickle
import sys
from contextlib import suppress

from studio.bootstrap import open_workspace


def answer() -> None:
    """Answer jobs from standard input on standard output until there are no more."""
    with suppress(OSError):
        os.nice(10)  # whoever keys labels goes first
    jobs, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is no answer
    while True:
        try:
            path, function, args, kwargs = pickle.load(jobs)  # noqa: S301 (of our own parent)
        except EOFError:
            return
        ws = open_workspace(path, wake=lambda: None)
        try:
            # Twice: the app keeps the inner bytes and reads them anew for each who asks.
            found = pickle.dumps(pickle.dumps(function(ws, *args, **kwargs)))
        finally:
            ws.store.close()
            ws.read.close()
        answers.write(found)
        answers.flush()
