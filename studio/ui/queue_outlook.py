"""What stands below the card: what the next ten minutes should bring, what came, and the order."""

from __future__ import annotations

import time
from dataclasses import replace

import streamlit as st

from studio.actions.queue import take_ahead
from studio.actions.queue_outlook import gain_ahead, look_ahead
from studio.analysis.queue_forecast import Gain
from studio.domain.example import Split
from studio.domain.task import Task
from studio.ui.aside import Pending
from studio.ui.figures import metric_name
from studio.ui.queue_feed import evidence, growth_level, has_order, measured, order
from studio.ui.queue_sitting import Choice, Sitting
from studio.ui.queue_state import QueueState
from studio.ui.standing import standing
from studio.workspace import Workspace

_PENDING = {
    Pending.WORKING: "Whether this order pays is being worked out; go on, it shows in a while.",
    Pending.FAILED: "Whether this order pays could not be worked out.",
}


def draw_outlook(ws: Workspace, task: Task, state: QueueState) -> None:
    """Draw what the next minutes should bring, what the last brought, and whether order pays."""
    choice = state.choice
    if choice is None:
        return
    known = state.sitting = _sitting(ws, task, choice, state)
    state.came = known.came
    with st.container(key="queue_outlook", gap="xsmall"):
        if state.came:
            st.caption(f":material/done_all: {state.came}")
        st.caption(known.expected)
        if choice.split is Split.TRAIN and not choice.strategy.is_list:
            found = evidence(ws, task)
            st.caption(_PENDING[found] if isinstance(found, Pending) else found.words)


def _sitting(ws: Workspace, task: Task, choice: Choice, state: QueueState) -> Sitting:
    """Return the sitting under way, with what was worked out of it since; a new one begins it."""
    known = state.sitting
    if known is None or known.choice != choice:
        state.given.clear()
        return _begin(ws, task, choice)
    if len(state.given) >= known.goal:
        last = (replace(known, last=None), len(state.given), time.time() - known.began)
        state.given.clear()
        return _begin(ws, task, choice, last)
    if known.gain is Pending.WORKING:
        return replace(known, gain=_gain(ws, task, known.goal, known.level))
    return known


def _begin(
    ws: Workspace, task: Task, choice: Choice, last: tuple[Sitting, int, float] | None = None
) -> Sitting:
    ahead = look_ahead(
        ws, task.id, is_list=choice.strategy.is_list, split=choice.split, by=choice.person
    )
    wanted = ahead.goal
    now = ws.read.tasks.get(task.id)
    best = standing(ws, now).best if choice.split is Split.VALIDATION else None
    level = growth_level(ws, task.id)
    return Sitting(
        choice=choice,
        goal=wanted,
        pace=ahead.pace,
        measured=(metric_name(best.metric), best.figure) if best else None,
        gain=_gain(ws, task, wanted, level) if ahead.teaches else None,
        checks=_checks(ws, task, choice, wanted) if ahead.teaches else 0,
        began=time.time(),
        level=level,
        last=last,
    )


def _gain(ws: Workspace, task: Task, wanted: int, level: int) -> Gain | Pending:
    found = measured(ws, task.id, level, gain_ahead, task.id)
    return found if isinstance(found, Pending) else found.gain(wanted)


def _checks(ws: Workspace, task: Task, choice: Choice, wanted: int) -> int:
    """Return how many rules the next labels would give all their checks."""
    if not has_order(choice):
        return 0
    ahead = order(ws, task, choice)
    found = take_ahead(ws, task.id, ahead, limit=wanted, by=choice.person)
    return sum(pick.completes for _, pick in found)
