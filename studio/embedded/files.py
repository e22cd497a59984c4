"""Uploaded and made files: the `/v1/files` part of the protocol."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.embedded.disk import new_id, read_json, sync, write_bytes, write_json
from studio.embedded.protocol import ApiError
from studio.errors import NotFoundError

LIFE = (3600, 30 * 24 * 3600)
PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data")


class Files:
    """The files of one server, a folder each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, content: bytes, purpose: str, *, life: int = 0) -> dict[str, Any]:
        """Keep a file and return its object; with `life` it expires after so many seconds."""
        number = new_id("file-")
        made = _object(number, name or "upload", len(content), purpose, life)
        write_bytes(self._folder / number / "content", content)
        write_json(self._folder / number / "file.json", made)
        return made

    def adopt(self, number: str, source: Path, name: str, purpose: str, *, life: int = 0) -> None:
        """Make a finished file one of ours under this id, by renaming it.

        Adopted already, it stays as it is: a crash in between does no harm.
        """
        folder = self._folder / number
        folder.mkdir(exist_ok=True)
        if source.exists():
            sync(source)
            source.replace(folder / "content")
        elif (folder / "file.json").exists():
            return
        size = (folder / "content").stat().st_size
        write_json(folder / "file.json", _object(number, name, size, purpose, life))

    def get(self, number: str) -> dict[str, Any]:
        """Return a file's object.

        Raises:
            NotFoundError: There is no such file, or it has expired.
        """
        try:
            if not re.fullmatch(r"file-[0-9a-f]+", number):
                raise FileNotFoundError(number)
            found = read_json(self._folder / number / "file.json")
        except (OSError, ValueError) as error:
            raise NotFoundError(f"No such File object: {number}") from error
        if found.get("expires_at", time.time() + 1) <= time.time():
            self.delete(number)
            raise NotFoundError(f"No such File object: {number}")
        return found

    def path(self, number: str) -> Path:
        """Return where a file's bytes are.

        Raises:
            NotFoundError: There is no such file.
        """
        self.get(number)
        return self._folder / number / "content"

    def newest(self) -> list[dict[str, Any]]:
        """Return all files, the newest first."""
        found = []
        for folder in sorted(self._folder.glob("file-*"), reverse=True):
            try:
                found.append(self.get(folder.name))
            except NotFoundError:
                continue
        return found

    def delete(self, number: str) -> None:
        """Forget a file."""
        shutil.rmtree(self._folder / number, ignore_errors=True)


def life_of(asked: Mapping[str, Any], param: str) -> int:
    """Return how many seconds a file is to be kept, as its anchor and seconds ask; 0 is for good.

    Raises:
        ApiError: They ask for something else.
    """
    if not asked:
        return 0
    seconds = asked.get("seconds")
    if isinstance(seconds, str) and re.fullmatch("[0-9]{1,9}", seconds):  # of a form
        seconds = int(seconds)
    anchored = asked.get("anchor") == "created_at"
    if not (anchored and isinstance(seconds, int) and LIFE[0] <= seconds <= LIFE[1]):
        message = (
            f"{param} must hold the anchor created_at and seconds from {LIFE[0]} to {LIFE[1]}."
        )
        raise ApiError(message, param=param, code="invalid_value")
    return seconds


def _object(number: str, name: str, size: int, purpose: str, life: int) -> dict[str, Any]:
    now = int(time.time())
    made = {
        "id": number,
        "object": "file",
        "bytes": size,
        "created_at": now,
        "filename": name,
        "purpose": purpose,
        "status": "processed",
    }
    return made | {"expires_at": now + life} if life else made
