"""The evidence of a classifier of text and that of rules, added up.

Both give each example a probability of each label. Joined:

    log p = a log p_text + t log p_rules + b_label (+ w_rule for the label a rule votes on)

It starts from both at their word (a = t = 1, the rest 0), so from the expert's own order of the
rules, and gold moves it as far as it has weight: every step away costs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from studio.analysis.vote_matrix import VoteMatrix
from studio.analysis.vote_patterns import Floats, Ints, softmax

_STEP = 0.5  # a step of this size away from both at their word costs half a nat
_TEXT_FLOOR = 0.02  # no model is surer than this: one slip would outweigh all else
_RULES_FLOOR = 0.1  # nor are rules that made no mistake on the little gold they fired on


class Way(StrEnum):
    """What decides: the text, the rules, or both."""

    TEXT = "text"
    RULES = "rules"
    JOINED = "joined"
    WEIGHED = "weighed"

    @property
    def words(self) -> str:
        """What people call it.

        >>> Way.WEIGHED.words
        'text and rules, each rule weighed'
        """
        return _WORDS[self]


_WORDS = {
    Way.TEXT: "text only",
    Way.RULES: "rules only",
    Way.JOINED: "text and rules",
    Way.WEIGHED: "text and rules, each rule weighed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesAndText:
    """How the evidence of text and rules is added up; kept with a run.

    Attributes:
        way: What decides.
        label_ids: The labels, the order of all columns.
        text: How much the model's word counts (a); 0 where the rules decide alone.
        rules: How much the rules' word counts (t).
        bias: What is added for each label (b).
        weights: Rule id to what its vote adds for its label (w).
    """

    way: Way
    label_ids: tuple[int, ...]
    text: float = 1.0
    rules: float = 1.0
    bias: tuple[float, ...] = ()
    weights: dict[int, float] = field(default_factory=dict)

    def apply(self, text: Floats, rules: Floats, matrix: VoteMatrix) -> Floats:
        """Return the probability of each label, of shape (n, labels); rows sum to 1.

        Args:
            text: Of the model, of shape (n, labels).
            rules: Of the rules together, of shape (n, labels).
            matrix: The votes behind them, a row an example.
        """
        if self.way is Way.TEXT:
            return text
        weights = np.array([self.weights.get(rule, 0.0) for rule in matrix.rule_ids])
        fitted = Fitted(np.array([self.text, self.rules]), np.array(self.bias), weights)
        return softmax(fitted.logits(Given.of(text, rules, matrix, self.label_ids)))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that `from_dict` reads back to an equal object."""
        return asdict(self) | {"weights": {str(k): v for k, v in self.weights.items()}}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RulesAndText:
        """Read what `to_dict` gave.

        >>> joined = RulesAndText(way=Way.JOINED, label_ids=(1, 2), bias=(0.0, 0.5))
        >>> RulesAndText.from_dict(joined.to_dict()) == joined
        True
        """
        return cls(
            way=Way(data["way"]), label_ids=tuple(data["label_ids"]), text=data["text"],
            rules=data["rules"], bias=tuple(data["bias"]),
            weights={int(k): v for k, v in data["weights"].items()},
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Given:
    """The evidence on n examples as logarithms, and the votes with the label each speaks of."""

    text: Floats
    rules: Floats
    voices: Floats
    target: Ints

    @classmethod
    def of(
        cls, text: Floats, rules: Floats, matrix: VoteMatrix, label_ids: tuple[int, ...]
    ) -> Given:
        """Return it from probabilities of shape (n, labels) and the votes on the same examples."""
        return cls(
            _logs(text, _TEXT_FLOOR),
            _logs(rules, _RULES_FLOOR),
            _voices(matrix, label_ids),
            _target(matrix, label_ids),
        )

    def rows(self, rows: Ints) -> Given:
        """Return some of the examples."""
        return Given(self.text[rows], self.rules[rows], self.voices[rows], self.target)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The numbers found: (a, t), one a label, one a rule."""

    scales: Floats
    bias: Floats
    weights: Floats

    def logits(self, given: Given) -> Floats:
        """Return the summed evidence for each label, of shape (n, labels)."""
        logits = self.scales[0] * given.text + self.scales[1] * given.rules + self.bias
        moved = given.voices * self.weights
        for label in np.unique(given.target):
            logits[:, label] += moved[:, given.target == label].sum(axis=1)
        return np.asarray(logits)

    def frozen(
        self, way: Way, label_ids: tuple[int, ...], rule_ids: tuple[int, ...]
    ) -> RulesAndText:
        """Return the numbers as they are kept with a run."""
        weights = dict(zip(rule_ids, self.weights.tolist(), strict=True))
        return RulesAndText(
            way=way, label_ids=label_ids, text=float(self.scales[0]), rules=float(self.scales[1]),
            bias=tuple(self.bias.tolist()), weights=weights if way is Way.WEIGHED else {},
        )  # fmt: skip


def fit_evidence(given: Given, truth: Ints, way: Way) -> Fitted:
    """Return the numbers that explain gold best, each held back by the square of its step."""
    from scipy.optimize import fmin_l_bfgs_b

    both = way in (Way.JOINED, Way.WEIGHED)
    labels, rules = given.text.shape[1], len(given.target)
    start = np.concatenate([[way is not Way.RULES, way is not Way.TEXT], np.zeros(labels + rules)])
    is_free = np.concatenate(
        [
            [way is not Way.RULES, way is not Way.TEXT],
            np.full(labels, both),
            np.full(rules, way is Way.WEIGHED),
        ]
    )
    rows = np.arange(len(truth))

    def fitted(flat: Floats) -> Fitted:
        return Fitted(flat[:2], flat[2 : 2 + labels], flat[2 + labels :])

    def loss(flat: Floats) -> tuple[float, Floats]:
        chances = softmax(fitted(flat).logits(given))
        missed = chances.copy()
        missed[rows, truth] -= 1.0
        step = flat - start
        slope = np.concatenate(
            [
                [(missed * given.text).sum(), (missed * given.rules).sum()],
                missed.sum(axis=0),
                (given.voices * missed[:, given.target]).sum(axis=0),
            ]
        )
        surprise = -np.log(np.maximum(chances[rows, truth], 1e-12)).sum()
        value = float(surprise + 0.5 * ((step / _STEP) ** 2).sum())
        return value, np.where(is_free, slope + step / _STEP**2, 0.0)

    # Neither counts for more than its word, nor against it.
    bounds = [(0.0, 2.0), (0.0, 1.0)] + [(None, None)] * (labels + rules)
    solved, _, _ = fmin_l_bfgs_b(loss, start, maxiter=200, bounds=bounds)
    return fitted(np.asarray(solved))


def _logs(chances: Floats, floor: float) -> Floats:
    """Return logarithms of probabilities, none surer than the floor allows."""
    return np.asarray(np.log((1.0 - floor) * chances + floor / chances.shape[1]))


def _voices(matrix: VoteMatrix, label_ids: tuple[int, ...]) -> Floats:
    """Return 1 where a rule votes for its label, -1 where it votes against it, else 0."""
    known = np.isin(matrix.labels, label_ids)
    return np.asarray(known * np.where(matrix.against, -1.0, 1.0))


def _target(matrix: VoteMatrix, label_ids: tuple[int, ...]) -> Ints:
    """Return the column of the label each rule speaks of; the first for one that never speaks."""
    spoken = matrix.labels.max(axis=0, initial=0)
    return np.array([label_ids.index(i) if i in label_ids else 0 for i in spoken], dtype=np.int64)
