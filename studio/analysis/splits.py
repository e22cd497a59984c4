"""Who learns, who chooses and who measures: splits that share no text and no group."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from studio.domain.example import Example, Split, normalise
from studio.errors import InputError

_SPLITS = (Split.TRAIN, Split.VALIDATION, Split.TEST)


def assign_splits(
    examples: Sequence[Example],
    labels: Mapping[int, int] | None = None,
    groups: Mapping[int, str] | None = None,
    *,
    shares: tuple[float, float, float] = (0.6, 0.2, 0.2),
    seed: int = 0,
) -> dict[int, Split]:
    """Return a split for every example: the same for the same input, whatever its order.

    Examples with equal normalised text, and those of one group, never span splits. Each label is
    shared out in the wished shares as far as such bundles allow; examples without a label are
    shared out among themselves.

    Args:
        examples: What to split.
        labels: Example id to label id, for those that have one.
        groups: Example id to a group, e.g. a customer or source; an empty group is none.
        shares: Of train, validation and test; they add up to 1.
        seed: Another seed gives another draw.

    Raises:
        InputError: For shares that are not three, negative, or do not add up to 1.
    """
    _check_shares(shares)
    labels = labels or {}
    bundles = _bundles(examples, groups or {})
    np.random.default_rng(seed).shuffle(bundles)
    bundles.sort(key=len, reverse=True)

    totals = Counter(labels.get(e.id, 0) for e in examples)
    missing = {
        label: dict(zip(_SPLITS, _quotas(total, shares), strict=True))
        for label, total in sorted(totals.items())
    }
    lacking = {s: sum(quota[s] for quota in missing.values()) for s in _SPLITS}
    result: dict[int, Split] = {}
    for bundle in bundles:
        counts = Counter(labels.get(i, 0) for i in bundle)
        split = _neediest(counts, missing, lacking)
        lacking[split] -= len(bundle)
        for label, n in counts.items():
            missing[label][split] -= n
        result.update(dict.fromkeys(bundle, split))
    return result


def _neediest(
    counts: Counter[int], missing: dict[int, dict[Split, int]], lacking: dict[Split, int]
) -> Split:
    """Return the split that lacks most of what a bundle brings."""

    def need(split: Split) -> tuple[int, int]:
        fits = sum(min(n, max(0, missing[label][split])) for label, n in counts.items())
        wanted = sum(n * missing[label][split] for label, n in counts.items())
        return fits, wanted

    return max(_SPLITS, key=lambda s: (*need(s), lacking[s]))


def _bundles(examples: Sequence[Example], groups: Mapping[int, str]) -> list[list[int]]:
    """Return the ids that must stay together, in a fixed order (union-find over text and group)."""
    parent = {e.id: e.id for e in examples}

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[tuple[str, str], int] = {}
    for example in sorted(examples, key=lambda e: e.id):
        # A text of signs only normalises to nothing; it equals itself, not every other such text.
        keys = [("text", normalise(example.text) or f" {example.text}")]
        if group := groups.get(example.id):
            keys.append(("group", group))
        for key in keys:
            one, other = root(first.setdefault(key, example.id)), root(example.id)
            parent[max(one, other)] = min(one, other)
    bundles: dict[int, list[int]] = defaultdict(list)
    for i in sorted(parent):
        bundles[root(i)].append(i)
    return list(bundles.values())


def _quotas(total: int, shares: tuple[float, float, float]) -> list[int]:
    """Return whole numbers in the wished shares that add up to the total (largest remainders).

    >>> _quotas(11, (0.6, 0.2, 0.2))
    [7, 2, 2]
    """
    exact = [total * share for share in shares]
    whole = [math.floor(e + 1e-9) for e in exact]
    rest = sorted(range(3), key=lambda i: (whole[i] - exact[i], i))
    for i in rest[: total - sum(whole)]:
        whole[i] += 1
    return whole


def _check_shares(shares: tuple[float, ...]) -> None:
    hint = "Give three shares that add up to 1, e.g. .6, .2 and .2."
    if len(shares) != 3 or any(not math.isfinite(s) for s in shares):
        raise InputError("Splits need three shares: train, validation and test.", next_step=hint)
    if min(shares) < 0:
        raise InputError(f"The share {min(shares):g} is negative.", next_step=hint)
    if abs(sum(shares) - 1) > 1e-6:
        raise InputError(f"The shares add up to {sum(shares):g}, not to 1.", next_step=hint)
