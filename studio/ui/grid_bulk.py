"""Labeling all examples of a filter at once: what it would do first, then one deed, one undo."""

from __future__ import annotations

import streamlit as st

from studio.actions.bulk import BulkCount, bulk_count, bulk_label
from studio.ui.figures import count
from studio.ui.grid_options import Sight
from studio.ui.grid_state import GridState
from studio.ui.guard import kindly
from studio.ui.page import Page
from studio.ui.rationale_text import plain


@st.dialog("Label all that fit the filter", width="medium")
def bulk_dialog(page: Page, sight: Sight, state: GridState) -> None:
    """Ask which label all examples of the filter get, and give it once the count is confirmed."""
    names = list(page.task.label_names)
    label = st.selectbox("Which label", names, index=None, key="label_bulk_label")
    if label is None:
        st.caption("You see how many examples it would label before anything is stored.")
    else:
        _confirm(page, sight, state, label)


@st.dialog("Accept the model's labels", width="medium")
def accept_dialog(page: Page, sight: Sight, state: GridState) -> None:
    """Accept what the run in sight says of all examples of the filter, once confirmed."""
    _confirm(page, sight, state, None)


def _confirm(page: Page, sight: Sight, state: GridState, label: str | None) -> None:
    with kindly(), st.spinner("Counting …", show_time=True):
        found = bulk_count(
            page.ws, page.task.id, sight.filter, label=label, run_id=sight.run_id, by=page.person
        )
        for line in said_of(found):
            st.markdown(line)
        st.caption(
            "Nobody looks at each of them, so they count as assisted gold. "
            "One undo takes all of it back."
        )
        does = f"Label {count(found.n, 'example')} {plain(label)}" if label else ""
        if st.button(
            does or f"Accept {count(found.n, 'label')}",
            type="primary",
            disabled=not found.n,
            key="label_bulk_go",
        ):
            state.saved += bulk_label(
                page.ws,
                page.task.id,
                sight.filter,
                label=label,
                run_id=sight.run_id,
                expect=found.n,
                by=page.person,
            ).n
            state.draw_anew()
            st.rerun()


def said_of(found: BulkCount) -> list[str]:
    """Say in sentences what a deed on many examples would do.

    >>> said_of(BulkCount(n=12, own_changed=1, test_left_out=40))[1:]
    ['1 of them you labeled otherwise.', '40 test examples stay out: they are labeled one by one.']
    """
    said = [f"**{count(found.n, 'example')}** would get a label from you."]
    for n, sentence in (
        (found.own_changed, "{n} of them you labeled otherwise."),
        (found.contradicted, "{n} of them somebody else labels otherwise."),
        (found.same, "{n} more have this label from you already."),
        (found.unlabeled, "{n} more get no label from the model and are left alone."),
        (found.settled, "{n} more you settled one by one; they stay as you settled them."),
        (found.test_left_out, "{examples} stay out: they are labeled one by one."),
    ):
        if n:
            said.append(sentence.format(n=f"{n:,}", examples=count(n, "test example")))
    return said
