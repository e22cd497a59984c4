"""The server's routes. Each is short: read the request, ask a noun, reply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from studio.embedded.answering import Answerer
from studio.embedded.batches import Batches
from studio.embedded.chat import chunks, complete
from studio.embedded.conversation import parse_json
from studio.embedded.decisions import decide
from studio.embedded.embeddings import embed
from studio.embedded.files import PURPOSES, Files, life_of
from studio.embedded.fine_tuning import FineTuning
from studio.embedded.gate import Gate
from studio.embedded.models import Models, named_model
from studio.embedded.protocol import (
    UPLOAD_LIMIT,
    ApiError,
    JsonReply,
    json_body,
    limited,
    object_field,
    page_of,
    too_large,
)
from studio.embedded.systemone import evaluate, refusal

CHAT, SYSTEM_ONE = "/v1/chat/completions", "/v1/systemone"


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
            Route(SYSTEM_ONE, self.system_one, methods=["POST"]),
            Route("/v1/embeddings", self.embeddings, methods=["POST"]),
            Route("/v1/files", self.list_files),
            Route("/v1/files", self.upload, methods=["POST"]),
            Route("/v1/files/{number}", self.file, methods=["GET", "DELETE"]),
            Route("/v1/files/{number}/content", self.content),
            Route("/v1/fine_tuning/jobs", self.list_jobs),
            Route("/v1/fine_tuning/jobs", self.create_job, methods=["POST"]),
            Route("/v1/fine_tuning/jobs/{number}", self.job),
            Route("/v1/fine_tuning/jobs/{number}/cancel", self.cancel, methods=["POST"]),
            Route("/v1/fine_tuning/jobs/{number}/pause", self.pause, methods=["POST"]),
            Route("/v1/fine_tuning/jobs/{number}/resume", self.resume, methods=["POST"]),
            Route("/v1/fine_tuning/jobs/{number}/events", self.events),
            Route("/v1/fine_tuning/jobs/{number}/checkpoints", self.checkpoints),
            Route("/v1/batches", self.list_batches),
            Route("/v1/batches", self.create_batch, methods=["POST"]),
            Route("/v1/batches/{number}", self.batch),
            Route("/v1/batches/{number}/cancel", self.cancel_batch, methods=["POST"]),
        ]
        # Without methods it takes them all: whatever no other route serves is refused here.
        routes.append(Route("/{rest:path}", _refusal_among(routes), methods=[]))
        return Gate(Router(routes), token, {CHAT: self.chat}, {SYSTEM_ONE: refusal})

    async def health(self, _: Request) -> Response:
        """Say that the server is well, and what answers."""
        return JsonReply({"status": "ok", **self._about})

    def list_models(self, _: Request) -> Response:
        """List the models."""
        found = self._models.newest()
        return JsonReply({"object": "list", "data": found, "models": [*map(named_model, found)]})

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

    async def system_one(self, request: Request) -> Response:
        """Answer questions about a state."""
        return JsonReply(await evaluate(await json_body(request), self._answerer))

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
        try:
            return await self._keep(request)
        except (MultiPartException, HTTPException, KeyError) as error:
            raise ApiError(f"The form cannot be read: {error}", param="file") from error

    async def _keep(self, request: Request) -> Response:
        async with request.form(max_files=1) as form:
            purpose, file = form.get("purpose"), form.get("file")
            if purpose not in PURPOSES:
                allowed = ", ".join(PURPOSES)
                raise ApiError(f"purpose must be one of {allowed}.", param="purpose")
            if not isinstance(file, UploadFile):
                raise ApiError("You must provide a file.", param="file", code="missing_parameter")
            life = life_of(_expires_after(form), "expires_after")
            content, name = await file.read(), file.filename or ""
        made = await asyncio.to_thread(self._files.add, name, content, str(purpose), life=life)
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
        wanted = {
            key[len("metadata[") : -1]: value
            for key, value in request.query_params.items()
            if key.startswith("metadata[") and key.endswith("]")
        }
        found = [
            job for job in self._jobs.newest() if wanted.items() <= (job["metadata"] or {}).items()
        ]
        return JsonReply(page_of(found, request))

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

    def pause(self, request: Request) -> Response:
        """Let a job rest."""
        return JsonReply(self._jobs.pause(request.path_params["number"]))

    def resume(self, request: Request) -> Response:
        """Let a job go on."""
        return JsonReply(self._jobs.resume(request.path_params["number"]))

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


def _with_ends(page: dict[str, Any], nothing: str | None) -> dict[str, Any]:
    """Return a page with the ids of its first and last row."""
    first, last = (page["data"][place]["id"] if page["data"] else nothing for place in (0, -1))
    return {**page, "first_id": first, "last_id": last}


def _expires_after(form: FormData) -> dict[str, Any]:
    """Return what a form says of it: a field in JSON, or a field a key."""
    whole = form.get("expires_after")
    if isinstance(whole, str):
        try:
            given = parse_json(whole)
        except (ValueError, RecursionError):
            given = None
        return given if isinstance(given, dict) and given else {"anchor": whole}
    named = {key: f"expires_after[{key}]" for key in ("anchor", "seconds")}
    return {key: str(form[field]) for key, field in named.items() if field in form}


def _refusal_among(routes: list[Route]) -> Callable[[Request], Response]:
    """Return what refuses an address that does not exist, or a method it does not serve."""

    def refuse(request: Request) -> Response:
        path, method = request.url.path, request.method
        known = {name for one in routes if one.path_regex.match(path) for name in one.methods or ()}
        if not known:
            raise ApiError(f"Unknown request URL: {method} {path}", status=404, code="unknown_url")
        allowed = ", ".join(sorted(known))
        message = f"Not allowed to {method} on {path}; allowed are {allowed}."
        headers = {"allow": allowed}
        raise ApiError(message, status=405, code="method_not_supported", headers=headers)

    return refuse
