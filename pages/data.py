"""Data: create a task, bring texts in, look at them, split them, define the labels."""

import streamlit as st

from studio.ui.empty import empty_state
from studio.ui.examples_table import draw_examples
from studio.ui.held import hold
from studio.ui.import_form import draw_import
from studio.ui.label_set_view import draw_label_set
from studio.ui.page import draw_first_steps, open_page
from studio.ui.session import take_tab
from studio.ui.split_form import draw_splits
from studio.ui.standing import standing
from studio.ui.task_form import draw_new_task, draw_task

page = open_page(
    "Data", "Bring texts in, say what the labels mean, and keep a test split locked.",
    needs_task=False,
)  # fmt: skip
if page.chosen is None:
    draw_first_steps(page.ws, create=False)
    st.subheader("Or create a task", anchor=False)
    draw_new_task(page.ws, page.person)
    st.stop()

task, now = page.task, standing(page.ws, page.task)
# Settled once: an import must not carry the reader away from its result.
take_tab("data")
hold("data")
first = st.session_state.setdefault(f"data_{task.id}", "Examples" if now.total else "Import")
examples, bring, splits, labels, new = st.tabs(
    ["Examples", "Import", "Splits", "Labels and criterion", "New task"],
    default=first,
    key="data",
    on_change="rerun",
    bind="query-params",
)
if examples.open:
    with examples:
        if now.total:
            draw_examples(page.ws, task, page.person)
        else:
            empty_state("There are no examples yet.", "Bring a file in under Import.")
if bring.open:
    with bring:
        draw_import(page.ws, task, page.person)
if splits.open:
    with splits:
        if now.total:
            draw_splits(page.ws, task, now)
        else:
            empty_state("There is nothing to split yet.", "Bring a file in under Import.")
if labels.open:
    with labels:
        draw_label_set(page.ws, task, page.person)
        draw_task(page.ws, task)
if new.open:
    with new:
        draw_new_task(page.ws, page.person)
