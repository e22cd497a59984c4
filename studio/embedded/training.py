"""One training in a process of its own: `python -m studio.embedded.training JOBDIR`.

JOBDIR holds `task.json`, written by the server. The process adds `events.jsonl` as it goes, the
model and its result files under `out/`, and `outcome.json` last: where that file stands, the
training is over. The folder is locked while the process lives.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from studio.embedded.disk import append_line, new_id, read_json, write_json
from studio.errors import StudioError

EVENTS, OUTCOME, LOCK, PHASE = "events.jsonl", "outcome.json", "lock", "phase.json"
FOLDS = "folds"


class Diary:
    """What a job has to say, in the order it happened; survives the process."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / EVENTS

    def say(self, message: str, level: str = "info", **data: Any) -> None:
        """Add a message."""
        self._add("message", message, level, data)

    def measure(self, message: str, **data: Any) -> None:
        """Add figures."""
        self._add("metrics", message, "info", data)

    def _add(self, kind: str, message: str, level: str, data: dict[str, Any]) -> None:
        event = {
            "object": "fine_tuning.job.event",
            "id": new_id("ftevent-"),
            "created_at": int(time.time()),
            "level": level,
            "message": message,
            "type": kind,
            "data": data,
        }
        append_line(self._path, event)


def main(arguments: list[str]) -> int:
    """Train the job in the folder named by the only argument."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    folder = Path(arguments[0])
    with (folder / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 3
        (folder / "pid").write_text(str(os.getpid()))
        os.nice(5)
        write_json(folder / OUTCOME, _outcome(folder))
    return 0


def _outcome(folder: Path) -> dict[str, Any]:
    from studio.embedded.training_run import train

    diary = Diary(folder)
    try:
        return {"ok": True, **train(read_json(folder / "task.json"), folder, diary)}
    except StudioError as error:
        wrong = {
            "code": error.code,
            "message": error.message,
            "param": getattr(error, "param", None),
        }
    except MemoryError:
        wrong = {
            "code": "out_of_memory",
            "message": "The training ran out of memory.",
            "param": None,
        }
    except Exception as error:
        traceback.print_exc()
        message = f"The training stopped by a fault of its own: {type(error).__name__}: {error}"
        wrong = {"code": "training_error", "message": message, "param": None}
    return {"ok": False, "error": wrong}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
