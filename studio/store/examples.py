"""Examples: the texts to classify, and what screens show of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from studio.domain.example import Example, Split
from studio.errors import NotFoundError
from studio.store.connection import Connections, Row
from studio.store.tasks import bump


@dataclass(frozen=True, slots=True, kw_only=True)
class GridFilter:
    """Which examples a grid shows.

    Attributes:
        splits: Only these; all when empty.
        search: Only texts that hold these words; all when empty.
        label_id: Only examples the run gives this label.
        gold_label_id: Only examples whose gold is this label.
        show: "all", "todo" (no decision of this person), "mine", "errors" (the run differs from gold).
        ids: Only these examples; all when None.
        by_confidence: Least sure first, else in order of import.
    """

    splits: tuple[str, ...] = ()
    search: str = ""
    label_id: int | None = None
    gold_label_id: int | None = None
    show: str = "all"
    ids: tuple[int, ...] | None = None
    by_confidence: bool = False


class Examples:
    """The texts of a task."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def add(
        self, task_id: int, rows: Iterable[tuple[str, str, Split, dict[str, str]]], at: str
    ) -> list[int | None]:
        """Store examples (external id, text, split, metadata); known external ids are left alone.

        Returns:
            The id of each new example, None for one that was known.
        """
        ids: list[int | None] = []
        with self.db.transaction() as conn:
            for external_id, text, split, metadata in rows:
                cursor = conn.execute(
                    "INSERT OR IGNORE INTO example (task_id, external_id, text, split, metadata, created_at)"
                    " VALUES (?,?,?,?,?,?)",
                    (
                        task_id,
                        external_id,
                        text,
                        split.value,
                        json.dumps(metadata, ensure_ascii=False),
                        at,
                    ),
                )
                ids.append(cursor.lastrowid if cursor.rowcount else None)
            bump(self.db, task_id)
        return ids

    def set_splits(self, task_id: int, splits: dict[int, Split]) -> None:
        """Move examples to other splits."""
        with self.db.transaction() as conn:
            conn.executemany(
                "UPDATE example SET split = ? WHERE id = ? AND task_id = ?",
                [(split.value, example_id, task_id) for example_id, split in splits.items()],
            )
            conn.execute(  # they were of the old splits
                "DELETE FROM run_figure WHERE run_id IN (SELECT id FROM run WHERE task_id = ?)",
                (task_id,),
            )
            bump(self.db, task_id)

    def get(self, task_id: int, example_id: int) -> Example:
        """Return one example of a task.

        Raises:
            NotFoundError: If the task has no such example.
        """
        found = self.some(task_id, [example_id])
        if not found:
            raise NotFoundError(f"There is no example {example_id} in this task.")
        return found[0]

    def some(self, task_id: int, ids: Sequence[int]) -> list[Example]:
        """Return the named examples, in order of id; unknown ones are left out."""
        rows = self.db.read(
            "SELECT * FROM example WHERE +task_id = ? AND id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (task_id, json.dumps(list(ids))),
        )
        return [_example(row) for row in rows]

    def all(self, task_id: int, splits: Sequence[str] = ()) -> list[Example]:
        """Return all examples of the splits (of all splits when none is named), by id."""
        rows = self.db.read(
            "SELECT * FROM example WHERE task_id = ?"
            " AND (? = '[]' OR split IN (SELECT value FROM json_each(?))) ORDER BY id",
            (task_id, json.dumps(list(splits)), json.dumps(list(splits))),
        )
        return [_example(row) for row in rows]

    def sample(self, task_id: int, splits: Sequence[str], n: int) -> list[Example]:
        """Return up to n examples of the splits, spread over the order of import; always the same.

        No list of all ids is made: each one is the next after a place in their range.
        """
        found: set[int] = set()
        for split in splits:
            low, high = self.db.one(
                "SELECT min(id), max(id) FROM example WHERE task_id = ? AND split = ?",
                (task_id, split),
            )
            if low is None:
                continue
            share = max(1, n // len(splits))
            places = sorted({low + (high - low) * i // share for i in range(share)})
            rows = self.db.read(
                "SELECT (SELECT id FROM example WHERE task_id = ? AND split = ? AND id >= value"
                " ORDER BY id LIMIT 1) FROM json_each(?)",
                (task_id, split, json.dumps(places)),
            )
            found.update(row[0] for row in rows)
        return self.some(task_id, sorted(found))

    def by_external_id(self, task_id: int, external_ids: Sequence[str]) -> dict[str, int]:
        """Return external id to id, for those that are known."""
        rows = self.db.read(
            "SELECT external_id, id FROM example WHERE task_id = ?"
            " AND external_id IN (SELECT value FROM json_each(?))",
            (task_id, json.dumps(list(external_ids))),
        )
        return {row[0]: row[1] for row in rows}

    def scan(self, task_id: int, size: int = 5_000) -> Iterator[list[Row]]:
        """Yield id, split, text and metadata (as JSON) of every example, by id, some at a time.

        No reading stays open between two pieces, and no more than one of them is held.
        """
        after = 0
        while rows := self.db.read(
            # The plus keeps to the order of the table: no index has a task's examples by id.
            "SELECT id, split, text, metadata FROM example WHERE +task_id = ? AND id > ? ORDER BY id LIMIT ?",
            (task_id, after, size),
        ):
            yield rows
            after = rows[-1]["id"]

    def counts(self, task_id: int) -> dict[str, int]:
        """Return split to number of examples, for every split."""
        rows = self.db.read(
            "SELECT split, count(*) FROM example WHERE task_id = ? GROUP BY split", (task_id,)
        )
        return {split.value: 0 for split in Split} | {row[0]: row[1] for row in rows}

    def columns(self, task_id: int) -> list[str]:
        """Return the metadata columns, as the first thousand examples have them."""
        rows = self.db.read(
            "SELECT DISTINCT j.key FROM (SELECT metadata FROM example WHERE task_id = ? LIMIT 1000) e,"
            " json_each(e.metadata) j ORDER BY 1",
            (task_id,),
        )
        return [row[0] for row in rows]

    def grid(
        self,
        task_id: int,
        *,
        run_id: int | None,
        person: str,
        filter: GridFilter,
        after: tuple[float, int] | None = None,
        limit: int = 50,
    ) -> list[dict[str, Any]]:
        """Return a page of the labeling grid.

        A test example shows nothing of a model before this person has decided on it.

        Args:
            task_id: The task.
            run_id: The run whose labels are shown, if any.
            person: Whose decisions are shown.
            filter: Which examples, in which order.
            after: The `cursor` of the last row of the page before.
            limit: Most rows to return, at most 200.

        Returns:
            Dicts with id, external_id, text, split, metadata, predicted (label id), confidence,
            outcome, label (this person's label id), gold (label id), and cursor.
        """
        key = "coalesce(confidence, -1.0)" if filter.by_confidence else "0.0"
        where, parameters = _where(filter)
        parameters |= {
            "task": task_id, "run": run_id, "person": person, "limit": min(limit, 200),
            "after_key": after[0] if after else None, "after_id": after[1] if after else None,
        }  # fmt: skip
        rows = self.db.read(
            f"""
            WITH shown AS (
              SELECT e.id, e.external_id, e.text, e.split, e.metadata, c.label_id AS label, g.label_id AS gold,
                g.origin AS gold_origin,
                CASE WHEN e.split = 'test' AND c.label_id IS NULL THEN 0 ELSE 1 END AS open,
                p.label_id AS said, p.confidence AS sure, p.outcome AS ended
              FROM example e
              LEFT JOIN prediction p ON p.run_id = :run AND p.example_id = e.id
              LEFT JOIN current_label c ON c.example_id = e.id AND c.person = :person
              LEFT JOIN gold g ON g.example_id = e.id
              WHERE e.task_id = :task
            ), masked AS (
              SELECT id, external_id, text, split, metadata, label, gold, gold_origin,
                CASE WHEN open THEN said END AS predicted, CASE WHEN open THEN sure END AS confidence,
                CASE WHEN open THEN ended END AS outcome
              FROM shown
            )
            SELECT *, {key} AS key FROM masked
            WHERE {where} AND (:after_id IS NULL OR ({key}, id) > (:after_key, :after_id))
            ORDER BY key, id LIMIT :limit
            """,
            parameters,
        )
        return [_grid_row(row) for row in rows]


def _where(filter: GridFilter) -> tuple[str, dict[str, Any]]:
    """Return the condition of a filter and its parameters."""
    parts = ["1"]
    parameters: dict[str, Any] = {}
    if filter.splits:
        parts.append("split IN (SELECT value FROM json_each(:splits))")
        parameters["splits"] = json.dumps(list(filter.splits))
    if filter.search:
        parts.append("text LIKE :search ESCAPE '\\'")
        escaped = "".join("\\" + c if c in "%_\\" else c for c in filter.search)
        parameters["search"] = f"%{escaped}%"
    if filter.label_id is not None:
        parts.append("predicted = :predicted")
        parameters["predicted"] = filter.label_id
    if filter.gold_label_id is not None:
        parts.append("gold = :gold")
        parameters["gold"] = filter.gold_label_id
    if filter.ids is not None:
        parts.append("id IN (SELECT value FROM json_each(:ids))")
        parameters["ids"] = json.dumps(list(filter.ids))
    parts.append(_SHOW[filter.show])
    return " AND ".join(parts), parameters


_SHOW = {
    "all": "1",
    "todo": "label IS NULL",
    "mine": "label IS NOT NULL",
    "errors": "gold IS NOT NULL AND outcome IS NOT NULL AND gold IS NOT predicted",
}


def _grid_row(row: Row) -> dict[str, Any]:
    data = dict(row)
    data["metadata"] = json.loads(data["metadata"])
    data["cursor"] = (data.pop("key"), data["id"])
    return data


def _example(row: Row) -> Example:
    return Example(
        id=row["id"],
        external_id=row["external_id"],
        text=row["text"],
        split=Split(row["split"]),
        metadata=json.loads(row["metadata"]),
    )
