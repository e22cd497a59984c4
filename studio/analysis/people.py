"""What several people say of the same examples: their votes, majority, and Dawid-Skene.

Dawid and Skene (1979) learn at once how each person mistakes each label for another and which
label is right, so that a careful person counts for more than one who guesses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.analysis.intervals import UNDEFINED, share_interval, wilson
from studio.analysis.people_votes import Kinds, PeopleVotes
from studio.domain.evaluation import Figure

Floats = NDArray[np.float64]

_ROUNDS = 200
_STILL = 1e-6
_PULL = 0.02
"""Votes thought to be seen of each person before any: just enough that nothing is impossible."""


@dataclass(frozen=True, eq=False, slots=True)
class Consensus:
    """What people together say.

    Attributes:
        chances: The probability of each label, of shape (examples, labels).
        confusions: How likely each person gives a label (last axis) where another one is right,
            of shape (people, labels, labels).
        prior: How frequent each label is, of shape (labels,).
    """

    chances: Floats
    confusions: Floats
    prior: Floats

    @property
    def skill(self) -> Floats:
        """How often each person is expected to be right, over labels as frequent as here."""
        right: Floats = np.einsum("pll,l->p", self.confusions, self.prior)
        return right


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAgreement:
    """How one person's votes stand beside those of the others.

    Attributes:
        person: The name.
        votes: All examples this person labeled.
        agreement: Share of the votes on shared examples that the most frequent label of the
            others bears out; a tie among the others does not count.
        skill: How often Dawid-Skene expects the person to be right on shared examples; undefined
            with fewer than three people, for two cannot show which of them is right.
    """

    person: str
    votes: int
    agreement: Figure
    skill: Figure

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "person": self.person,
            "votes": self.votes,
            "agreement": self.agreement.to_dict(),
            "skill": self.skill.to_dict(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed:
    """An example on which people differ.

    Attributes:
        example_id: The example.
        said: Label to the names of those who gave it, in the task's order of labels.
        likely: The label Dawid-Skene takes for right; None with fewer than three people.
        chance: How sure it is; None likewise.
        is_overruled: Whether most people gave another label.
    """

    example_id: int
    said: dict[str, tuple[str, ...]]
    likely: str | None
    chance: float | None
    is_overruled: bool


def majority(votes: PeopleVotes) -> Floats:
    """Return each label's chance to win by most votes, of shape (examples, labels).

    A tie is shared by those that have most votes, as if a coin were thrown.
    """
    counts = votes.counts()
    most = counts == counts.max(axis=1, keepdims=True, initial=0)
    chances: Floats = most / np.maximum(most.sum(axis=1, keepdims=True), 1)
    return chances


def dawid_skene(votes: PeopleVotes) -> Consensus:
    """Return what people say together, each weighed by how they err as the others show.

    It starts from the shares of votes. What a person does is learnt from that person's votes alone,
    so with a handful each it may do worse than the majority: look at where the two differ. A label
    that nobody gave is never the likely one: of it nothing can be learnt, and what it is not known
    to be would speak for it where people differ.
    """
    found = _together(votes.kinds)
    return Consensus(found.chances[votes.kinds.kind], found.confusions, found.prior)


def _together(kinds: Kinds) -> Consensus:
    """Return what people say together of each kind of examples."""
    votes, many = kinds.votes, kinds.many.astype(np.float64)
    size = len(votes.labels)
    counts = votes.counts().astype(np.float64)
    unheard = counts.sum(axis=0) == 0
    chances: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    confusions, prior = _learn(votes, chances, many)
    for _ in range(_ROUNDS):
        scores = np.tile(np.log(prior), (len(counts), 1))
        said = np.log(confusions)[votes.person, :, votes.label]
        for right in range(size):
            scores[:, right] += np.bincount(
                votes.example, weights=said[:, right], minlength=len(counts)
            )
        scores[:, unheard] = -np.inf
        scores -= scores.max(axis=1, keepdims=True, initial=-np.inf)
        found = np.exp(scores)
        found /= found.sum(axis=1, keepdims=True)
        moved = float(np.abs(found - chances).max(initial=0.0))
        chances = found
        confusions, prior = _learn(votes, chances, many)
        if moved < _STILL:
            break
    return Consensus(chances, confusions, prior)


def _learn(votes: PeopleVotes, chances: Floats, many: Floats) -> tuple[Floats, Floats]:
    """Return people's confusions and the labels' frequencies, were the chances true."""
    size, people = len(votes.labels), len(votes.people)
    place = votes.person * size + votes.label
    right = (chances * many[:, None])[votes.example]
    summed = np.stack(
        [np.bincount(place, weights=right[:, k], minlength=people * size) for k in range(size)]
    )
    told = summed.reshape(size, people, size).transpose(1, 0, 2) + _PULL / size
    prior = many @ chances + 1 / size
    confusions: Floats = told / told.sum(axis=2, keepdims=True)
    return confusions, prior / prior.sum()


def people_agreement(votes: PeopleVotes) -> tuple[PersonAgreement, ...]:
    """Return how each person stands beside the others, by name."""
    one, times = votes.kinds.votes, votes.kinds.many[votes.kinds.votes.example]
    others = one.counts()[one.example]
    others[np.arange(len(one.label)), one.label] -= 1
    most = others.max(axis=1, initial=0)
    decided = (most > 0) & ((others == most[:, None]).sum(axis=1) == 1)
    agreed = decided & (others[np.arange(len(one.label)), one.label] == most)
    given, judged, right = (
        np.bincount(one.person, times * which, minlength=len(one.people)).astype(int).tolist()
        for which in (1, decided, agreed)
    )
    skills = _skills(votes)
    return tuple(
        PersonAgreement(
            person=name, votes=given[i], agreement=wilson(right[i], judged[i]), skill=skills[i]
        )
        for i, name in enumerate(votes.people)
    )


def _skills(votes: PeopleVotes) -> list[Figure]:
    """Return how often each person is expected to be right on shared examples.

    Which votes are right is not known but likely, so that they tell as much as fewer known ones:
    those that are as uncertain as a coin tell nothing (Louis 1982). What is lost is counted half as
    much again, for others' mistakes are estimated too. Simulated with 3 to 10 people, the interval
    holds the truth in 91 to 97 % where they are right in 65 to 97 %, and in 93 to 99 % where they
    are in 90 to 99.9 % of 10 to 40 votes.
    """
    one = votes.kinds.votes
    times = np.where(one.counts().sum(axis=1) >= 2, votes.kinds.many, 0)[one.example]
    odds = _together(votes.kinds).chances[one.example, one.label]
    shared, right, doubt = (
        np.bincount(one.person, times * each, minlength=len(one.people)).tolist()
        for each in (1, odds, odds * (1 - odds))
    )
    return [
        _skill(int(n), right[i], doubt[i]) if n and _can_tell(one) else UNDEFINED
        for i, n in enumerate(shared)
    ]


def _skill(n: int, right: float, doubt: float) -> Figure:
    # Half a vote right and half a one wrong come first (Jeffreys' prior; Brown, Cai and DasGupta
    # 2001): where all are right, a share of 1 spreads so little that any doubt would outweigh it.
    spread = (right + 0.5) * (n - right + 0.5) / (n + 1) ** 2
    return share_interval(right / n, max(n - 1.5 * doubt / spread, 1.0), n)


def _can_tell(votes: PeopleVotes) -> bool:
    """Return whether it can be told who is right: of two people who differ it cannot."""
    return len(votes.people) > 2


def disputed(votes: PeopleVotes) -> tuple[Disputed, ...]:
    """Return the examples on which people differ, the least settled first.

    With two people they are in the examples' order, for none is more settled than another one.
    """
    kinds, one = votes.kinds, votes.kinds.votes
    chances = _together(kinds).chances
    likely, best = chances.argmax(axis=1), chances.max(axis=1, initial=0)
    backed = majority(one)[np.arange(len(best)), likely] > 0
    differ = (one.counts() > 0).sum(axis=1) > 1
    names, can_tell = tuple(votes.labels.values()), _can_tell(votes)
    said: dict[int, dict[int, list[str]]] = {}
    for kind, person, label in zip(
        one.example.tolist(), one.person.tolist(), one.label.tolist(), strict=True
    ):
        if differ[kind]:
            said.setdefault(kind, {}).setdefault(label, []).append(votes.people[person])
    told: dict[int, dict[str, Any]] = {
        kind: {
            "said": {names[label]: tuple(who) for label, who in sorted(by_label.items())},
            "likely": names[likely[kind]] if can_tell else None,
            "chance": float(best[kind]) if can_tell else None,
            "is_overruled": not backed[kind],
        }
        for kind, by_label in said.items()
    }
    rows = np.flatnonzero(differ[kinds.kind])
    if can_tell:
        rows = rows[np.argsort(best[kinds.kind[rows]], kind="stable")]
    return tuple(
        Disputed(example_id=example_id, **told[kind])
        for example_id, kind in zip(
            votes.example_ids[rows].tolist(), kinds.kind[rows].tolist(), strict=True
        )
    )
