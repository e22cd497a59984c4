"""What every reply of the OpenAI protocol shares: errors, lists, JSON bodies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from studio.embedded.conversation import MessageError, parse_json
from studio.errors import InputError, NotFoundError, StudioError, WeightsError

BODY_LIMIT = 16 * 2**20
UPLOAD_LIMIT = 512 * 2**20
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_KINDS = {401: "authentication_error", 500: "server_error"}
_STATUS = ((NotFoundError, 404), (InputError, 400), (WeightsError, 422))


class ApiError(Exception):
    """A refusal with everything the protocol's error object holds, and headers beside it."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        param: str | None = None,
        code: str | None = None,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.param, self.code = message, status, param, code
        self.kind = kind or _KINDS.get(status, "invalid_request_error")
        self.headers = headers


def as_api_error(error: Exception) -> ApiError:
    """Return an exception as a refusal; what nobody foresaw becomes status 500."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, MessageError):
        return ApiError(str(error), param=error.param, code="invalid_value")
    if isinstance(error, StudioError):
        status = next((number for kind, number in _STATUS if isinstance(error, kind)), 500)
        message = error.message if status == 404 else str(error)
        param = getattr(error, "param", None)
        return ApiError(message, status=status, param=param, code=error.code)
    return ApiError("The embedded server met a fault of its own.", status=500)


def error_reply(error: Exception) -> JsonReply:
    """Return the four-key error object for an exception."""
    told = as_api_error(error)
    body = {"message": told.message, "type": told.kind, "param": told.param, "code": told.code}
    return JsonReply({"error": body}, told.status, told.headers)


class JsonReply(Response):
    """A reply in JSON; one encoder serves all."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the bytes of a value."""
        return _JSON.encode(content).encode()


def too_large(most: int) -> ApiError:
    """Return the refusal of an upload."""
    return ApiError(f"The file is larger than {most // 2**20} MB.", status=413, param="file")


def limited(receive: Receive, most: int) -> Receive:
    """Return a reader of a request's body that refuses more than so many bytes, told or not."""
    came = 0

    async def read() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            raise too_large(most)
        return message

    return read


async def json_body(request: Request) -> dict[str, Any]:
    """Return a request's JSON object.

    Raises:
        ApiError: It is too large or no JSON object.
    """
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_LIMIT:
            raise ApiError("The request is larger than 16 MB.", status=413)
    try:
        body = parse_json(bytes(raw))
    except (ValueError, RecursionError) as error:
        raise ApiError(f"The request is not JSON: {error}", code="invalid_json") from error
    if not isinstance(body, dict):
        raise ApiError("The request is not a JSON object.", code="invalid_json")
    return body


def text_field(body: Mapping[str, Any], name: str) -> str:
    """Return a required string of a request.

    Raises:
        ApiError: It is missing or no string.
    """
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ApiError(f"You must provide {name}, a string.", param=name, code="missing_parameter")
    return value


def object_field(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an optional object of a request; {} when it is missing or null.

    Raises:
        ApiError: It is something else.
    """
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ApiError(f"{name} must be an object.", param=name)
    return value


def metadata_field(body: Mapping[str, Any]) -> dict[str, str] | None:
    """Return what a request wants kept with what it makes; None without.

    Raises:
        ApiError: It is not at most 16 strings.
    """
    given = body.get("metadata")
    if given is None:
        return None
    good = isinstance(given, Mapping) and len(given) <= 16
    if not good or not all(isinstance(value, str) for value in given.values()):
        raise ApiError("metadata must hold at most 16 strings.", param="metadata")
    return dict(given)


def page_of(rows: Sequence[dict[str, Any]], request: Request, default: int = 20) -> dict[str, Any]:
    """Return one page of a list, as asked for by `limit`, `after` and `order`.

    Raises:
        ApiError: The limit or the order is none, or `after` names nothing in the list.
    """
    asked, after = request.query_params.get("limit", ""), request.query_params.get("after", "")
    order = request.query_params.get("order", "")
    if asked and not re.fullmatch("[0-9]{1,18}", asked):
        raise ApiError("limit must be a whole number.", param="limit")
    if order not in ("", "asc", "desc"):
        raise ApiError("order must be asc or desc.", param="order")
    limit = max(1, min(int(asked or default), 10_000))
    found = list(rows)
    if order == "asc":
        found.reverse()
    if after:
        place = next((n for n, row in enumerate(found) if row["id"] == after), None)
        if place is None:
            raise ApiError(f"after names no object of this list: {after}", param="after")
        found = found[place + 1 :]
    return {"object": "list", "data": found[:limit], "has_more": len(found) > limit}
