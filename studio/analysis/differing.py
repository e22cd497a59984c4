"""Who differs from whom, on which labels, and on which examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.analysis.coefficients import cohen_figure
from studio.analysis.intervals import wilson
from studio.analysis.people_votes import PeopleVotes
from studio.domain.evaluation import Figure

Ints = NDArray[np.int64]
Cell = tuple[int, int, int]
_DIFFER = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAgreement:
    """How two people agree on the examples both labeled.

    Attributes:
        people: Their names.
        agreement: Share of examples with the same label.
        kappa: Cohen's kappa.
        differ: (label of the first, label of the second, examples), most frequent first.
    """

    people: tuple[str, str]
    agreement: Figure
    kappa: Figure
    differ: tuple[tuple[str, str, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "people": list(self.people),
            "agreement": self.agreement.to_dict(),
            "kappa": self.kappa.to_dict(),
            "differ": [{"labels": [a, b], "n": n} for a, b, n in self.differ],
        }


def find_pairs(votes: PeopleVotes) -> list[tuple[int, int, list[Cell]]]:
    """Return (person, person, (label, label, examples) as they gave them) of who shares examples.

    Those who differ on most examples come first.
    """
    from scipy import sparse

    size, one, many = len(votes.labels), votes.kinds.votes, votes.kinds.many
    place = (one.example, one.person * size + one.label)
    shape = (len(many), len(votes.people) * size)
    said = sparse.csr_array((np.ones_like(one.example), place), shape=shape)
    weighed = sparse.csr_array((many[one.example], place), shape=shape)
    met = (said.T @ weighed).tocoo()
    first, second = met.coords[0] // size, met.coords[1] // size
    found: dict[tuple[int, int], list[Cell]] = {}
    upper = first < second
    for a, b, i, j, n in zip(
        first[upper].tolist(), second[upper].tolist(), (met.coords[0][upper] % size).tolist(),
        (met.coords[1][upper] % size).tolist(), met.data[upper].tolist(), strict=True,
    ):  # fmt: skip
        found.setdefault((a, b), []).append((i, j, n))
    return sorted(
        ((a, b, cells) for (a, b), cells in found.items()),
        key=lambda pair: (-sum(n for i, j, n in pair[2] if i != j), pair[0], pair[1]),
    )


def pair_agreement(
    votes: PeopleVotes,
    a: int,
    b: int,
    cells: list[Cell],
    draws: int,
    seed: int,
) -> PairAgreement:
    """Return how two people agree.

    Args:
        votes: Who said what.
        a: The place of the first.
        b: The place of the second.
        cells: From `find_pairs`.
        draws: Bootstrap draws behind kappa's interval.
        seed: Makes it repeatable.
    """
    names = tuple(votes.labels.values())
    matrix = label_matrix(cells, len(names))
    apart = [(n, i, j) for i, j, n in cells if i != j]
    return PairAgreement(
        people=(votes.people[a], votes.people[b]),
        agreement=wilson(int(np.trace(matrix)), int(matrix.sum())),
        kappa=cohen_figure(matrix, draws, seed),
        differ=tuple(
            (names[i], names[j], n)
            for n, i, j in sorted(apart, key=lambda one: (-one[0], one[1:]))[:_DIFFER]
        ),
    )


def label_matrix(cells: list[Cell], size: int) -> Ints:
    """Return examples by label of the first and label of the second person."""
    matrix = np.zeros((size, size), dtype=np.int64)
    for i, j, n in cells:
        matrix[i, j] = n
    return matrix


def label_pairs(
    votes: PeopleVotes, people: tuple[str, str] | None = None
) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return on which examples which two labels met.

    Args:
        votes: Who said what.
        people: Two of them; all when None.

    Returns:
        (label of the first, label of the second) to example ids. Of all people the order of the
        labels is the task's, and (yes, yes) holds the examples to which two people gave yes.

    >>> votes = PeopleVotes.of([(7, "Ada", 2), (7, "Bo", 1), (8, "Bo", 1)], {1: "yes", 2: "no"})
    >>> label_pairs(votes), label_pairs(votes, ("Ada", "Bo"))
    ({('yes', 'no'): (7,)}, {('no', 'yes'): (7,)})
    """
    one = votes.kinds.votes
    said: dict[int, list[tuple[int, int]]] = {}
    for kind, person, label in zip(
        one.example.tolist(), one.person.tolist(), one.label.tolist(), strict=True
    ):
        if people is None or votes.people[person] in people:
            said.setdefault(kind, []).append((person, label))
    names = tuple(votes.labels.values())
    found: dict[tuple[int, int], list[int]] = {}
    for kind, told in said.items():
        if people is None:
            given = sorted(label for _, label in told)
            met = {pair for i, a in enumerate(given) for pair in ((a, b) for b in given[i + 1 :])}
        else:
            order = sorted(told, key=lambda one: people.index(votes.people[one[0]]))
            met = {(order[0][1], order[1][1])} if len(order) == 2 else set()
        for pair in met:
            found.setdefault(pair, []).append(kind)
    rows = votes.kinds.rows()
    return {
        (names[a], names[b]): tuple(
            votes.example_ids[np.sort(np.concatenate([rows[kind] for kind in kinds]))].tolist()
        )
        for (a, b), kinds in sorted(found.items())
    }
