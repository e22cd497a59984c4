"""The labels of a task as rows: brought to a plan, and back to what they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.domain.label_plan import Plan, Planned
from studio.store.connection import Row


def write_labels(conn: Any, task_id: int, plan: Plan, before: list[Row], at: str) -> list[int]:
    """Bring the labels of a task to what was planned, and return their ids in order.

    Args:
        conn: In the transaction of the change.
        task_id: The task.
        plan: What is planned.
        before: All labels of the task, the retired ones too.
        at: The time.
    """
    wanted = {label.name for label in plan.labels}
    _free_names(conn, [row for row in before if row["name"] in wanted])
    ids = []
    for position, label in enumerate(plan.labels):
        if label.id is None:
            added = conn.execute(
                "INSERT INTO label (task_id, name, definition, position) VALUES (?,?,?,?)",
                (task_id, label.name, label.definition, position),
            )
            ids.append(int(added.lastrowid))
        else:
            conn.execute(
                "UPDATE label SET name = ?, definition = ?, position = ?, retired_at = NULL WHERE id = ?",
                (label.name, label.definition, position, label.id),
            )
            ids.append(label.id)
    for row in before:
        if row["id"] not in ids:
            _retire(conn, row, wanted, at)
    return ids


def restore_labels(
    conn: Any, task_id: int, rows: list[Row], body: Mapping[str, Any], at: str
) -> None:
    """Put names, order and state of the labels back; definitions edited since stay.

    Args:
        conn: In the transaction of the undo.
        task_id: The task.
        rows: All labels of the task as they are now.
        body: Of the change.
        at: The time.
    """
    kept = {label["id"]: label for label in body["labels"]}
    wanted = {label["name"] for label in kept.values()}
    _free_names(conn, rows)
    for row in rows:
        label = kept.get(row["id"])
        if label is None:
            _retire(conn, row, wanted, at)
            continue
        was, became = body["defined"].get(str(row["id"]), (row["definition"],) * 2)
        conn.execute(
            "UPDATE label SET name = ?, definition = ?, position = ?, retired_at = ? WHERE id = ?",
            (
                label["name"],
                was if row["definition"] == became else row["definition"],
                label["position"],
                label["retired_at"],
                row["id"],
            ),
        )
    conn.execute(
        "UPDATE task SET fallback_label_id = ? WHERE id = ? AND fallback_label_id IS ?",
        (body["fallback"], task_id, body["into"]),
    )


def _free_names(conn: Any, rows: list[Row]) -> None:
    """Names are unique: each is free before another label takes it."""
    conn.executemany(
        "UPDATE label SET name = ? WHERE id = ?", [(f"\0{row['id']}", row["id"]) for row in rows]
    )


def _retire(conn: Any, row: Row, taken: set[str], at: str) -> None:
    """Take a label out of use; one that a change had brought may lose its name to another."""
    name = f"{row['name']} (label {row['id']})" if row["name"] in taken else row["name"]
    conn.execute(
        "UPDATE label SET name = ?, retired_at = coalesce(retired_at, ?) WHERE id = ?",
        (name, at, row["id"]),
    )


def names_of(before: list[Row], plan: Plan, ids: list[int]) -> list[tuple[int, str]]:
    """Return (label id, name) of every name that a change gives or takes, its own label first."""
    known = {row["id"]: row["name"] for row in before}
    told = [(plan.gone, known[plan.gone])] if plan.gone is not None else []
    for label_id, label in zip(ids, plan.labels, strict=True):
        if known.get(label_id) != label.name or label_id in plan.affected:
            told += [(label_id, known[label_id])] if label_id in known else []
            told.append((label_id, label.name))
    return list(dict.fromkeys(told))


def definitions_of(before: list[Row], plan: Plan, ids: list[int]) -> dict[int, tuple[str, str]]:
    """Return label id to (definition before, definition since), where the change wrote another."""
    known = {row["id"]: row["definition"] for row in before}
    pairs: list[tuple[int, Planned]] = list(zip(ids, plan.labels, strict=True))
    return {
        label_id: (known[label_id], label.definition)
        for label_id, label in pairs
        if label_id in known and known[label_id] != label.definition
    }
