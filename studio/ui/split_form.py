"""The splits of a task: what stands in them, and assigning them anew."""

from __future__ import annotations

import streamlit as st

from studio.actions.examples import split_examples
from studio.domain.next_step import Standing
from studio.domain.task import Task
from studio.ui.figures import percent
from studio.ui.guard import kindly
from studio.ui.notes import note
from studio.workspace import Workspace


def draw_splits(ws: Workspace, task: Task, now: Standing) -> None:
    """Draw the table of splits and the form that assigns them anew."""
    st.dataframe(
        [
            {
                "Split": split,
                "Examples": n,
                "With gold": now.gold.get(split, 0),
                "Share with gold": percent(now.gold.get(split, 0) / n if n else None),
                "What for": note(split),
            }
            for split, n in now.examples.items()
        ],
        hide_index=True,
        key="splits_table",
        alt="Examples and gold a split",
    )
    with st.form("splits_form"):
        st.markdown("**Assign all examples anew**")
        st.caption(
            "Labels are spread evenly, and texts that are alike stay in one split. "
            "Do it before you measure: afterwards the test split is no longer new."
        )
        with st.container(horizontal=True):
            train = st.number_input("Train %", 0, 100, 60, step=5)
            validation = st.number_input("Validation %", 0, 100, 20, step=5)
            test = st.number_input("Test %", 0, 100, 20, step=5)
            group = st.selectbox(
                "Keep together",
                ["", *ws.read.examples.columns(task.id)],
                format_func=lambda c: c or "nothing",
                help="Examples with the same value here never stand in two splits.",
            )
        measured = now.runs > 0 or ws.read.labels.looks(task.id) > 0
        sure = st.checkbox(
            "Figures measured so far will no longer be comparable; assign anew all the same."
        ) if measured else True  # fmt: skip
        if not st.form_submit_button("Assign anew"):
            return
    with kindly():
        if not sure:
            st.warning("Tick the box first: runs were measured on the splits as they are.")
            return
        split_examples(
            ws, task.id,
            train=train / 100, validation=validation / 100, test=test / 100, group=group,
        )  # fmt: skip
        st.toast("The splits are assigned anew.")
        st.rerun()
