"""The lines of a batch: what is asked, what is wrong with it, and how an answer is written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from studio.embedded.conversation import parse_json
from studio.embedded.disk import new_id

MOST_LINES = 50_000
MOST_BYTES = 200 * 2**20
MOST_ERRORS = 100
_TURN = 256
_LINE = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


class Request(NamedTuple):
    """One line of a batch: the name its answer is found by, and what is asked."""

    custom_id: str
    body: dict[str, Any]


class LineError(ValueError):
    """A line cannot be used; `code` and `param` as in the protocol."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code, self.param = code, param


@dataclass
class Checked:
    """What a look at a whole file found.

    Attributes:
        total: Requests in the file.
        model: The one model they ask.
        errors: What is wrong, as `errors.data` of the batch lists it: the first 100.
    """

    total: int = 0
    model: str = ""
    errors: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, error: LineError, line: int | None = None) -> None:
        """Note what is wrong with a line, or with the file."""
        found = {"code": error.code, "message": str(error), "param": error.param, "line": line}
        self.errors.append(found)


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield a file's lines with their numbers, blank ones and a byte order mark left out."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            line = raw.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else raw.strip()
            if line:
                yield number, line


def read_request(line: bytes, endpoint: str) -> Request:
    """Return what a line asks.

    Raises:
        LineError: The line is no request to this endpoint.
    """
    try:
        given = parse_json(line)
    except (ValueError, RecursionError) as error:
        raise LineError("invalid_json_line", f"This line is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise LineError("invalid_json_line", "This line is not a JSON object.")
    custom_id, body = given.get("custom_id"), given.get("body")
    if not isinstance(custom_id, str) or not custom_id:
        raise _missing("custom_id")
    if given.get("method") != "POST":
        raise LineError("invalid_method", "The method of a request must be POST.", "method")
    if given.get("url") != endpoint:
        message = f"The url of this request is not the batch's endpoint, {endpoint}."
        raise LineError("invalid_url", message, "url")
    if not isinstance(body, dict):
        raise _missing("body")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise _missing("body.model")
    return Request(custom_id, body)


async def check(path: Path, endpoint: str, is_model: Callable[[str], bool]) -> Checked:
    """Look at a whole file, giving way to other work now and then."""
    found = Checked()
    if path.stat().st_size > MOST_BYTES:
        message = f"The file is larger than {MOST_BYTES // 2**20} MB."
        found.refuse(LineError("file_too_large", message, "input_file_id"))
        return found
    names: set[str] = set()
    for number, line in numbered_lines(path):
        found.total += 1
        if found.total > MOST_LINES:
            message = f"The file has more than {MOST_LINES:,} requests."
            found.refuse(LineError("too_many_requests", message, "input_file_id"))
            break
        try:
            _look(line, endpoint, found, names, is_model)
        except LineError as error:
            found.refuse(error, number)
            if len(found.errors) >= MOST_ERRORS:
                break
        if found.total % _TURN == 0:
            await asyncio.sleep(0)
    if not found.total:
        found.refuse(LineError("empty_file", "The file holds no request.", "input_file_id"))
    return found


def output_line(custom_id: str, status: int, body: Mapping[str, Any]) -> bytes:
    """Return the line of a request that was answered, well or with an error."""
    response = {"status_code": status, "request_id": new_id("req_"), "body": body}
    return _line(custom_id, response, None)


def unanswered_line(custom_id: str, code: str, message: str) -> bytes:
    """Return the line of a request that was never put to a model."""
    return _line(custom_id, None, {"code": code, "message": message})


def _look(
    line: bytes, endpoint: str, found: Checked, names: set[str], is_model: Callable[[str], bool]
) -> None:
    request = read_request(line, endpoint)
    model = request.body["model"]
    if request.custom_id in names:
        message = f"The custom_id {request.custom_id!r} stands on an earlier line too."
        raise LineError("duplicate_custom_id", message, "custom_id")
    names.add(request.custom_id)
    if not found.model:
        found.model = model
        if not is_model(model):
            message = f"The model '{model}' does not exist."
            raise LineError("model_not_found", message, "body.model")
    if model != found.model:
        message = f"All requests must ask one model: {model!r} here, {found.model!r} before."
        raise LineError("mismatched_model", message, "body.model")


def _missing(param: str) -> LineError:
    return LineError("missing_required_parameter", f"The request has no {param}.", param)


def _line(custom_id: str, response: object, error: object) -> bytes:
    name = new_id("batch_req_")
    found = {"id": name, "custom_id": custom_id, "response": response, "error": error}
    return _LINE.encode(found).encode() + b"\n"
