"""The models of one server: the encoder that reads prompts, and what was trained on it."""

from __future__ import annotations

import datetime
import re
import shutil
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.embedded.disk import read_json, write_json
from studio.embedded.head import Head
from studio.errors import InputError, NotFoundError

BASE = "studio-encoder"
_NAME = re.compile(rf"ft:{BASE}:([a-z0-9-]*):([0-9a-z]+)(?::ckpt-step-(\d+))?")
_IN_MEMORY = 8


class ModelMissingError(NotFoundError):
    """No model has this name."""

    code = "model_not_found"


class Models:
    """Trained models on disk, a folder each; the few last used in memory."""

    def __init__(self, folder: Path, created: int) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._created = created
        self._loaded: OrderedDict[str, Head] = OrderedDict()
        self._lock = threading.Lock()

    def newest(self) -> list[dict[str, Any]]:
        """Return the base model and every trained one, the newest first."""
        found = []
        for path in sorted(self._folder.glob("*/model.json")):
            try:
                found.append(read_json(path))
            except (OSError, ValueError):
                continue
        found.sort(key=lambda model: (-model["created"], model["id"]))
        return [self.get(BASE), *found]

    def get(self, name: str) -> dict[str, Any]:
        """Return a model's object.

        Raises:
            ModelMissingError: There is none of this name.
        """
        if name == BASE:
            return _object(BASE, self._created)
        folder, step = self._place(name)
        made = read_json(folder / "model.json")
        return made | {"id": name} if step else made

    def head(self, name: str) -> Head:
        """Return a trained model ready to judge.

        Raises:
            ModelMissingError: There is none of this name.
            WeightsError: Its bytes were altered.
        """
        folder, step = self._place(name)
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = Head.load(folder / (f"step-{step}" if step else "head"))
                if len(self._loaded) > _IN_MEMORY:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(name)
            return self._loaded[name]

    def publish(self, name: str, made: Path, created: int, extra: dict[str, Any]) -> None:
        """Put a finished training's model where it can be asked."""
        match = _NAME.fullmatch(name)
        if match is None:
            raise InputError(f"{name} is no name of a trained model.")
        folder = self._folder / match.group(2)
        shutil.rmtree(folder, ignore_errors=True)
        for part in ("head", *(path.name for path in made.glob("step-*"))):
            shutil.copytree(made / part, folder / part)
        write_json(folder / "model.json", _object(name, created) | {"studio": extra})

    def delete(self, name: str) -> None:
        """Forget a trained model and its checkpoints.

        Raises:
            ModelMissingError: There is none of this name.
            InputError: It is the base model, or a checkpoint.
        """
        if name == BASE:
            raise InputError(f"{BASE} comes with the studio and cannot be deleted.")
        folder, step = self._place(name)
        if step:
            raise InputError("A checkpoint is deleted with its model.")
        with self._lock:
            for loaded in [one for one in self._loaded if one.startswith(name)]:
                del self._loaded[loaded]
            shutil.rmtree(folder, ignore_errors=True)

    def _place(self, name: str) -> tuple[Path, str]:
        match = _NAME.fullmatch(name)
        if match:
            folder, step = self._folder / match.group(2), match.group(3) or ""
            try:
                known = read_json(folder / "model.json")["id"] == name.split(":ckpt-")[0]
            except (OSError, ValueError, KeyError):
                known = False
            if known and (not step or (folder / f"step-{step}").is_dir()):
                return folder, step
        raise ModelMissingError(f"The model '{name}' does not exist.")


def _object(name: str, created: int) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "studio",
        "shutdown_date": None,
    }


def named_model(model: Mapping[str, Any]) -> dict[str, str]:
    """Return a model as decision clients list it."""
    released = datetime.datetime.fromtimestamp(model["created"], tz=datetime.UTC).date()
    kind = "A sentence encoder that reads prompts" if model["id"] == BASE else "A trained model"
    return {
        "name": model["id"],
        "description": f"{kind}; on this machine.",
        "release_date": released.isoformat(),
    }
