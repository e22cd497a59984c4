"""A list that several people put in order at once: what one of them moved, moved for all."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def rearranged(now: Sequence[int], before: Sequence[int], after: Sequence[int]) -> list[int]:
    """Return a list as it is now with what somebody moved, who saw it as it was before.

    What others moved or added meanwhile stays: only the fewest items whose moving turns `before`
    into `after` are moved, each to where it agrees best with `after`. Of two neighbours that
    changed places nobody can tell which one was moved: the one that stands first now is.

    Args:
        now: The list; what it has not is left out.
        before: The list as it was seen.
        after: The same items in the order that was wanted.

    >>> rearranged([4, 1, 2, 3], [1, 2, 3, 4], [1, 3, 4, 2])  # somebody else put 4 first
    [4, 1, 3, 2]
    >>> rearranged([1, 2, 3, 9], [1, 2, 3], [3, 1, 2])  # somebody else added 9
    [3, 1, 2, 9]
    """
    place = {item: i for i, item in enumerate(before)}
    wanted = {item: i for i, item in enumerate(after)}
    kept = _longest_rising([place[item] for item in after])
    moved = [item for item in after if place[item] not in kept and item in set(now)]
    result = [item for item in now if item not in set(moved)]
    for item in moved:
        result.insert(_best_place(result, item, wanted), item)
    return result


def _best_place(items: Sequence[int], item: int, wanted: dict[int, int]) -> int:
    """Return where an item stands on the wrong side of the fewest others; the first such place."""
    wrong = [0]
    for other in items:
        step = 0 if other not in wanted else 1 if wanted[other] > wanted[item] else -1
        wrong.append(wrong[-1] + step)
    return wrong.index(min(wrong))


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """Return the numbers of a longest rising row among distinct numbers."""
    ends: list[int] = []
    previous: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(ends, number)
        previous[number] = ends[at - 1] if at else None
        ends[at : at + 1] = [number]
    row = set()
    last = ends[-1] if ends else None
    while last is not None:
        row.add(last)
        last = previous[last]
    return row
