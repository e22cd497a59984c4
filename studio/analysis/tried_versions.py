"""How much of a version's lead is luck: who tries many versions on one gold finds a best one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.analysis.intervals import mid_p_mcnemar, wilson
from studio.domain.amounts import count
from studio.domain.evaluation import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedVersions:
    """What trying many versions on the same gold does to the figure of the one that was picked.

    Attributes:
        tried: Versions and previewed drafts that were tried on this gold.
        picked: The version that is looked at.
        first: The version that was tried first.
        accuracy: Of the picked one, as it looks.
        corrected: What it likely is: the lead over the mean of all, less what luck alone gives the
            best of so many; None with fewer than two versions to compare.
        p: How likely a lead over the first like this is between equals, times the comparisons
            that so many versions allow (Bonferroni); None where there is no other.
        ahead: Accuracy of the picked one less that of the first, on the same examples.
    """

    tried: int
    picked: str
    first: str
    accuracy: Figure
    corrected: float | None
    p: float | None
    ahead: float | None

    @property
    def beats_first(self) -> bool:
        """Whether it is better than the first beyond luck, at 5 % over all comparisons."""
        return self.p is not None and self.p <= 0.05 and (self.ahead or 0.0) > 0

    @property
    def sentence(self) -> str:
        """Return it as people read it.

        >>> tried_versions({"a v1": {1: True}}, "a v1", tried=1).sentence
        'One version was tried on this gold.'
        """
        if self.corrected is None:
            what = "One version was" if self.tried == 1 else f"{self.tried} versions were"
            return f"{what} tried on this gold."
        luck = self.accuracy.value - self.corrected
        lead = f"The best of {self.tried} looks better than it is: {self.picked} likely has an "
        lead += f"accuracy of {self.corrected:.3f} rather than {self.accuracy.value:.3f}."
        if luck < 0.0005:
            lead = (
                f"The accuracy of {self.picked}, {self.accuracy.value:.3f}, owes nothing to that."
            )
        told = f"{count(self.tried, 'version')} were tried on this gold. {lead}"
        if self.p is None:
            return told
        if self.beats_first:
            chance = "p<0.001" if self.p is not None and self.p < 0.0005 else f"p={self.p:.3f}"
            return f"{told} It is better than {self.first} beyond luck (corrected {chance})."
        return (
            f"{told} That it is better than {self.first} is not shown (corrected p={self.p:.2f})."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "n": self.tried, "picked": self.picked, "first": self.first,
            "accuracy": self.accuracy.to_dict(),
            "corrected": None if self.corrected is None else round(self.corrected, 6),
            "p": self.p, "beats_first": self.beats_first, "says": self.sentence,
        }  # fmt: skip


def tried_versions(
    right: Mapping[str, Mapping[int, bool]], picked: str, *, tried: int
) -> TriedVersions:
    """Return what is left of a version's lead once the luck of picking is taken off.

    The accuracies are drawn towards their mean by as much of their spread as sampling alone
    explains (James and Stein 1961, with the noise of the paired examples); with equal versions that
    is all of it.

    Args:
        right: Version to whether it was right on each example, in the order they were tried first.
        picked: One of them.
        tried: All texts that were tried on this gold, previewed drafts among them.
    """
    first, own = next(iter(right)), right[picked]
    accuracy = wilson(sum(own.values()), len(own))
    tried = max(tried, len(right))
    p = ahead = None
    if picked != first:
        shared = own.keys() & right[first].keys()
        won = sum(own[i] and not right[first][i] for i in shared)
        lost = sum(right[first][i] and not own[i] for i in shared)
        p = min(1.0, (tried - 1) * mid_p_mcnemar(lost, won))
        ahead = (won - lost) / len(shared) if shared else 0.0
    return TriedVersions(
        tried=tried, picked=picked, first=first, accuracy=accuracy,
        corrected=_corrected(right, picked), p=p, ahead=ahead,
    )  # fmt: skip


def holm(p: Sequence[float]) -> list[float]:
    """Return p after Holm, so that among all of them any false find is as rare as in one.

    >>> [round(x, 2) for x in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    adjusted, worst = [0.0] * len(p), 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        worst = max(worst, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = worst
    return adjusted


def _corrected(right: Mapping[str, Mapping[int, bool]], picked: str) -> float | None:
    """Return the accuracy drawn towards the mean of all versions; None where none can be told."""
    shared = sorted(set.intersection(*({*told} for told in right.values())))
    if len(right) < 2 or len(shared) < 2:
        return None
    hits = np.array([[told[i] for told in right.values()] for i in shared], dtype=np.float64)
    lead = hits - hits.mean(axis=1, keepdims=True)
    leads = lead.mean(axis=0)
    spread = float(leads @ leads)
    noise = float(lead.var(axis=0, ddof=1).sum()) / len(shared)
    kept = max(0.0, 1 - noise / spread) if spread > 0 else 0.0
    own = right[picked]
    luck = (1 - kept) * float(leads[list(right).index(picked)])
    return min(1.0, max(0.0, sum(own.values()) / len(own) - luck))
