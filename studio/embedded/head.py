"""A trained model: arrays and JSON with hashes, never pickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.embedded.disk import read_json, write_json
from studio.embedded.encoder import Matrix
from studio.embedded.features import Vocabulary
from studio.embedded.reading import Line
from studio.embedded.scoring import EVIDENCE, Evidence, Scored
from studio.embedded.weights import file_sha256
from studio.errors import WeightsError

FORMAT = 1


@dataclass(frozen=True)
class HeadFacts:
    """What is known of a trained model beside its weights.

    Attributes:
        labels: Its labels, in the order of its rows.
        system: The prompt it was trained with.
        engine: The encoder's name.
        fingerprint: The encoder that made its vectors.
        temperature: Divides its log-odds, so that its probabilities are calibrated.
        c: The inverse strength of its regularisation.
        seed: What made its folds.
        examples: How many examples it was trained on.
        data_sha256: The training file's hash.
        metrics: Its figures on examples it had not seen.
    """

    labels: tuple[str, ...]
    system: str
    engine: str
    fingerprint: str
    temperature: float
    c: float
    seed: int
    examples: int
    data_sha256: str
    metrics: dict[str, Any]


class Head:
    """A trained model that judges texts.

    Args:
        facts: What is known of it.
        vocabulary: Its words.
        weights: A row a label: the vector's part, then the words'.
        bias: One number a label.
        lines: The prompt's lines it was trained with.
        line_vectors: Their vectors.
    """

    def __init__(
        self,
        facts: HeadFacts,
        vocabulary: Vocabulary,
        weights: NDArray[np.float32],
        bias: NDArray[np.float32],
        lines: Sequence[Line],
        line_vectors: Matrix,
    ) -> None:
        self.facts, self.vocabulary, self.lines = facts, vocabulary, tuple(lines)
        self._weights, self._bias, self._line_vectors = weights, bias, line_vectors
        self._dims = weights.shape[1] - len(vocabulary.terms)
        self._vector_part = np.ascontiguousarray(weights[:, : self._dims])
        self._word_part = np.ascontiguousarray(weights[:, self._dims :].T)

    def score(self, vector: Matrix, text: str, allowed: Sequence[str] = ()) -> Scored:
        """Return the probabilities of a text, and the words and lines that moved it most.

        With `allowed` labels the probabilities are shared among those it knows.
        """
        places, values = self.vocabulary.weigh(text)
        pushes = self._word_part[places] * values[:, None] / self.facts.temperature
        logits = (self._vector_part @ vector + self._bias) / self.facts.temperature
        logits = logits.astype(np.float64) + pushes.sum(axis=0)
        known = [label for label in self.facts.labels if not allowed or label in allowed]
        rows = [self.facts.labels.index(label) for label in known]
        chances = np.exp(logits[rows] - logits[rows].max())
        chances /= chances.sum()
        answer = {label: round(float(p), 6) for label, p in zip(known, chances, strict=True)}
        answer |= {label: 0.0 for label in allowed if label not in answer}
        return Scored(answer, self._evidence(places, pushes, rows, vector))

    def save(self, folder: Path) -> None:
        """Write `head.npz` and `head.json` into a new folder."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(
            folder / "head.npz",
            weights=self._weights,
            bias=self._bias,
            idf=self.vocabulary.idf,
            line_vectors=self._line_vectors,
        )
        content = {
            "format": FORMAT,
            "facts": asdict(self.facts),
            "lines": [asdict(line) for line in self.lines],
            "terms": self.vocabulary.terms,
            "arrays_sha256": file_sha256(folder / "head.npz"),
        }
        write_json(folder / "head.json", content | {"sha256": _digest(content)})

    @classmethod
    def load(cls, folder: Path) -> Head:
        """Read a model.

        Raises:
            WeightsError: Its bytes were altered, or it is of another format.
        """
        try:
            content = read_json(folder / "head.json")
            stated = content.pop("sha256")
            whole = stated == _digest(content)
            whole = whole and content["arrays_sha256"] == file_sha256(folder / "head.npz")
            if not whole or content["format"] != FORMAT:
                raise _altered(folder)
            with np.load(folder / "head.npz", allow_pickle=False) as arrays:
                facts = content["facts"] | {"labels": tuple(content["facts"]["labels"])}
                return cls(
                    HeadFacts(**facts),
                    Vocabulary(content["terms"], arrays["idf"]),
                    arrays["weights"],
                    arrays["bias"],
                    [Line(**line) for line in content["lines"]],
                    arrays["line_vectors"],
                )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _altered(folder) from error

    def _evidence(
        self, places: NDArray[np.int64], pushes: NDArray[Any], rows: list[int], vector: Matrix
    ) -> tuple[Evidence, ...]:
        """Name the strongest words, and the nearest lines of the prompt."""
        found = []
        even = pushes[:, rows] - pushes[:, rows].mean(axis=1, keepdims=True)
        for place, push in zip(places.tolist(), even, strict=True):
            row = int(push.argmax())
            term, label = self.vocabulary.terms[place], self.facts.labels[rows[row]]
            found.append(Evidence(term, label, "word", round(float(push[row]), 4)))
        found.sort(key=lambda one: (-one.weight, one.line))
        near = self._line_vectors @ vector if len(self.lines) else np.zeros(0)
        lines = [
            Evidence(
                self.lines[n].text,
                self.lines[n].label,
                self.lines[n].kind,
                round(float(near[n]), 4),
            )
            for n in np.argsort(-near, kind="stable")[:2].tolist()
        ]
        return (*[one for one in found[:EVIDENCE] if one.weight > 0.01], *lines)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _altered(folder: Path) -> WeightsError:
    return WeightsError(
        f"The trained model in {folder.name} was altered after its training.",
        next_step="Train it again, or restore it from a backup.",
    )
