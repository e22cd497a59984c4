"""How far people agree on labels, beyond what chance would give, and who differs from whom.

Sources: Krippendorff 2011 (alpha, nominal, missing data allowed), Fleiss 1971, Cohen 1960. The
intervals are percentiles of a bootstrap over examples, for two votes on one example are not two
findings. So that full agreement on a handful does not look certain, half an example on which
people differ is added for the draws (never to the value).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.analysis.intervals import UNDEFINED, wilson
from studio.analysis.people import (
    Disputed,
    PeopleVotes,
    PersonAgreement,
    disputed,
    people_agreement,
)
from studio.domain.evaluation import Figure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 1_000
MOST_PAIRS = 20
"""Of more pairs of people than these, those that differ on most examples are told."""
_DIFFER = 5
_DOUBT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelAgreement:
    """How far people agree on one label.

    Attributes:
        alpha: Krippendorff's alpha of this label against all others.
        agreement: Where one person gives it, how often another one does too.
        votes: How often it was given on examples with several people.
    """

    alpha: Figure
    agreement: Figure
    votes: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "alpha": self.alpha.to_dict(),
            "agreement": self.agreement.to_dict(),
            "votes": self.votes,
        }


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far people agree, over all and in detail.

    Attributes:
        examples: Examples somebody labeled.
        shared: Of these, examples with votes of several people; all figures are of them.
        alpha: Krippendorff's alpha; 1 is full agreement, 0 is chance.
        kappa: Cohen's with two people, else that of Fleiss.
        kappa_kind: "cohen" or "fleiss".
        agreement: How often two votes on one example are the same.
        labels: By name, in the task's order.
        pairs: Those who differ most, first.
        people: By name.
        disputed: Examples on which people differ, the least settled first.
    """

    examples: int
    shared: int
    alpha: Figure
    kappa: Figure
    kappa_kind: str
    agreement: Figure
    labels: dict[str, LabelAgreement]
    pairs: tuple[PairAgreement, ...]
    people: tuple[PersonAgreement, ...]
    disputed: tuple[Disputed, ...]

    @property
    def words(self) -> str:
        """What the alpha is commonly taken for."""
        return words_of(self.alpha)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as `--json` shows them; of disputed examples only how many."""
        return {
            "examples": self.examples,
            "shared": self.shared,
            "disputed": len(self.disputed),
            "alpha": self.alpha.to_dict(),
            "kappa": self.kappa.to_dict(),
            "kappa_kind": self.kappa_kind,
            "agreement": self.agreement.to_dict(),
            "labels": {name: one.to_dict() for name, one in self.labels.items()},
            "pairs": [pair.to_dict() for pair in self.pairs],
            "people": [person.to_dict() for person in self.people],
            "words": self.words,
        }


def agree(votes: PeopleVotes, *, draws: int = DRAWS, seed: int = 0) -> Agreement:
    """Return how far people agree; all figures are undefined where no example is shared.

    Args:
        votes: Who said what.
        draws: Bootstrap draws behind each interval.
        seed: Makes it repeatable.
    """
    counts = votes.counts()
    shared = counts[counts.sum(axis=1) >= 2]
    pairs = _pairs(votes)
    # Two people make one pair: their matrix is all there is.
    two = len(votes.people) == 2 and bool(pairs)
    if two:
        kappa = _cohen(_matrix(pairs[0][2], len(votes.labels)), draws, seed)
    else:
        kappa = _figure(shared, _fleiss, draws, seed)
    return Agreement(
        examples=len(counts),
        shared=len(shared),
        alpha=_figure(shared, _alpha, draws, seed),
        kappa=kappa,
        kappa_kind="cohen" if two else "fleiss",
        agreement=_figure(shared, _raw, draws, seed),
        labels={
            name: _label_agreement(shared, place, draws, seed)
            for place, name in enumerate(votes.labels.values())
        },
        pairs=tuple(_pair_agreement(votes, *pair, draws, seed) for pair in pairs[:MOST_PAIRS]),
        people=people_agreement(votes),
        disputed=disputed(votes),
    )


def krippendorff_alpha(counts: Ints) -> float:
    """Return Krippendorff's alpha of nominal labels; NaN where all votes are of one label.

    Args:
        counts: How many people gave each label, of shape (examples, labels); examples with fewer
            than two votes do not count.

    >>> krippendorff_alpha(np.array([[2, 0], [0, 2], [1, 0]]))
    1.0
    """
    return float(_alpha(counts.astype(np.float64), np.ones((1, len(counts))))[0])


def fleiss_kappa(counts: Ints) -> float:
    """Return the kappa of Fleiss; where examples have unequally many votes, each counts alike.

    Args:
        counts: As for `krippendorff_alpha`.

    Returns:
        NaN where all votes are of one label, or no example has two.
    """
    shared = counts[counts.sum(axis=1) >= 2].astype(np.float64)
    return float(_fleiss(shared, np.ones((1, len(shared))))[0]) if len(shared) else math.nan


def cohen_kappa(matrix: Ints) -> float:
    """Return Cohen's kappa; NaN where both gave one and the same label only.

    Args:
        matrix: Examples by label of the first and label of the second person.

    >>> round(cohen_kappa(np.array([[20, 5], [10, 15]])), 3)
    0.4
    """
    return float(_cohen_of(matrix[None].astype(np.float64))[0])


def _figure(
    counts: Ints, statistic: Callable[[Floats, Floats], Floats], draws: int, seed: int
) -> Figure:
    """Return a statistic of examples with its bootstrap interval.

    Many examples have the same votes, so patterns are drawn instead of examples.
    """
    n = len(counts)
    if not n:
        return UNDEFINED
    patterns, many = np.unique(counts, axis=0, return_counts=True)
    value = float(statistic(patterns.astype(np.float64), many[None].astype(np.float64))[0])
    doubt = _apart(counts)
    if doubt is not None:
        patterns = np.concatenate([patterns, doubt[None]])
        many = np.append(many.astype(np.float64), _DOUBT)
    drawn = np.random.default_rng(seed).multinomial(n, many / many.sum(), size=draws)
    values = statistic(patterns.astype(np.float64), drawn.astype(np.float64))
    return _with_ends(value, values, n)


def _apart(counts: Ints) -> Ints | None:
    """Return an example on which two people differ over the two most frequent labels."""
    if counts.shape[1] < 2:
        return None
    row = np.zeros(counts.shape[1], dtype=np.int64)
    row[np.argsort(-counts.sum(axis=0), kind="stable")[:2]] = 1
    return row


def _with_ends(value: float, values: Floats, n: int) -> Figure:
    if math.isnan(value):
        return Figure(value=math.nan, low=math.nan, high=math.nan, n=n)
    low, high = np.nanquantile(np.append(values, value), [0.025, 0.975])
    return Figure(value=value, low=float(min(low, value)), high=float(max(high, value)), n=n)


def _alpha(patterns: Floats, weights: Floats) -> Floats:
    """Return alpha of each draw; patterns (u, k), weights (draws, u)."""
    votes = patterns.sum(axis=1, keepdims=True)
    counted = np.where(votes >= 2, patterns, 0.0)
    same = (counted * (counted - 1)).sum(axis=1) / np.maximum(votes[:, 0] - 1, 1)
    each = weights @ counted
    total = each.sum(axis=1)
    observed = total - weights @ same
    expected = (total**2 - (each**2).sum(axis=1)) / np.maximum(total - 1, 1)
    return _beyond_chance(observed, expected)


def _fleiss(patterns: Floats, weights: Floats) -> Floats:
    """Return the kappa of Fleiss of each draw; patterns have two votes or more."""
    share = patterns / patterns.sum(axis=1, keepdims=True)
    n = weights.sum(axis=1)
    each = weights @ share / n[:, None]
    return _beyond_chance(1 - weights @ _same(patterns) / n, 1 - (each**2).sum(axis=1))


def _raw(patterns: Floats, weights: Floats) -> Floats:
    """Return how often two votes on one example are the same, of each draw."""
    agreed: Floats = weights @ _same(patterns) / weights.sum(axis=1)
    return agreed


def _same(counts: Floats) -> Floats:
    """Return the share of pairs of votes that are the same, for each row."""
    votes = counts.sum(axis=1)
    shares: Floats = (counts * (counts - 1)).sum(axis=1) / np.maximum(votes * (votes - 1), 1)
    return shares


def _beyond_chance(observed: Floats, expected: Floats) -> Floats:
    """Return 1 - observed / expected disagreement; NaN where none can be expected."""
    ratio = np.full(len(observed), np.nan)
    np.divide(observed, expected, out=ratio, where=expected > 1e-12)
    return 1 - ratio


def _positive(patterns: Floats, weights: Floats) -> Floats:
    """Return how often a second vote is of the label in the first column too, of each draw."""
    given, others = patterns[:, 0], patterns.sum(axis=1) - 1
    both, all_ = weights @ (given * (given - 1) / others), weights @ given
    share = np.full(len(weights), np.nan)
    np.divide(both, all_, out=share, where=all_ > 0)
    return share


def _label_agreement(counts: Ints, place: int, draws: int, seed: int) -> LabelAgreement:
    given = counts[:, place]
    against = np.stack([given, counts.sum(axis=1) - given], axis=1)
    return LabelAgreement(
        alpha=_figure(against, _alpha, draws, seed),
        agreement=_figure(against, _positive, draws, seed),
        votes=int(given.sum()),
    )


def _pairs(votes: PeopleVotes) -> list[tuple[int, int, list[tuple[int, int, int]]]]:
    """Return (person, person, (label, label, examples) as they gave them) of who shares examples.

    Those who differ on most examples come first.
    """
    from scipy import sparse

    size, people = len(votes.labels), len(votes.people)
    told = np.ones(len(votes.example), dtype=np.int64)
    said = sparse.csr_array(
        (told, (votes.example, votes.person * size + votes.label)),
        shape=(len(votes.example_ids), people * size),
    )
    met = (said.T @ said).tocoo()
    first, second = met.coords[0] // size, met.coords[1] // size
    found: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
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


def _pair_agreement(
    votes: PeopleVotes,
    a: int,
    b: int,
    cells: list[tuple[int, int, int]],
    draws: int,
    seed: int,
) -> PairAgreement:
    names = tuple(votes.labels.values())
    matrix = _matrix(cells, len(names))
    apart = [(n, i, j) for i, j, n in cells if i != j]
    return PairAgreement(
        people=(votes.people[a], votes.people[b]),
        agreement=wilson(int(np.trace(matrix)), int(matrix.sum())),
        kappa=_cohen(matrix, draws, seed),
        differ=tuple(
            (names[i], names[j], n)
            for n, i, j in sorted(apart, key=lambda one: (-one[0], one[1:]))[:_DIFFER]
        ),
    )


def _matrix(cells: list[tuple[int, int, int]], size: int) -> Ints:
    matrix = np.zeros((size, size), dtype=np.int64)
    for i, j, n in cells:
        matrix[i, j] = n
    return matrix


def _cohen(matrix: Ints, draws: int, seed: int) -> Figure:
    size, n = len(matrix), int(matrix.sum())
    weights = matrix.astype(np.float64)
    if size > 1:
        often = np.argsort(-(weights.sum(axis=0) + weights.sum(axis=1)), kind="stable")[:2]
        weights[often[0], often[1]] += _DOUBT / 2
        weights[often[1], often[0]] += _DOUBT / 2
    cells = np.flatnonzero(weights)
    odds = weights.ravel()[cells]
    drawn = np.zeros((draws, size * size))
    drawn[:, cells] = np.random.default_rng(seed).multinomial(n, odds / odds.sum(), size=draws)
    return _with_ends(cohen_kappa(matrix), _cohen_of(drawn.reshape(draws, size, size)), n)


def _cohen_of(matrices: Floats) -> Floats:
    """Return kappa of each matrix of shape (draws, k, k)."""
    n = matrices.sum(axis=(1, 2))
    same = np.trace(matrices, axis1=1, axis2=2) / n
    chance = (matrices.sum(axis=1) * matrices.sum(axis=2)).sum(axis=1) / n**2
    return _beyond_chance(1 - same, 1 - chance)


def words_of(alpha: Figure) -> str:
    """Return what an alpha is commonly taken for (Krippendorff's own thresholds).

    >>> words_of(Figure(value=0.24, low=0.2, high=0.28, n=800))
    'people mostly do not mean the same by these labels: sharpen their definitions first'
    """
    if math.isnan(alpha.value):
        return "not told: people gave one label only, or share no example"
    if alpha.low >= 0.8:
        return "people mean the same by these labels"
    if alpha.high < 0.667:
        return "people mostly do not mean the same by these labels: sharpen their definitions first"
    if alpha.low >= 0.667:
        return "good enough for tentative conclusions"
    return "not settled yet: more shared examples would tell"
