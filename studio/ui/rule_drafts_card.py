"""One drafted rule: what it says, what it would do, and the choice to accept, edit or drop it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from studio.actions.rule_drafts import ENOUGH, DraftedRule, accept_draft, doubt_about, measure_draft
from studio.actions.rules import Board, RulePreview, print_rule
from studio.domain.coded_rationale import RuleBody, describe
from studio.domain.rationale import Rationale
from studio.domain.task import Task
from studio.errors import StudioError
from studio.ui.figures import figure_text, percent
from studio.ui.notes import note
from studio.ui.rationale_place import is_drafting, open_rules
from studio.ui.rationale_text import plain
from studio.ui.rule_blind import SIZE, offer_blind_check
from studio.ui.rule_boards import task_board
from studio.ui.rule_examples import ExampleList, label_list
from studio.ui.rule_form import open_drafted
from studio.ui.rule_preview import said_beside
from studio.workspace import Workspace


@dataclass(slots=True)
class Card:
    """A draft and what became of it.

    Attributes:
        body: The rule.
        why: Where it comes from.
        dropped: Whether it was left out.
        accepted: The name of the rule it became; empty before.
        trouble: Why it could not be accepted.
        whole: Whether all of the page is to be drawn anew, not this card alone.
    """

    body: RuleBody
    why: str
    dropped: bool = False
    accepted: str = ""
    trouble: str = ""
    whole: bool = False


@st.fragment
def draw_card(
    ws: Workspace,
    task_id: int,
    person: str,
    rationale: Rationale,
    card: Card,
    drop: Callable[[], None],
) -> None:
    """Draw a draft; only this card is drawn anew while its examples are labeled.

    Args:
        ws: The workspace.
        task_id: The task.
        person: Who looks.
        rationale: What it codes.
        card: The draft.
        drop: Leaves it out from now on.
    """
    if card.whole or not is_drafting(rationale.id):
        card.whole = False
        st.rerun()
    key = f"rationales_draft_{card.body.name}"
    with st.container(border=True, key=f"{key}_card"):
        if card.accepted:
            st.markdown(f":green[:material/check:] Accepted: {plain(describe(card.body))}")
            return
        task = ws.read.tasks.get(task_id)  # as it is now: labels given here change the figures
        board = task_board(ws, task)
        drafted = _measured(str(ws.path), task_id, task.revision, print_rule(card.body), ws, card)
        st.markdown(f"**{plain(describe(card.body))}**")
        st.caption(f"From {plain(card.why)}" if card.why else "Written by hand")
        doubt = _doubt(board, drafted)
        _figures(drafted, doubt)
        with st.container(horizontal=True, vertical_alignment="center"):
            _accept_button(ws, task, person, rationale, card, drafted, doubt, key)
            _other_buttons(ws, task, person, rationale, card, drop, key)
            offer_blind_check(ws, task, person, board, card.body, drafted.preview.fires_on, key=key)
        if card.trouble:
            st.error(plain(card.trouble))
            card.trouble = ""
        _examples(ws, task, person, board, card.body, drafted.preview, key)


def _figures(drafted: DraftedRule, doubt: str) -> None:
    """Draw what the rule would do, and say what cannot be known of that yet."""
    score = drafted.preview.score
    parts = [
        (f"right **{figure_text(score.accuracy)}**" if score.accuracy.n else "right: unknown",
         "How often it is right on blind gold of train and validation, never test. "
         + note("interval")),
        (f"on validation {figure_text(drafted.fresh, digits=2)}" if drafted.fresh.n else "",
         "The same on validation alone, of which no word was picked: the more honest figure."),
        (f"fires on **{score.fires:,}** ({percent(score.coverage)})",
         "Examples of train and validation it has something to say on."),
        (f"newly decides **{len(drafted.preview.newly_decided):,}**",
         "Examples the other rules leave open."),
        (f"wins **{len(drafted.preview.won):,}**, loses **{len(drafted.preview.lost):,}**",
         "Examples with blind gold that all rules together, by your order, get right only with it; "
         f"only without it. {len(drafted.preview.misled):,} that have no label get a wrong one."),
        (f"overlap {percent(score.overlap)}, conflict {percent(score.conflict)}",
         "Share of examples on which another rule speaks too; on which one contradicts it."),
    ]  # fmt: skip
    with st.container(horizontal=True, gap="small"):
        for said, help_ in parts:
            if said:
                st.markdown(said, width="content", help=help_)
    if doubt:
        st.markdown(f":orange[:material/info: {plain(doubt)}]")


def _doubt(board: Board, drafted: DraftedRule) -> str:
    """Return what speaks against trusting the figures, and what to do about it."""
    said, n = doubt_about(board, drafted), drafted.preview.score.accuracy.n
    if n >= ENOUGH:
        return said
    return f"{said} Check {SIZE} blind" + (", or accept it untested." if not n else ".")


def _accept_button(
    ws: Workspace,
    task: Task,
    person: str,
    rationale: Rationale,
    card: Card,
    drafted: DraftedRule,
    doubt: str,
    key: str,
) -> None:
    unknown = drafted.preview.score.accuracy.n < ENOUGH
    st.button(
        "Accept untested" if unknown else "Accept",
        key=f"{key}_accept",
        type="secondary" if doubt else "primary",
        icon=":material/check:",
        on_click=_accept,
        args=(ws, task.id, person, rationale.id, card, drafted.seen),
        help="It becomes a rule and votes from now on.",
    )


def _other_buttons(
    ws: Workspace,
    task: Task,
    person: str,
    rationale: Rationale,
    card: Card,
    drop: Callable[[], None],
    key: str,
) -> None:
    st.button(
        "Edit",
        key=f"{key}_edit",
        icon=":material/edit:",
        on_click=_edit,
        args=(ws, task, person, rationale.id, card),
        help="Change it in the rule editor; it is a rule once you save it there.",
    )
    st.button(
        "Drop",
        key=f"{key}_drop",
        type="tertiary",
        icon=":material/close:",
        on_click=_drop,
        args=(card, drop),
    )


def _examples(
    ws: Workspace,
    task: Task,
    person: str,
    board: Board,
    body: RuleBody,
    preview: RulePreview,
    key: str,
) -> None:
    """Offer the examples behind the figures; none is opened before somebody asks."""
    lists = {
        "Wrong": preview.wrong,
        "Won": preview.won,
        "Lost": preview.lost,
        "Conflicts": preview.conflicting,
        "Newly decided": preview.newly_decided,
        "Fires on": preview.fires_on,
    }
    chosen = st.segmented_control(
        "Its examples", list(lists), key=f"{key}_list", label_visibility="collapsed",
        format_func=lambda name: f"{name} {len(lists[name]):,}",
    )  # fmt: skip
    if chosen in lists:
        examples = ExampleList(name=chosen, ids=lists[chosen])
        beside = functools.partial(said_beside, board, body.name)
        label_list(ws, task, person, examples, key=f"{key}_examples", body=body, beside=beside)


def _accept(
    ws: Workspace, task_id: int, person: str, rationale_id: int, card: Card, seen: str
) -> None:
    """Accept a draft on the figures that were on the screen; a callback."""
    board = task_board(ws, ws.read.tasks.get(task_id))
    try:
        rule = accept_draft(
            ws, task_id, card.body, rationale_id=rationale_id, seen=seen, by=person, board=board
        )
    except StudioError as error:
        card.trouble = str(error)
        return
    card.accepted, card.whole = rule.body.name, True


def _edit(ws: Workspace, task: Task, person: str, rationale_id: int, card: Card) -> None:
    card.whole = True
    open_rules()
    open_drafted(ws, task, person, card.body, rationale_id)


def _drop(card: Card, drop: Callable[[], None]) -> None:
    card.dropped = card.whole = True
    drop()


@st.cache_resource(max_entries=24, ttl=3600, show_spinner=False)
def _measured(
    path: str, task_id: int, revision: int, rule: str, _ws: Workspace, _card: Card
) -> DraftedRule:
    board = task_board(_ws, _ws.read.tasks.get(task_id))
    return measure_draft(_ws, board, _card.body, why=_card.why)
