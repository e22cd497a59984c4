"""Draws samples that anyone can draw again."""

from __future__ import annotations

import random
from collections.abc import Hashable, Mapping, Sequence


def spread(ids: Sequence[int], strata: Mapping[int, Hashable], n: int, seed: int = 0) -> list[int]:
    """Return up to n ids, each stratum in turn, drawn at random within it; sorted.

    Args:
        ids: What to draw from.
        strata: Id to stratum, e.g. its gold label; ids without one form a stratum of their own.
        n: Most ids to return.
        seed: Same seed, same ids.

    >>> spread([1, 2, 3, 4, 5, 6], {1: "a", 2: "b"}, 3)
    [1, 2, 6]
    """
    rng = random.Random(seed)  # noqa: S311 (a sample, not a secret)
    groups: dict[Hashable, list[int]] = {}
    for i in sorted(ids):
        groups.setdefault(strata.get(i), []).append(i)
    for group in groups.values():
        rng.shuffle(group)
    drawn: list[int] = []
    while len(drawn) < n and any(groups.values()):
        for group in groups.values():
            if group and len(drawn) < n:
                drawn.append(group.pop())
    return sorted(drawn)
