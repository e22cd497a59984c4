"""Sharing examples out among people, and what the shared ones will be able to tell.

Which examples are taken, and which of them several people get, hangs on each example's own number
and the seed alone: it can be repeated and audited, and examples added later move no other one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

_MOST = 400
_DRAWS = 400
_WIDE = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who gets what.

    Attributes:
        given: Person to example ids, in the order of the people.
        shared: The examples that several people get.
    """

    given: dict[str, tuple[int, ...]]
    shared: tuple[int, ...]

    @property
    def examples(self) -> int:
        """How many different examples are shared out."""
        return len({i for ids in self.given.values() for i in ids})


def share_out(
    ids: Sequence[int],
    people: Sequence[str],
    *,
    size: int | None = None,
    overlap: float = 0.0,
    together: int | None = None,
    seed: int = 0,
) -> Plan:
    """Return who labels what: loads differ by one example at most.

    Args:
        ids: The examples there are.
        people: Who takes part.
        size: How many different examples are wanted; all there are when None.
        overlap: Share of them that several people get, in [0, 1].
        together: How many people get each of the shared ones; everybody when None.
        seed: Another one makes another choice.

    >>> plan = share_out(range(1, 11), ["Ada", "Bo"], overlap=0.2)
    >>> len(plan.shared), [len(ids) for ids in plan.given.values()]
    (2, [6, 6])
    """
    chosen = _shuffled(ids, seed)[:size]
    many = min(len(chosen), math.ceil(round(overlap * len(chosen), 9))) if len(people) > 1 else 0
    given: dict[str, list[int]] = {person: [] for person in people}
    met = dict.fromkeys(combinations(range(len(people)), 2), 0)
    for number, example_id in enumerate(chosen.tolist()):
        wanted = (together or len(people)) if number < many else 1
        for place in _takers([len(g) for g in given.values()], met, wanted):
            given[people[place]].append(example_id)
    return Plan(
        given={person: tuple(sorted(found)) for person, found in given.items()},
        shared=tuple(sorted(chosen[:many].tolist())),
    )


def _shuffled(ids: Sequence[int], seed: int) -> NDArray[np.int64]:
    """Return ids in an order that hangs on each id and the seed alone (splitmix64)."""
    found = np.array(ids, dtype=np.int64)
    start = (seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64
    mixed = found.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(start)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return found[np.lexsort((found, mixed))]


def _takers(load: list[int], met: dict[tuple[int, int], int], wanted: int) -> list[int]:
    """Return the places of those who get an example: least loaded first, then who met least."""
    taken: list[int] = []
    for _ in range(wanted):
        free = [i for i in range(len(load)) if i not in taken]
        best = min(free, key=lambda i: (load[i], sum(met[_pair(i, j)] for j in taken), i))
        for other in taken:
            met[_pair(best, other)] += 1
        taken.append(best)
    return taken


def _pair(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)


def hand_over(
    left: Sequence[int], loads: Mapping[str, int], known: Mapping[str, Collection[int]]
) -> dict[str, tuple[int, ...]]:
    """Return who takes over which of somebody's examples, so that loads come to be even.

    Args:
        left: What that person has still to label.
        loads: What each of those who take over has still to label.
        known: The examples they were given already, or have labeled; nobody labels one twice.

    Returns:
        By person; an example that everybody knows goes to nobody.

    >>> hand_over([1, 2, 3], {"Bo": 0, "Cy": 5}, {"Bo": {2}, "Cy": ()})
    {'Bo': (1, 3), 'Cy': (2,)}
    """
    now = dict(loads)
    taken: dict[str, list[int]] = {person: [] for person in loads}
    # Those that few can take go first, or the others would be full by then.
    choices = {i: [p for p in loads if i not in known.get(p, ())] for i in left}
    for example_id in sorted(left, key=lambda i: len(choices[i])):
        if choices[example_id]:
            person = min(choices[example_id], key=lambda p: now[p])
            now[person] += 1
            taken[person].append(example_id)
    return {person: tuple(sorted(ids)) for person, ids in taken.items()}


def expected_width(
    shared: int, together: int, *, alpha: float, frequent: Sequence[float], seed: int = 0
) -> float:
    """Return how far the ends of alpha's 95 % interval are expected to lie from it.

    It is simulated: people who mean the same say it, and else say any label as often as it is
    frequent. Two people's kappa comes out the same as their alpha, but for a small sample's sake.

    Args:
        shared: Examples that several people label.
        together: How many people label each of them.
        alpha: The agreement that is thought to be found.
        frequent: How frequent each label is; need not add up to 1.
        seed: Makes it repeatable.

    Returns:
        NaN where fewer than two examples are shared, or only one label is ever given.

    >>> 0.08 < expected_width(200, 2, alpha=0.7, frequent=[1, 1]) < 0.12
    True
    """
    from studio.analysis.coefficients import krippendorff_alpha

    odds = np.array([share for share in frequent if share > 0], dtype=np.float64)
    if shared < 2 or together < 2 or len(odds) < 2:
        return math.nan
    odds /= odds.sum()
    n, means = min(shared, _MOST), math.sqrt(min(max(alpha, 0.0), 1.0))
    rng = np.random.default_rng(seed)
    found = [krippendorff_alpha(_imagined(rng, (n, together), odds, means)) for _ in range(_DRAWS)]
    return _WIDE * float(np.nanstd(found)) * math.sqrt(n / shared)


def _imagined(
    rng: np.random.Generator, shape: tuple[int, int], odds: NDArray[np.float64], means: float
) -> NDArray[np.int64]:
    """Return how many people of so many give each label to each of so many examples."""
    size = len(odds)
    truth = rng.choice(size, p=odds, size=(shape[0], 1))
    said = np.where(rng.random(shape) < means, truth, rng.choice(size, p=odds, size=shape))
    rows = np.arange(shape[0])[:, None] * size
    counted = np.bincount((rows + said).ravel(), minlength=shape[0] * size)
    return counted.astype(np.int64).reshape(-1, size)
