"""The widgets of the labeling grid's filter."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from studio.store.grid_filter import Order
from studio.ui.grid_choices import ORDERS, SHOWN, Choice, OneOf, SomeOf

IN_SIGHT = ("show", "search")
"""Choices that stand above the grid for everybody to see: they need no chip."""
Found = Mapping[str, Choice]


def draw_shown(found: Found) -> None:
    """Draw whose part of the work is shown, and the search."""
    show = found["show"]
    assert isinstance(show.kind, OneOf)
    st.session_state.setdefault(show.key, show.kind.empty)
    st.segmented_control(
        "Show",
        list(show.kind.texts),
        format_func=SHOWN.__getitem__,
        required=True,
        key=show.key,
        label_visibility="collapsed",
        persist_state="session",
    )
    st.text_input(
        "Search",
        key=found["search"].key,
        type="search",
        placeholder="Search",
        label_visibility="collapsed",
        width=130,
        persist_state="session",
    )


def draw_filter(found: Found) -> None:
    """Draw the further filters, in groups."""
    active = sum(c.is_active for c in found.values() if c.name not in IN_SIGHT)
    with st.popover(f"Filter ({active})" if active else "Filter"):
        _draw_order(found)
        left, right = st.columns(2, gap="medium", width=620)
        with left:
            if "said" in found:
                _draw_model(found)
            _draw_labels(found)
            _draw_groups(found)
        with right:
            _draw_people(found)


def _draw_order(found: Found) -> None:
    order = found["order"]
    assert isinstance(order.kind, OneOf)
    st.session_state.setdefault(order.key, Order.IMPORTED)
    st.segmented_control(
        "Order",
        list(order.kind.texts),
        format_func=ORDERS.__getitem__,
        required=True,
        key=order.key,
        persist_state="session",
        help="An expert's minute is worth most where the model is least sure.",
    )


def _draw_model(found: Found) -> None:
    st.caption("The model")
    with _side_by_side():
        _select(found["said"], "It says", "anything")
        _select(found["outcome"], "How it ended", "in any way")
    st.session_state.setdefault(found["sure"].key, found["sure"].kind.empty)
    st.slider("How sure it is, in percent", 0, 100, key=found["sure"].key, persist_state="session")
    _select(
        found["differs"],
        "Says something else than",
        "any run, or the same",
        help="Choose the latest run of the rules to see where model and rules differ.",
    )


def _draw_labels(found: Found) -> None:
    st.caption("Labels")
    with _side_by_side():
        _select(found["own"], "I said", "anything")
        _select(found["gold"], "Gold is", "anything")
    splits = found["split"].kind
    assert isinstance(splits, SomeOf)
    _select(found["origin"], "Gold was given", "in any way")
    st.multiselect(
        "Split",
        list(splits.words),
        key=found["split"].key,
        placeholder="all",
        persist_state="session",
    )


def _draw_people(found: Found) -> None:
    st.caption("People")
    _select(found["by"], "Decided on by", "anybody, or nobody")
    for name, said in (("since", "Since"), ("until", "Until, that day too")):
        key = found[name].key
        st.session_state.setdefault(key, None)
        st.date_input(said, value=None, key=key, format="YYYY-MM-DD", persist_state="session")
    for name, said in (
        ("people", "People differ"),
        ("assigned", "Assigned to me"),
        ("again", "Queued for another look"),
    ):
        st.toggle(said, key=found[name].key, persist_state="session")
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        _select(found["mark"], "Marked", "or not")
        st.toggle("by anybody", key=found["marked"].key, persist_state="session", width=130)


def _draw_groups(found: Found) -> None:
    st.caption("Groups")
    with _side_by_side():
        _select(found["rule"], "Rule votes", "or not", help="Among train and validation.")
        _select(found["slice"], "Slice", "any", help="By column or length, as in Evaluate.")


def _side_by_side() -> DeltaGenerator:
    return st.container(horizontal=True, gap="small")


def _select(choice: Choice, title: str, anything: str, *, help: str | None = None) -> None:
    assert isinstance(choice.kind, OneOf)
    texts = choice.kind.texts
    st.session_state.setdefault(choice.key, None)
    st.selectbox(
        title,
        list(texts),
        index=None,
        placeholder=anything,
        format_func=texts.__getitem__,
        key=choice.key,
        persist_state="session",
        help=help,
    )
