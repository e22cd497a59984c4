"""A page of the labeling grid: found by walking an index that fits, read only when found.

Every way to find a page is a `_Way`: where to begin, and in which order its examples come. Of each
split one way is chosen, what it does not promise is asked of each example it comes by, and it ends
with the page. Test examples are walked by what this person decided whenever a model matters, so
what a model says of the others decides nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.domain.example import Split
from studio.store.connection import Connections, Row
from studio.store.methods import METHOD
from studio.store.search import Search

# What comes after every confidence: examples of which nothing is shown.
UNSURE = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class GridFilter:
    """Which examples a grid shows.

    Attributes:
        splits: Only these; all when empty.
        search: Only texts that hold these words, or their beginnings; all when empty.
        label_id: Only examples the run gives this label.
        gold_label_id: Only examples whose gold is this label.
        show: "all", "todo" (no decision of this person), "mine", "errors" (the run differs from gold).
        ids: Only these examples; all when None.
        by_confidence: Least sure first, then those without a confidence, else in order of import.
    """

    splits: tuple[str, ...] = ()
    search: str = ""
    label_id: int | None = None
    gold_label_id: int | None = None
    show: str = "all"
    ids: tuple[int, ...] | None = None
    by_confidence: bool = False


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to examples.

    Attributes:
        tables: FROM.
        where: WHERE, the place of the page aside.
        id: What names the example there.
        open: Whether a model's label may be shown of it, as SQL.
        keeps: Which conditions it keeps by itself.
        sure: The confidence, where examples come in that order.
    """

    tables: str
    where: str
    id: str
    open: str = "1"
    keeps: tuple[str, ...] = ()
    sure: str = ""

    def with_confidence(self) -> _Way:
        """Return the way with each example's prediction beside it, to be sorted by confidence."""
        beside = f"CROSS JOIN prediction p ON p.run_id = :run AND p.example_id = {self.id}"
        return replace(self, tables=f"{self.tables} {beside}", sure="p.confidence")


def few(n: int) -> int:
    """Return how many of n examples are sooner gathered and sorted than met on a walk.

    Gathering costs their number, walking until a page is full costs 200 n divided by it; a step
    of the walk takes about a quarter of the time.
    """
    return math.isqrt(50 * n)


def read_page(
    db: Connections,
    task_id: int,
    *,
    run_id: int | None,
    person: str,
    filter: GridFilter,
    after: tuple[float, int] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return the rows of a page, as `Examples.grid` describes them."""
    if run_id is not None:
        of = db.value("SELECT task_id FROM run WHERE id = ?", (run_id,))
        run_id = run_id if of == task_id else None
    search = Search.of(filter.search)
    values = {
        "task": task_id, "person": person, "run": run_id, "match": search.match, "like": search.like,
        "label": filter.label_id, "gold": filter.gold_label_id, "ids": _json_ids(filter.ids or ()),
    }  # fmt: skip
    sorted_ = filter.by_confidence and run_id is not None
    key, last = after or (-math.inf, 0)
    found: list[tuple[float, int]] = []
    if sorted_ and key < UNSURE:
        ways = _sure_ways(filter, search, _sizes(db, filter, search, values))
        sql = _statement(ways, _conditions(filter, search) | {"open": "{open}"})
        rows = db.read(sql, values | {"key": key, "id": last, "limit": limit}) if sql else []
        found = [(row["key"], row["id"]) for row in rows]
        last = 0
    ways = _ways(filter, search, tail=sorted_)
    sql = _statement(ways, _conditions(filter, search) | ({"unsure": _UNSURE} if sorted_ else {}))
    for ids in _portions(filter, last):
        if len(found) < limit and sql:
            place = {"ids": _json_ids(ids), "id": last, "limit": limit - len(found)}
            found += [(UNSURE if sorted_ else 0.0, r["id"]) for r in db.read(sql, values | place)]
    keys = {i: k for k, i in found}
    rows = db.read(_ROWS, values | {"page": json.dumps(list(keys))})
    return [_row(row, keys[row["id"]]) for row in rows]


def _row(row: Row, key: float) -> dict[str, Any]:
    return {**dict(row), "metadata": json.loads(row["metadata"]), "cursor": (key, row["id"])}


def _json_ids(ids: Iterable[int]) -> str:
    return json.dumps(sorted(set(ids)))


def _portions(filter: GridFilter, after: int) -> list[Sequence[int]]:
    """Return the wanted ids in portions of about a page, so that few are looked at for it."""
    if filter.ids is None:
        return [()]
    ids = sorted(i for i in set(filter.ids) if i > after)
    return [ids[start : start + 400] for start in range(0, len(ids), 400)]


def _statement(ways: Sequence[_Way], wanted: Mapping[str, str]) -> str:
    """Return SQL for the ids of a page after `:id` (and `:key`); the ways are merged in order."""
    branches = []
    for way in ways:
        asked = [sql for name, sql in wanted.items() if name not in way.keeps]
        where = [way.where, *(sql.format(id=way.id, open=way.open) for sql in asked)]
        key = f"{way.sure} AS key, " if way.sure else ""
        where.append(f"({way.sure}, {way.id}) > (:key, :id)" if key else f"{way.id} > :id")
        branches.append(f"SELECT {key}{way.id} AS id FROM {way.tables} WHERE {' AND '.join(where)}")
    order = "key, id" if ways and ways[0].sure else "id"
    return f"{' UNION ALL '.join(branches)} ORDER BY {order} LIMIT :limit" if branches else ""


def _ways(filter: GridFilter, search: Search, *, tail: bool) -> list[_Way]:
    """Return the ways to examples by id, one a split or one for all."""
    splits = _splits(filter)
    if search.match or filter.ids is not None:
        return [_listed(search, splits)]
    if filter.show == "todo" and (filter.label_id is not None):
        splits = [s for s in splits if s != Split.TEST]  # nothing is shown before the decision
    return [_way(filter, split, tail=tail) for split in splits]


def _way(filter: GridFilter, split: str, *, tail: bool) -> _Way:
    blind = split == Split.TEST
    label = filter.label_id is not None
    if filter.show == "mine" or (blind and (label or filter.show == "errors")):
        return _decided(split)
    if filter.show == "errors":
        return _said("run_error", "_sure" if tail else "_split", split, "errors", tail=tail)
    if filter.gold_label_id is not None:
        return _golden(split)
    if label:
        return _said("prediction", "_label_sure" if tail else "_label", split, "label", tail=tail)
    return _stored(split, tail=tail)


def _sure_ways(filter: GridFilter, search: Search, sizes: _Sizes) -> list[_Way]:
    """Return the ways to examples by confidence: walks in that order, or few that are sorted."""
    splits = _splits(filter)
    if filter.ids is not None or (search.match and sizes.found <= few(sum(sizes.all.values()))):
        return [_listed(search, splits, sure=True)]
    if filter.show == "todo":
        splits = [s for s in splits if s != Split.TEST]
    return [_sure_way(filter, search, sizes, split) for split in splits]


def _sure_way(filter: GridFilter, search: Search, sizes: _Sizes, split: str) -> _Way:
    most = few(sizes.all.get(split, 0))
    own = filter.show == "mine" or split == Split.TEST
    if own and sizes.mine.get(split, 0) <= most:
        return _decided(split).with_confidence()
    if filter.gold_label_id is not None and sizes.gold.get(split, 0) <= most:
        return _golden(split).with_confidence()
    if search.like:  # texts are read in the order they lie on the disk
        return _stored(split, tail=False).with_confidence()
    if filter.show == "errors":
        return _said("run_error", "_sure", split, "errors")
    if filter.label_id is not None:
        return _said("prediction", "_label_sure", split, "label")
    return _said("prediction", "_sure", split, "")


def _stored(split: str, *, tail: bool) -> _Way:
    """Return the way along the examples of a split, in order of import."""
    of = f"e.task_id = :task AND e.split = '{split}'"
    if tail and split != Split.TEST:
        of += f" AND {_UNCOVERED.format(split=split)}"
    return _Way("example e INDEXED BY example_split", of, "e.id", open=_open(split, "e.id"))


def _said(table: str, index: str, split: str, keeps: str, *, tail: bool | None = None) -> _Way:
    """Return the way along what the run says, by confidence unless `tail` is told."""
    of = f"p.run_id = :run AND p.split = '{split}'"
    if keeps == "label":
        of += " AND p.label_id = :label"
    if tail:
        of += " AND p.confidence IS NULL"
    return _Way(
        f"{table} p INDEXED BY {table}{index}",
        of,
        "p.example_id",
        open=_open(split, "p.example_id"),
        keeps=(keeps, "unsure") if tail else (keeps,),
        sure="p.confidence" if tail is None else "",
    )


def _decided(split: str) -> _Way:
    """Return the way along what this person decided; there a model may be shown."""
    of = f"c.task_id = :task AND c.person = :person AND c.split = '{split}' AND c.label_id IS NOT NULL"
    table = "current_label c INDEXED BY current_label_person"
    return _Way(table, of, "c.example_id", keeps=("mine",))


def _golden(split: str) -> _Way:
    of = f"g.task_id = :task AND g.split = '{split}' AND g.label_id = :gold"
    own = _open(split, "g.example_id")
    return _Way("gold g INDEXED BY gold_split", of, "g.example_id", open=own, keeps=("gold",))


def _listed(search: Search, splits: Sequence[str], *, sure: bool = False) -> _Way:
    """Return the way along what a search found, or along given ids."""
    names = ", ".join(f"'{split}'" for split in splits)
    listed, found, keeps, of = "json_each(:ids) f", "f.value", "ids", ""
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
    own = f"({own}.split != 'test' OR {_OWN.format(id=found)})"
    return _Way(table, of, found, own, (keeps,), "p.confidence" if sure else "")


def _open(split: str, id: str) -> str:
    return _OWN.format(id=id) if split == Split.TEST else "1"


def _conditions(filter: GridFilter, search: Search) -> dict[str, str]:
    """Return what is wanted of an example `{id}`, a model's label of which may be shown if `{open}`."""
    wanted = {
        "ids": filter.ids is not None, "match": search.match, "like": search.like,
        "gold": filter.gold_label_id is not None, "label": filter.label_id is not None,
        filter.show: filter.show != "all",
    }  # fmt: skip
    return {name: _CONDITIONS[name] for name, asked in wanted.items() if asked}


@dataclass(frozen=True, slots=True)
class _Sizes:
    """How many examples could be gathered, by split; counted as far as it matters."""

    all: dict[str, int]
    gold: dict[str, int]
    mine: dict[str, int]
    found: int


def _sizes(db: Connections, filter: GridFilter, search: Search, values: dict[str, Any]) -> _Sizes:
    rows = db.read("SELECT split, n FROM example_count WHERE task_id = :task", values)
    sizes = _Sizes(all={row["split"]: row["n"] for row in rows}, gold={}, mine={}, found=0)
    if search.match:
        most = few(sum(sizes.all.values())) + 1
        sizes = replace(sizes, found=db.value(_FOUND, values | {"most": most}))
    for split, n in sizes.all.items():
        known = values | {"split": split, "most": few(n) + 1}
        if filter.gold_label_id is not None:
            sizes.gold[split] = db.value(_GOLD, known) or 0
        if filter.show == "mine" or split == Split.TEST:
            sizes.mine[split] = db.value(_MINE, known)
    return sizes


def _splits(filter: GridFilter) -> list[str]:
    return [s.value for s in Split if not filter.splits or s.value in filter.splits]


_OWN = (
    "EXISTS (SELECT 1 FROM current_label o WHERE o.example_id = {id} AND o.person = :person"
    " AND o.label_id IS NOT NULL)"
)
_CONDITIONS = {
    "ids": "{id} IN (SELECT value FROM json_each(:ids))",
    "match": "{id} IN (SELECT rowid FROM example_fts WHERE example_fts MATCH :match)",
    "like": "(SELECT t.text FROM example t WHERE t.id = {id}) LIKE :like ESCAPE '\\'",
    "gold": "EXISTS (SELECT 1 FROM gold k WHERE k.example_id = {id} AND k.label_id = :gold)",
    "label": "{open} AND EXISTS (SELECT 1 FROM prediction s WHERE s.run_id = :run"
    " AND s.example_id = {id} AND s.label_id = :label)",
    "errors": "{open} AND EXISTS (SELECT 1 FROM run_error x WHERE x.run_id = :run AND x.example_id = {id})",
    "mine": _OWN,
    "todo": f"NOT {_OWN}",
}
_FOUND = (
    "SELECT count(*) FROM (SELECT 1 FROM example_fts WHERE example_fts MATCH :match LIMIT :most)"
)
_GOLD = (
    "SELECT sum(n) FROM gold_count WHERE task_id = :task AND split = :split AND label_id = :gold"
)
_MINE = (
    "SELECT count(*) FROM (SELECT 1 FROM current_label INDEXED BY current_label_person"
    " WHERE task_id = :task AND person = :person AND split = :split AND label_id IS NOT NULL LIMIT :most)"
)
_UNSURE = (
    "NOT ({open} AND EXISTS (SELECT 1 FROM prediction u WHERE u.run_id = :run AND u.example_id = {id}"
    " AND u.confidence IS NOT NULL))"
)
# Read once a page: where every example is sure, none has to be looked at to find no other.
_UNCOVERED = (
    "(SELECT count(*) FROM prediction a INDEXED BY prediction_sure WHERE a.run_id = :run"
    " AND a.split = '{split}' AND a.confidence IS NOT NULL)"
    " < (SELECT n FROM example_count WHERE task_id = :task AND split = '{split}')"
)
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
