"""The votes of several people, as columns, and the few kinds they come in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PeopleVotes:
    """At most one label by each person on each example.

    Attributes:
        example_ids: The examples, sorted.
        people: The people, sorted by name.
        labels: Label id to name, in the task's order.
        example, person, label: Of each vote: its example's, person's and label's place; sorted by
            example, then by person.
    """

    example_ids: Ints
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
        told = list(votes)
        names = sorted({person for _, person, _ in told})
        place = {name: i for i, name in enumerate(names)}
        columns = np.array([(e, place[p], label) for e, p, label in told], dtype=np.int64)
        example_id, person, label_id = columns.reshape(-1, 3).T
        return cls.of_columns(names, example_id, person, label_id, labels)

    @classmethod
    def of_columns(
        cls,
        people: Sequence[str],
        example_id: Ints,
        person: Ints,
        label_id: Ints,
        labels: Mapping[int, str],
    ) -> PeopleVotes:
        """Return votes given as columns: as `of` does, but a million in a second.

        Args:
            people: Names, sorted.
            example_id: Of each vote.
            person: Of each vote, the place of its name.
            label_id: Of each vote.
            labels: Label id to name, in the task's order.
        """
        known = np.array(list(labels), dtype=np.int64)
        kept = np.flatnonzero(np.isin(label_id, known))
        # Stable, so that the last of several by one person on one example stands last.
        kept = kept[np.lexsort((person[kept], example_id[kept]))]
        same = (np.diff(example_id[kept]) == 0) & (np.diff(person[kept]) == 0)
        kept = kept[~np.append(same, False)[: len(kept)]]
        ids, example = np.unique(example_id[kept], return_inverse=True)
        named, who = np.unique(person[kept], return_inverse=True)
        by_id = np.argsort(known)
        label = by_id[np.searchsorted(known[by_id], label_id[kept])]
        return cls(ids, tuple(people[i] for i in named), dict(labels), example, who, label)

    def counts(self) -> Ints:
        """Return how many people gave each label, of shape (examples, labels)."""
        size = len(self.labels)
        flat = np.bincount(self.example * size + self.label, minlength=len(self.example_ids) * size)
        return flat.astype(np.int64).reshape(-1, size)

    @cached_property
    def kinds(self) -> Kinds:
        """The votes with examples of which the same people said the same taken together."""
        size = len(self.people) * len(self.labels)
        given = np.bincount(self.example, minlength=len(self.example_ids))
        start, code = np.cumsum(given) - given, self.person * len(self.labels) + self.label
        kind, known = np.zeros(len(given), dtype=np.int64), 1
        for place in range(int(given.max(initial=0))):
            rows = np.flatnonzero(given > place)
            told, number = np.unique(
                kind[rows] * size + code[start[rows] + place], return_inverse=True
            )
            kind[rows], known = known + number, known + len(told)
        _, first, kind, many = np.unique(
            kind, return_index=True, return_inverse=True, return_counts=True
        )
        order = np.argsort(first)
        rank = np.argsort(order)
        shown = np.isin(self.example, first)
        one = PeopleVotes(
            self.example_ids[first[order]], self.people, self.labels,
            rank[kind[self.example[shown]]], self.person[shown], self.label[shown],
        )  # fmt: skip
        return Kinds(one, rank[kind], many[order])


@dataclass(frozen=True, eq=False, slots=True)
class Kinds:
    """Votes of a million examples come in few kinds: what holds of one holds of all of its kind.

    Attributes:
        votes: Of the first example of each kind.
        kind: Of each example.
        many: How many examples each kind has.
    """

    votes: PeopleVotes
    kind: Ints
    many: Ints

    def rows(self) -> list[Ints]:
        """Return the places of the examples of each kind, ascending."""
        return np.split(np.argsort(self.kind, kind="stable"), np.cumsum(self.many)[:-1])
