"""Fine-tuning jobs as the protocol shows them, and what is kept of each on disk."""

from __future__ import annotations

import fcntl
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.embedded.disk import new_id, read_json, write_json
from studio.embedded.files import Files
from studio.embedded.models import BASE
from studio.embedded.protocol import ApiError, metadata_field, object_field, text_field
from studio.embedded.training import LOCK
from studio.errors import NotFoundError

ACTIVE = ("validating_files", "queued", "running")
HYPERPARAMETERS = ("n_epochs", "batch_size", "learning_rate_multiplier")


class Job:
    """One job: its protocol object and its folder.

    Attributes:
        shown: The `fine_tuning.job` object.
        folder: Where its files are.
        attempts: How often its training was started.
        model: The name its model will have.
        paused: Somebody asked it to rest.
    """

    def __init__(
        self,
        shown: dict[str, Any],
        folder: Path,
        model: str,
        attempts: int = 0,
        paused: bool = False,
    ) -> None:
        self.shown, self.folder, self.model = shown, folder, model
        self.attempts, self.paused = attempts, paused

    @property
    def id(self) -> str:
        """Return its identifier."""
        return str(self.shown["id"])

    @property
    def active(self) -> bool:
        """Tell whether it has not ended."""
        return self.shown["status"] in ACTIVE

    @property
    def wanted(self) -> bool:
        """Tell whether it is to be trained now."""
        return self.active and not self.paused

    def save(self) -> None:
        """Write it to disk."""
        content = {
            "shown": self.shown,
            "model": self.model,
            "attempts": self.attempts,
            "paused": self.paused,
        }
        write_json(self.folder / "job.json", content)

    @classmethod
    def load(cls, folder: Path) -> Job:
        """Read one back."""
        content = read_json(folder / "job.json")
        paused = content.get("paused", False)
        return cls(content["shown"], folder, content["model"], content["attempts"], paused)

    def training_lives(self) -> bool:
        """Tell whether a process is training it now, ours or one left from before a restart."""
        path = self.folder / LOCK
        if not path.exists():
            return False
        with path.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False


def new_job(body: Mapping[str, Any], files: Files, root: Path) -> tuple[Job, list[str]]:
    """Return the job a request asks for, and a warning for each thing it asks in vain.

    Raises:
        ApiError: The request cannot be served.
    """
    model = text_field(body, "model")
    if model != BASE:
        message = f"The model '{model}' cannot be fine-tuned here; use {BASE}."
        raise ApiError(message, param="model", code="model_not_available")
    training = _file(body, "training_file", files)
    validation = _file(body, "validation_file", files) if body.get("validation_file") else None
    hyperparameters, warned = _hyperparameters(body)
    seed, suffix = _seed(body), _suffix(body)
    number, now = new_id("ftjob-"), int(time.time())
    shown: dict[str, Any] = {
        "id": number,
        "object": "fine_tuning.job",
        "created_at": now,
        "error": None,
        "fine_tuned_model": None,
        "finished_at": None,
        "hyperparameters": hyperparameters,
        "model": BASE,
        "organization_id": "org-studio",
        "result_files": [],
        "status": "queued",
        "trained_tokens": None,
        "training_file": training,
        "validation_file": validation,
        "seed": seed,
        "integrations": [],
        "estimated_finish": None,
        "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
        "metadata": metadata_field(body),
    }
    job = Job(shown, root / number, f"ft:{BASE}:{suffix}:{secrets.token_hex(4)}")
    return job, warned


def _file(body: Mapping[str, Any], name: str, files: Files) -> str:
    number = text_field(body, name)
    try:
        found = files.get(number)
    except NotFoundError as error:
        message = f"invalid {name}: {number}"
        raise ApiError(message, param=name, code=f"invalid_{name}") from error
    if found["purpose"] != "fine-tune":
        message = f"{name} was uploaded for {found['purpose']}; upload it for fine-tune."
        raise ApiError(message, param=name, code=f"invalid_{name}")
    return number


def _hyperparameters(body: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the hyperparameters to show; whatever is not "auto" is answered by a warning."""
    method = object_field(body, "method")
    if method.get("type", "supervised") != "supervised":
        raise ApiError("Only the method supervised is offered here.", param="method")
    asked = object_field(object_field(method, "supervised"), "hyperparameters")
    asked = {**object_field(body, "hyperparameters"), **asked}
    warned = []
    for name, value in asked.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value != "auto" and not (number and 0 < value < 1e9):
            raise ApiError(f"{name} must be a number above 0 or auto.", param=name)
        if value != "auto":
            warned.append(
                f"{name}={value} is not used: {BASE} fits a regression and chooses its strength "
                "by cross-validation."
            )
    if body.get("integrations"):
        warned.append("integrations are not used: nothing leaves this machine.")
    return {name: asked.get(name, "auto") for name in HYPERPARAMETERS}, warned


def _seed(body: Mapping[str, Any]) -> int:
    seed = body.get("seed")
    if seed is None:
        return 0
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= 2147483647:
        raise ApiError("seed must be a whole number from 0 to 2147483647.", param="seed")
    return seed


def _suffix(body: Mapping[str, Any]) -> str:
    suffix = body.get("suffix") or ""
    if not isinstance(suffix, str) or len(suffix) > 64:
        raise ApiError("suffix must be a string of at most 64 characters.", param="suffix")
    return re.sub(r"[^a-z0-9]+", "-", suffix.lower()).strip("-")
