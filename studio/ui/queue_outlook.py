"""What stands below the card: what the next ten minutes should bring, what came, and the order."""

from __future__ import annotations

import time
from dataclasses import replace

import streamlit as st

from studio.actions.queue import examples_left, take_ahead
from studio.actions.queue_outlook import gain_ahead, look_ahead
from studio.analysis.queue_forecast import Gain
from studio.domain.example import Split
from studio.domain.task import Task
from studio.ui.aside import Pending
from studio.ui.figures import metric_name
from studio.ui.queue_feed import evidence, growth_level, has_order, measured, order
from studio.ui.queue_sitting import FIRST_GOAL, Choice, Sitting
from studio.ui.queue_state import QueueState
from studio.ui.standing import standing
from studio.workspace import Workspace

_PENDING = {
    Pending.WORKING: "Whether this order pays is being worked out; go on, it shows in a while.",
    Pending.FAILED: "Whether this order pays could not be worked out.",
}


def keep_sitting(ws: Workspace, task: Task, state: QueueState) -> None:
    """See to it that the sitting under way is that of what is on the card, before it is drawn."""
    if state.choice is not None:
        known = _sitting(ws, task, state.choice, state)
        state.sitting = replace(known, most=max(known.most, len(state.given)))
        state.came = state.sitting.came


def goal_in_sight(state: QueueState) -> int:
    """Return how many labels this sitting has at most, as far as the session knows."""
    if state.sitting is None:
        return FIRST_GOAL
    goal, most = state.sitting.goal, max(state.sitting.most, len(state.given))
    if not state.ended:
        return goal
    # Nothing comes after what is on the card: others may have labeled the rest, or it was skipped.
    return min(goal, most + len(state.ahead))


def draw_outlook(ws: Workspace, task: Task, state: QueueState) -> None:
    """Draw what the next minutes should bring, what the last brought, and whether order pays."""
    choice, known = state.choice, state.sitting
    if choice is None or known is None:
        return
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
        return _begin(ws, task, state, choice)
    if state.ended and not state.ahead:
        return known  # what was done stays in sight until somebody looks again
    if state.given and (known.is_over or len(state.given) >= known.goal):
        last = (replace(known, last=None), len(state.given), time.time() - known.began)
        state.given.clear()
        return _begin(ws, task, state, choice, last)
    if known.is_over or not known.goal:
        return _begin(ws, task, state, choice, known.last)
    if known.gain is Pending.WORKING:
        return replace(known, gain=_gain(ws, task, known.goal, known.level))
    return known


def _begin(
    ws: Workspace,
    task: Task,
    state: QueueState,
    choice: Choice,
    last: tuple[Sitting, int, float] | None = None,
) -> Sitting:
    left = len(state.ahead)
    if not state.ended:
        left += examples_left(
            ws, task.id, strategy=choice.strategy.value, split=choice.split.value,
            by=choice.person, without=[*state.items],
        )  # fmt: skip
    ahead = look_ahead(
        ws, task.id, is_list=choice.strategy.is_list, split=choice.split, by=choice.person,
        left=left,
    )  # fmt: skip
    wanted = ahead.goal
    now = ws.read.tasks.get(task.id)
    best = standing(ws, now).best if choice.split is Split.VALIDATION else None
    level = growth_level(ws, task.id)
    return Sitting(
        choice=choice,
        goal=wanted,
        pace=ahead.pace,
        left=ahead.left,
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
