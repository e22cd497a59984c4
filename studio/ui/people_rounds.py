"""Rounds of work: what one would mean, who is how far, and what ends one."""

from __future__ import annotations

import math

import streamlit as st

from studio.actions.assignments import (
    OVERLAP,
    RoundPlan,
    close_round,
    hand_over_work,
    round_progress,
    start_round,
    withdraw_round,
)
from studio.domain.assignment import Progress
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.evaluation_examples import LABEL_IDS, LABEL_IDS_FROM
from studio.ui.figures import count
from studio.ui.guard import kindly
from studio.ui.people_data import known_people, planned
from studio.ui.rationale_text import plain
from studio.ui.session import open_page_of
from studio.workspace import Workspace

SIZE = 100


def draw_rounds(ws: Workspace, task: Task, person: str) -> None:
    """Draw the rounds, and the form that starts one."""
    found = round_progress(ws, task.id)
    opened = [one for one in found if one.round.closed_at is None]
    _mine(ws, task, person)
    for one in opened:
        _draw_round(ws, task, one)
    with st.expander("Start a round", expanded=not opened, icon=":material/group_add:"):
        _start(ws, task, person)
    if closed := [one for one in found if one.round.closed_at]:
        st.markdown("**Closed**")
        st.dataframe(
            [
                {
                    "Round": one.round.name, "Closed": (one.round.closed_at or "")[:10],
                    "Examples": one.round.examples, "Shared": one.round.shared,
                    "People": ", ".join(f"{s.person} {s.done}/{s.given}" for s in one.shares),
                }
                for one in closed
            ],
            hide_index=True, height="content" if len(closed) < 8 else 320, key="people_closed",
            column_config={"People": st.column_config.TextColumn(width="large")}, placeholder="",
            alt="Closed rounds",
        )  # fmt: skip


def _mine(ws: Workspace, task: Task, person: str) -> None:
    """Offer people their own work first."""
    left = ws.read.assignments.open_for(task.id, person)
    if left and st.button(
        f"Label my {count(len(left), 'example')}", key="people_mine", type="primary",
        icon=":material/arrow_forward:",
    ):  # fmt: skip
        st.session_state[LABEL_IDS] = left
        st.session_state[LABEL_IDS_FROM] = "your rounds"
        open_page_of("label")


def _draw_round(ws: Workspace, task: Task, one: Progress) -> None:
    held, key = one.round, f"people_round_{one.round.id}"
    with st.container(border=True, key=key):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(held.name)}**", width="content")
            shared = f"{held.shared:,} shared by {held.together}" if held.shared else "none shared"
            st.caption(
                f"{count(held.examples, 'example')} of {' and '.join(held.splits)}, {shared}; "
                f"started {held.created_at[:10]} by {plain(held.created_by)}",
                width="stretch",
            )
            _hand_over(ws, task, one, key)
            _end(ws, task, one, key)
        for share in one.shares:
            st.progress(
                share.done / share.given if share.given else 1.0,
                text=f"{plain(share.person)}: {share.done:,} of {share.given:,}",
            )


def _hand_over(ws: Workspace, task: Task, one: Progress, key: str) -> None:
    left = {share.person: share.left for share in one.shares if share.left}
    if not left:
        return
    with st.popover("Hand over", type="tertiary", key=f"{key}_hand"):
        giver = st.selectbox(
            "From", list(left), key=f"{key}_from", format_func=lambda p: f"{p}, {left[p]:,} left"
        )
        names = [p for p in {*one.round.people, *known_people(ws, task)} if p != giver]
        takers = st.multiselect(
            "To", sorted(names), key=f"{key}_to", accept_new_options=True,
            placeholder="Choose people or type names",
        )  # fmt: skip
        if st.button("Hand over what is left", key=f"{key}_give", type="primary"):
            with kindly():
                taken = hand_over_work(ws, task.id, one.round.id, giver=giver, takers=takers)
                said = ", ".join(f"{who} takes {n:,}" for who, n in taken.items())
                st.toast(plain(f"{said} of {giver}."))
                st.rerun()


def _end(ws: Workspace, task: Task, one: Progress, key: str) -> None:
    if not one.done and st.button(
        "Undo", key=f"{key}_undo", type="tertiary", icon=":material/undo:",
        help="Take the round back; nobody has worked on it",
    ):  # fmt: skip
        with kindly():
            withdraw_round(ws, task.id, one.round.id)
            st.rerun()
    with st.popover("Close", type="tertiary", key=f"{key}_close"):
        open_left = one.given - one.done
        st.write(
            f"What was labeled stays. {count(open_left, 'label')} not given yet are nobody's any "
            "more, and free for another round."
            if open_left
            else "Everything is labeled."
        )
        if st.button("Close the round", key=f"{key}_close_now", type="primary"):
            with kindly():
                close_round(ws, task.id, one.round.id)
                st.rerun()


def _start(ws: Workspace, task: Task, person: str) -> None:
    """Draw the form with what the round would mean, found anew with every change."""
    known = sorted({*known_people(ws, task), person})
    people = st.multiselect(
        "Who labels", known, default=[person], key=f"people_who_{task.id}",
        accept_new_options=True, placeholder="Choose people or type names",
        help="By the names they sign in with. Type a name and press Enter to add somebody new.",
    )  # fmt: skip
    one, two, three, four = st.columns([3, 2, 2, 2])
    splits = one.multiselect(
        "Examples of", ["train", "validation", "test"], default=["train"], key="people_splits"
    )
    size = two.number_input("How many", min_value=1, value=SIZE, step=10, key="people_size")
    share = three.slider(
        "Shared, %", 0, 100, round(100 * OVERLAP), step=5, key="people_overlap",
        disabled=len(people) < 2, help="Share of the examples that several people label, so that "
        "their agreement can be told.",
    )  # fmt: skip
    together = four.number_input(
        "By how many people", min_value=2, max_value=max(2, len(people)), value=max(2, len(people)),
        key=f"people_together_{len(people)}", disabled=len(people) < 3 or not share,
    )  # fmt: skip
    without = st.checkbox("Only examples without gold", key="people_without_gold")
    try:
        plan = planned(
            ws, task, people=tuple(people), splits=tuple(splits), size=int(size),
            overlap=share / 100, without_gold=without,
            together=int(together) if len(people) > 1 else None,
        )  # fmt: skip
    except InputError as error:
        st.info(plain(str(error)))
        return
    st.markdown(_means(plan))
    name = st.text_input(
        "Name of the round", placeholder="Round of this week", key="people_name", width=320
    )
    if st.button("Start the round", key="people_start", type="primary"):
        with kindly():
            start_round(ws, task.id, plan, name=name, by=person)
            st.rerun()


def _means(plan: RoundPlan) -> str:
    """Return what a round would mean, in sentences."""
    given = ", ".join(f"{who} {len(ids):,}" for who, ids in plan.plan.given.items())
    noun = "examples" if len(plan.people) == 1 else "examples each"
    said = [f"**{plain(given)}** {noun}, of {plan.pool:,} that can be given out."]
    many = len(plan.plan.shared)
    if not many:
        said.append("None is shared, so agreement cannot be told.")
        return " ".join(said)
    said.append(f"{count(many, 'example')} shared by {plan.together} people each.")
    if math.isnan(plan.width):
        said.append("That is too few to tell agreement.")
        return " ".join(said)
    known = "as so far" if plan.is_supposed is False else "a usual one"
    said.append(
        f"With an alpha of {plan.alpha:.2f} ({known}) its interval would reach about "
        f"±{plan.width:.2f}"
    )
    if len(plan.people) > 2 and not math.isnan(plan.pair_width):
        said[-1] += f"; kappa of two people, on {plan.in_pair:,}, about ±{plan.pair_width:.2f}"
    said[-1] += "."
    if plan.width > 0.15:
        said.append("To tell more, share more examples.")
    return " ".join(said)
