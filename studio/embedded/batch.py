"""One batch: the object the protocol shows, and what is kept of it on disk."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.embedded.batch_lines import Request, numbered_lines, read_request
from studio.embedded.disk import new_id, read_json, write_json
from studio.embedded.files import Files, life_of
from studio.embedded.protocol import ApiError, metadata_field, object_field, text_field
from studio.errors import NotFoundError

ACTIVE = ("validating", "in_progress", "finalizing", "cancelling")
ENDPOINTS = ("/v1/chat/completions", "/v1/decisions", "/v1/embeddings")
WINDOW = 24 * 3600.0
_TIMES = (
    "in_progress_at", "finalizing_at", "completed_at", "failed_at", "expired_at",
    "cancelling_at", "cancelled_at",
)  # fmt: skip


Line = tuple[str, bytes, Mapping[str, Any]]


class Batch:
    """One batch: its protocol object, its folder, and how far it is.

    Answers are appended to two files as they come, and how far the batch is is read from them, so
    that a restart neither loses nor doubles one. `sealed` is written before these files become
    downloads: from then on nothing is asked any more.

    Attributes:
        shown: The `batch` object; what is unknown is None.
        folder: Where its files are.
        life: Seconds its result files are kept; 0 means for good.
        sealed: How it ended and the ids of its result files; empty before.
        done: The requests answered so far, by custom id.
    """

    def __init__(
        self, shown: dict[str, Any], folder: Path, life: int, sealed: Mapping[str, Any]
    ) -> None:
        self.shown, self.folder, self.life, self.sealed = shown, folder, life, dict(sealed)
        self.done: set[str] = set()
        self._usage = {"input": 0, "output": 0}
        self.input, self.output, self.errors = (
            folder / name for name in ("input.jsonl", "output.jsonl", "errors.jsonl")
        )

    @property
    def id(self) -> str:
        """Return its identifier."""
        return str(self.shown["id"])

    @property
    def status(self) -> str:
        """Return where it stands."""
        return str(self.shown["status"])

    @property
    def active(self) -> bool:
        """Tell whether it has not ended."""
        return self.status in ACTIVE

    def public(self) -> dict[str, Any]:
        """Return the object to show: the published schema knows no null, so unknowns are absent."""
        known = {key: value for key, value in self.shown.items() if value is not None}
        return {**known, "request_counts": dict(self.shown["request_counts"])}

    def move(self, status: str, now: float, **more: Any) -> None:
        """Enter a status, note when, and write it to disk."""
        self.shown |= {"status": status, f"{status}_at": int(now), **more}
        self.save()

    def save(self) -> None:
        """Write it to disk."""
        content = {"shown": self.shown, "life": self.life, "sealed": self.sealed}
        write_json(self.folder / "batch.json", content)

    @classmethod
    def load(cls, folder: Path) -> Batch:
        """Read one back.

        Raises:
            OSError: It cannot be read.
            ValueError: It is damaged.
            KeyError: It is no batch.
        """
        content = read_json(folder / "batch.json")
        return cls(content["shown"], folder, content["life"], content["sealed"])

    def recount(self) -> None:
        """Read from its files how far it is; a line cut off by a crash is dropped."""
        self.done, self._usage = set(), {"input": 0, "output": 0}
        self.shown["request_counts"] |= {"completed": 0, "failed": 0}
        for path, kind in ((self.output, "completed"), (self.errors, "failed")):
            if path.exists():
                for line in _whole_lines(path):
                    response = line["response"] or {"body": {}}
                    self._count(line["custom_id"], kind, response["body"].get("usage") or {})

    def missing(self) -> Iterator[Request]:
        """Yield the requests without an answer."""
        for _, line in numbered_lines(self.input):
            request = read_request(line, self.shown["endpoint"])
            if request.custom_id not in self.done:
                yield request

    def write(self, path: Path, lines: Iterable[Line]) -> None:
        """Append answers (custom id, line, usage) to `output` or `errors`, and count them."""
        found = list(lines)
        if not found:
            return
        with path.open("ab") as file:
            file.write(b"".join(line for _, line, _ in found))
        kind = "completed" if path == self.output else "failed"
        for custom_id, _, usage in found:
            self._count(custom_id, kind, usage)

    def seal(self, status: str) -> None:
        """Fix how it ends and what its result files are called."""
        made = {
            kind: new_id("file-") if path.exists() and path.stat().st_size else None
            for kind, path in (("output", self.output), ("error", self.errors))
        }
        self.sealed = {"status": status, **made}
        self.save()

    def publish(self, files: Files) -> None:
        """Move its answers to the files people read; doing it again changes nothing."""
        for kind, path in (("output", self.output), ("error", self.errors)):
            if number := self.sealed[kind]:
                name = f"{self.id}_{kind}.jsonl"
                files.adopt(number, path, name, "batch_output", life=self.life)

    def _count(self, custom_id: str, kind: str, usage: Mapping[str, Any]) -> None:
        self.done.add(custom_id)
        self.shown["request_counts"][kind] += 1
        self._usage["input"] += usage.get("prompt_tokens", usage.get("input_tokens", 0))
        self._usage["output"] += usage.get("completion_tokens", usage.get("output_tokens", 0))
        self.shown["usage"] = {
            "input_tokens": self._usage["input"],
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": self._usage["output"],
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": self._usage["input"] + self._usage["output"],
        }


def new_batch(body: Mapping[str, Any], files: Files, root: Path, now: float) -> Batch:
    """Return the batch a request asks for, filed on disk.

    Raises:
        ApiError: The request cannot be served.
    """
    source = _input_file(body, files)
    endpoint, window = text_field(body, "endpoint"), text_field(body, "completion_window")
    if endpoint not in ENDPOINTS:
        message = f"endpoint must be one of {', '.join(ENDPOINTS)}."
        raise ApiError(message, param="endpoint", code="invalid_value")
    if window != "24h":
        message = "completion_window must be 24h."
        raise ApiError(message, param="completion_window", code="invalid_value")
    number = new_id("batch_")
    shown: dict[str, Any] = {
        "id": number,
        "object": "batch",
        "endpoint": endpoint,
        "model": None,
        "errors": None,
        "input_file_id": body["input_file_id"],
        "completion_window": window,
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": int(now),
        "expires_at": int(now + WINDOW),
        **dict.fromkeys(_TIMES),
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "usage": None,
        "metadata": metadata_field(body),
    }
    batch = Batch(
        shown,
        root / number,
        life_of(object_field(body, "output_expires_after"), "output_expires_after"),
        {},
    )
    batch.folder.mkdir(parents=True)
    try:
        os.link(source, batch.input)  # the upload may be deleted while the batch runs
    except OSError:
        shutil.copyfile(source, batch.input)
    batch.save()
    return batch


def _input_file(body: Mapping[str, Any], files: Files) -> Path:
    number = text_field(body, "input_file_id")
    try:
        found = files.get(number)
    except NotFoundError as error:
        message = f"invalid input_file_id: {number}"
        raise ApiError(message, param="input_file_id", code="invalid_input_file") from error
    if found["purpose"] != "batch":
        message = f"input_file_id was uploaded for {found['purpose']}; upload it for batch."
        raise ApiError(message, param="input_file_id", code="invalid_input_file")
    return files.path(number)


def _whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield a file's lines; cut off what a crash left of the last one."""
    end = 0
    with path.open("rb+") as file:
        for raw in file:
            try:
                line = json.loads(raw) if raw.endswith(b"\n") else None
            except ValueError:
                line = None
            if line is None:
                break
            end += len(raw)
            yield line
        file.truncate(end)
