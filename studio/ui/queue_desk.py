"""The Label page one by one: an example a screen, the next ones at hand, and what they bring."""

from __future__ import annotations

import functools
from dataclasses import replace

import streamlit as st

from studio.actions.corrections import Decision, correct_labels
from studio.actions.marks import mark_example
from studio.actions.queue_outlook import what_stood_behind
from studio.domain.correction import Crossed, Mode
from studio.domain.mark import MarkKind
from studio.ui.desk_decisions import draw_refused
from studio.ui.guard import kindly
from studio.ui.label_why import why_dialog
from studio.ui.page import Page
from studio.ui.queue_card import CardState, load_card, queue_card
from studio.ui.queue_choice import choose_queue, show_keys
from studio.ui.queue_feed import feed, freshen, put_in_front
from studio.ui.queue_outlook import draw_outlook, goal_in_sight, keep_sitting
from studio.ui.queue_state import CARD, QueueState, queue_state, take_log
from studio.ui.rationale_text import plain, shortened
from studio.ui.session import who
from studio.workspace import Workspace

_ANSWERS = {"keep": "Keep mine", "take": "Take theirs", "flag": "Flag it"}


def draw_queue(page: Page) -> None:
    """Draw the queue of a task that has examples, and store what is done on its card."""
    state = queue_state()
    take_log(page.ws, state, page.person)
    with st.container(gap=None):  # the code takes no room
        load_card()
        with st.container():
            choice = choose_queue(page.ws, page.task, page.person)
    if state.choice != choice:
        state.begin(choice)
    freshen(page.ws, page.task, state)
    _draw_desk(page)


@st.fragment
def _draw_desk(page: Page) -> None:
    ws, task, state = page.ws, page.task, queue_state()
    if state.choice is None:
        return
    take_log(ws, state, page.person)
    if state.asked and state.asked[0] == "front":
        put_in_front(ws, task, state, state.asked[1])
        state.asked = None
    with kindly():
        feed(ws, task, state)
    keep_sitting(ws, task, state)
    if state.trouble:
        st.error(plain(state.trouble), icon=":material/error:")
    draw_refused(state.refused)
    _draw_card(page, state)
    _draw_crossed(page, state)
    _draw_below(page, state)
    if state.ahead or not state.ended:
        draw_outlook(ws, task, state)
    elif state.came:
        st.caption(f":material/done_all: {state.came}")
    _answer(page, state)


def _draw_card(page: Page, state: QueueState) -> None:
    choice, run = state.choice, None
    assert choice is not None, "the desk is drawn after a choice only"
    if choice.run_id is not None:
        run = page.ws.read.runs.get(choice.run_id)
    queue_card(
        page.task,
        [state.items[i] for i in state.ahead],
        CardState(
            version=state.version,
            who=who(page.ws, page.person),
            heard=state.heard,
            done=len(state.given),
            goal=goal_in_sight(state),
            assisted=run.title if run else "",
            ended=state.ended,
            front=state.front,
        ),
        key=CARD,
        on={
            "log": functools.partial(take_log, page.ws, state, page.person),
            **{
                name: functools.partial(_asked, state, name)
                for name in ("why", "behind", "help", "crossed")
            },
        },
    )


def _asked(state: QueueState, name: str) -> None:
    """Remember what was asked for; a browser can send anything."""
    said = getattr(st.session_state.get(CARD), name, None)
    if name == "help":
        state.asked = (name, 0)
    elif name == "crossed" and said in ("keep", "take"):
        state.asked = (str(said), 0)
    elif isinstance(said, int) and said in state.items:
        state.asked = (name, said)


def _answer(page: Page, state: QueueState) -> None:
    """Open the dialog that was asked for."""
    asked, state.asked = state.asked, None
    if asked is None:
        return
    if asked[0] == "why":
        why_dialog(page, asked[1])
    elif asked[0] == "help":
        _keys_dialog()


@st.dialog("Keys", width="medium")
def _keys_dialog() -> None:
    show_keys()


def _draw_crossed(page: Page, state: QueueState) -> None:
    """Say of each example what somebody else decided meanwhile; the person chooses."""
    if state.crossed and state.asked and state.asked[0] in ("keep", "take"):
        _settle(page.ws, page.task.id, page.person, state, state.crossed[0], state.asked[0])
    for one in state.crossed[:1]:
        item = state.items.get(one.example_id)
        text = f"“{plain(shortened(item.text, 60))}”" if item else "this one"
        with st.container(border=True, gap="xsmall", key="queue_crossed"):
            st.markdown(
                f"**{plain(one.person)}** gave **{plain(one.label)}** to {text} while you looked; "
                f"you gave **{plain(one.own)}**."
            )
            with st.container(horizontal=True, gap="small"):
                for name, words in _ANSWERS.items():
                    st.button(
                        words, key=f"queue_crossed_{name}", type="tertiary", on_click=_settle,
                        args=(page.ws, page.task.id, page.person, state, one, name),
                    )  # fmt: skip


def _settle(
    ws: Workspace, task_id: int, person: str, state: QueueState, one: Crossed, name: str
) -> None:
    state.crossed = [c for c in state.crossed if c is not one]
    with kindly():
        if name == "take":
            # Whoever takes a label over has seen it, so it is not blind.
            decision = Decision(example_id=one.example_id, label=one.label)
            correct_labels(ws, task_id, [decision], beside_rule=True, mode=Mode.QUEUE, by=person)
        elif name == "flag":
            mark_example(ws, task_id, one.example_id, kind=MarkKind.FLAG, by=person)


def _draw_below(page: Page, state: QueueState) -> None:
    """Draw what stood behind a decision, where that was asked for, and the way to start over."""
    if state.asked and state.asked[0] == "behind":
        state.behind = state.asked[1]
    if state.behind is not None:
        item = state.items[state.behind]
        with st.container(border=True, key="queue_behind"):
            st.markdown(f"**Behind** “{plain(shortened(item.text, 80))}”")
            told = what_stood_behind(page.ws, page.task.id, item.id)
            for line in told:
                st.markdown(f"- {plain(line)}")
            if told:
                state.revealed.add(item.id)
                st.caption("If you decide this one again, it counts as assisted.")
            else:
                st.caption("No run and no rule is told of it. Test stays blind, also afterwards.")
    if state.ended and not state.ahead:
        st.button(
            "Look again", key="queue_again", icon=":material/refresh:", on_click=_again,
            args=(state,), help="What you skipped comes back, and what is new",
        )  # fmt: skip


def _again(state: QueueState) -> None:
    if state.sitting is not None:
        state.sitting = replace(state.sitting, is_over=True)
    if state.choice is not None:
        state.begin(state.choice)
