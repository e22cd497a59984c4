"""The lock on the test split: each look at figures there is confirmed, counted and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from studio.domain.task import Task
from studio.ui.figures import count
from studio.ui.guard import kindly
from studio.ui.notes import note
from studio.workspace import Workspace

_KEPT = "evaluate_test_looks"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What a look showed, and when."""

    revision: int
    result: Any


def look_at_test(
    ws: Workspace, task: Task, *, name: str, looks: int, read: Callable[[], Any]
) -> Any:
    """Return what a confirmed look at test showed; before that ask, and return None.

    A look is kept for the session, so redrawing the page is not another one.

    Args:
        ws: The workspace.
        task: The task.
        name: What is looked at, e.g. "run 3"; one look each.
        looks: How many looks it counts as.
        read: Looks, and records it.
    """
    kept: dict[tuple[str, int, str], _Look] = st.session_state.setdefault(_KEPT, {})
    key = (str(ws.path), task.id, name)
    look = kept.get(key)
    so_far = ws.read.labels.looks(task.id)
    if look is None:
        with st.container(border=True, key="test_lock"):
            st.markdown(f"**Test is locked.** It was looked at {count(so_far, 'time')} until now.")
            st.write(
                "Choosing by figures on test makes the next figure there a little too good. "
                "Choose on validation, and look here once the choice is made."
            )
            words = f"Look at test ({so_far} → {so_far + looks} looks)"
            pressed = st.button(words, key=f"look_{name}", help=note("test look"), type="primary")
    else:
        with st.container(horizontal=True, vertical_alignment="center", key="test_looks"):
            changed = look.revision != task.revision
            since = " Something changed since this look." if changed else ""
            st.caption(
                f"Test was looked at {count(so_far, 'time')}, this look included.{since}",
                help=note("test look"),
                width="content",
            )
            words = f"Look again ({so_far} → {so_far + looks} looks)"
            pressed = changed and st.button(words, key=f"look_{name}")
    if pressed:
        with kindly():
            kept[key] = _Look(revision=task.revision, result=read())
            st.rerun()
    return None if look is None else look.result
