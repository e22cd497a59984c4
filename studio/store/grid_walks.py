"""The walks to examples: which index each goes along, and in which order it comes by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.domain.example import Split
from studio.store.grid_filter import ANYBODY, GridFilter
from studio.store.grid_terms import BY_PEOPLE, OWN, dated
from studio.store.waiting import AGAIN


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
        where = f"{self.where} AND {self.id} > 0"  # enters a table that has no other index for it
        return replace(self, tables=f"{self.tables} {beside}", where=where, key="p.confidence")

    def with_decision(self, filter: GridFilter) -> Way:
        """Return the way with each example's latest decision beside it, to be sorted by that."""
        if "dated" in self.keeps:
            return replace(self, key="v.id")
        beside = f"CROSS JOIN current_label d ON d.example_id = {self.id}"
        where = f"{self.where} AND {self.id} > 0 AND {_latest(filter, self.id)}"
        keeps = (*self.keeps, "dated")
        return replace(
            self, tables=f"{self.tables} {beside}", where=where, keeps=keeps, key="d.event_id"
        )


def stored(split: str, *, tail: bool) -> Way:
    """Return the way along the examples of a split, in order of import."""
    of = f"e.task_id = :task AND e.split = '{split}'"
    if tail and split != Split.TEST:
        of += f" AND {_UNCOVERED.format(split=split)}"
    return Way("example e INDEXED BY example_split", of, "e.id", _open(split, "e.id"))


def said(table: str, index: str, split: str, *keeps: str, tail: bool | None = None) -> Way:
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


def failed(split: str) -> Way:
    """Return the way along the examples to which the run gave no label, for one cause."""
    of = f"p.run_id = :run AND p.split = '{split}' AND p.outcome = :outcome AND p.outcome != 'ok'"
    table = "prediction p INDEXED BY prediction_outcome"
    return Way(table, of, "p.example_id", _open(split, "p.example_id"), ("outcome",))


def decided(split: str, who: str, more: str = "", *keeps: str) -> Way:
    """Return the way along what a person decided; where it is the own one, a model may be shown."""
    of = f"c.task_id = :task AND c.person = :{who} AND c.split = '{split}' AND c.label_id IS NOT NULL"
    table = "current_label c INDEXED BY current_label_person"
    if who == "person":
        return Way(table, of + more, "c.example_id", keeps=("mine", *keeps))
    return Way(table, of, "c.example_id", _open(split, "c.example_id"))


def _latest(filter: GridFilter, id: str) -> str:
    """Return the condition that `d` is the latest decision a filter speaks of."""
    by = "" if filter.by in (None, ANYBODY) else " AND d.person = :by"
    later = dated(filter, more=" AND w.event_id > d.event_id").format(id=id)
    return (
        f"d.label_id IS NOT NULL AND {BY_PEOPLE.format(of='d')}{by}"
        f" AND d.event_id >= :since AND d.event_id < :until AND NOT {later}"
    )


def golden(split: str) -> Way:
    """Return the way along gold of one label."""
    of = f"g.task_id = :task AND g.split = '{split}' AND g.label_id = :gold"
    own = _open(split, "g.example_id")
    return Way("gold g INDEXED BY gold_split", of, "g.example_id", own, ("gold",))


def settled(split: str) -> Way:
    """Return the way along all gold: where nobody decided, there is none."""
    of = f"+g.task_id = :task AND +g.split = '{split}'"
    return Way("gold g NOT INDEXED", of, "g.example_id", _open(split, "g.example_id"))


def events(filter: GridFilter, splits: Sequence[str]) -> Way:
    """Return the way along decisions as they were made."""
    index, of = "NOT INDEXED", ""
    if filter.by not in (None, ANYBODY):
        index, of = "INDEXED BY label_event_person", " AND v.person = :by"
    return Way(
        f"label_event v {index} CROSS JOIN current_label d"
        " ON d.example_id = v.example_id AND d.person = v.person",
        f"v.task_id = :task{of} AND v.id >= :since AND v.id < :until AND d.event_id = v.id"
        f" AND d.split IN ({_names(splits)}) AND {_latest(filter, 'v.example_id')}",
        "v.example_id",
        open=f"(d.split != 'test' OR {OWN.format(id='v.example_id')})",
        keeps=("dated",),
        key="v.id",
    )


def marked(by: str) -> Way:
    """Return the list of marks of one kind; of several on one example, one counts."""
    of = "m.task_id = :task AND m.kind = :mark"
    other = "m.task_id = n.task_id AND m.kind = n.kind AND m.example_id = n.example_id"
    if by == ANYBODY:
        of += f" AND NOT EXISTS (SELECT 1 FROM mark n WHERE {other} AND n.person < m.person)"
    else:
        of += " AND m.person = :marker"
    return Way("mark m", of, "m.example_id", keeps=("mark",))


def queued(change: int, after: int) -> Way:
    """Return the list of what waits for another look since a change; of several, the last counts.

    What waits since an earlier change waits since each later one that queued it, too.

    Args:
        change: The change.
        after: The number of the last decision before it.
    """
    of = f"r.task_id = :task AND r.change_id = {change} AND NOT {AGAIN.format(after=after)}"
    of += (
        " AND NOT EXISTS (SELECT 1 FROM label_change c CROSS JOIN relook q ON q.task_id = :task"
        " AND q.change_id = c.id AND q.example_id = r.example_id"
        f" WHERE c.task_id = :task AND c.undone_at IS NULL AND c.id > {change})"
    )
    return Way("relook r", of, "r.example_id", keeps=("relook",))


def along(source: Way, splits: Sequence[str], *, sure: bool = False) -> Way:
    """Return the way along a list of examples, those of the splits alone."""
    if sure:  # a prediction has its split: the text need not be touched
        beside = f"prediction z ON z.run_id = :run AND z.example_id = {source.id}"
        of = f"z.split IN ({_names(splits)})"
    else:
        beside = f"example z ON z.id = {source.id}"
        of = f"z.task_id = :task AND z.split IN ({_names(splits)})"
    return replace(
        source,
        tables=f"{source.tables} CROSS JOIN {beside}",
        where=f"{source.where} AND {of}",
        open=f"(z.split != 'test' OR {OWN.format(id=source.id)})",
        key="z.confidence" if sure else "",
    )


def _names(splits: Sequence[str]) -> str:
    return ", ".join(f"'{split}'" for split in splits)


def between(splits: Sequence[str]) -> str:
    """Return the condition that a text found by its words stands where the task's stand."""
    ends = ", ".join(
        f"(SELECT {end}(id) FROM example WHERE task_id = :task AND split = '{split}')"
        for split in splits
        for end in ("min", "max")
    )
    each = f"FROM json_each(json_array({ends})))"
    return f"f.rowid BETWEEN (SELECT min(value) {each} AND (SELECT max(value) {each}"


def _open(split: str, id: str) -> str:
    return OWN.format(id=id) if split == Split.TEST else "1"


# Read once a page: where every example is sure, none has to be looked at to find no other.
_UNCOVERED = (
    "(SELECT count(*) FROM prediction a INDEXED BY prediction_sure WHERE a.run_id = :run"
    " AND a.split = '{split}' AND a.confidence IS NOT NULL)"
    " < (SELECT n FROM example_count WHERE task_id = :task AND split = '{split}')"
)
