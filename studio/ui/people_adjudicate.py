"""Where one person settles what others differ on, by keys; their words are hidden until then."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from studio.actions.adjudication import Case, dispute_cases, find_disputes, settle_dispute
from studio.actions.corrections import others_since, undo_correction
from studio.domain.task import Task
from studio.errors import StudioError
from studio.ui.desk_decisions import GIVEN_UP
from studio.ui.empty import empty_state
from studio.ui.example_keys import ExampleRow, example_keys
from studio.ui.figures import count, percent
from studio.ui.grid_changes import Change, Deed, read_changes
from studio.ui.grid_store import why_unturned
from studio.ui.guidelines_view import guideline_dialog, guidelines_popover
from studio.ui.people_agreement import JOINING
from studio.ui.rationale_text import plain
from studio.ui.session import is_theirs, who
from studio.workspace import Workspace

PAGE = 50
_KEY = "people_disputes"
_AFTER, _BEFORE = "After I decide", "Before I decide"
_FACTS = 4


@dataclass(slots=True)
class DisputeDesk:
    """What a session remembers of the list; one object, for a rerun may interrupt at any line.

    Attributes:
        shown: The task, the person, the page and how it is shown.
        ids: All disputes that were open when the list was opened.
        was_settled: How many had been settled by then.
        since: The task's last decision by then; later ones of others are told.
        told: What somebody else decided meanwhile of the example settled last.
        cases: Those of the page in sight.
        rows: The same as they are drawn.
        version: Changes when they are drawn anew.
        given: Example id to the labels given here, the last one counting.
        applied: Number of the last entry applied, by instance.
        page: 0-based page.
        noting: The example about which a guideline note is to be written.
        asked: The example of which everything known is to be shown.
        trouble: What went wrong, in a sentence.
    """

    shown: tuple[Any, ...] = ()
    ids: tuple[int, ...] = ()
    was_settled: int = 0
    since: int = 0
    told: str = ""
    cases: dict[int, Case] = field(default_factory=dict)
    rows: tuple[ExampleRow, ...] = ()
    version: str = ""
    given: dict[int, list[int]] = field(default_factory=dict)
    applied: dict[str, int] = field(default_factory=dict)
    page: int = 0
    noting: int | None = None
    asked: int | None = None
    trouble: str = ""

    def last(self, example_id: int) -> int | None:
        """Return the label given here that counts, if any."""
        labels = self.given.get(example_id)
        return labels[-1] if labels else None


@st.fragment
def draw_adjudication(ws: Workspace, task: Task, person: str) -> None:
    """Draw the disputes, the least settled first; a key settles one and goes on to the next."""
    desk = _desk()
    take = functools.partial(_take, ws, task, person)
    take()
    with st.container(horizontal=True, vertical_alignment="bottom", key="people_dispute_bar"):
        when = st.segmented_control(
            "Show what people said", [_AFTER, _BEFORE], default=_AFTER, required=True,
            key="people_when", help="To see it before may lead you.",
        )  # fmt: skip
        names = st.toggle("Their names", key="people_names", help="Hidden, so that cases count.")
        guidelines_popover(ws, task)
    wanted = (task.id, person, desk.page, when == _BEFORE, names)
    if desk.shown != wanted:
        if desk.shown[:2] != wanted[:2]:
            _reopen(ws, task, desk)
        _read(ws, task, desk, before=when == _BEFORE, names=names)
        desk.shown = (task.id, person, desk.page, when == _BEFORE, names)
        take()
    if desk.trouble:
        st.error(plain(desk.trouble))
    if desk.told:
        st.warning(plain(desk.told), icon=":material/group:")
    if not desk.ids:
        _nothing(desk)
        return
    here = sum(bool(labels) for labels in desk.given.values())
    st.caption(
        f"{count(len(desk.ids) - here, 'dispute')} open, {desk.was_settled + here:,} settled. What "
        "you decide is the gold label from then on; people keep the labels they gave. E shows who "
        "said what and which label is likely, W writes a guideline note."
    )
    example_keys(
        task, desk.rows, key=_KEY, label="Examples on which people differ",
        who=who(ws, person), version=desk.version,
        on_log=take, on_why=functools.partial(_mark, "noting", "why"),
        on_explain=functools.partial(_mark, "asked", "explain"),
    )  # fmt: skip
    _turn(desk)
    _dialogs(ws, task, person, desk)


def _nothing(desk: DisputeDesk) -> None:
    if desk.was_settled:
        st.success(f"Nothing is left to settle: {count(desk.was_settled, 'dispute')} settled.")
        return
    empty_state("There is nothing to settle: people differ on no example.", JOINING)


def _take(ws: Workspace, task: Task, person: str) -> None:
    """Store what was done, as far as it is new; what cannot be stored is tried again."""
    desk = _desk()
    if not desk.version:
        return
    value = getattr(st.session_state.get(_KEY), "log", None)
    if not is_theirs(ws, person, value):
        return
    changes = read_changes(value, desk.applied)
    try:
        for change in changes.new:
            if change.deed is Deed.LABEL:
                _settle(ws, task, person, desk, change)
            elif change.deed is Deed.UNDO:
                _undo(ws, task, person, desk, change)
            desk.applied[changes.instance] = change.seq
        desk.trouble = ""
        if changes.missing:
            desk.trouble = f"{changes.missing} decisions did not arrive. Look at the last ones."
    except StudioError as error:
        desk.trouble = f"Not saved yet: {error}"


def _settle(ws: Workspace, task: Task, person: str, desk: DisputeDesk, change: Change) -> None:
    name = task.name_of(change.label_id)
    if change.label_id is None or change.example_id not in desk.ids:
        return
    if name is None:
        st.toast(GIVEN_UP)
        return
    is_new = settle_dispute(
        ws, task.id, change.example_id, label=name, client=change.client,
        seconds=change.seconds, by=person,
    )  # fmt: skip
    if is_new:
        desk.given.setdefault(change.example_id, []).append(change.label_id)
        crossed = others_since(ws, task.id, [change.example_id], since=desk.since, by=person)
        desk.told = " ".join(
            f"{one.person} gave “{one.label}” to the one you settled last while this list stood "
            f"open; your “{one.own}” counts now."
            for one in crossed
        )


def _undo(ws: Workspace, task: Task, person: str, desk: DisputeDesk, change: Change) -> None:
    if change.example_id is None or not desk.given.get(change.example_id):
        return
    undone = undo_correction(ws, task.id, by=person)
    if undone is None:
        st.toast(plain(why_unturned(ws, task.id, Deed.UNDO, person)))
        return
    desk.given[change.example_id].pop()
    desk.told = ""
    if change.example_id not in undone.example_ids:
        st.toast("Your latest decision was on another example; that one was taken back.")


def _desk() -> DisputeDesk:
    kept: DisputeDesk = st.session_state.setdefault(f"{_KEY}_desk", DisputeDesk())
    return kept


def _mark(what: str, sent: str) -> None:
    """Remember which example somebody asked about; a browser can send anything."""
    desk, asked = _desk(), getattr(st.session_state[_KEY], sent)
    if isinstance(asked, int) and asked in desk.cases:
        setattr(desk, what, asked)


def _reopen(ws: Workspace, task: Task, desk: DisputeDesk) -> None:
    desk.since, desk.told = ws.read.labels.last_event(task.id), ""
    found = find_disputes(ws, task.id)
    desk.ids, desk.was_settled, desk.page, desk.given = found.open, found.settled, 0, {}


def _read(ws: Workspace, task: Task, desk: DisputeDesk, *, before: bool, names: bool) -> None:
    here = desk.ids[desk.page * PAGE :][:PAGE]
    found = dispute_cases(ws, task.id, here)
    desk.cases = {case.example.id: case for case in found}
    desk.rows = tuple(_row(case, desk, before=before, names=names) for case in found)
    drawn = [(r.id, r.warning, r.after) for r in desk.rows]
    desk.version = hashlib.sha256(repr((desk.version, drawn)).encode()).hexdigest()[:16]


def _row(case: Case, desk: DisputeDesk, *, before: bool, names: bool) -> ExampleRow:
    example, told = case.example, case.told(names=names)
    facts = [f"{name}: {value}" for name, value in list(example.metadata.items())[:_FACTS]]
    return ExampleRow(
        id=example.id, text=example.text, given=desk.last(example.id),
        facts=" · ".join([example.external_id, *facts]), warning=told if before else "",
        after="" if before else f"People said {told}",
    )  # fmt: skip


def _turn(desk: DisputeDesk) -> None:
    pages = -(-len(desk.ids) // PAGE)
    with st.container(horizontal=True, vertical_alignment="center"):
        for words, step in (("Previous", -1), ("Next", 1)) if pages > 1 else ():
            st.button(
                words, key=f"{_KEY}_{words}", type="tertiary",
                disabled=not 0 <= desk.page + step < pages, on_click=_go, args=(step,),
            )  # fmt: skip
        st.button(
            "Renew the list", key=f"{_KEY}_renew", type="tertiary", icon=":material/refresh:",
            help="It stays as it was opened while you work; this leaves out what is settled and "
            "adds what came since.",
            on_click=_renew,
        )  # fmt: skip


def _go(step: int) -> None:
    _desk().page += step


def _renew() -> None:
    _desk().shown = ()


def _dialogs(ws: Workspace, task: Task, person: str, desk: DisputeDesk) -> None:
    """Open what was asked for, once."""
    noting, desk.noting = desk.noting, None
    asked, desk.asked = desk.asked, None
    if noting is not None:
        given = task.name_of(desk.last(noting))
        others = [name for name in desk.cases[noting].said if name != given]
        guideline_dialog(
            ws, task, person, example_id=noting, text=desk.cases[noting].example.text,
            label=given, other=others[0] if given and others else None,
        )  # fmt: skip
    elif asked is not None:
        _explain(desk.cases[asked])


@st.dialog("What is known of it", width="medium")
def _explain(case: Case) -> None:
    with st.container(border=True, height=180 if len(case.example.text) > 500 else "content"):
        st.text(case.example.text)
    for label, people in case.said.items():
        st.markdown(f"**{plain(label)}**: {plain(_listed(people))}")
    if case.likely is None or case.chance is None:
        st.caption("Which label is likely is told from three people on: two cannot tell.")
        return
    st.markdown(f"Likely **{plain(case.likely)}**, {percent(case.chance, digits=0)}")
    st.caption(
        "Likely is what people's labels together suggest, those counting more who agree with "
        "others more often (Dawid-Skene). It has not read the example; you have."
    )


def _listed(who: Sequence[str]) -> str:
    return ", ".join(who)
