"""Examples: the texts to classify, and what screens show of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from studio.domain.example import Example, Split
from studio.errors import NotFoundError
from studio.store.connection import Connections, Row
from studio.store.grid import GridFilter as GridFilter
from studio.store.grid import count_own, find_ids, read_page
from studio.store.tasks import bump


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
            last = conn.execute("SELECT coalesce(max(id), 0) FROM example").fetchone()[0]
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
            conn.execute(
                "INSERT INTO example_fts (rowid, text) SELECT id, text FROM example WHERE id > ?",
                (last,),
            )
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

    def ids(self, task_id: int, splits: Sequence[str] = ()) -> list[int]:
        """Return the ids of all examples of the splits (of all splits when none is named), sorted.

        No text is read.
        """
        names = list(splits) or [split.value for split in Split]
        rows = self.db.read(
            "SELECT id FROM example INDEXED BY example_split WHERE task_id = ?"
            " AND split IN (SELECT value FROM json_each(?))",
            (task_id, json.dumps(names)),
        )
        return sorted(row[0] for row in rows)

    def fingerprint(self, task_id: int, splits: Sequence[str]) -> str:
        """Return what changes when an example of these splits comes, or goes to another split.

        It is found by counting and adding up ids: of a million, in a fifth of the time of `ids`.
        """
        row = self.db.one(
            "SELECT count(*), total(id), total(id * 1.0 * id) FROM example INDEXED BY example_split"
            " WHERE task_id = ? AND split IN (SELECT value FROM json_each(?))",
            (task_id, json.dumps(list(splits))),
        )
        return repr(tuple(row))

    def texts(self, task_id: int, ids: Sequence[int]) -> list[str]:
        """Return the texts of examples of the task, in order of id."""
        rows = self.db.read(
            "SELECT text FROM example WHERE +task_id = ? AND id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (task_id, json.dumps(list(ids))),
        )
        return [row[0] for row in rows]

    def column(self, task_id: int, ids: Sequence[int], name: str) -> list[str | None]:
        """Return a metadata column of examples of the task, in order of id; None where it is missing."""
        rows = self.db.read(
            "SELECT (SELECT value FROM json_each(e.metadata) WHERE key = ?) FROM example e"
            " WHERE +task_id = ? AND id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (name, task_id, json.dumps(list(ids))),
        )
        return [row[0] for row in rows]

    def by_external_id(self, task_id: int, external_ids: Sequence[str]) -> dict[str, int]:
        """Return external id to id, for those that are known."""
        rows = self.db.read(
            "SELECT external_id, id FROM example WHERE task_id = ?"
            " AND external_id IN (SELECT value FROM json_each(?))",
            (task_id, json.dumps(list(external_ids))),
        )
        return {row[0]: row[1] for row in rows}

    def having(
        self, task_id: int, groups: Sequence[Sequence[str]], limit: int
    ) -> list[tuple[str, str]]:
        """Return text and split of examples that have all words of one of the groups.

        Args:
            task_id: The task.
            groups: Words of letters and digits.
            limit: Most examples for each group, by id.
        """
        found: dict[int, tuple[str, str]] = {}
        for words in groups:
            match = " ".join(f'"{word}"' for word in words)
            for row in self.db.read(
                "SELECT e.id, e.text, e.split FROM example_fts f JOIN example e ON e.id = f.rowid"
                " WHERE example_fts MATCH ? AND e.task_id = ? LIMIT ?",
                (match, task_id, limit),
            ):
                found[row["id"]] = (row["text"], row["split"])
        return [found[i] for i in sorted(found)]

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
        rows = self.db.read("SELECT split, n FROM example_count WHERE task_id = ?", (task_id,))
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
            limit: Most rows to return, at most 201: a page of 200 and whether another follows.

        Returns:
            Dicts with id, external_id, text, split, metadata, predicted (label id), confidence,
            method (where the confidence comes from), outcome, label (this person's label id), gold (label id), and cursor.
        """
        return read_page(
            self.db,
            task_id,
            run_id=run_id,
            person=person,
            filter=filter,
            after=after,
            limit=min(limit, 201),
        )

    def grid_ids(
        self,
        task_id: int,
        *,
        run_id: int | None,
        person: str,
        filter: GridFilter,
        limit: int = 1_000_000,
    ) -> list[int]:
        """Return the ids of the examples a grid with this filter shows, in order of import.

        What is done to all of them is done to what the person sees; no text is read.

        Args:
            task_id: The task.
            run_id: The run whose labels are shown, if any.
            person: Whose decisions are shown.
            filter: Which examples; its order is ignored.
            limit: Most ids to return.
        """
        return find_ids(self.db, task_id, run_id=run_id, person=person, filter=filter, limit=limit)

    def grid_count(
        self, task_id: int, *, run_id: int | None, person: str, filter: GridFilter, limit: int
    ) -> tuple[int, int]:
        """Return how many examples a grid with this filter shows, and how many of them are decided.

        Args:
            task_id: The task.
            run_id: The run whose labels are shown, if any.
            person: Whose decisions are shown.
            filter: Which examples.
            limit: Where counting ends: when so many are returned, there may be more.

        Returns:
            Number of examples, and on how many of these this person has decided.
        """
        ids = self.grid_ids(task_id, run_id=run_id, person=person, filter=filter, limit=limit)
        return len(ids), count_own(self.db, ids, person)

    def deciders(self, task_id: int) -> list[str]:
        """Return who has decided on examples of the task, files aside, by name."""
        rows = self.db.read(_DECIDERS, {"task": task_id})
        return [row[0] for row in rows]


def _example(row: Row) -> Example:
    return Example(
        id=row["id"],
        external_id=row["external_id"],
        text=row["text"],
        split=Split(row["split"]),
        metadata=json.loads(row["metadata"]),
    )


# From one person to the next by the index, whatever their number of decisions.
_DECIDERS = """
WITH RECURSIVE who (person) AS (
  SELECT min(person) FROM current_label INDEXED BY current_label_person
    WHERE task_id = :task AND label_id IS NOT NULL
  UNION ALL
  SELECT (SELECT min(c.person) FROM current_label c INDEXED BY current_label_person
    WHERE c.task_id = :task AND c.label_id IS NOT NULL AND c.person > who.person)
    FROM who WHERE who.person IS NOT NULL)
SELECT person FROM who WHERE person IS NOT NULL AND (
  SELECT c.origin NOT IN ('imported', 'computed') FROM current_label c INDEXED BY current_label_person
  WHERE c.task_id = :task AND c.label_id IS NOT NULL AND c.person = who.person LIMIT 1)
"""
