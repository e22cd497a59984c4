"""What rules and conditions say of examples: truths as bits, likeness as half-precision numbers.

The text of an example never changes and ids only grow, so what is stored stays right. Each body
tells of which ids it knows; all others are unknown, never false.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from studio.store.connection import Connections

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK_BITS = 16
"""A row holds so many bits' worth of ids: 65,536."""
TRUTHS, NUMBERS = "truths", "numbers"


class Firings:
    """Truths or numbers of a task's examples by key, such as "rule:HASH"."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def load(
        self, task_id: int, key: str, ids: NDArray[np.int64]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return what is stored of these examples, and of which of them anything is.

        Args:
            task_id: The task.
            key: What speaks.
            ids: n example ids, in any order.

        Returns:
            n values (truths, or float32 numbers) and n truths: whether the value is known. An
            unknown value is false, or not a number.
        """
        import numpy as np

        rows = self.db.read(
            "SELECT chunk, kind, body FROM firing WHERE task_id = ? AND key = ?"
            " AND chunk BETWEEN ? AND ?",
            (task_id, key, *_span(ids)),
        )
        is_number = any(row["kind"] == NUMBERS for row in rows)
        values: NDArray[Any] = np.full(len(ids), np.nan, np.float32) if is_number else np.zeros(
            len(ids), np.bool_)  # fmt: skip
        known = np.zeros(len(ids), dtype=np.bool_)
        for row in rows:
            stored, there = _unpack(row["kind"], row["body"])
            places = np.flatnonzero(ids >> CHUNK_BITS == row["chunk"])
            inside = ids[places] & ((1 << CHUNK_BITS) - 1)
            within = inside < len(stored)
            values[places[within]] = stored[inside[within]]
            known[places[within]] = there[inside[within]]
        return values, known

    def save(
        self,
        task_id: int,
        key: str,
        ids: NDArray[np.int64],
        values: NDArray[Any],
        *,
        made_by: str = "",
    ) -> None:
        """Store values of examples beside what is stored of others under this key.

        Args:
            task_id: The task.
            key: What speaks.
            ids: n example ids.
            values: n truths, or n numbers; a key has one kind.
            made_by: What computed them, where that matters.
        """
        import numpy as np

        kind = TRUTHS if values.dtype == np.bool_ else NUMBERS
        with self.db.transaction() as conn:
            for chunk in np.unique(ids >> CHUNK_BITS).tolist():
                mine = ids >> CHUNK_BITS == chunk
                inside = ids[mine] & ((1 << CHUNK_BITS) - 1)
                before = self.db.one(
                    "SELECT kind, body FROM firing WHERE task_id = ? AND key = ? AND chunk = ?",
                    (task_id, key, chunk),
                )
                body = _merged(kind, before["body"] if before else b"", inside, values[mine])
                conn.execute(
                    "INSERT OR REPLACE INTO firing (task_id, key, chunk, kind, made_by, body)"
                    " VALUES (?,?,?,?,?,?)",
                    (task_id, key, chunk, kind, made_by, body),
                )

    def made_by(self, task_id: int, key: str) -> str | None:
        """Return what computed the values of a key; None when there are none."""
        found: str | None = self.db.value(
            "SELECT made_by FROM firing WHERE task_id = ? AND key = ? LIMIT 1", (task_id, key)
        )
        return found

    def has(self, task_id: int, key: str) -> bool:
        """Return whether anything is stored under a key."""
        return self.made_by(task_id, key) is not None

    def drop(self, task_id: int, key: str) -> None:
        """Forget all values of a key."""
        with self.db.transaction() as conn:
            conn.execute("DELETE FROM firing WHERE task_id = ? AND key = ?", (task_id, key))

    def keep_only(self, task_id: int, prefix: str, keys: Collection[str]) -> None:
        """Forget the values of all keys that begin so, but those named."""
        with self.db.transaction() as conn:
            conn.execute(
                "DELETE FROM firing WHERE task_id = ? AND substr(key, 1, length(?2)) = ?2"
                " AND key NOT IN (SELECT value FROM json_each(?3))",
                (task_id, prefix, json.dumps(list(keys))),
            )


def _span(ids: NDArray[np.int64]) -> tuple[int, int]:
    if not len(ids):
        return (0, -1)
    return int(ids.min()) >> CHUNK_BITS, int(ids.max()) >> CHUNK_BITS


def _unpack(kind: str, body: bytes) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the values of a body from the chunk's first id on, and which of them are known."""
    import numpy as np

    if kind == NUMBERS:
        numbers = np.frombuffer(body, dtype="<f2").astype(np.float32)
        return numbers, ~np.isnan(numbers)
    planes = np.frombuffer(body, dtype=np.uint8).reshape(2, -1)
    truths, known = np.unpackbits(planes, axis=1).astype(np.bool_)
    return truths, known


def _merged(kind: str, body: bytes, inside: NDArray[np.int64], values: NDArray[Any]) -> bytes:
    """Return a body with some values put in; it ends with the last id it knows."""
    import numpy as np

    stored, known = _unpack(kind, body)
    size = max(len(stored), int(inside.max()) + 1)
    if kind == NUMBERS:
        numbers = np.full(size, np.nan, dtype="<f2")
        numbers[: len(stored)] = stored
        numbers[inside] = values
        return numbers.tobytes()
    planes = np.zeros((2, size), dtype=np.bool_)
    planes[0, : len(stored)], planes[1, : len(stored)] = stored, known
    planes[0, inside], planes[1, inside] = values, True
    return np.packbits(planes, axis=1).tobytes()
