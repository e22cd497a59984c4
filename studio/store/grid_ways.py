"""The ways to the examples a grid asks for: where a walk begins, and in which order it comes by them.

Of each split one way is chosen: the one that promises to come by few others. What a way does not
promise, `studio.store.grid_terms` asks of each example it comes by. Test examples are walked by
what this person decided whenever a model or others matter, so what these say decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from studio.domain.example import Split
from studio.store.grid_filter import ANYBODY, GridFilter
from studio.store.grid_walks import (
    Way,
    along,
    between,
    decided,
    events,
    failed,
    golden,
    marked,
    queued,
    said,
    settled,
    stored,
)
from studio.store.search import Search


def few(n: int) -> int:
    """Return how many of n examples are sooner gathered and sorted than met on a walk.

    Gathering costs their number, walking until a page is full costs 200 n divided by it; a step
    of the walk takes about a quarter of the time.
    """
    return math.isqrt(50 * n)


@dataclass(frozen=True, slots=True)
class Choice:
    """What decides between ways.

    Attributes:
        filter: What is asked for.
        search: Its search.
        sizes: Split to number of examples.
        named: How many examples are named by the sets it asks for; None if it names none.
        of_origin: Split to number of examples whose gold came to be as asked for.
        events: How many decisions were made, by anybody, in the time asked for.
        changes: (change of the label set, last decision before it) that have examples waiting for
            another look, where these are asked for.
        count: Returns how many examples a way has, up to a limit.
    """

    filter: GridFilter
    search: Search
    sizes: Mapping[str, int]
    named: int | None
    of_origin: Mapping[str, int]
    events: int
    changes: Sequence[tuple[int, int]]
    count: Callable[[Way, int], int]

    def by_id(self, *, tail: bool = False) -> list[Way]:
        """Return the ways to examples in order of import, one a split or one for all.

        Args:
            tail: Whether those with a confidence were shown before.
        """
        if tail and self.filter.confidence:
            return []
        source = next(self._sources(), None)
        if source is not None:
            return [along(source, self._splits)]
        if self.filter.relook and (self._is_free or self._is_short_queue):
            return [along(way, self._splits) for way in self._queues()]
        return [self._way(split, tail=tail) for split in self._told_splits]

    def by_confidence(self) -> list[Way]:
        """Return the ways by confidence: walks in that order, or few examples that are sorted."""
        if self.filter.outcome not in ("", "ok"):
            return []  # only a label has a confidence
        for source in self._sources():
            if self._is_short(source, sum(self.sizes.values())):
                return [along(source, self._splits, sure=True)]
        if self.filter.relook and self._is_short_queue:
            return [along(way, self._splits, sure=True) for way in self._queues()]
        # Of a test example nothing is told before the decision, and so no confidence.
        blind = self.filter.show == "todo"
        splits = [split for split in self._splits if not (blind and split == Split.TEST)]
        return [self._sure_way(split) for split in splits]

    def by_decision(self) -> list[Way]:
        """Return the ways by decision: along all of them, or few examples that are sorted."""
        ways = self.by_id()
        if all(self._is_short(way, sum(self.sizes.values())) for way in ways):
            return [way.with_decision(self.filter) for way in ways]
        return [events(self.filter, self._splits)]

    @property
    def listed(self) -> bool:
        """Whether the examples it names are so few that they are gone through."""
        return self.named is not None and self.named <= few(sum(self.sizes.values()))

    @property
    def _splits(self) -> list[str]:
        wanted = self.filter.splits or [split.value for split in Split]
        return [
            split.value
            for split in Split
            if split.value in wanted
            and (not self.filter.gold_origin or self.of_origin.get(split.value))
        ]

    @property
    def _told_splits(self) -> list[str]:
        """Return the splits where something can be found: before a decision nothing is told."""
        blind = self.filter.show == "todo" and self.filter.tells
        return [split for split in self._splits if not (blind and split == Split.TEST)]

    def _is_short(self, way: Way, n: int) -> bool:
        return self.count(way, few(n) + 1) <= few(n)

    def _sources(self) -> Iterator[Way]:
        """Yield lists of examples of all splits, in order of import; `_along` asks for the splits."""
        filter = self.filter
        if self.search.match:
            of = f"f.example_fts MATCH :match AND {between(self._splits)}"
            yield Way("example_fts f", of, "f.rowid", keeps=("match",))
        if self.listed:
            yield Way("json_each(:listed) f", "1", "f.value", keeps=("among",))
        if filter.mark:
            yield marked(filter.marked_by)
        if filter.assigned:
            of = "a.task_id = :task AND a.person = :person"
            yield Way("assignment a", of, "a.example_id")

    @property
    def _is_free(self) -> bool:
        """Whether no other condition has an index that leads to fewer examples."""
        filter = self.filter
        own = filter.own_label_id is not None or filter.show == "mine"
        return not (filter.tells or filter.dated or own)

    @property
    def _is_short_queue(self) -> bool:
        return all(self._is_short(way, sum(self.sizes.values())) for way in self._queues())

    def _queues(self) -> list[Way]:
        """Return what waits for another look, a list for each change of the label set."""
        return [queued(change, after) for change, after in self.changes]

    def _own_ways(self, split: str) -> Iterator[Way]:
        """Yield ways to what this person, or another, decided on."""
        filter = self.filter
        if filter.own_label_id is not None:
            yield decided(split, "person", " AND c.label_id = :own", "own")
        if filter.show == "mine":
            yield decided(split, "person")
        if filter.by not in (None, ANYBODY):
            yield decided(split, "by")

    def _way(self, split: str, *, tail: bool) -> Way:
        """Return the way by id; on test only decided examples are told of, whoever says what."""
        ways = self._ways(split, tail=tail)
        if split != Split.TEST or not self.filter.tells:
            return next(ways)
        n = self.sizes.get(split, 0)
        short = (way for way in ways if way.keeps and self._is_short(way, n))
        return next(short, decided(split, "person"))

    def _ways(self, split: str, *, tail: bool) -> Iterator[Way]:
        """Yield ways by id, the one with the fewest examples first."""
        filter = self.filter
        yield from self._own_ways(split)
        if filter.show == "errors":
            yield said("run_error", "_sure" if tail else "_split", split, "errors", tail=tail)
        if filter.gold_label_id is not None:
            yield golden(split)
        if filter.outcome not in ("", "ok"):
            yield failed(split)
        if filter.label_id is not None:
            index = "_label_sure" if tail else "_label"
            yield said("prediction", index, split, "label", tail=tail)
        if filter.confidence:
            sure = said("prediction", "_sure", split, "confidence")
            if self._is_short(sure, self.sizes.get(split, 0)):
                yield replace(sure, key="")
        if filter.dated and self.events <= few(self.sizes.get(split, 0)):
            yield replace(events(filter, [split]), key="")
        if filter.gold_origin or filter.people_differ or filter.dated:
            yield settled(split)
        yield stored(split, tail=tail)

    def _sure_way(self, split: str) -> Way:
        filter, n = self.filter, self.sizes.get(split, 0)
        gathered = [*self._own_ways(split)]
        if split == Split.TEST:
            gathered.append(decided(split, "person"))
        if filter.gold_label_id is not None:
            gathered.append(golden(split))
        for way in gathered:
            if self._is_short(way, n):
                return way.with_confidence()
        if filter.dated and self.events <= few(n):
            return events(filter, [split]).with_confidence()
        if filter.gold_origin and self.of_origin.get(split, 0) <= few(n):
            return settled(split).with_confidence()
        return self._along_run(split)

    def _along_run(self, split: str) -> Way:
        filter = self.filter
        if self.search.like:  # texts are read in the order they lie on the disk
            return stored(split, tail=False).with_confidence()
        sure = ("confidence",) if filter.confidence else ()
        if filter.show == "errors":
            return said("run_error", "_sure", split, "errors", *sure)
        if filter.label_id is not None:
            return said("prediction", "_label_sure", split, "label", *sure)
        return said("prediction", "_sure", split, *sure)
