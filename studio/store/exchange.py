"""Putting another file in the place of a workspace: a crash leaves the old one or the new one.

All that is new is made ready in a draft folder beside the workspace. Then a note of the renames to
do is written; from there on whoever opens the workspace next finishes them before anything else.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DATABASE = "workspace.db"
EMBEDDED = "embedded"
# What makes up a workspace, by what its name has more than the file's.
PARTS = ("", "-wal", "-shm", ".embedded")

log = logging.getLogger(__name__)


@contextmanager
def draft_folder(path: Path) -> Iterator[Path]:
    """Yield a folder beside a workspace for what shall take its place; gone in the end."""
    folder = path.with_name(f".{path.name}.{secrets.token_hex(4)}.draft")
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def drafts_of(path: Path) -> list[Path]:
    """Return the draft folders that somebody left behind."""
    head, end = f".{path.name}.", ".draft"
    found = _names(path.parent)
    return sorted(path.with_name(n) for n in found if n.startswith(head) and n.endswith(end))


def aside_name(path: Path) -> Path:
    """Return a name under which a workspace can be set aside with all its parts."""
    mark, number = time.strftime("%Y%m%d-%H%M%S"), 1
    taken = set(_names(path.parent))
    while True:
        more = "" if number == 1 else f"-{number}"
        name = f"{path.name}.{mark}{more}.aside"
        if not any(name + part in taken for part in PARTS):
            return path.with_name(name)
        number += 1


def exchange(path: Path, draft: Path | None, aside: Path, *, keep_learnt: bool = False) -> None:
    """Set a workspace aside whole and put what is in the draft in its place.

    Nobody else may have the workspace open: see `in_use.alone`.

    Args:
        path: The workspace file.
        draft: The folder with the new file, and with what the embedded server learnt; None to
            leave the place empty.
        aside: Where the old file goes.
        keep_learnt: Leave what the embedded server learnt where it is.
    """
    parts = [part for part in PARTS if not (keep_learnt and part == ".embedded")]
    moves = [
        (path.name + part, aside.name + part)
        for part in parts
        if os.path.lexists(path.with_name(path.name + part))
    ]
    if draft is not None:
        moves.append((f"{draft.name}/{DATABASE}", path.name))
        if (draft / EMBEDDED).is_dir():
            moves.append((f"{draft.name}/{EMBEDDED}", path.name + ".embedded"))
    note = _note(path)
    written = note.with_name(note.name + ".new")
    with written.open("w", encoding="utf-8") as file:
        json.dump({"aside": aside.name, "moves": moves}, file)
        file.flush()
        os.fsync(file.fileno())
    written.rename(note)
    _finish(path, moves)


def finish_exchange(path: Path) -> None:
    """End what a crash interrupted, and say so in the log; nobody else may have it open."""
    note = _note(path)
    if note.exists():
        said = json.loads(note.read_text(encoding="utf-8"))
        _finish(path, said["moves"])
        log.warning(
            "A restore of %s had been interrupted half-way; it was finished now. "
            "The old workspace is %s.", path, path.with_name(said["aside"]),
        )  # fmt: skip
    elif drafts_of(path):
        log.warning(
            "A restore of %s was interrupted before it changed anything. Restore again; "
            "`studio doctor --fix` removes what it left.", path,
        )  # fmt: skip


def _finish(path: Path, moves: list[tuple[str, str]]) -> None:
    """Do the renames that are not done yet, in their order."""
    folder = path.parent
    _sync(folder)
    for source, target in moves:
        # A target that is there was moved before the crash: what now has its old name is new.
        if not os.path.lexists(folder / target) and os.path.lexists(folder / source):
            (folder / source).rename(folder / target)
    for source, _ in moves:
        name = source.partition("/")[0]
        if name.startswith(f".{path.name}.") and name.endswith(".draft"):
            shutil.rmtree(folder / name, ignore_errors=True)
    _sync(folder)
    _note(path).unlink(missing_ok=True)


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".exchange")


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
