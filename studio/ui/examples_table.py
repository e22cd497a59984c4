"""The list of a task's examples: filtered, searched, a page at a time."""

from __future__ import annotations

from typing import Any

import streamlit as st

from studio.domain.example import Split
from studio.domain.task import Task
from studio.store.examples import GridFilter
from studio.ui.figures import count
from studio.ui.notes import note
from studio.workspace import Workspace

PAGE = 50
_LOCKED = "locked"


def draw_examples(ws: Workspace, task: Task, person: str) -> None:
    """Draw the examples of a task with their split, gold label and metadata."""
    counts = ws.read.examples.counts(task.id)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        splits = st.pills(
            "Split",
            [s.value for s in Split],
            selection_mode="multi",
            format_func=lambda s: f"{s} {counts[s]:,}",
            key="examples_split",
            help=note("split"),
        )
        label = st.selectbox(
            "Gold label",
            ["", *task.label_names],
            format_func=lambda name: name or "any",
            key="examples_label",
            width=220,
        )
        search = st.text_input(
            "Search", placeholder="words in the text", key="examples_search", live=True, width=320
        )
    wanted = tuple(splits)
    if label:  # which test examples carry a label stays hidden
        wanted = tuple(s for s in wanted or [s.value for s in Split] if s != Split.TEST)
        if not wanted:
            st.caption("Labels of test examples stay hidden until somebody has labeled them.")
            return
    filter_ = GridFilter(
        splits=wanted,
        search=search.strip(),
        gold_label_id=task.label(label).id if label else None,
    )
    _draw_page(ws, task, person, filter_, sum(counts[s] for s in wanted or counts))


def _draw_page(ws: Workspace, task: Task, person: str, filter_: GridFilter, most: int) -> None:
    slot = f"examples_{hash((task.id, filter_))}"
    cursors: list[Any] = st.session_state.get(slot, [])
    rows = ws.read.examples.grid(
        task.id,
        run_id=None,
        person=person,
        filter=filter_,
        after=cursors[-1] if cursors else None,
        limit=PAGE + 1,
    )
    more, rows = len(rows) > PAGE, rows[:PAGE]
    if not rows:
        st.info("No example matches. Clear the search or choose another split.")
        return
    st.dataframe(
        [_cells(task, row) for row in rows],
        hide_index=True,
        height=min(38 * len(rows) + 40, 640),
        row_height=38,
        key=f"{slot}_{len(cursors)}",
        alt="Examples",
        column_order=["Split", "Gold", "Text", "Id", *ws.read.examples.columns(task.id)],
        column_config={
            "Text": st.column_config.TextColumn(width="large"),
            "Gold": st.column_config.TextColumn(help=note("gold"), width="small"),
            "Split": st.column_config.TextColumn(help=note("split"), width="small"),
            "Id": st.column_config.TextColumn(width="small"),
        },
    )
    first = len(cursors) * PAGE + 1
    exact = not filter_.search and filter_.gold_label_id is None
    of = f" of {count(most, 'example')}" if exact else "" if more else " in all"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{first:,} to {first + len(rows) - 1:,}{of}", width="content")
        if st.button("Previous", disabled=not cursors, key="examples_earlier"):
            st.session_state[slot] = cursors[:-1]
            st.rerun()
        if st.button("Next", disabled=not more, key="examples_later"):
            st.session_state[slot] = [*cursors, rows[-1]["cursor"]]
            st.rerun()


def _cells(task: Task, row: dict[str, Any]) -> dict[str, str]:
    gold = task.name_of(row["gold"]) or ""
    if gold and row["split"] == Split.TEST and row["label"] is None:
        gold = _LOCKED
    cells = {"Text": row["text"], "Split": row["split"], "Gold": gold, "Id": row["external_id"]}
    return {**row["metadata"], **cells}
