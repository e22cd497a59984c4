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
from studio.store.grid_terms import BY_PEOPLE, OWN, dated
from studio.store.search import Search


@dataclass(frozen=True, slots=True)
class Way:
    """One way to examples.

    Attributes:
        tables: FROM.
        where: WHERE, the place of the page aside.
        id: What names the example there.
        open: Whether what a model and others say of it may be told, as SQL.
        keeps: Which conditions it keeps by itself.
        key: What its examples are sorted by before their id, where that is not the id alone.
    """

    tables: str
    where: str
    id: str
    open: str = "1"
    keeps: tuple[str, ...] = ()
    key: str = ""

    def with_confidence(self) -> Way:
        """Return the way with each example's prediction beside it, to be sorted by confidence."""
        beside = f"CROSS JOIN prediction p ON p.run_id = :run AND p.example_id = {self.id}"
        return replace(self, tables=f"{self.tables} {beside}", key="p.confidence")


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
        count: Returns how many examples a way has, up to a limit.
    """

    filter: GridFilter
    search: Search
    sizes: Mapping[str, int]
    named: int | None
    count: Callable[[Way, int], int]

    def by_id(self, *, tail: bool = False) -> list[Way]:
        """Return the ways to examples in order of import, one a split or one for all.

        Args:
            tail: Whether those with a confidence were shown before.
        """
        if tail and self.filter.confidence:
            return []
        if self.search.match or self.listed:
            return [_listed(self.search, self._splits)]
        return [next(self._ways(split, tail=tail)) for split in self._told_splits]

    def by_confidence(self) -> list[Way]:
        """Return the ways by confidence: walks in that order, or few examples that are sorted."""
        if self.filter.outcome not in ("", "ok"):
            return []  # only a label has a confidence
        words = Way("example_fts f", "f.example_fts MATCH :match", "f.rowid")
        if self.search.match and self._is_short(words, sum(self.sizes.values())):
            return [_listed(self.search, self._splits, sure=True)]
        if self.listed:
            return [_listed(Search(), self._splits, sure=True)]
        return [self._sure_way(split) for split in self._told_splits]

    def by_decision(self) -> list[Way]:
        """Return the way along decisions, to be walked from the latest on."""
        names = ", ".join(f"'{split}'" for split in self._splits)
        index, of = "NOT INDEXED", ""
        if self.filter.by not in (None, ANYBODY):
            index, of = "INDEXED BY label_event_person", " AND v.person = :by"
        later = dated(self.filter, more=" AND w.event_id > v.id").format(id="v.example_id")
        return [
            Way(
                f"label_event v {index} CROSS JOIN current_label c"
                " ON c.example_id = v.example_id AND c.person = v.person",
                f"v.task_id = :task{of} AND v.id >= :since AND v.id < :until AND c.event_id = v.id"
                f" AND c.label_id IS NOT NULL AND {BY_PEOPLE.format(of='c')}"
                f" AND c.split IN ({names}) AND NOT {later}",
                "v.example_id",
                open=f"(c.split != 'test' OR {OWN.format(id='v.example_id')})",
                keeps=("dated",),
                key="v.id",
            )
        ]

    @property
    def listed(self) -> bool:
        """Whether the examples it names are so few that they are gone through."""
        return self.named is not None and self.named <= few(sum(self.sizes.values()))

    @property
    def _splits(self) -> list[str]:
        return [s.value for s in Split if not self.filter.splits or s.value in self.filter.splits]

    @property
    def _told_splits(self) -> list[str]:
        """Return the splits where something can be found: before a decision nothing is told."""
        blind = self.filter.show == "todo" and self.filter.tells
        return [split for split in self._splits if not (blind and split == Split.TEST)]

    def _is_short(self, way: Way, n: int) -> bool:
        return self.count(way, few(n) + 1) <= few(n)

    def _own_ways(self, split: str) -> Iterator[Way]:
        """Yield ways to what this person, or another, has to do with: the fewest first."""
        filter = self.filter
        if filter.assigned:
            yield _assigned(split)
        if filter.mark:
            yield _marked(split, filter.marked_by)
        if filter.show == "mine" or filter.own_label_id is not None:
            yield _decided(split, "person")
        if filter.by not in (None, ANYBODY):
            yield _decided(split, "by")

    def _ways(self, split: str, *, tail: bool) -> Iterator[Way]:
        """Yield ways by id, the one with the fewest examples first."""
        filter = self.filter
        if split == Split.TEST and filter.tells:
            yield _decided(split, "person")
        yield from self._own_ways(split)
        if filter.show == "errors":
            yield _said("run_error", "_sure" if tail else "_split", split, "errors", tail=tail)
        if filter.gold_label_id is not None:
            yield _golden(split)
        if filter.outcome not in ("", "ok"):
            yield _failed(split)
        if filter.label_id is not None:
            index = "_label_sure" if tail else "_label"
            yield _said("prediction", index, split, "label", tail=tail)
        if filter.confidence:
            sure = _said("prediction", "_sure", split, "confidence")
            if self._is_short(sure, self.sizes.get(split, 0)):
                yield replace(sure, key="")
        if filter.gold_origin or filter.people_differ or filter.dated:
            yield _settled(split)
        yield _stored(split, tail=tail)

    def _sure_way(self, split: str) -> Way:
        filter, n = self.filter, self.sizes.get(split, 0)
        gathered = [*self._own_ways(split)]
        if split == Split.TEST:
            gathered.append(_decided(split, "person"))
        if filter.gold_label_id is not None:
            gathered.append(_golden(split))
        for way in gathered:
            if self._is_short(way, n):
                return way.with_confidence()
        if self.search.like:  # texts are read in the order they lie on the disk
            return _stored(split, tail=False).with_confidence()
        sure = ("confidence",) if filter.confidence else ()
        if filter.show == "errors":
            return _said("run_error", "_sure", split, "errors", *sure)
        if filter.label_id is not None:
            return _said("prediction", "_label_sure", split, "label", *sure)
        return _said("prediction", "_sure", split, *sure)


def _stored(split: str, *, tail: bool) -> Way:
    """Return the way along the examples of a split, in order of import."""
    of = f"e.task_id = :task AND e.split = '{split}'"
    if tail and split != Split.TEST:
        of += f" AND {_UNCOVERED.format(split=split)}"
    return Way("example e INDEXED BY example_split", of, "e.id", _open(split, "e.id"))


def _said(table: str, index: str, split: str, *keeps: str, tail: bool | None = None) -> Way:
    """Return the way along what the run says, by confidence unless `tail` is told."""
    of = f"p.run_id = :run AND p.split = '{split}'"
    if "label" in keeps:
        of += " AND p.label_id = :label"
    if "confidence" in keeps:
        of += " AND p.confidence BETWEEN :low AND :high"
    if tail:
        of += " AND p.confidence IS NULL"
    return Way(
        f"{table} p INDEXED BY {table}{index}",
        of,
        "p.example_id",
        open=_open(split, "p.example_id"),
        keeps=(*keeps, "unsure") if tail else keeps,
        key="p.confidence" if tail is None else "",
    )


def _failed(split: str) -> Way:
    """Return the way along the examples to which the run gave no label, for one cause."""
    of = f"p.run_id = :run AND p.split = '{split}' AND p.outcome = :outcome AND p.outcome != 'ok'"
    table = "prediction p INDEXED BY prediction_outcome"
    return Way(table, of, "p.example_id", _open(split, "p.example_id"), ("outcome",))


def _decided(split: str, who: str) -> Way:
    """Return the way along what a person decided; where it is the own one, a model may be shown."""
    of = f"c.task_id = :task AND c.person = :{who} AND c.split = '{split}' AND c.label_id IS NOT NULL"
    table = "current_label c INDEXED BY current_label_person"
    if who == "person":
        return Way(table, of, "c.example_id", keeps=("mine",))
    return Way(table, of, "c.example_id", _open(split, "c.example_id"))


def _golden(split: str) -> Way:
    of = f"g.task_id = :task AND g.split = '{split}' AND g.label_id = :gold"
    own = _open(split, "g.example_id")
    return Way("gold g INDEXED BY gold_split", of, "g.example_id", own, ("gold",))


def _settled(split: str) -> Way:
    """Return the way along all gold: where nobody decided, there is none."""
    of = f"+g.task_id = :task AND +g.split = '{split}'"
    return Way("gold g NOT INDEXED", of, "g.example_id", _open(split, "g.example_id"))


def _marked(split: str, by: str) -> Way:
    """Return the way along marks of one kind; of several on one example, one counts."""
    of = "m.task_id = :task AND m.kind = :mark"
    other = "m.task_id = n.task_id AND m.kind = n.kind AND m.example_id = n.example_id"
    if by == ANYBODY:
        of += f" AND NOT EXISTS (SELECT 1 FROM mark n WHERE {other} AND n.person < m.person)"
    else:
        of += " AND m.person = :marker"
    tables = "mark m CROSS JOIN example e ON e.id = m.example_id"
    where = f"{of} AND e.split = '{split}'"
    return Way(tables, where, "m.example_id", _open(split, "m.example_id"), ("mark",))


def _assigned(split: str) -> Way:
    tables = "assignment a CROSS JOIN example e ON e.id = a.example_id"
    where = f"a.task_id = :task AND a.person = :person AND e.split = '{split}'"
    return Way(tables, where, "a.example_id", _open(split, "a.example_id"))


def _listed(search: Search, splits: Sequence[str], *, sure: bool = False) -> Way:
    """Return the way along what a search found, or along the ids of a set."""
    names = ", ".join(f"'{split}'" for split in splits)
    listed, found, keeps, of = "json_each(:listed) f", "f.value", "among", ""
    if search.match:
        ends = ", ".join(
            f"(SELECT {end}(id) FROM example WHERE task_id = :task AND split = '{split}')"
            for split in splits
            for end in ("min", "max")
        )
        listed, found, keeps = "example_fts f", "f.rowid", "match"
        ends = f"FROM json_each(json_array({ends})))"
        between = f"BETWEEN (SELECT min(value) {ends} AND (SELECT max(value) {ends}"
        of = f"f.example_fts MATCH :match AND f.rowid {between} AND "
    if sure:  # a prediction has its split: the text need not be touched
        table = f"{listed} CROSS JOIN prediction p ON p.run_id = :run AND p.example_id = {found}"
        own, of = "p", f"{of}p.split IN ({names})"
    else:
        table = f"{listed} CROSS JOIN example e ON e.id = {found}"
        own, of = "e", f"{of}e.task_id = :task AND e.split IN ({names})"
    own = f"({own}.split != 'test' OR {OWN.format(id=found)})"
    return Way(table, of, found, own, (keeps,), "p.confidence" if sure else "")


def _open(split: str, id: str) -> str:
    return OWN.format(id=id) if split == Split.TEST else "1"


# Read once a page: where every example is sure, none has to be looked at to find no other.
_UNCOVERED = (
    "(SELECT count(*) FROM prediction a INDEXED BY prediction_sure WHERE a.run_id = :run"
    " AND a.split = '{split}' AND a.confidence IS NOT NULL)"
    " < (SELECT n FROM example_count WHERE task_id = :task AND split = '{split}')"
)
