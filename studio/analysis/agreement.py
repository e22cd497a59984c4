"""How far people agree on labels, beyond what chance would give, over all and label by label."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.analysis.coefficients import (
    agreed_shares,
    alphas,
    bootstrapped,
    cohen_figure,
    confirmed_shares,
    fleiss_kappas,
)
from studio.analysis.differing import PairAgreement, find_pairs, label_matrix, pair_agreement
from studio.analysis.people import (
    Disputed,
    PersonAgreement,
    disputed,
    people_agreement,
)
from studio.analysis.people_votes import PeopleVotes
from studio.domain.evaluation import Figure

Ints = NDArray[np.int64]

DRAWS = 1_000
MOST_PAIRS = 20
"""Of more pairs of people than these, those that differ on most examples are told."""


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
    counts = votes.kinds.votes.counts()
    several = counts.sum(axis=1) >= 2
    shared, times = counts[several], votes.kinds.many[several]
    pairs = find_pairs(votes)
    # Two people make one pair: their matrix is all there is.
    two = len(votes.people) == 2 and bool(pairs)
    if two:
        kappa = cohen_figure(label_matrix(pairs[0][2], len(votes.labels)), draws, seed)
    else:
        kappa = bootstrapped(shared, fleiss_kappas, draws, seed, times)
    return Agreement(
        examples=len(votes.example_ids),
        shared=int(times.sum()),
        alpha=bootstrapped(shared, alphas, draws, seed, times),
        kappa=kappa,
        kappa_kind="cohen" if two else "fleiss",
        agreement=bootstrapped(shared, agreed_shares, draws, seed, times),
        labels={
            name: _label_agreement(shared, times, place, draws, seed)
            for place, name in enumerate(votes.labels.values())
        },
        pairs=tuple(pair_agreement(votes, *pair, draws, seed) for pair in pairs[:MOST_PAIRS]),
        people=people_agreement(votes),
        disputed=disputed(votes),
    )


def _label_agreement(
    counts: Ints, times: Ints, place: int, draws: int, seed: int
) -> LabelAgreement:
    given = counts[:, place]
    against = np.stack([given, counts.sum(axis=1) - given], axis=1)
    return LabelAgreement(
        alpha=bootstrapped(against, alphas, draws, seed, times),
        agreement=bootstrapped(against, confirmed_shares, draws, seed, times),
        votes=int((given * times).sum()),
    )


FEW_SHARED = 20
"""Of fewer examples a bootstrap knows too little of what it has not seen: it cannot tell."""


def words_of(alpha: Figure) -> str:
    """Return what an alpha is commonly taken for (Krippendorff's own thresholds).

    >>> words_of(Figure(value=1.0, low=1.0, high=1.0, n=3))
    'too few shared examples to tell (3): label 17 more together at least'
    >>> words_of(Figure(value=0.24, low=0.2, high=0.28, n=800))
    'people mostly do not mean the same by these labels: sharpen their definitions first'
    """
    if math.isnan(alpha.value):
        return "not told: people gave one label only, or share no example"
    if alpha.n < FEW_SHARED:
        more = FEW_SHARED - alpha.n
        return f"too few shared examples to tell ({alpha.n}): label {more} more together at least"
    if alpha.low >= 0.8:
        return "people mean the same by these labels"
    if alpha.high < 0.667:
        return "people mostly do not mean the same by these labels: sharpen their definitions first"
    if alpha.low >= 0.667:
        return "good enough for tentative conclusions"
    return "not settled yet: more shared examples would tell"
