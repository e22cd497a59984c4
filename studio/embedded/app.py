"""The server's routes. Each is short: read the request, ask a noun, reply."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.embedded.answering import Answerer
from studio.embedded.batches import Batches
from studio.embedded.chat import chunks, complete
from studio.embedded.decisions import decide
from studio.embedded.disk import new_id
from studio.embedded.embeddings import embed
from studio.embedded.files import PURPOSES, Files
from studio.embedded.fine_tuning import FineTuning
from studio.embedded.models import Models
from studio.embedded.protocol import (
    UPLOAD_LIMIT,
    ApiError,
    JsonReply,
    error_reply,
    json_body,
    limited,
    object_field,
    page_of,
    too_large,
)

_LOG = logging.getLogger(__name__)
CHAT = "/v1/chat/completions"


class Routes:
    """What the server does at each address.

    Args:
        answerer: Judges texts.
        models: Lists and deletes models.
        files: Keeps files.
        jobs: Runs fine-tuning.
        batches: Runs batches.
        about: What `/health` says beside being well.
    """

    def __init__(
        self,
        answerer: Answerer,
        models: Models,
        files: Files,
        jobs: FineTuning,
        batches: Batches,
        about: dict[str, Any],
    ) -> None:
        self._answerer, self._models, self._files, self._jobs = answerer, models, files, jobs
        self._batches, self._about = batches, about

    def app(self, token: str) -> ASGIApp:
        """Return the ASGI application, behind its token."""
        routes = [
            Route("/health", self.health),
            Route("/v1/models", self.list_models),
            Route("/v1/models/{name:path}", self.model, methods=["GET", "DELETE"]),
            Route(CHAT, self.chat, methods=["POST"]),
            Route("/v1/decisions", self.decisions, methods=["POST"]),
            Route("/v1/embeddings", self.embeddings, methods=["POST"]),
            Route("/v1/files", self.list_files),
            Route("/v1/files", self.upload, methods=["POST"]),
            Route("/v1/files/{number}", self.file, methods=["GET", "DELETE"]),
            Route("/v1/files/{number}/content", self.content),
            Route("/v1/fine_tuning/jobs", self.list_jobs),
            Route("/v1/fine_tuning/jobs", self.create_job, methods=["POST"]),
            Route("/v1/fine_tuning/jobs/{number}", self.job),
            Route("/v1/fine_tuning/jobs/{number}/cancel", self.cancel, methods=["POST"]),
            Route("/v1/fine_tuning/jobs/{number}/events", self.events),
            Route("/v1/fine_tuning/jobs/{number}/checkpoints", self.checkpoints),
            Route("/v1/batches", self.list_batches),
            Route("/v1/batches", self.create_batch, methods=["POST"]),
            Route("/v1/batches/{number}", self.batch),
            Route("/v1/batches/{number}/cancel", self.cancel_batch, methods=["POST"]),
            Route("/{rest:path}", self.unknown, methods=["GET", "POST", "DELETE", "PUT", "PATCH"]),
        ]
        return Gate(Router(routes), token, {CHAT: self.chat})

    async def health(self, _: Request) -> Response:
        """Say that the server is well, and what answers."""
        return JsonReply({"status": "ok", **self._about})

    async def unknown(self, request: Request) -> Response:
        """Refuse an address that does not exist."""
        message = f"Unknown request URL: {request.method} {request.url.path}"
        raise ApiError(message, status=404, code="unknown_url")

    def list_models(self, _: Request) -> Response:
        """List the models."""
        return JsonReply({"object": "list", "data": self._models.newest()})

    def model(self, request: Request) -> Response:
        """Show or delete one model."""
        name = request.path_params["name"]
        if request.method == "DELETE":
            self._models.delete(name)
            return JsonReply({"id": name, "object": "model", "deleted": True})
        return JsonReply(self._models.get(name))

    async def chat(self, request: Request) -> Response:
        """Label a text."""
        body = await json_body(request)
        options = object_field(body, "stream_options")
        reply = await complete(body, self._answerer)
        if body.get("stream"):
            parts = chunks(reply, bool(options.get("include_usage")))
            return StreamingResponse(parts, media_type="text/event-stream")
        return JsonReply(reply)

    async def decisions(self, request: Request) -> Response:
        """Answer questions about a text."""
        return JsonReply(await decide(await json_body(request), self._answerer))

    async def embeddings(self, request: Request) -> Response:
        """Give the vectors of texts."""
        return JsonReply(await embed(await json_body(request), self._answerer))

    def list_files(self, request: Request) -> Response:
        """List the files."""
        purpose = request.query_params.get("purpose")
        found = [one for one in self._files.newest() if purpose in (None, "", one["purpose"])]
        return JsonReply(_with_ends(page_of(found, request, default=10_000), ""))

    async def upload(self, request: Request) -> Response:
        """Keep a file."""
        if int(request.headers.get("content-length") or 0) > UPLOAD_LIMIT:
            raise too_large(UPLOAD_LIMIT)
        request = Request(request.scope, limited(request.receive, UPLOAD_LIMIT))
        async with request.form(max_files=1) as form:
            purpose, file = form.get("purpose"), form.get("file")
            if purpose not in PURPOSES:
                allowed = ", ".join(PURPOSES)
                raise ApiError(f"purpose must be one of {allowed}.", param="purpose")
            if not isinstance(file, UploadFile):
                raise ApiError("You must provide a file.", param="file", code="missing_parameter")
            life = str(form.get("expires_after[seconds]") or "0")
            life = life if re.fullmatch("[0-9]{1,9}", life) else "0"
            content, name = await file.read(), file.filename or ""
        made = await asyncio.to_thread(self._files.add, name, content, str(purpose), life=int(life))
        return JsonReply(made)

    def file(self, request: Request) -> Response:
        """Show or delete one file."""
        number = request.path_params["number"]
        found = self._files.get(number)
        if request.method == "DELETE":
            self._files.delete(number)
            return JsonReply({"id": number, "object": "file", "deleted": True})
        return JsonReply(found)

    def content(self, request: Request) -> Response:
        """Give a file's bytes."""
        path = self._files.path(request.path_params["number"])
        return FileResponse(path, media_type="application/octet-stream")

    def list_jobs(self, request: Request) -> Response:
        """List the jobs."""
        return JsonReply(page_of(self._jobs.newest(), request))

    async def create_job(self, request: Request) -> Response:
        """File a job."""
        body = await json_body(request)
        return JsonReply(await asyncio.to_thread(self._jobs.create, body))

    def job(self, request: Request) -> Response:
        """Show one job."""
        return JsonReply(self._jobs.get(request.path_params["number"]))

    def cancel(self, request: Request) -> Response:
        """Stop a job."""
        return JsonReply(self._jobs.cancel(request.path_params["number"]))

    def events(self, request: Request) -> Response:
        """List what a job has said."""
        return JsonReply(page_of(self._jobs.events(request.path_params["number"]), request))

    def checkpoints(self, request: Request) -> Response:
        """List a job's checkpoints."""
        found = self._jobs.checkpoints(request.path_params["number"])
        return JsonReply(_with_ends(page_of(found, request, default=10), None))

    async def list_batches(self, request: Request) -> Response:
        """List the batches."""
        return JsonReply(_with_ends(page_of(self._batches.newest(), request), ""))

    async def create_batch(self, request: Request) -> Response:
        """File a batch."""
        return JsonReply(self._batches.create(await json_body(request)))

    async def batch(self, request: Request) -> Response:
        """Show one batch."""
        return JsonReply(self._batches.get(request.path_params["number"]))

    async def cancel_batch(self, request: Request) -> Response:
        """Ask for a batch's end."""
        return JsonReply(self._batches.cancel(request.path_params["number"]))


Endpoint = Callable[[Request], Awaitable[Response]]


class Gate:
    """Lets in who carries the token, names each request, and turns every error into a reply.

    Args:
        inner: What serves.
        token: What every request but `/health` carries.
        hot: Addresses whose POST skips the router, which would cost a fifth of a warm answer.
    """

    def __init__(self, inner: ASGIApp, token: str, hot: Mapping[str, Endpoint]) -> None:
        self._inner, self._hot, self._expected = inner, hot, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        started = False
        name = new_id("req_").encode()

        async def named(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", []), (b"x-request-id", name)]
            await send(message)

        try:
            if scope["path"] != "/health":
                self._check(dict(scope["headers"]).get(b"authorization", b""))
            endpoint = self._hot.get(scope["path"]) if scope["method"] == "POST" else None
            if endpoint is None:
                await self._inner(scope, receive, named)
            else:
                reply = await endpoint(Request(scope, receive))
                await reply(scope, receive, named)
        except ClientDisconnect:
            return
        except Exception as error:
            reply = error_reply(error)
            if reply.status_code == 500:
                _LOG.exception("request %s failed", name.decode())
            if not started:
                await reply(scope, receive, named)

    def _check(self, given: bytes) -> None:
        if not hmac.compare_digest(given, self._expected):
            message = "Incorrect API key provided: the token stands in the server's server.json."
            raise ApiError(message, status=401, code="invalid_api_key")


def _with_ends(page: dict[str, Any], nothing: str | None) -> dict[str, Any]:
    """Return a page with the ids of its first and last row."""
    first, last = (page["data"][place]["id"] if page["data"] else nothing for place in (0, -1))
    return {**page, "first_id": first, "last_id": last}
