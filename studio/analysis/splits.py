"""Who learns, who chooses and who measures: splits that share no text and no group.

`assign_splits` looks at all examples at once and shares out each label as exactly as can be.
That needs every text in memory, so above `LARGE` examples `split_by_key` draws each split from a
hash of the text instead: the same text comes out in the same split in every chunk and every later
file, 8 bytes an example are all it needs, and among so many examples the shares of the splits, and
of each label in them, come out as wished but for chance (.2 of 50,000 is met within .004).
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from studio.domain.example import Example, Split, normalise
from studio.errors import InputError

LARGE = 50_000
_SPLITS = (Split.TRAIN, Split.VALIDATION, Split.TEST)

# 8 bytes that stand for a text or a group; 0 stands for none.
Keys = NDArray[np.uint64]
# A split by its place in train, validation, test; OPEN where there is none yet.
Codes = NDArray[np.int8]
OPEN = -1


def assign_splits(
    examples: Sequence[Example],
    labels: Mapping[int, int] | None = None,
    groups: Mapping[int, str] | None = None,
    *,
    settled: Mapping[int, Split] | None = None,
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
        settled: Example id to the split it has already: what must stay together goes where the
            first settled one of it is, and the shares are those of the others.
        shares: Of train, validation and test; they add up to 1.
        seed: Another seed gives another draw.

    Raises:
        InputError: For shares that are not three, negative, or do not add up to 1.
    """
    _check_shares(shares)
    labels = labels or {}
    result: dict[int, Split] = {}
    bundles = []
    for bundle in _bundles(examples, groups or {}):
        first = next((settled[i] for i in bundle if i in settled), None) if settled else None
        if first:
            result |= dict.fromkeys(bundle, first)
        else:
            bundles.append(bundle)
    np.random.default_rng(seed).shuffle(bundles)
    bundles.sort(key=len, reverse=True)

    totals = Counter(labels.get(i, 0) for bundle in bundles for i in bundle)
    missing = {
        label: dict(zip(_SPLITS, _quotas(total, shares), strict=True))
        for label, total in sorted(totals.items())
    }
    lacking = {s: sum(quota[s] for quota in missing.values()) for s in _SPLITS}
    for bundle in bundles:
        counts = Counter(labels.get(i, 0) for i in bundle)
        split = _neediest(counts, missing, lacking)
        lacking[split] -= len(bundle)
        for label, n in counts.items():
            missing[label][split] -= n
        result.update(dict.fromkeys(bundle, split))
    return result


def split_by_key(
    texts: Keys,
    groups: Keys | None = None,
    *,
    settled: Codes | None = None,
    shares: tuple[float, float, float] = (0.6, 0.2, 0.2),
    seed: int = 0,
) -> Codes:
    """Return a split for every example by a seeded hash of what must stay together.

    Examples of one text, and those of one group, never span splits, also where one joins another:
    a bundle of groups goes where its smallest key says, or where its first settled example is.

    Args:
        texts: The key of each example's text.
        groups: The key of each example's group, 0 for none.
        settled: The split an example has already, else OPEN.
        shares: Of train, validation and test; they add up to 1.
        seed: Another seed gives another draw.

    Raises:
        InputError: For shares that are not three, negative, or do not add up to 1.

    >>> split_by_key(split_keys(["One text", "two", "one TEXT!"])).tolist()
    [0, 1, 0]
    """
    _check_shares(shares)
    keys, bundle = np.unique(texts, return_inverse=True)
    if groups is not None and groups.any():
        keys, bundle = _joined(keys, bundle, groups)
    codes = _draw(keys, shares, seed)
    if settled is not None:
        # Backwards, so that of several the first counts.
        places = np.flatnonzero(settled != OPEN)[::-1]
        codes[bundle[places]] = settled[places]
    return codes[bundle]


def split_keys(texts: Iterable[str]) -> Keys:
    """Return 8 bytes for every text, equal for texts that are duplicates of each other.

    >>> one, two, three = split_keys(["Hello, world", "hello world!", "Bye"])
    >>> one == two, one == three
    (np.True_, np.False_)
    """
    # A text of signs only normalises to nothing; it equals itself, not every other such text.
    return _hashes(normalise(text) or f" {text}" for text in texts)


def group_keys(groups: Iterable[str]) -> Keys:
    """Return 8 bytes for every group, 0 for an empty one."""
    names = list(groups)
    keys = _hashes(names)
    keys[[not name for name in names]] = 0
    return keys


def split_of(code: int) -> Split:
    """Return the split a code stands for."""
    return _SPLITS[code]


def code_of(split: Split | None) -> int:
    """Return the code of a split."""
    return OPEN if split is None else _SPLITS.index(split)


class Settled:
    """Where keys stand already: 9 bytes each, found by halving.

    >>> settled = Settled(split_keys(["a", "b"]), np.array([2, 1], dtype=np.int8))
    >>> settled.find(split_keys(["b", "c", "A"])).tolist()
    [1, -1, 2]
    """

    def __init__(self, keys: Keys, codes: Codes) -> None:
        self._keys, first = np.unique(keys, return_index=True)
        self._codes = codes[first]

    def find(self, keys: Keys) -> Codes:
        """Return the code of each key, OPEN where it is not known."""
        found = np.full(len(keys), OPEN, dtype=np.int8)
        if len(self._keys):
            places = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
            hits = (self._keys[places] == keys) & (keys != 0)
            found[hits] = self._codes[places[hits]]
        return found


def _hashes(words: Iterable[str]) -> Keys:
    digests = [hashlib.blake2b(word.encode(), digest_size=8).digest() for word in words]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _joined(keys: Keys, text: NDArray[np.intp], groups: Keys) -> tuple[Keys, NDArray[np.intp]]:
    """Join texts through the groups they share; a bundle's key is the least of its groups' keys."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    grouped = np.flatnonzero(groups)
    names, group = np.unique(groups[grouped], return_inverse=True)
    nodes = len(keys) + len(names)
    edges = (text[grouped], group + len(keys))
    graph = coo_array((np.ones(len(grouped), dtype=np.int8), edges), shape=(nodes, nodes))
    n, part = connected_components(graph, directed=False)
    least = np.full(n, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(least, part[len(keys) :], names)
    alone = np.ones(n, dtype=bool)
    alone[part[len(keys) :]] = False
    lonely = alone[part[: len(keys)]]
    least[part[: len(keys)][lonely]] = keys[lonely]
    return least, part[text]


def _draw(keys: Keys, shares: tuple[float, float, float], seed: int) -> Codes:
    """Return a split for each key: its bits and the seed's mixed well (splitmix64), as a share."""
    with np.errstate(over="ignore"):
        z = keys + np.uint64((seed * 0x9E3779B97F4A7C15) % 2**64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    share = (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return np.searchsorted(np.cumsum(shares[:2]), share, side="right").astype(np.int8)


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
