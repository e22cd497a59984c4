"""What rules might code a rationale: drafted, measured, and accepted one by one or not at all."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import streamlit as st

from studio.actions.drafts import keep_draft, kept_draft
from studio.actions.rule_drafts import DraftedRule, draft_rules
from studio.actions.rules import Board
from studio.domain.coded_rationale import RuleBody
from studio.domain.rationale import Rationale
from studio.domain.task import Task
from studio.ui.colours import label_colours
from studio.ui.figures import count
from studio.ui.rationale_entry import show_source
from studio.ui.rationale_place import close_drafts, open_rules
from studio.ui.rationale_text import label_chip, plain
from studio.ui.rule_boards import task_board
from studio.ui.rule_drafts_asking import offer_asking
from studio.ui.rule_drafts_card import Card, draw_card
from studio.ui.rule_form import open_new
from studio.workspace import Workspace

_DESKS = "rationales_draft_desks"


@dataclass(slots=True)
class DraftDesk:
    """The drafts of one rationale as they were made; they stay while examples are labeled.

    Attributes:
        cards: Each draft and what became of it.
    """

    cards: list[Card] = field(default_factory=list)


def show_drafts(ws: Workspace, task: Task, person: str, rationale: Rationale) -> None:
    """Show up to six rules that might code a rationale, each with what it would do."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "All rationales",
            icon=":material/arrow_back:",
            type="tertiary",
            key="rationales_drafts_close",
            on_click=close_drafts,
        )
        st.markdown("**Make rules of a rationale**", width="content")
    left, right = st.columns([5, 6], gap="medium")
    with left:
        name = task.name_of(rationale.label_id) or "?"
        st.markdown(label_chip(name, label_colours(task)[name]))
        st.text(rationale.text)
    with right:
        show_source(ws, task, rationale)
    with st.spinner("Drafting rules and trying each …", show_time=True):
        desk = _desk(ws, task, person, rationale)
    _accepted(desk)
    shown = [card for card in desk.cards if not card.dropped]
    if any(not card.accepted for card in shown):
        st.caption(f"{_tried_on(task_board(ws, task))} None counts before you accept it.")
    if not shown:
        _nothing(ws, task, person, rationale, desk)
    for card in shown:
        keep = functools.partial(_keep_dropped, ws, task.id, person, rationale.id)
        draw_card(ws, task.id, person, rationale, card, keep)
    with st.container(horizontal=True, vertical_alignment="center"):
        if dropped := [card for card in desk.cards if card.dropped]:
            st.button(
                f"Bring back {count(len(dropped), 'dropped draft')}",
                key="rationales_drafts_back",
                type="tertiary",
                icon=":material/undo:",
                on_click=_bring_back,
                args=(ws, task.id, person, rationale.id),
            )
        st.button(
            "Draft anew",
            key="rationales_drafts_anew",
            type="tertiary",
            icon=":material/refresh:",
            on_click=_forget_drafts,
            args=(task.id, rationale.id),
            help="Drafts stay as they are while you label. With more gold others may be found.",
        )
    offer_asking(ws, task, person, rationale, _forget_drafts)


def _tried_on(board: Board) -> str:
    some, of = len(board.corpus.ids), board.of
    if some < of:
        return (
            f"Each was tried on {some:,} of the {of:,} examples of train and validation, drawn "
            "by chance, and on all that have blind gold; never on test."
        )
    return "Each was tried on train and validation, never test."


def _forget_drafts(task_id: int, rationale_id: int) -> None:
    """Have the drafts of a rationale made anew, because more may be known now."""
    st.session_state.get(_DESKS, {}).pop((task_id, rationale_id), None)


def _desk(ws: Workspace, task: Task, person: str, rationale: Rationale) -> DraftDesk:
    desks: dict[tuple[int, int], DraftDesk] = st.session_state.setdefault(_DESKS, {})
    place = (task.id, rationale.id)
    if place not in desks:
        dropped = set(kept_draft(ws, task.id, _dropped_key(rationale.id), by=person))
        found = draft_rules(ws, task.id, rationale.id, task_board(ws, task))
        desks[place] = DraftDesk([_card(drafted, dropped) for drafted in found])
    return desks[place]


def _card(drafted: DraftedRule, dropped: set[str]) -> Card:
    return Card(body=drafted.body, why=drafted.why, dropped=_votes(drafted.body) in dropped)


def _accepted(desk: DraftDesk) -> None:
    names = [card.accepted for card in desk.cards if card.accepted]
    if not names:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="rationales_accepted"):
        said = ", ".join(plain(name) for name in names)
        st.markdown(f":green[:material/check:] Accepted: **{said}**", width="content")
        st.button(
            "Go to the rules",
            key="rationales_drafts_rules",
            icon=":material/arrow_forward:",
            type="primary",
            on_click=open_rules,
            help="Where rules are put in order and label everything.",
        )


def _nothing(ws: Workspace, task: Task, person: str, rationale: Rationale, desk: DraftDesk) -> None:
    if desk.cards:
        st.info("Every draft was dropped.")
    else:
        st.info(
            "No rule could be drafted: what the rationale says or points at stands in no other "
            "example, or the rules there are say it already. Mark words in an example and say "
            "what in them decides, or write a rule by hand."
        )
    st.button(
        "Code it by hand",
        key="rationales_drafts_hand",
        on_click=_by_hand,
        args=(ws, task, person, rationale),
    )


def _by_hand(ws: Workspace, task: Task, person: str, rationale: Rationale) -> None:
    open_rules()
    open_new(ws, task, person, rationale)


def _bring_back(ws: Workspace, task_id: int, person: str, rationale_id: int) -> None:
    for card in st.session_state[_DESKS][(task_id, rationale_id)].cards:
        card.dropped = False
    _keep_dropped(ws, task_id, person, rationale_id)


def _keep_dropped(ws: Workspace, task_id: int, person: str, rationale_id: int) -> None:
    desk: DraftDesk = st.session_state[_DESKS][(task_id, rationale_id)]
    dropped = {_votes(card.body): True for card in desk.cards if card.dropped}
    keep_draft(ws, task_id, _dropped_key(rationale_id), dropped, by=person)


def _votes(body: RuleBody) -> str:
    return f"{body.hash} {'not ' if body.against else ''}{body.label}"


def _dropped_key(rationale_id: int) -> str:
    return f"dropped rules {rationale_id}"
