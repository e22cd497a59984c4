"""What several people say of the same examples: their votes, majority, and Dawid-Skene.

Dawid and Skene (1979) learn at once how each person mistakes each label for another and which
label is right, so that a careful person counts for more than one who guesses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.analysis.intervals import UNDEFINED, share_interval, wilson
from studio.domain.evaluation import Figure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDS = 200
_STILL = 1e-6
_PULL = 0.02
"""Votes thought to be seen of each person before any: just enough that nothing is impossible."""


@dataclass(frozen=True, eq=False, slots=True)
class PeopleVotes:
    """At most one label by each person on each example.

    Attributes:
        example_ids: The examples, sorted.
        people: The people, sorted by name.
        labels: Label id to name, in the task's order.
        example, person, label: Of each vote: its example's, person's and label's place.
    """

    example_ids: tuple[int, ...]
    people: tuple[str, ...]
    labels: dict[int, str]
    example: Ints
    person: Ints
    label: Ints

    @classmethod
    def of(cls, votes: Iterable[tuple[int, str, int]], labels: Mapping[int, str]) -> PeopleVotes:
        """Return votes given as (example id, person, label id).

        Of several by one person on one example the last counts; labels that are not of the task
        are left out.

        >>> votes = PeopleVotes.of(
        ...     [(7, "Ada", 1), (7, "Bo", 2), (9, "Ada", 1)], {1: "yes", 2: "no"}
        ... )
        >>> votes.counts().tolist()
        [[1, 1], [1, 0]]
        """
        last = {(example, person): label for example, person, label in votes if label in labels}
        example_ids = sorted({example for example, _ in last})
        people = sorted({person for _, person in last})
        places = (
            {key: place for place, key in enumerate(keys)} for keys in (example_ids, people, labels)
        )
        row, column, number = places
        told = sorted((row[e], column[p], number[label]) for (e, p), label in last.items())
        example, person, label = np.array(told, dtype=np.int64).reshape(-1, 3).T
        return cls(tuple(example_ids), tuple(people), dict(labels), example, person, label)

    def counts(self) -> Ints:
        """Return how many people gave each label, of shape (examples, labels)."""
        size = len(self.labels)
        flat = np.bincount(self.example * size + self.label, minlength=len(self.example_ids) * size)
        return flat.astype(np.int64).reshape(-1, size)


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
        likely: The label Dawid-Skene takes for right.
        chance: How sure it is.
        is_overruled: Whether most people gave another label.
    """

    example_id: int
    said: dict[str, tuple[str, ...]]
    likely: str
    chance: float
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
    size = len(votes.labels)
    counts = votes.counts().astype(np.float64)
    unheard = counts.sum(axis=0) == 0
    chances: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    confusions, prior = _learn(votes, chances)
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
        confusions, prior = _learn(votes, chances)
        if moved < _STILL:
            break
    return Consensus(chances, confusions, prior)


def _learn(votes: PeopleVotes, chances: Floats) -> tuple[Floats, Floats]:
    """Return people's confusions and the labels' frequencies, were the chances true."""
    size, people = len(votes.labels), len(votes.people)
    place = votes.person * size + votes.label
    right = chances[votes.example]
    summed = np.stack(
        [np.bincount(place, weights=right[:, k], minlength=people * size) for k in range(size)]
    )
    told = summed.reshape(size, people, size).transpose(1, 0, 2) + _PULL / size
    prior = chances.sum(axis=0) + 1 / size
    confusions: Floats = told / told.sum(axis=2, keepdims=True)
    return confusions, prior / prior.sum()


def people_agreement(votes: PeopleVotes) -> tuple[PersonAgreement, ...]:
    """Return how each person stands beside the others, by name."""
    others = votes.counts()[votes.example].copy()
    rows = np.arange(len(votes.label))
    others[rows, votes.label] -= 1
    most = others.max(axis=1, initial=0)
    decided = (most > 0) & ((others == most[:, None]).sum(axis=1) == 1)
    agreed = decided & (others[rows, votes.label] == most)
    many = len(votes.people)
    given, judged, right = (
        np.bincount(votes.person[which], minlength=many).tolist()
        for which in (slice(None), decided, agreed)
    )
    together = dawid_skene(votes)
    return tuple(
        PersonAgreement(
            person=name, votes=given[i], agreement=wilson(right[i], judged[i]),
            skill=_skill(votes, together, i),
        )
        for i, name in enumerate(votes.people)
    )  # fmt: skip


def _skill(votes: PeopleVotes, together: Consensus, person: int) -> Figure:
    """Return how often a person is expected to be right on shared examples.

    Which votes are right is not known but likely, so that they tell as much as fewer known ones:
    those that are as uncertain as a coin tell nothing (Louis 1982). What is lost is counted half as
    much again, for others' mistakes are estimated too. Simulated with 3 to 10 people who are right
    in 65 to 97 %, the interval holds the truth in 92 to 97 %.
    """
    shared = (votes.counts().sum(axis=1) >= 2)[votes.example] & (votes.person == person)
    n = int(shared.sum())
    if len(votes.people) < 3 or not n:
        return UNDEFINED
    odds = together.chances[votes.example[shared], votes.label[shared]]
    share = float(odds.mean())
    lost = float((odds * (1 - odds)).sum()) / max(share * (1 - share), 1e-9)
    worth = max(n - 1.5 * lost, 1.0)
    return share_interval(share, worth, n)


def disputed(votes: PeopleVotes) -> tuple[Disputed, ...]:
    """Return the examples on which people differ, the least settled first."""
    together = dawid_skene(votes).chances
    most = majority(votes)
    names = tuple(votes.labels.values())
    said: dict[int, dict[int, list[str]]] = {}
    rows = set(np.flatnonzero((votes.counts() > 0).sum(axis=1) > 1).tolist())
    for row, person, label in zip(
        votes.example.tolist(), votes.person.tolist(), votes.label.tolist(), strict=True
    ):
        if row in rows:
            said.setdefault(row, {}).setdefault(label, []).append(votes.people[person])
    order = sorted(rows, key=lambda row: (float(together[row].max()), row))
    return tuple(
        Disputed(
            example_id=votes.example_ids[row],
            said={names[label]: tuple(who) for label, who in sorted(said[row].items())},
            likely=names[int(together[row].argmax())],
            chance=float(together[row].max()),
            is_overruled=bool(most[row, int(together[row].argmax())] == 0),
        )
        for row in order
    )
