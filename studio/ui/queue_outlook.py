"""What stands below the card: what the next ten minutes should bring, what came, and the order."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from studio.actions.queue import next_examples
from studio.actions.queue_outlook import gain_ahead, labels_ahead
from studio.analysis.queue_forecast import MINUTES
from studio.domain.example import Split
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.figures import metric_name
from studio.ui.queue_feed import evidence, growth_level, kept
from studio.ui.queue_sitting import FIRST_GOAL, Choice, Sitting
from studio.ui.queue_state import QueueState
from studio.ui.standing import standing
from studio.workspace import Workspace

_keep: Callable[..., Any] = st.cache_resource(max_entries=16, ttl=3600, show_spinner=False)


def draw_outlook(ws: Workspace, task: Task, state: QueueState) -> None:
    """Draw what the next minutes should bring, what the last brought, and whether order pays."""
    choice, known = state.choice, state.sitting
    if choice is None:
        return
    if known is None or known.choice != choice:
        known = _begin(ws, task, choice)
        state.sit_down(known)
    elif len(state.given) >= known.goal:
        new = _begin(ws, task, choice)
        state.sit_down(new, known.came(len(state.given), time.time() - known.began, new))
        known = new
    with st.container(key="queue_outlook", gap="xsmall"):
        if state.came:
            st.caption(f":material/done_all: {state.came}")
        st.caption(known.expected)
        if choice.split is Split.TRAIN and not choice.strategy.is_list:
            st.caption(evidence(ws, task).words)


def _begin(ws: Workspace, task: Task, choice: Choice) -> Sitting:
    pace = labels_ahead(ws, task.id, by=choice.person, minutes=MINUTES)
    wanted = FIRST_GOAL if math.isnan(pace.value) else max(5, round(pace.value))
    level = growth_level(ws, task.id)
    now = ws.read.tasks.get(task.id)
    best = standing(ws, now).best if choice.split is Split.VALIDATION else None
    teaches = choice.split is Split.TRAIN and not choice.strategy.is_list
    return Sitting(
        choice=choice,
        goal=wanted,
        pace=pace,
        measured=(metric_name(best.metric), best.figure) if best else None,
        gain=_gain(str(ws.path), task.id, level, wanted, ws) if teaches else None,
        checks=_checks(ws, task, choice, wanted) if teaches else 0,
        began=time.time(),
    )


def _checks(ws: Workspace, task: Task, choice: Choice, wanted: int) -> int:
    """Return how many rules the next labels would give all their checks."""
    try:
        found = next_examples(
            ws, task.id, strategy=choice.strategy.value, limit=min(wanted, 200),
            by=choice.person, kept=kept(ws, task, choice),
        )  # fmt: skip
    except InputError:
        return 0
    return sum(pick.completes for _, pick in found.items)


@_keep
def _gain(path: str, task_id: int, level: int, more: int, _ws: Workspace) -> Any:
    return gain_ahead(_ws, task_id, more)
