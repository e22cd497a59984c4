"""What was made before a change of the label set."""

from __future__ import annotations

import json
from typing import Any

from studio.domain.label_change import ChangeKind, Marks, changed_since
from studio.store.connection import Connections

_TABLES = {"runs": "run", "prompts": "prompt_version", "models": "finetune", "reports": "verdict"}


def read_marks(db: Connections, task_id: int) -> Marks:
    """Return what was made before the changes of a label set, each with these in a sentence.

    What was made under a change that was taken back is marked, too: it was asked with other labels.
    """
    rows = db.read(
        "SELECT * FROM label_change WHERE task_id = ? AND kind != 'reorder' ORDER BY id", (task_id,)
    )
    if not rows:
        return Marks()
    changes = [{**dict(row), "body": json.loads(row["body"])} for row in rows]
    found: dict[str, dict[int, str]] = {"rules": _rules(db, task_id, changes)}
    for kind, table in _TABLES.items():
        ids = [row[0] for row in db.read(f"SELECT id FROM {table} WHERE task_id = ?", (task_id,))]
        told = [c for c in changes if kind != "reports" or _is_new_meaning(c)]
        found[kind] = _told({i: [t for c in told if (t := _text(c, kind, i))] for i in ids})
    return Marks(**found)


def _text(change: dict[str, Any], kind: str, number: int) -> str:
    body = change["body"]
    if change["undone_at"] is None:
        return body["text"] if number <= body["before"][kind] else ""
    made_under_it = body["before"][kind] < number <= body["undone"][kind]
    return f"{body['text']}, which was taken back" if made_under_it else ""


def _is_new_meaning(change: dict[str, Any]) -> bool:
    return change["kind"] != ChangeKind.RENAME or bool(change["body"]["affected"])


def _rules(db: Connections, task_id: int, changes: list[dict[str, Any]]) -> dict[int, str]:
    rows = db.read("SELECT id, label_id, at FROM coded_rationale WHERE task_id = ?", (task_id,))
    return _told({
        row["id"]: [
            change["body"]["text"]
            for change in changes
            if change["undone_at"] is None
            and row["label_id"] in change["body"]["affected"]
            and row["at"] <= change["at"]
        ]
        for row in rows
    })  # fmt: skip


def _told(found: dict[int, list[str]]) -> dict[int, str]:
    return {number: changed_since(texts) for number, texts in found.items() if texts}
