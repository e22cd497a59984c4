"""What all commands share: options, output, waiting, and how an error is told."""

from __future__ import annotations

import functools
import getpass
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from studio.bootstrap import is_worker_alive, open_workspace
from studio.domain.job import Job, JobStatus
from studio.domain.progress import notice, progress_text
from studio.domain.task import Task
from studio.errors import InputError, RunFailedError, StudioError, WorkerError
from studio.workspace import Workspace

WorkspacePath = Annotated[
    Path | None,
    typer.Option(
        "--workspace", "-w", envvar="STUDIO_WORKSPACE", show_default="./studio.db",
        help="The workspace file.",
    ),
]  # fmt: skip
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Yes = Annotated[
    bool, typer.Option("--yes", help="Agree that texts are sent to a provider elsewhere.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it ends, with a progress bar.")]
WORKER_PATIENCE_S = 15.0
REJECTED_SHOWN = 5
FOREIGN_SHARE = 0.01
"""Fewer texts than this share that do not look like English may be names and short ones."""
_STEERING = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\r(?!\n)")


class StoppedError(StudioError):
    """Somebody pressed Ctrl-C, and there is more to say than that."""

    code = "interrupted"


def open_ws(path: Path | None) -> Workspace:
    """Open the workspace a command works on."""
    return open_workspace(path)


def task_of(ws: Workspace, name: str) -> Task:
    """Return the task of this name."""
    return ws.read.tasks.by_name(name)


def me(ws: Workspace) -> str:
    """Return who the command line acts as."""
    if ws.settings.person:
        return ws.settings.person
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return f"user {os.getuid()}"


def emit(data: Any, as_json: bool, text: str | Callable[[], str]) -> None:
    """Print the JSON document, or the text people read."""
    if as_json:
        said = json.dumps(data, ensure_ascii=False, indent=2)
    else:
        said = text() if callable(text) else text
    typer.echo(tamed(said) if sys.stdout.isatty() else said)


def tamed(text: str) -> str:
    r"""Return a text that cannot steer the terminal it is shown on, nor turn its letters round.

    >>> print(tamed("rice\x1b[2J, evil\u202e\n"), end="")
    rice\u001b[2J, evil\u202e
    """
    return _STEERING.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def read_file(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        InputError: If it does not exist, is a folder, or may not be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None


def is_file(name: str) -> bool:
    """Return whether a file goes by this name, which may be anything that was typed."""
    try:
        return Path(name).is_file()
    except OSError:  # longer than any name can be
        return False


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading its bytes.

    Raises:
        InputError: If it does not exist, is a folder, or may not be read.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"The file {path} cannot be read: {(error.strerror or 'unknown').lower()}.",
        next_step="Check its name and permissions.",
    )


def write_file(path: Path, text: str) -> None:
    """Write a text file.

    Raises:
        InputError: If it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(
            f"The file {path} cannot be written: {(error.strerror or 'unknown').lower()}.",
            next_step="Name another place.",
        ) from None


def wait_for(ws: Workspace, job_id: int, what: str) -> Job:
    """Wait until a job has ended or rests, with one line of progress on a terminal's standard error.

    Raises:
        RunFailedError: If it failed, was cancelled, or rests: nobody may take it for done.
        WorkerError: If no worker takes it.
    """
    started = waited = time.monotonic()
    with _bar() as show:
        while True:
            job = ws.read.jobs.get(job_id)
            show(functools.partial(_progress, ws, job, what))
            if job.status.is_final or job.status is JobStatus.PAUSED:
                break
            alive = is_worker_alive(ws)
            waited = time.monotonic() if alive else waited
            if not alive and time.monotonic() - waited > WORKER_PATIENCE_S:
                raise WorkerError(
                    "No worker is running on this workspace; the job stays queued.",
                    next_step=f"Start `studio worker`, or look into {ws.settings.worker_log}.",
                )
            time.sleep(0.05 if time.monotonic() - started < 2 else 0.2)
    if job.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        raise RunFailedError(
            f"The {what} {job.status.value}: {job.message or 'no reason was given'}",
            next_step="What was finished is kept.",
        )
    if job.status is JobStatus.PAUSED:
        raise _resting(job, what)
    return job


def _resting(job: Job, what: str) -> RunFailedError:
    """Return that a job rests, why, and how it goes on."""
    next_step = "What was finished is kept."
    if job.kind in ("run", "finetune"):
        raised = " --budget USD" if "budget" in job.message else ""
        next_step = f"Go on with `studio {job.kind} resume {job.subject_id}{raised}`. {next_step}"
    why = notice(job) or "somebody paused it."
    return RunFailedError(f"The {what} rests: {why}", next_step=next_step)


@contextmanager
def at_work(on: str) -> Iterator[None]:
    """Say on a terminal what is being worked on, until it is done; nothing elsewhere."""
    with _bar() as show:
        show(lambda: f"{on} …")
        yield


@contextmanager
def _bar() -> Iterator[Callable[[Callable[[], str]], None]]:
    """Yield what writes a line over the one before; gone at the end, and nothing off a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return

    def write(text: str) -> None:
        sys.stderr.write(f"\r{text}\x1b[K")
        sys.stderr.flush()

    try:
        yield lambda line: write(line()[: shutil.get_terminal_size().columns - 1])
    finally:
        write("")


def _progress(ws: Workspace, job: Job, what: str) -> str:
    run = ws.read.runs.get(job.subject_id) if job.kind == "run" else None
    outcomes = ws.read.runs.outcomes(run.id) if run else None
    said = notice(job)
    text = f"{what}: {progress_text(job, ws.clock(), run, outcomes)}"
    return " ".join(f"{text} · {said}".split()) if said else text


def language_note(ws: Workspace, run_id: int) -> str | None:
    """Return a warning where a run's reader met texts in a language it does not know."""
    n, asked = ws.read.runs.foreign(run_id)
    if n < FOREIGN_SHARE * asked or not n:
        return None
    return (
        f"{n:,} of {asked:,} texts looked at do not seem to be English, the only language the "
        "embedded reader knows: trust its labels there only as far as gold shows. A fine-tune on "
        "your labels, or a chat model, reads others."
    )


def table(rows: list[dict[str, Any]], empty: str) -> str:
    """Return rows as aligned columns, or what to say when there are none."""
    if not rows:
        return empty
    columns = list(rows[0])
    cells = [columns, *[[_cell(row[c]) for c in columns] for row in rows]]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def rejected_text(rejected: list[tuple[int, str]]) -> str:
    """Return the first lines of a file that were left out and why, each on a line of its own."""
    lines = [f"\n  line {line}: {reason}" for line, reason in rejected[:REJECTED_SHOWN]]
    more = len(rejected) - REJECTED_SHOWN
    return "".join(lines) + (f"\n  and {more} more; see --json" if more > 0 else "")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
