"""A page of the labeling grid: found by walking an index that fits, read only when found."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from studio.store.connection import Connections, Row
from studio.store.grid_filter import GridFilter as GridFilter
from studio.store.grid_filter import IdSet, Order
from studio.store.grid_terms import OWN, UNSURE, dated, terms
from studio.store.grid_walks import Way
from studio.store.grid_ways import Choice
from studio.store.methods import METHOD
from studio.store.search import Search

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Cursor = tuple[float, int]
# What comes after all that an order says something of.
LAST = math.inf
_START: Cursor = (-math.inf, 0)


def read_page(
    db: Connections,
    task_id: int,
    *,
    run_id: int | None,
    person: str,
    filter: GridFilter,
    after: Cursor | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return the rows of a page, as `Examples.grid` describes them."""
    asked = _Asked.of(db, task_id, run_id=run_id, person=person, filter=filter)
    found = dict(asked.find(after or _START, limit))
    rows = db.read(_ROWS, asked.values | {"page": json.dumps(list(found))})
    return [_row(row, found[row["id"]]) for row in rows]


def find_ids(
    db: Connections,
    task_id: int,
    *,
    run_id: int | None,
    person: str,
    filter: GridFilter,
    limit: int,
) -> list[int]:
    """Return the ids of a filter's examples in order of import, as `Examples.grid_ids` describes."""
    filter = replace(filter, order=Order.IMPORTED)
    asked = _Asked.of(db, task_id, run_id=run_id, person=person, filter=filter)
    return asked.ids(0, limit, {}, tail=False)


def count_own(db: Connections, ids: Sequence[int], person: str) -> int:
    """Return on how many of the examples this person has decided."""
    sql = f"SELECT count(*) FROM json_each(:ids) j WHERE {OWN.format(id='j.value')}"
    return int(db.value(sql, {"ids": json.dumps(list(ids)), "person": person}))


def _row(row: Row, cursor: Cursor) -> dict[str, Any]:
    return {**dict(row), "metadata": json.loads(row["metadata"]), "cursor": cursor}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A filter made ready: what SQL needs to know, and what is asked of each example."""

    db: Connections
    filter: GridFilter
    among: NDArray[np.int64] | None
    values: dict[str, Any]
    terms: dict[str, str]
    choice: Choice

    @classmethod
    def of(
        cls, db: Connections, task_id: int, *, run_id: int | None, person: str, filter: GridFilter
    ) -> _Asked:
        search = Search.of(filter.search)
        among = _among(db, filter)
        values = {
            "task": task_id, "person": person, "run": _own_run(db, task_id, run_id),
            "other": _own_run(db, task_id, filter.differs_from), "match": search.match,
            "like": search.like, "label": filter.label_id, "outcome": filter.outcome,
            "gold": filter.gold_label_id, "origin": filter.gold_origin, "own": filter.own_label_id,
            "mark": filter.mark, "marker": filter.marked_by, "by": filter.by,
            "since": _first_event(db, filter.since) if filter.since else 0,
            "until": _first_event(db, filter.until) if filter.until else _next_event(db),
            **dict(zip(("low", "high"), filter.confidence or (None, None), strict=True)),
            **_bytes(among),
        }  # fmt: skip
        rows = db.read("SELECT split, n FROM example_count WHERE task_id = :task", values)
        sizes = {row["split"]: row["n"] for row in rows}
        rows = db.read(_OF_ORIGIN, values) if filter.gold_origin else []
        of_origin = {row["split"]: row["n"] for row in rows}
        events = values["until"] - values["since"]
        named = None if among is None else len(among)

        def count(way: Way, most: int) -> int:
            sql = f"SELECT 1 FROM {way.tables} WHERE {way.where} AND {way.id} > 0 LIMIT :most"
            listed = {"listed": json.dumps([] if among is None else among[:most].tolist())}
            return int(db.value(f"SELECT count(*) FROM ({sql})", values | listed | {"most": most}))

        changes = db.read(_QUEUES, values) if filter.relook else []
        choice = Choice(filter, search, sizes, named, of_origin, events, changes, count)
        return cls(
            db, filter, among, values, terms(filter, search, among=among is not None), choice
        )

    def find(self, after: Cursor, limit: int) -> list[tuple[int, Cursor]]:
        """Return ids with their places, in order: first what the order speaks of, then the rest."""
        order = self.filter.order
        key, last = after
        found: list[tuple[int, Cursor]] = []
        ordered = order is Order.LATEST or (
            order is not Order.IMPORTED and self.values["run"] is not None
        )
        if ordered and key < LAST:
            found = self._ordered(after, limit)
            last = 0
        if len(found) < limit and not (order is Order.LATEST and self.filter.dated):
            rest = {"unsure": UNSURE} if ordered else {}
            if order is Order.LATEST:
                rest = {"undecided": f"NOT {dated(self.filter)}"}
            tail = ordered and order is not Order.LATEST
            ids = self.ids(last, limit - len(found), rest, tail=tail)
            found += [(i, (LAST if ordered else 0.0, i)) for i in ids]
        return found

    def ids(self, after: int, limit: int, more: dict[str, str], *, tail: bool) -> list[int]:
        """Return ids in order of import, of which more is asked than the filter does."""
        sql = _statement(self.choice.by_id(tail=tail), self.terms | more)
        place = {"id": after, "limit": limit, "listed": self._listed(after)}
        return [row[0] for row in self.db.read(sql, self.values | place)] if sql else []

    def _ordered(self, after: Cursor, limit: int) -> list[tuple[int, Cursor]]:
        """Return what the order speaks of; where it goes down, keys and ids are told negative."""
        order = self.filter.order
        ways = self.choice.by_decision() if order is Order.LATEST else self.choice.by_confidence()
        sign = 1 if order is Order.LEAST_SURE else -1
        told = {} if order is Order.LATEST else {"open": "{open}"}
        sql = _statement(ways, self.terms | told, down=sign < 0)
        key, last = after
        place = {"key": sign * key, "id": sign * last, "limit": limit, "listed": self._listed(0)}
        rows = self.db.read(sql, self.values | place) if sql else []
        return [(row["id"], (sign * row["key"], sign * row["id"])) for row in rows]

    def _listed(self, after: int) -> str:
        if self.among is None or not self.choice.listed:
            return "[]"
        return json.dumps(self.among[self.among > after].tolist())


def _own_run(db: Connections, task_id: int, run_id: int | None) -> int | None:
    """Return the run if it is one of the task."""
    of = None if run_id is None else db.value("SELECT task_id FROM run WHERE id = ?", (run_id,))
    return run_id if of == task_id else None


def _among(db: Connections, filter: GridFilter) -> NDArray[np.int64] | None:
    """Return the examples that all sets named by a filter have in common; None if it names none."""
    import numpy as np

    sets = [s for s in (filter.among,) if s is not None]
    if filter.ids is not None:
        sets.append(IdSet.of(filter.ids))
    if not sets:
        return None
    known = int(db.value("SELECT coalesce(max(id), 0) FROM example"))
    found = reduce(IdSet.__and__, sets).ids
    return found[np.searchsorted(found, 1) : np.searchsorted(found, known, side="right")]


def _bytes(among: NDArray[np.int64] | None) -> dict[str, Any]:
    """Return a set as bytes, one an id from its first to its last."""
    import numpy as np

    if among is None or not len(among):
        return {"first": 1, "last": 0, "among": b""}
    first, last = int(among[0]), int(among[-1])
    flags = np.zeros(last - first + 1, np.uint8)
    flags[among - first] = 1
    return {"first": first, "last": last, "among": flags.tobytes()}


def _first_event(db: Connections, at: str) -> int:
    """Return the number from which on decisions were made at this moment or later.

    They are numbered as they are made, so their times need no index.
    """
    low, high = 0, _next_event(db)
    while low < high:
        middle = (low + high) // 2
        row = db.one("SELECT id, at FROM label_event WHERE id >= ? ORDER BY id LIMIT 1", (middle,))
        if row is None or row["at"] >= at:
            high = middle
        else:
            low = row["id"] + 1
    return int(low)


def _next_event(db: Connections) -> int:
    return int(db.value("SELECT coalesce(max(id), 0) + 1 FROM label_event"))


def _statement(ways: Sequence[Way], wanted: Mapping[str, str], *, down: bool = False) -> str:
    """Return SQL for the ids of a page after `:id` (and `:key`); the ways are merged in order."""
    branches = []
    beyond, order = ("<", " DESC") if down else (">", "")
    for way in ways:
        asked = [sql for name, sql in wanted.items() if name not in way.keeps]
        where = [way.where, *(sql.format(id=way.id, open=way.open) for sql in asked)]
        key = f"{way.key} AS key, " if way.key else ""
        place = f"({way.key}, {way.id}) {beyond} (:key, :id)" if key else f"{way.id} > :id"
        where.append(place)
        branches.append(f"SELECT {key}{way.id} AS id FROM {way.tables} WHERE {' AND '.join(where)}")
    if not branches:
        return ""
    by = f"key{order}, id{order}" if ways[0].key else "id"
    return f"{' UNION ALL '.join(branches)} ORDER BY {by} LIMIT :limit"


_OF_ORIGIN = """
SELECT split, sum(n) AS n FROM gold_count WHERE task_id = :task AND origin = :origin GROUP BY split
"""
_QUEUES = """
SELECT c.id, c.after_event FROM label_change c WHERE c.task_id = :task AND c.undone_at IS NULL
  AND EXISTS (SELECT 1 FROM relook r WHERE r.task_id = :task AND r.change_id = c.id)
"""
_ROWS = f"""
SELECT e.id, e.external_id, e.text, e.split, e.metadata, c.label_id AS label, g.label_id AS gold,
  g.origin AS gold_origin, p.label_id AS predicted, p.confidence, p.outcome, {METHOD} AS method
FROM json_each(:page) j CROSS JOIN example e ON e.id = j.value
LEFT JOIN current_label c ON c.example_id = e.id AND c.person = :person
LEFT JOIN gold g ON g.example_id = e.id
LEFT JOIN prediction p ON p.run_id = :run AND p.example_id = e.id
  AND (e.split != 'test' OR c.label_id IS NOT NULL)
LEFT JOIN response s ON s.id = p.response_id
ORDER BY j.key
"""
