"""Draws samples that anyone can draw again, and tells from them what holds of the whole."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from studio.analysis.intervals import UNDEFINED, share_interval
from studio.domain.evaluation import Figure
from studio.domain.example import Example
from studio.errors import InputError

HARD_SHARE = 1 / 3
"""Of a sample, the share kept for examples known to be hard."""
_LEAST = 2
"""Examples drawn at random of each gold label at least, where there are as many."""
MOST_SEED = 2**32 - 1
_MOST_VALUES = 30
_MOST_COLUMNS = 3


def check_seed(seed: int) -> int:
    """Return a seed that every draw here takes: the libraries behind them know 32 bits.

    Raises:
        InputError: If it is negative or larger.
    """
    if not 0 <= seed <= MOST_SEED:
        raise InputError(
            f"The seed is no whole number from 0 to {MOST_SEED:,}.", next_step="Use e.g. 1."
        )
    return seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Examples to try something on: some at random, and some that are hard.

    What holds of the whole is told from the random ones alone, by their weights; the hard ones
    were picked because they are hard, and would make every classifier look worse than it is.

    Attributes:
        weights: Those drawn at random, each with how many examples of the whole it stands for.
        hard: Those known to be hard, each with why; drawn as such or by chance.
        others: Drawn because nothing is known of them: no gold.
    """

    weights: dict[int, float] = field(default_factory=dict)
    hard: dict[int, str] = field(default_factory=dict)
    others: tuple[int, ...] = ()

    @property
    def ids(self) -> tuple[int, ...]:
        """All of them, sorted."""
        return tuple(sorted({*self.weights, *self.hard, *self.others}))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` reads them back."""
        return {
            "weights": {str(i): w for i, w in self.weights.items()},
            "hard": {str(i): why for i, why in self.hard.items()},
            "others": list(self.others),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Sample:
        """Return the sample that `to_dict` described."""
        return cls(
            weights={int(i): float(w) for i, w in data.get("weights", {}).items()},
            hard={int(i): str(why) for i, why in data.get("hard", {}).items()},
            others=tuple(int(i) for i in data.get("others", ())),
        )


def draw_sample(
    ids: Sequence[int],
    gold: Mapping[int, int],
    kinds: Mapping[int, tuple[Hashable, ...]],
    hard: Mapping[int, str],
    n: int,
    *,
    seed: int = 0,
    earlier: Sample | None = None,
) -> Sample:
    """Return a sample of n examples: two thirds at random over labels and kinds, one third hard.

    The random ones are drawn from those with gold, hard ones among them: of each label its
    share and at least two, and within a label evenly over the kinds, so that no slice is left out
    by bad luck. Every example of a label has the same chance. Where there is less gold than is
    wished for, others fill up.

    Args:
        ids: What to draw from.
        gold: Example to its gold label, for those with one.
        kinds: Example to what it is like, e.g. its column values and length; may lack some.
        hard: Example to why it is known to be hard.
        n: Examples wished for.
        seed: Same seed, same sample.
        earlier: A sample to add random ones to, all of which stay.

    >>> sample = draw_sample(range(30), dict.fromkeys(range(30), 1), {}, {5: "it errs"}, 6)
    >>> len(sample.ids), sample.hard, set(sample.weights.values())
    (6, {5: 'it errs'}, {6.0})
    """
    before = earlier or Sample()
    rng = random.Random(f"{seed} {len(before.ids)}")  # noqa: S311 (a sample, not a secret)
    strata: dict[int, list[int]] = defaultdict(list)
    for i in sorted(ids):
        if i in gold:
            strata[gold[i]].append(i)
    apart = len({*before.ids} - {*before.weights}) if earlier else min(
        round(n * HARD_SHARE), sum(i in hard for i in ids)
    )  # fmt: skip
    weights: dict[int, float] = {}
    for label, count in _shares(strata, n - apart).items():
        stratum = strata[label]
        old = [i for i in stratum if i in before.weights]
        left = [i for i in stratum if i not in before.weights]
        drawn = old + _evenly(left, kinds, count - len(old), rng)
        weights |= dict.fromkeys(drawn, len(stratum) / len(drawn))
    picked = {*before.hard}
    if earlier is None:  # after the others: being hard must not keep an example from these
        left = [i for i in sorted(ids) if i in hard and i not in weights]
        picked |= {*spread(left, hard, apart, rng.randrange(2**32))}
    taken = {*weights, *picked, *before.others}
    rest = [i for i in sorted(ids) if i not in gold and i not in taken]
    sample = Sample(
        weights=weights,
        hard={
            i: before.hard.get(i) or hard[i] for i in sorted(taken) if i in before.hard or i in hard
        },
        others=tuple(sorted({*before.others, *_evenly(rest, kinds, n - len(taken), rng)})),
    )
    if len(sample.ids) < n and len(weights) < sum(map(len, strata.values())):
        # Some of those drawn at random are hard themselves, and leave a place each.
        return draw_sample(ids, gold, kinds, hard, n, seed=seed, earlier=sample)
    return sample


def kinds_of(examples: Sequence[Example]) -> dict[int, tuple[Hashable, ...]]:
    """Return what each example is like: its values in columns of few values, and its length.

    >>> long, short = ("a long text of words", "short")
    >>> kinds_of([
    ...     Example(id=i, external_id=str(i), text=text, split="train",
    ...             metadata={"course": course, "made": str(i)})
    ...     for i, (text, course) in enumerate([(long, "main"), (short, "main"), (short, "side")])
    ... ])[0]
    ('main', 1)
    """  # fmt: skip
    values: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        for column, value in example.metadata.items():
            if len(values[column]) <= _MOST_VALUES:
                values[column].add(value)
    few = [
        c for c, found in values.items() if 1 < len(found) <= min(_MOST_VALUES, len(examples) - 1)
    ]
    columns = sorted(few, key=lambda c: (len(values[c]), c))[:_MOST_COLUMNS]
    middle = sorted(len(e.text) for e in examples)[len(examples) // 2] if examples else 0
    return {
        e.id: (*(e.metadata.get(c, "") for c in columns), int(len(e.text) > middle))
        for e in examples
    }


def weighted_share(right: Collection[int], weights: Mapping[int, float]) -> Figure:
    """Return the share of the whole that is right, told from a random sample by its weights.

    The interval is Wilson's at the number of equally weighted examples that would say as much
    (Kish 1965).

    Args:
        right: Examples that are right.
        weights: Example to how many of the whole it stands for.

    >>> print(weighted_share({1, 2}, {1: 5.0, 2: 5.0, 3: 10.0}))
    0.500 [0.116, 0.884] n=3
    """
    total = sum(weights.values())
    if not total:
        return UNDEFINED
    share = sum(w for i, w in weights.items() if i in right) / total
    return share_interval(share, worth(weights), len(weights))


def worth(weights: Mapping[int, float]) -> float:
    """Return how many equally weighted examples would say as much."""
    squares = sum(w * w for w in weights.values())
    return sum(weights.values()) ** 2 / squares if squares else 0.0


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


def _shares(strata: Mapping[int, Sequence[int]], n: int) -> dict[int, int]:
    """Return how many to draw of each stratum: its share of n, but not too few."""
    total = sum(map(len, strata.values()))
    n = min(n, total)
    counts = {s: min(len(ids), max(_LEAST, n * len(ids) // total)) for s, ids in strata.items()}
    by_need = sorted(strata, key=lambda s: counts[s] - n * len(strata[s]) / total)
    while sum(counts.values()) < n:
        for s in by_need:
            if counts[s] < len(strata[s]) and sum(counts.values()) < n:
                counts[s] += 1
    return counts


def _evenly(
    ids: Sequence[int], kinds: Mapping[int, tuple[Hashable, ...]], n: int, rng: random.Random
) -> list[int]:
    """Return n ids at equal steps through all of them in the order of their kinds.

    The start is drawn, and neighbours of one kind are shuffled, so each has the same chance.
    """
    if n <= 0 or not ids:
        return []
    placed = sorted((tuple(map(str, kinds.get(i, ()))), rng.random(), i) for i in ids)
    step = max(1.0, len(placed) / n)
    start = rng.random() * step
    return [
        placed[min(int(start + k * step), len(placed) - 1)][2] for k in range(min(n, len(placed)))
    ]
