"""The votes on an example, joined into one answer: as its expert ordered the rules, or weighed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from itertools import compress
from typing import Any

import numpy as np

from studio.analysis.vote_matrix import VoteMatrix
from studio.analysis.vote_patterns import (
    Bools,
    Floats,
    Ints,
    Panel,
    Rulings,
    panel_of,
    patterns_of,
    rulings,
    softmax,
)
from studio.analysis.weighting import USUAL, Weighting
from studio.domain.coded_rationale import CodedRationale
from studio.domain.run import Method, Outcome, Prediction
from studio.errors import InputError

ENOUGH_GOLD = 50
"""Blind gold labels from which on votes can be weighed on gold, and probabilities fitted on it."""


class JoiningMethod(StrEnum):
    """How votes become one answer; decisive rules decide first under each of them."""

    EXPERT = "expert"
    WEIGHTED = "weighted"
    LABEL_MODEL = "label_model"

    @property
    def words(self) -> str:
        """What people call it.

        >>> JoiningMethod.WEIGHTED.words
        'votes weighed on gold'
        """
        return {"expert": "the expert's order", "weighted": "votes weighed on gold"}.get(
            self, "votes weighed by how far rules agree"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """How votes are joined, and all that was fitted for it: kept with a run, it joins alike again.

    Attributes:
        method: How.
        gold: Gold labels it was fitted on.
        prior: Label id to how likely it is before any vote; empty for all alike.
        accuracy: Rule id to how often it is right; empty for the expert's order.
        temperature: What weights are multiplied by.
        voices: Rules that have one voice between them; those with one of their own are left out.
        trust: How often an answer of a kind is right: `decisive:RULE`, `majority:LABEL`,
            `tie:LABEL`, `fallback:LABEL`.
        usual_trust: The same for kinds that no gold was seen of.
        silence: Label id to its share among examples on which nothing can be counted.
    """

    method: JoiningMethod = JoiningMethod.EXPERT
    gold: int = 0
    prior: dict[int, float] = field(default_factory=dict)
    accuracy: dict[int, float] = field(default_factory=dict)
    temperature: float = 1.0
    voices: tuple[tuple[int, ...], ...] = ()
    trust: dict[str, float] = field(default_factory=dict)
    usual_trust: float = USUAL
    silence: dict[int, float] = field(default_factory=dict)

    @property
    def confidence(self) -> Method:
        """Where the confidence of its answers comes from: a share of votes is no probability."""
        weighed = self.method is not JoiningMethod.EXPERT and self.gold >= ENOUGH_GOLD
        return Method.WEIGHED if weighed else Method.RULES

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON; `from_dict` gives back an equal one."""
        return asdict(self) | {"method": str(self.method), "voices": [list(v) for v in self.voices]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Joining:
        """Return one from plain values, their keys text as JSON has them.

        >>> Joining.from_dict(EXPERT.to_dict()) == EXPERT
        True
        """
        by_id = {
            key: {int(i): float(x) for i, x in data.get(key, {}).items()}
            for key in ("prior", "accuracy", "silence")
        }
        return cls(
            method=JoiningMethod(data["method"]),
            gold=int(data.get("gold", 0)),
            temperature=float(data.get("temperature", 1.0)),
            voices=tuple(tuple(int(i) for i in voice) for voice in data.get("voices", ())),
            trust={str(kind): float(x) for kind, x in data.get("trust", {}).items()},
            usual_trust=float(data.get("usual_trust", USUAL)),
            **by_id,
        )

    def weighting(self, matrix: VoteMatrix, label_ids: Sequence[int]) -> Weighting:
        """Return its weights for the columns of a matrix.

        Raises:
            InputError: If a rule was made after it was fitted.
        """
        if missing := [i for i in matrix.rule_ids if i not in self.accuracy]:
            raise InputError(
                f"The votes were weighed before rule {missing[0]} was there.",
                next_step="Weigh them anew: start another run of the rules.",
            )
        voice = {rule: number for number, rules in enumerate(self.voices) for rule in rules}
        own = np.array([voice.get(rule, -1 - i) for i, rule in enumerate(matrix.rule_ids)])
        accuracy = np.array([self.accuracy[i] for i in matrix.rule_ids], dtype=np.float64)
        return Weighting(
            self.priors(label_ids), accuracy, self.temperature, own[:, None] == own[None, :]
        )

    def priors(self, label_ids: Sequence[int]) -> Floats:
        """Return how likely each label is before any vote, of shape (k,); they sum to 1."""
        return _shares(self.prior, label_ids)


EXPERT = Joining()
"""The expert's order, with nothing fitted."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What all rules together say of one example.

    Attributes:
        label_id: The label; None when they are silent and there is no fallback.
        deciding: The rules that led to it, in the expert's order.
        method: decisive, majority, tie, weighted, label_model, fallback or silent.
        confidence: By the expert's order the share of the counted votes that the label got, 1 for
            a decisive rule, None when no vote was counted: it is not a probability. By weights the
            label's probability as fitted; None without a label.
    """

    label_id: int | None
    deciding: tuple[int, ...]
    method: str
    confidence: float | None

    @property
    def kind(self) -> str:
        """What answers are trusted by, see `Joining.trust`."""
        return f"{self.method}:{self.deciding[-1] if self.method == 'decisive' else self.label_id}"


def join_votes(
    matrix: VoteMatrix,
    rules: Sequence[CodedRationale],
    fallback_label_id: int | None,
    label_ids: Sequence[int],
    joining: Joining = EXPERT,
) -> list[Joined]:
    """Return one answer an example, in the order of the matrix.

    The first decisive rule that fires, in the expert's order, decides alone; a decisive vote
    against a label rules it out for the rules after it.

    The others, by the expert's order: the label most votes are for wins. A vote against a label
    removes it, whatever speaks for it; when only one label is left, that vote is for the one left.
    Tied labels: the label of the earliest rule among them.

    The others, by weights: the likeliest label wins; a vote against a label makes it less likely.
    Equally likely: the label of the earliest rule among them.

    Nothing to count (silence, votes against that leave several labels): the fallback or no label.

    Args:
        matrix: The votes.
        rules: The rules behind its columns.
        fallback_label_id: The label of silence; None abstains.
        label_ids: All labels of the task.
        joining: How.
    """
    patterns = patterns_of(matrix)
    joined = Joiner.of(matrix, rules, label_ids, fallback_label_id, joining).answers(patterns.fires)
    return [joined[i] for i in patterns.of.tolist()]


def posterior(
    matrix: VoteMatrix,
    rules: Sequence[CodedRationale],
    label_ids: Sequence[int],
    joining: Joining,
    fallback_label_id: int | None = None,
) -> Floats:
    """Return how likely each label is, of shape (m, k); rows sum to 1.

    By the expert's order an answer is as likely as answers of its kind are right on the gold it
    was fitted on. So are decisive rules and the fallback however the others are joined.
    """
    patterns = patterns_of(matrix)
    joiner = Joiner.of(matrix, rules, label_ids, fallback_label_id, joining)
    return joiner.told(patterns.fires, joiner.answers(patterns.fires))[patterns.of]


@dataclass(frozen=True, eq=False, slots=True)
class Joiner:
    """Joins the patterns of one matrix; `join_votes` says how."""

    rule_ids: tuple[int, ...]
    label_ids: tuple[int, ...]
    fallback: int | None
    panel: Panel
    joining: Joining
    weighting: Weighting | None

    @classmethod
    def of(
        cls,
        matrix: VoteMatrix,
        rules: Sequence[CodedRationale],
        label_ids: Sequence[int],
        fallback: int | None,
        joining: Joining,
    ) -> Joiner:
        """Return what joins the votes of these rules."""
        weighed = joining.method is not JoiningMethod.EXPERT
        return cls(
            rule_ids=matrix.rule_ids,
            label_ids=tuple(label_ids),
            fallback=fallback,
            panel=panel_of(matrix, rules, label_ids),
            joining=joining,
            weighting=joining.weighting(matrix, label_ids) if weighed else None,
        )

    def answers(self, fires: Bools) -> list[Joined]:
        """Return an answer for each pattern, of shape (u, n)."""
        ballots = self._ballots()
        rows = [list(compress(ballots, row)) for row in fires[:, self.panel.order].tolist()]
        if self.weighting is None:
            return [_by_order(row, self.fallback, self.label_ids) for row in rows]
        scores = self.weighting.scores(fires, self.panel)
        winners = label_places(fires, self.panel, rulings(fires, self.panel), scores).tolist()
        answers = [self._weighed(row, place) for row, place in zip(rows, winners, strict=True)]
        sure = self.told(fires, answers).tolist()
        place_of = {label: i for i, label in enumerate(self.label_ids)}
        return [
            replace(a, confidence=sure[i][place_of[a.label_id]]) if a.label_id in place_of else a
            for i, a in enumerate(answers)
        ]

    def told(self, fires: Bools, answers: Sequence[Joined]) -> Floats:
        """Return how likely each label is, of shape (u, k), given the answers to the patterns."""
        if self.weighting is None:
            told = np.empty((len(fires), len(self.label_ids)))
        else:
            told = softmax(self.weighting.scores(fires, self.panel))
        known: dict[str, Floats] = {}
        for row, answer in enumerate(answers):
            if answer.method not in (JoiningMethod.WEIGHTED, JoiningMethod.LABEL_MODEL):
                if (key := f"{answer.kind}>{answer.label_id}") not in known:
                    known[key] = self._trusted(answer)
                told[row] = known[key]
        return told

    def _ballots(self) -> list[_Ballot]:
        """Return what each rule says where it speaks, in the expert's order."""
        panel = self.panel
        return [
            _Ballot(
                self.rule_ids[i],
                self.label_ids[panel.label[i]],
                bool(panel.decisive[i]),
                bool(panel.against[i]),
            )
            for i in panel.order.tolist()
        ]

    def _weighed(self, ballots: list[_Ballot], winner: int) -> Joined:
        decided = _decided(ballots, self.label_ids)
        if isinstance(decided, Joined):
            return decided
        if winner < 0:
            return _silence(self.fallback)
        label = self.label_ids[winner]
        behind = tuple(b.rule for b in ballots if b.label == label and not b.against)
        behind = behind or tuple(b.rule for b in ballots if b.against and b.label != label)
        return Joined(label, behind, str(self.joining.method), None)

    def _trusted(self, answer: Joined) -> Floats:
        """Return how likely each label is by how often answers of this kind are right."""
        if answer.label_id is None:
            return _shares(self.joining.silence or self.joining.prior, self.label_ids)
        trust = self.joining.trust.get(answer.kind, self.joining.usual_trust)
        others = self.joining.priors(self.label_ids)
        said = np.array(self.label_ids) == answer.label_id
        others[said] = 0.0
        rest: Floats = others * (1 - trust) / max(float(others.sum()), 1e-12)
        rest[said] = trust if len(said) > 1 else 1.0
        return rest


def label_places(fires: Bools, panel: Panel, ruled: Rulings, scores: Floats) -> Ints:
    """Return the place of the label that decisive rules or scores choose; -1 for neither."""
    label, against = panel.speaks
    first = np.zeros_like(scores)
    rank = np.empty(len(panel.order))
    rank[panel.order] = np.arange(len(panel.order), 0, -1) / max(1, len(panel.order))
    for column in np.flatnonzero(~against):
        spoken = np.where(fires[:, column], rank[column], 0.0)
        first[:, label[column]] = np.maximum(first[:, label[column]], spoken)
    # Differences this small are rounding.
    level = np.where(ruled.left, np.round(scores, 9), -np.inf)
    tied = level == level.max(axis=1, keepdims=True)
    earliest = np.where(tied, first, -1.0)
    chosen = (earliest.max(axis=1) > 0) | (tied.sum(axis=1) == 1)
    likeliest = np.where(chosen, earliest.argmax(axis=1), -1)
    result: Ints = np.where(ruled.open, likeliest, ruled.label)
    return result


@dataclass(frozen=True, slots=True)
class _Ballot:
    rule: int
    label: int
    decisive: bool
    against: bool


def _by_order(ballots: list[_Ballot], fallback: int | None, label_ids: tuple[int, ...]) -> Joined:
    left = _decided(ballots, label_ids)
    if isinstance(left, Joined):
        return left
    removed = {b.label for b in ballots if b.against}
    left = [label for label in left if label not in removed]
    voices = [
        (b.rule, left[0] if b.against else b.label)
        for b in ballots
        if (len(left) == 1 if b.against else b.label in left)
    ]
    if not left or not voices:
        return _silence(fallback)
    counts = Counter(label for _, label in voices)
    most = max(counts.values())
    winner = next(label for _, label in voices if counts[label] == most)
    method = "tie" if sum(n == most for n in counts.values()) > 1 else "majority"
    deciding = tuple(rule for rule, label in voices if label == winner)
    return Joined(winner, deciding, method, most / len(voices))


def _decided(ballots: list[_Ballot], label_ids: tuple[int, ...]) -> Joined | list[int]:
    """Return what the decisive rules decide, else the labels they leave."""
    left = list(label_ids)
    against: list[int] = []
    for ballot in (b for b in ballots if b.decisive):
        if not ballot.against and ballot.label in left:
            return Joined(ballot.label, (ballot.rule,), "decisive", 1.0)
        if ballot.against and ballot.label in left:
            left.remove(ballot.label)
            against.append(ballot.rule)
            if len(left) == 1:
                return Joined(left[0], tuple(against), "decisive", 1.0)
    return left


def _silence(fallback: int | None) -> Joined:
    return Joined(fallback, (), "silent" if fallback is None else "fallback", None)


def _shares(known: Mapping[int, float], label_ids: Sequence[int]) -> Floats:
    """Return shares that sum to 1; a label not known of is as likely as any."""
    shares = np.array([known.get(i, 1 / max(1, len(label_ids))) for i in label_ids])
    result: Floats = shares / shares.sum()
    return result


def joined_predictions(
    matrix: VoteMatrix, joined: Sequence[Joined], joining: Joining = EXPERT
) -> list[Prediction]:
    """Return the answers of the rules as predictions of a run; no label is an abstention."""
    return [
        Prediction(
            example_id=example_id,
            label_id=j.label_id,
            confidence=j.confidence,
            outcome=Outcome.ABSTAINED if j.label_id is None else Outcome.OK,
            method=None if j.confidence is None else joining.confidence,
        )
        for example_id, j in zip(matrix.example_ids, joined, strict=True)
    ]
