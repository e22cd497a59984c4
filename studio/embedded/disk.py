"""Files that are either whole or not there."""

from __future__ import annotations

import json
import os
import random
import secrets
import time
from pathlib import Path
from typing import Any


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that a reader, or a power cut, meets the old file or the new one."""
    write_bytes(path, json.dumps(value, ensure_ascii=False, indent=1).encode())


def write_bytes(path: Path, value: bytes, mode: int = 0o600) -> None:
    """Write a file that only its owner can read, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as handle:
        handle.write(value)
        handle.flush()
        os.fsync(handle.fileno())
    draft.replace(path)


def sync(path: Path) -> None:
    """Wait until a file's bytes are on the disk."""
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no JSON object.
    """
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} holds no object")  # noqa: TRY004 (the same for every bad file)
    return value


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file of JSON lines; a line cut off by a crash is left out."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def append_line(path: Path, value: dict[str, Any]) -> None:
    """Add one JSON line to a file in a single write."""
    raw = json.dumps(value, ensure_ascii=False).encode() + b"\n"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, raw)
    finally:
        os.close(handle)


def new_id(prefix: str) -> str:
    """Return an identifier that sorts by age; it names something and keeps nothing secret."""
    # No question to the system: between two busy threads that costs a change of turns each time.
    return f"{prefix}{time.time_ns() // 1_000_000:011x}{random.getrandbits(48):012x}"
