"""What the labeling grid shows: the choices above it."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from studio.domain.example import Split
from studio.domain.run import Run
from studio.domain.task import Task
from studio.store.examples import GridFilter
from studio.store.grid_filter import Order
from studio.ui.figures import count
from studio.ui.grid import KEYS, PAGE_SIZES
from studio.ui.grid_options import Sight
from studio.ui.rationale_text import plain
from studio.workspace import Workspace

MOST_ASKED = 5000
_SHOW = {"all": "All", "todo": "To do", "mine": "Mine", "errors": "Errors"}


def choose_sight(ws: Workspace, task: Task) -> Sight:
    """Draw the choices above the grid and return what they say."""
    ids = _asked_examples()
    runs = {run.id: run for run in ws.read.runs.all(task.id) if run.done}
    with st.container(
        horizontal=True, vertical_alignment="center", gap="xsmall", key="label_sight"
    ):
        run = _choose_run(runs, task)
        shown = st.segmented_control(
            "Show",
            [name for name in _SHOW if run or name != "errors"],
            format_func=lambda name: _SHOW[name],
            default="all",
            required=True,
            key=f"label_show_{'run' if run else 'blind'}",
            label_visibility="collapsed",
            persist_state="session",
        )
        search = st.text_input(
            "Search",
            key="label_search",
            type="search",
            placeholder="Search the texts",
            label_visibility="collapsed",
            width=160,
            persist_state="session",
        )
        splits, said, least_sure = _choose_filter(task, run)
        size, columns, whole_text = _choose_view(ws, task)
        with st.popover("Keys"):
            show_keys()
    return Sight(
        filter=GridFilter(
            splits=tuple(sorted(splits)),
            search=(search or "").strip(),
            label_id=said,
            show=shown or "all",
            ids=ids,
            order=Order.LEAST_SURE if least_sure else Order.IMPORTED,
        ),
        run_id=run.id if run else None,
        size=size,
        columns=columns,
        whole_text=whole_text,
    )


def show_keys() -> None:
    """Draw what every key does."""
    st.caption("The keys work in the grid; click a row if they do not.")
    for key, does in KEYS:
        with st.container(horizontal=True, gap="small"):
            st.markdown(f"**{plain(key)}**", width=190)
            st.markdown(does, width="stretch")


def forget_asked() -> None:
    """Show all examples again; a callback."""
    st.query_params.pop("examples", None)
    for key in ("label_ids", "label_ids_from"):
        st.session_state.pop(key, None)


def _asked_examples() -> tuple[int, ...] | None:
    """Draw a chip for the examples another page asked to see, and return their ids."""
    asked = [int(i) for i in re.findall(r"\d{1,18}", st.query_params.get("examples", ""))]
    asked = (asked or list(st.session_state.get("label_ids") or []))[:MOST_ASKED]
    if not asked:
        return None
    came_from = str(st.session_state.get("label_ids_from") or "")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="label_asked"):
        said = f" from {plain(came_from)}" if came_from else " chosen on another page"
        st.badge(f"{count(len(asked), 'example')}{said}", icon=":material/filter_alt:")
        st.button("Show all", key="label_forget", type="tertiary", on_click=forget_asked)
    return tuple(sorted(set(asked)))


def _choose_run(runs: dict[int, Run], task: Task) -> Run | None:
    # A run on test alone has nothing to show here: test stays blind.
    finished = [r.id for r in runs.values() if r.done >= r.total and set(r.splits) != {Split.TEST}]
    options: list[int | None] = [None, *runs]
    asked_run = st.session_state.pop("label_ids_run", None)
    if asked_run in runs:
        finished.insert(0, asked_run)
        st.session_state[f"label_run_{task.id}_{len(runs)}"] = asked_run
    chosen = st.selectbox(
        "Whose labels are in sight",
        options,
        index=options.index(finished[0]) if finished else 0,
        format_func=lambda i: "No model: label blind" if i is None else _title(runs[i]),
        key=f"label_run_{task.id}_{len(runs)}",
        width=200,
        label_visibility="collapsed",
        persist_state="session",
        help="A label given while a model's label is in sight counts as assisted gold, "
        "one given without counts as blind gold, which weighs more.",
    )
    return runs.get(chosen) if chosen is not None else None


def _title(run: Run) -> str:
    part = "" if run.done >= run.total else f" ({run.done:,} of {run.total:,})"
    return f"{run.title} · run {run.id}{part}"


def _choose_filter(task: Task, run: Run | None) -> tuple[list[str], int | None, bool]:
    """Draw the further filters and return splits, predicted label and whether least sure first."""
    splits = list(st.session_state.get("label_split") or [])
    narrowed = len([x for x in (splits, st.session_state.get(f"label_said_{task.id}")) if x])
    with st.popover(f"Filter ({narrowed})" if narrowed else "Filter"):
        splits = st.multiselect(
            "Split",
            [split.value for split in Split],
            key="label_split",
            placeholder="all",
            persist_state="session",
        )
        if run is None:
            return splits, None, False
        said = st.selectbox(
            "The model says",
            [None, *(label.id for label in task.labels)],
            format_func=lambda i: "anything" if i is None else plain(task.name_of(i) or ""),
            key=f"label_said_{task.id}",
            persist_state="session",
        )
        order = st.segmented_control(
            "Order",
            ["as imported", "least sure first"],
            default="as imported",
            required=True,
            key="label_order",
            persist_state="session",
            help="An expert's minute is worth most where the model is least sure.",
        )
    return splits, said, order == "least sure first"


def _choose_view(ws: Workspace, task: Task) -> tuple[int, tuple[str, ...], bool]:
    """Draw what changes the look only: rows a page, further columns, whole texts."""
    known = ws.read.examples.columns(task.id)
    with st.popover("View"):
        size: Any = st.segmented_control(
            "Examples a page",
            PAGE_SIZES,
            default=50,
            required=True,
            key="label_size",
            persist_state="session",
        )
        columns = st.multiselect(
            "Further columns", known, key=f"label_columns_{task.id}", persist_state="session"
        )
        whole = st.toggle(
            "Whole texts",
            key="label_whole",
            persist_state="session",
            help="Rows grow with their text; else two lines, and all of it when you point there.",
        )
    return int(size or 50), tuple(columns), whole
