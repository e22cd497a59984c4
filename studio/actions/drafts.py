"""What people typed and have not saved yet: kept, so that a refresh of the page loses nothing."""

from __future__ import annotations

import json
from typing import Any

from studio.workspace import Workspace


def keep_draft(ws: Workspace, task_id: int, what: str, data: dict[str, Any], *, by: str) -> None:
    """Keep a person's draft of something, in place of the one before; an empty one is forgotten.

    Args:
        ws: The workspace.
        task_id: The task.
        what: What is being written, e.g. "prompts".
        data: Plain JSON values.
        by: Whose draft it is.
    """
    text = json.dumps(data, ensure_ascii=False) if data else ""
    key = _key(task_id, what, by)
    if ws.read.tasks.setting(key) != text:
        ws.store.tasks.set_setting(key, text)


def kept_draft(ws: Workspace, task_id: int, what: str, *, by: str) -> dict[str, Any]:
    """Return the draft a person left, or an empty one."""
    return dict(json.loads(ws.read.tasks.setting(_key(task_id, what, by)) or "{}"))


def _key(task_id: int, what: str, by: str) -> str:
    return f"draft:{what}:{task_id}:{by}"
