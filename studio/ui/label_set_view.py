"""The labels of a task: what they mean, how often gold says them, and every change of the set."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from studio.actions.label_sets import undo_label_change
from studio.domain.label_change import ChangeKind, LabelChange
from studio.domain.task import Label, Task
from studio.ui.colours import label_colours
from studio.ui.figures import count
from studio.ui.guard import kindly
from studio.ui.label_set_dialogs import (
    ORDERED,
    ask_add,
    ask_merge,
    ask_order,
    ask_rename,
    ask_split,
)
from studio.ui.rationale_text import plain
from studio.workspace import Workspace

_KEYED = 9
Ask = Callable[[Workspace, Task, str, Label], None]


def draw_label_set(ws: Workspace, task: Task, person: str) -> None:
    """Draw the labels with what can be done to each, and the changes made so far."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Labels", anchor=False, width="stretch")
        if st.button("Add a label", icon=":material/add:", key="labels_add"):
            ask_add(ws, task, person)
        if st.button("Change the order", icon=":material/swap_vert:", key="labels_order"):
            st.session_state.pop(ORDERED, None)
            ask_order(ws, task, person)
    st.caption(
        "Names and the set can change at any time: gold, predictions and rules go along, old "
        "prompts and models are read by the names of now, and every change can be undone."
    )
    gold: dict[int, int] = {}
    for row in ws.read.labels.counts(task.id):
        gold[row["label_id"]] = gold.get(row["label_id"], 0) + row["n"]
    with st.container(border=True, gap="small"):
        for label in task.labels:
            _draw_label(ws, task, label, gold.get(label.id, 0), person)
    _draw_changes(ws, task, person)


def _draw_label(ws: Workspace, task: Task, label: Label, gold: int, person: str) -> None:
    former = [f.name for f in task.former if f.label_id == label.id]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _draw_colour(label_colours(task)[label.name])
        with st.container(width="stretch", gap=None):
            key = f" · key {label.position + 1}" if label.position < _KEYED else ""
            st.markdown(f"**{plain(label.name)}**")
            once = f" · formerly {', '.join(former)}" if former else ""
            st.caption(plain(f"{count(gold, 'gold label')}{key}{once}"))
        asks: tuple[tuple[str, Ask], ...] = (
            ("Rename", ask_rename), ("Merge", ask_merge), ("Split", ask_split),
        )  # fmt: skip
        for words, ask in asks:
            is_lone = words == "Merge" and len(task.labels) < 3
            why = "A label set needs two labels: add another one first." if is_lone else None
            if st.button(
                words,
                key=f"labels_{words.lower()}_{label.id}",
                type="tertiary",
                disabled=is_lone,
                help=why,
            ):
                ask(ws, task, person, label)


def _draw_colour(colour: str) -> None:
    """Draw a bar in the label's colour, which is one of our own constants."""
    st.html(
        f'<span aria-hidden="true" style="display:inline-block;width:.4rem;height:2.2rem;'
        f'border-radius:2px;background:{colour}"></span>',
        width="content",
    )


def _draw_changes(ws: Workspace, task: Task, person: str) -> None:
    changes = ws.read.label_sets.changes(task.id)
    if not changes:
        return
    holding = [c.id for c in changes if not c.is_undone]
    waiting = len(ws.read.label_sets.relook(task.id))
    with st.expander(f"Changes of the label set ({len(changes)})", expanded=bool(waiting)):
        if waiting:
            st.info(
                f"{count(waiting, 'example')} {'waits' if waiting == 1 else 'wait'} for another "
                "look: choose “Another look” on Label, one by one.",
                icon=":material/visibility:",
            )
        for change in reversed(changes):
            _draw_change(change, partial(_undo, ws, task, change, person), holding[-1:])


def _draw_change(change: LabelChange, undo: Callable[[], None], latest: list[int]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch", gap=None):
            said = plain(change.text)
            st.markdown(f"~~{said}~~" if change.is_undone else said)
            told = f"{change.person}, {change.at[:16].replace('T', ' ')} UTC"
            if change.is_undone:
                told += f" · taken back by {change.undone_by}"
            elif change.waiting:
                told += f" · {count(change.waiting, 'example')} to look at again"
            if change.kind is ChangeKind.MERGE:
                told += f" · {count(change.counts['gold'], 'gold label')} moved"
            st.caption(plain(told))
        if change.id in latest and st.button("Undo", key=f"labels_undo_{change.id}"):
            undo()


def _undo(ws: Workspace, task: Task, change: LabelChange, person: str) -> None:
    with kindly():
        undo_label_change(ws, task.id, change.id, by=person)
        st.toast("Taken back.")
        st.rerun()
