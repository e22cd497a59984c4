"""From similarities to a probability per label, and to the lines that made it.

Every line of the prompt speaks for its label: a line's say is exp(T cosine), shared out over the
lines of its label, so that a label with many lines has no advantage. The probability of a label is
the sum of its lines' shares: what moved an example is exact, not told afterwards. The rule was
chosen on six sets against the mean, the nearest and the two nearest lines
(`benchmarks/embedded_prompt_reading.py`). Examples in the prompt join through a light regression
that gains weight with their number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from studio.embedded.encoder import Encoder, Matrix
from studio.embedded.reading import Kind, Line, Reading

Floats = NDArray[np.float64]
LINE_WEIGHT = 0.5
SHOTS_FOR_HALF = 4.0
PENALTY = 0.1
EVIDENCE = 5


class Evidence(NamedTuple):
    """One piece of a prompt or text that moved an example.

    Attributes:
        line: Its words.
        label: The label it spoke for.
        kind: Where it stands.
        weight: Its share of the answer; for words of a trained model, its push in log-odds.
    """

    line: str
    label: str
    kind: Kind
    weight: float


class Scored(NamedTuple):
    """A probability for each label, and what it rests on, the strongest first."""

    probabilities: dict[str, float]
    evidence: tuple[Evidence, ...]


class PromptScorer:
    """A prompt ready to judge texts: its lines as vectors, its examples as a small regression.

    Args:
        reading: The prompt.
        vectors: The vector of every text `texts(reading)` names.
        encoder: The encoder that made them.

    The order of labels and lines changes nothing: both are sorted first.
    """

    def __init__(self, reading: Reading, vectors: Mapping[str, Matrix], encoder: Encoder) -> None:
        self._labels = sorted(reading.labels)
        self._lines = sorted(reading.lines, key=lambda line: (line.label, line.kind, line.text))
        self._shots = sorted(reading.shots, key=lambda line: (line.label, line.text))
        self._temperature, neutral = encoder.temperature, encoder.neutral
        self._line_vectors = _stack([vectors[line.embedded] for line in self._lines], encoder.dims)
        self._shot_vectors = _stack([vectors[line.embedded] for line in self._shots], encoder.dims)
        self._line_index = self._index(self._lines)
        self._shot_index = self._index(self._shots)
        count = np.bincount(self._line_index, minlength=len(self._labels))
        self._shared_out = np.log(count[self._line_index])
        self._mute = np.where(count == 0, self._temperature * neutral, -np.inf)
        self._mute_top = float(self._mute.max())
        self._share, self._weights = self._learn()

    def score(self, vector: Matrix) -> Scored:
        """Return the probabilities of one text and the lines that moved them."""
        said, by_line = self._from_lines(vector)
        if not self._shots:
            return self._answer(said, by_line, np.zeros(0))
        learned = _log_softmax(self._weights @ np.append(vector, 1.0))
        told = np.log(said + 1e-12)
        fused = np.exp(_log_softmax((1 - self._share) * told + self._share * learned))
        nearest = np.exp(_log_softmax(self._temperature * (self._shot_vectors @ vector)))
        return self._answer(fused, (1 - self._share) * by_line, self._share * nearest)

    def _from_lines(self, vector: Matrix) -> tuple[Floats, Floats]:
        """Return each label's probability and each line's share of the whole."""
        pull = self._temperature * (self._line_vectors @ vector).astype(np.float64)
        pull -= self._shared_out
        top = max(pull.max(initial=-np.inf), self._mute_top)
        by_line, mute = np.exp(pull - top), np.exp(self._mute - top)
        by_label = np.bincount(self._line_index, by_line, len(self._labels)) + mute
        total = by_label.sum()
        return by_label / total, by_line / total

    def _learn(self) -> tuple[float, Floats]:
        """Fit the examples, the prompt's lines with half a weight beside them."""
        if not self._shots:
            return 0.0, np.zeros((0, 0))
        each = len(self._shots) / len(self._labels)
        rows = np.vstack([self._shot_vectors, self._line_vectors]).astype(np.float64)
        target = np.concatenate([self._shot_index, self._line_index])
        weight = np.r_[np.ones(len(self._shots)), np.full(len(self._lines), LINE_WEIGHT)]
        share = each / (each + SHOTS_FOR_HALF) if self._lines else 1.0
        return share, fit_softmax(rows, target, weight, len(self._labels))

    def _answer(self, chances: Floats, by_line: Floats, by_shot: Floats) -> Scored:
        moved = [*zip(by_line.tolist(), self._lines, strict=True)]
        moved += zip(by_shot.tolist(), self._shots, strict=False)
        moved = [pair for pair in moved if pair[0] >= 0.01]
        moved.sort(key=_strongest)
        evidence = tuple(
            Evidence(line.text, line.label, line.kind, round(weight, 4))
            for weight, line in moved[:EVIDENCE]
        )
        pairs = zip(self._labels, chances.tolist(), strict=True)
        return Scored({label: round(chance, 6) for label, chance in pairs}, evidence)

    def _index(self, lines: list[Line]) -> NDArray[np.int64]:
        place = {label: number for number, label in enumerate(self._labels)}
        return np.array([place[line.label] for line in lines], dtype=np.int64)


def _strongest(moved: tuple[float, Line]) -> float:
    return -moved[0]


def texts(reading: Reading) -> list[str]:
    """Return every text of a prompt that needs a vector."""
    return [line.embedded for line in (*reading.lines, *reading.shots)]


def best(probabilities: Mapping[str, float]) -> str:
    """Return the most probable label; of equals the first by name, whatever their order."""
    return min(probabilities, key=lambda label: (-probabilities[label], label))


def fit_softmax(rows: Floats, target: NDArray[np.int64], weight: Floats, labels: int) -> Floats:
    """Return the weights of a regularised softmax regression, a column for the bias at the end.

    Accelerated gradient descent with a fixed step: the same input gives the same bytes, with
    nothing heavier than numpy.
    """
    rows = np.hstack([rows, np.ones((len(rows), 1))])
    truth = np.eye(labels)[target] * weight[:, None]
    scaled = rows * np.sqrt(weight)[:, None]
    square = scaled.T @ scaled if len(rows) > rows.shape[1] else scaled @ scaled.T
    curve = 0.5 * float(np.linalg.eigvalsh(square)[-1]) + PENALTY
    momentum = (np.sqrt(curve) - np.sqrt(PENALTY)) / (np.sqrt(curve) + np.sqrt(PENALTY))
    here = ahead = np.zeros((labels, rows.shape[1]))
    for _ in range(400):
        chances = np.exp(_log_softmax(ahead @ rows.T, axis=0)).T * weight[:, None]
        slope = (chances - truth).T @ rows + PENALTY * ahead
        before, here = here, ahead - slope / curve
        ahead = here + momentum * (here - before)
        if float(np.abs(slope).max()) < 1e-4:
            break
    return here


def _log_softmax(values: Floats | Matrix, axis: int = -1) -> Floats:
    shifted = values.astype(np.float64) - values.max(axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))


def _stack(vectors: list[Matrix], dims: int) -> Matrix:
    return np.vstack(vectors).astype(np.float32) if vectors else np.zeros((0, dims), np.float32)
