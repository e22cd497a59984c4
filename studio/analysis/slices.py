"""Named groups of examples, and on which of them a run errs more than chance tells."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.analysis.intervals import wilson
from studio.analysis.vote_matrix import VoteMatrix
from studio.domain.coded_rationale import CodedRationale
from studio.domain.example import Example
from studio.domain.slicing import Slice, SliceScore
from studio.domain.task import Label

MIN_SIZE = 8


@dataclass(frozen=True, slots=True)
class SliceTest:
    """The condition of a slice by metadata or length, read from its name.

    Attributes:
        column: Whose values count; None for the number of words.
        value: The value wanted; None for a range.
        low, high: The range.
    """

    column: str | None
    value: str | None = None
    low: float = math.nan
    high: float = math.nan

    def holds(self, cell: str) -> bool:
        """Return whether a cell is in the slice; ranges are compared as they are written."""
        cell = cell.strip()
        if not cell:
            return False
        if self.value is not None and cell == self.value:
            return True
        number = _as_written(cell)
        if self.value is not None:
            return number is not None and number == _as_written(self.value)
        return number is not None and self.low <= number <= self.high


def read_slice(name: str, columns: Sequence[str]) -> SliceTest | None:
    """Return what the name of a slice by metadata or length says; None if it is no such name.

    Args:
        name: As `metadata_slices` and `length_slices` give it.
        columns: The metadata columns there are.

    >>> read_slice("course = dessert", ["course"]).holds(" dessert ")
    True
    >>> read_slice("words 5 to 9", []).holds("7"), read_slice("kcal 5 to 9", ["kcal"]).holds("10")
    (True, False)
    >>> read_slice("rule starch fires", ["rule"]) is None
    True
    """
    known = [column for column in columns if name.startswith(f"{column} ")]
    column = max(known, key=len, default=None)
    if column is None and not name.startswith("words "):
        return None
    said = name[len(column or "words") + 1 :]
    if said.startswith("= "):
        return SliceTest(column, value=said[2:])
    ends = [_as_written(end) for end in said.split(" to ")]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return None
    return SliceTest(column, low=ends[0], high=ends[1])


def _as_written(cell: str) -> float | None:
    """Return a number as precisely as names of slices tell it."""
    numbers = _numbers([cell])
    return None if numbers is None else float(f"{numbers[cell]:g}")


def metadata_slices(
    examples: Sequence[Example], min_size: int = MIN_SIZE, max_values: int = 30
) -> list[Slice]:
    """Return a slice for each value of each metadata column.

    A column of numbers with more than `max_values` values is cut at its quartiles; a column of
    other text with as many has a slice for each of its most frequent values.

    Args:
        examples: Whose metadata to read; an example without a column is in no slice of it.
        min_size: Smaller slices are left out.
        max_values: Most slices a column may have.
    """
    columns: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for example in examples:
        for column, value in example.metadata.items():
            if value.strip():
                columns[column][value.strip()].add(example.id)
    slices: list[Slice] = []
    for column, groups in columns.items():
        numbers = _numbers(groups) if len(groups) > max_values else None
        if numbers is not None:
            ids = [i for members in groups.values() for i in members]
            values = [numbers[value] for value, members in groups.items() for _ in members]
            slices += _quartiles(column, ids, values, "metadata", min_size)
        else:
            largest = sorted(groups.items(), key=lambda g: (-len(g[1]), g[0]))[:max_values]
            named = ((f"{column} = {value}", members) for value, members in largest)
            slices += _slices(named, "metadata", min_size)
    return slices


def length_slices(examples: Sequence[Example], min_size: int = MIN_SIZE) -> list[Slice]:
    """Return slices of short to long texts, cut at the quartiles of their words."""
    ids = [e.id for e in examples]
    words = [float(len(e.text.split())) for e in examples]
    return _quartiles("words", ids, words, "length", min_size)


def rule_slices(
    matrix: VoteMatrix, rules: Sequence[CodedRationale], min_size: int = MIN_SIZE
) -> list[Slice]:
    """Return a slice for each rule, of the examples it votes on, and one where none votes."""
    names = {rule.id: rule.body.name for rule in rules}
    ids = np.array(matrix.example_ids, dtype=np.int64)
    fires = matrix.fires
    groups = [
        (f"rule {names.get(rule_id, rule_id)} fires", set(ids[fires[:, i]].tolist()))
        for i, rule_id in enumerate(matrix.rule_ids)
    ]
    groups.append(("no rule fires", set(ids[~fires.any(axis=1)].tolist())))
    return _slices(groups, "rule", min_size)


def label_slices(
    labels: tuple[Label, ...], gold: Mapping[int, int], min_size: int = MIN_SIZE
) -> list[Slice]:
    """Return a slice for each gold label."""
    members: dict[int, set[int]] = defaultdict(set)
    for example_id, label_id in gold.items():
        members[label_id].add(example_id)
    groups = [(f"gold is {label.name}", members[label.id]) for label in labels]
    return _slices(groups, "label", min_size)


def score_slices(
    slices: Sequence[Slice], wrong: set[int], all_ids: set[int], min_size: int = MIN_SIZE
) -> list[SliceScore]:
    """Return how often a run errs on each slice, worst first: by q, then lift.

    p is hypergeometric: the chance of so many errors among that many examples drawn at random. q
    is p after Benjamini-Hochberg over all slices scored.

    Args:
        slices: The groups; only their examples in `all_ids` count.
        wrong: Examples the run errs on.
        all_ids: Examples the run was judged on.
        min_size: Slices with fewer judged examples, and slices that hold them all, are left out.
    """
    from scipy.stats import hypergeom

    wrong = wrong & all_ids
    sized = [(s, len(s.example_ids & all_ids)) for s in slices]
    kept = [(s, n) for s, n in sized if min_size <= n < len(all_ids)]
    if not kept:
        return []
    n = np.array([size for _, size in kept])
    k = np.array([len(s.example_ids & wrong) for s, _ in kept])
    p = np.clip(hypergeom.sf(k - 1, len(all_ids), len(wrong), n), 0.0, 1.0)
    q = benjamini_hochberg(p)
    base = len(wrong) / len(all_ids)
    scores = [
        SliceScore(
            slice=s,
            error=wilson(int(k[i]), size),
            lift=float(k[i] / size / base) if base else math.nan,
            p=float(p[i]),
            q=float(q[i]),
        )
        for i, (s, size) in enumerate(kept)
    ]
    return sorted(scores, key=lambda s: (s.q, -s.lift if base else 0.0, s.slice.name))


def benjamini_hochberg(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return q values: the false discovery rate at which each p would be reported.

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.04, 0.04]
    """
    order = np.argsort(p)
    ranked = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.empty(len(p))
    q[order] = np.minimum.accumulate(ranked[::-1])[::-1]
    return np.minimum(q, 1.0)


def _slices(groups: Iterable[tuple[str, set[int]]], kind: str, min_size: int) -> list[Slice]:
    return [
        Slice(name=name, kind=kind, example_ids=frozenset(members))
        for name, members in groups
        if len(members) >= min_size
    ]


def _numbers(values: Iterable[str]) -> dict[str, float] | None:
    """Return the number each value is, or None when some value is none."""
    numbers = {}
    for value in values:
        try:
            numbers[value] = float(value.replace(",", ""))
        except ValueError:
            return None
        if not math.isfinite(numbers[value]):
            return None
    return numbers


def _quartiles(
    what: str, ids: Sequence[int], values: Sequence[float], kind: str, min_size: int
) -> list[Slice]:
    """Return up to four slices of about equal size, named by the values they go from and to."""
    if not ids:
        return []
    numbers = np.array(values)
    members = np.array(ids, dtype=np.int64)
    cuts = np.unique(np.quantile(numbers, [0.25, 0.5, 0.75], method="inverted_cdf"))
    part = np.searchsorted(cuts, numbers, side="left")
    groups = []
    for number in np.unique(part):
        inside = part == number
        low, high = numbers[inside].min(), numbers[inside].max()
        name = f"{what} = {low:g}" if low == high else f"{what} {low:g} to {high:g}"
        groups.append((name, set(members[inside].tolist())))
    return _slices(groups, kind, min_size)
