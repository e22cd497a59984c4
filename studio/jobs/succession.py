"""Which worker is the one: no two by accident, and an outdated one is replaced."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from studio.domain.job import WorkerInfo
from studio.jobs.process import WorkerLock, ask_to_stop

BY_HAND = "by hand"
PATIENCE_S = 30.0

log = logging.getLogger(__name__)


def fingerprint(settings: Mapping[str, object], keys: Iterable[str]) -> str:
    """Return what tells whether two processes would work alike; it holds no value and no secret.

    Args:
        settings: The settings that concern a worker.
        keys: Names of the keys that are there.

    >>> fingerprint({"concurrency": 16}, ["OPENAI_API_KEY"])
    '23120c54c64da4ad OPENAI_API_KEY'
    """
    text = json.dumps(dict(settings), sort_keys=True, default=str)
    return " ".join([hashlib.sha256(text.encode()).hexdigest()[:16], *sorted(keys)])


def is_outdated(other: WorkerInfo, mine: WorkerInfo) -> bool:
    """Tell whether a worker is to be replaced by one that this process would be.

    The latest start wins, and wins once: one that started after us is never outdated, so that two
    apps of different settings do not replace each other's worker for ever. A key it has and we
    lack is no reason; one that people started by hand is theirs to stop.

    Args:
        other: The worker; of this machine, or it is left alone.
        mine: This process, as a worker.
    """
    if other.host != mine.host or other.name == mine.name or other.settings == BY_HAND:
        return False
    if other.started_at >= mine.started_at:
        return False
    if other.version != mine.version:
        return True
    theirs, *their_keys = other.settings.split(" ")
    ours, *our_keys = mine.settings.split(" ")
    return theirs != ours or not set(our_keys) <= set(their_keys)


def take_turn(
    lock: WorkerLock,
    mine: WorkerInfo,
    living: Callable[[], Sequence[WorkerInfo]],
    *,
    patience_s: float = PATIENCE_S,
) -> bool:
    """Become the workspace's worker if it needs one; an outdated one is asked to stop first.

    One that does not end in time is left to itself: leases and fences let two work side by side.

    Args:
        lock: The workspace's.
        mine: This process, as a worker.
        living: Returns the workers that live.
        patience_s: How long an outdated one may take to end.

    Returns:
        Whether this process is to work now; False where another does.
    """
    asked: set[str] = set()
    until = time.monotonic() + patience_s
    while not lock.take():
        others = living()
        outdated = [other for other in others if is_outdated(other, mine)]
        if len(outdated) < len(others):
            return False
        for other in outdated:
            if other.name not in asked:
                log.warning("replacing the worker %s of version %s", other.pid, other.version)
                asked.add(other.name)
                ask_to_stop(other)
        if time.monotonic() > until:
            if not others:  # no worker has it: the workspace is being restored
                return False
            log.warning("the old worker does not end; working beside it")
            lock.join()
            return True
        time.sleep(0.05)  # the one that has it may just have died, or not said yet who it is
    return True
