"""Texts to vectors: the MiniLM encoder, and hashed words where its weights are missing."""

from __future__ import annotations

import hashlib
import itertools
import re
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from studio.embedded.naming import words_of
from studio.embedded.weights import MissingWeights, Weights, find_weights
from studio.errors import WeightsError

Matrix = NDArray[np.float32]
MAX_PIECES = 256
BATCH_TOKENS = 512
_PROBE = ("grilled salmon with butter", "a text that is a good deal longer than that", "ok")


@dataclass(frozen=True)
class Encoded:
    """What an encoder makes of some texts.

    Attributes:
        vectors: One unit vector a text, rounded to half precision, so that a cached vector and a
            fresh one are the same.
        tokens: How many tokens each text has, those beyond the limit included.
    """

    vectors: NDArray[np.float16]
    tokens: NDArray[np.int32]


class Encoder(Protocol):
    """Anything that turns texts into unit vectors.

    Attributes:
        engine: The name shown wherever it answered.
        fingerprint: Changes whenever the same text could get another vector.
        dims: Length of a vector.
        limit: Tokens read of a text; the rest is not seen.
        temperature: Factor on a similarity before the softmax.
        neutral: The similarity at which a label is as likely as not.
        note: A sentence shown with every answer; empty when all is well.
    """

    engine: str
    fingerprint: str
    dims: int
    limit: int
    temperature: float
    neutral: float
    note: str

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Return a vector and a token count for each text."""
        ...

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has."""
        ...


def load_encoder(weights: Weights | MissingWeights | None = None) -> Encoder:
    """Return the best encoder this machine has; a fallback names itself and its reason.

    Raises:
        WeightsError: The weights were altered, or are no usable encoder.
    """
    found = find_weights() if weights is None else weights
    if isinstance(found, MissingWeights):
        return WordEncoder(found.reason)
    return OnnxEncoder(found)


class OnnxEncoder:
    """A sentence encoder in ONNX: one thread, no spinning, small batches.

    Batches hold at most 512 padded tokens and texts of like length: 64 at a time cost five times
    the time and 1.9 GB on long texts.
    """

    temperature = 16.0
    neutral = 0.2
    limit = MAX_PIECES
    note = ""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._opening = threading.Lock()
        self._opened: _Parts | None = None
        self.engine = weights.engine
        self.fingerprint = hashlib.sha256(f"onnx1 {weights.sha256}".encode()).hexdigest()[:12]
        # Known weights are opened when first asked: they take 150 MB that many workers never need.
        self.dims = weights.dims or self._probe(weights)

    @property
    def _parts(self) -> _Parts:
        with self._opening:
            if self._opened is None:
                self._opened = _open(self._weights)
            return self._opened

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Return a vector and a token count for each text."""
        pieces = [self._parts.tokenizer.encode(text).ids for text in texts]
        tokens = np.array([len(ids) for ids in pieces], dtype=np.int32)
        cut = [_shorten(ids) for ids in pieces]
        vectors = np.zeros((len(texts), self.dims), dtype=np.float16)
        for batch in _batches([len(ids) for ids in cut]):
            vectors[batch] = self._run([cut[row] for row in batch])
        return Encoded(vectors, tokens)

    def count_tokens(self, text: str) -> int:
        """Return how many word pieces a text has, the two markers of the encoder left out."""
        return len(self._parts.tokenizer.encode(text, add_special_tokens=False).ids)

    def _run(self, rows: list[list[int]]) -> NDArray[np.float16]:
        width = max(len(ids) for ids in rows)
        ids = np.zeros((len(rows), width), dtype=np.int64)
        for row, pieces in enumerate(rows):
            ids[row, : len(pieces)] = pieces
        lengths = np.array([len(pieces) for pieces in rows])
        mask = (np.arange(width)[None, :] < lengths[:, None]).astype(np.int64)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        feed = {name: value for name, value in given.items() if name in self._parts.inputs}
        states = self._parts.session.run(None, feed)[0]
        if states.ndim == 3:
            states = (states * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None]
        return unit(states).astype(np.float16)

    def _probe(self, weights: Weights) -> int:
        """Run it once; refuse an encoder whose vectors depend on what else is in the batch."""
        encode = [self._parts.tokenizer.encode(text).ids for text in _PROBE]
        try:
            alone = np.vstack([self._run([ids]) for ids in encode]).astype(np.float32)
            together = self._run(encode).astype(np.float32)
        except Exception as error:
            raise WeightsError(f"The file {weights.model} is no text encoder: {error}") from error
        if float((alone * together).sum(axis=1).min()) < 0.998:
            raise WeightsError(
                f"The encoder {weights.model} gives a text another vector in another batch.",
                next_step="Use its fp32 export, or unset STUDIO_ENCODER.",
            )
        return int(alone.shape[1])


@dataclass(frozen=True, slots=True)
class _Parts:
    """An opened model: it runs, it cuts texts into word pieces, it names its inputs."""

    session: Any
    tokenizer: Any
    inputs: frozenset[str]


def _open(weights: Weights) -> _Parts:
    import onnxruntime
    import tokenizers

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            str(weights.model), options, providers=["CPUExecutionProvider"]
        )
        tokenizer = tokenizers.Tokenizer.from_file(str(weights.tokenizer))
    except Exception as error:
        raise WeightsError(f"The file {weights.model} is no encoder: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return _Parts(session, tokenizer, frozenset(item.name for item in session.get_inputs()))


class WordEncoder:
    """Word overlap: hashed words, word pairs and word parts. Knows no meaning."""

    engine = "hashed-words"
    fingerprint = "words1"
    dims = 2048
    limit = 1_000_000_000
    temperature = 16.0
    neutral = 0.05

    def __init__(self, reason: str) -> None:
        self.note = f"Labels come from shared words only: {reason}."

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Return a vector and a token count for each text."""
        sums = np.zeros((len(texts), self.dims), dtype=np.float32)
        for row, text in enumerate(texts):
            for gram, weight in _grams(text):
                sums[row, zlib.crc32(gram.encode()) % self.dims] += weight
        tokens = np.array([self.count_tokens(text) for text in texts], dtype=np.int32)
        return Encoded(unit(np.sqrt(sums)).astype(np.float16), tokens)

    def count_tokens(self, text: str) -> int:
        """Return the usual guess: four characters a token."""
        return -(-len(text) // 4)


def unit(rows: NDArray[Any]) -> Matrix:
    """Return the rows scaled to length one; an empty row stays empty."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-9), dtype=np.float32)


def _shorten(pieces: list[int]) -> list[int]:
    """Keep the beginning and the end marker."""
    return pieces if len(pieces) <= MAX_PIECES else [*pieces[: MAX_PIECES - 1], pieces[-1]]


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield rows of like length that fill at most 512 padded tokens."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[row] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


_STOP = words_of("a an the of and or to in is are it its this that with for on as be by at")


def _grams(text: str) -> Iterator[tuple[str, float]]:
    words = [word for word in re.findall(r"\w+", text.lower()) if word not in _STOP]
    for word in words:
        yield word, 1.0
        for start in range(len(word) - 3):
            yield f"#{word[start : start + 4]}", 0.3
    for one, other in itertools.pairwise(words):
        yield f"{one} {other}", 0.5
