"""What a session remembers of the queue, and how what was done on the card gets into the store.

Nothing is done "because a value is there": an entry of the card's log counts once, however often
it arrives, also when the server was started anew or the page was loaded again in between.
"""

from __future__ import annotations

import functools
import itertools
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from studio.actions.corrections import (
    Decision,
    correct_labels,
    others_since,
    redo_correction,
    undo_correction,
)
from studio.actions.marks import mark_example
from studio.analysis.queue_streams import Stream
from studio.domain.correction import Crossed, Mode, Undone
from studio.domain.mark import MarkKind
from studio.domain.task import Task
from studio.errors import InputError, StudioError
from studio.ui.desk_decisions import keep_decisions
from studio.ui.grid_changes import Change, Deed, read_changes
from studio.ui.grid_store import why_unturned
from studio.ui.queue_card import CardItem
from studio.ui.queue_sitting import Choice, Sitting
from studio.ui.session import is_theirs
from studio.workspace import Workspace

CARD = "queue_card"
_STATE = "queue_state"
_VERSION = re.compile(r"^(\d{1,15})\.(\d{1,15})\.[0-9a-f]{1,32}$")
_MOST_BLOCKS = 8
_MARKS = {Deed.FLAG: MarkKind.FLAG, Deed.NOTE: MarkKind.NOTE, Deed.SKIP: MarkKind.SKIP}
# What others said of these is asked anew of everybody, so it is not told.
_INDEPENDENT = frozenset({Stream.AUDIT, Stream.ASSIGNED})


@dataclass(slots=True)
class QueueState:
    """What a session remembers of the queue; one object, for a rerun may interrupt at any line.

    Attributes:
        choice: What the card shows; None before the first time.
        version: The card's version; it names the task and the run of what is decided on it.
        items: Every example that was put on the card.
        streams: What chose each of them.
        ahead: Those not decided yet, in their order.
        since: The latest decision in the task when an example was put on the card.
        heard: The last entry stored of each log.
        sitting: The sitting under way; None before the first.
        given: Examples decided in this sitting.
        came: What came of the sitting before, in a sentence.
        saved: Decisions stored in this session.
        crossed: What others decided otherwise meanwhile, not answered yet.
        asked: What somebody asked for, and of which example.
        front: The example to go to, with a number that grows.
        behind: The example of which is shown what stood behind it.
        revealed: Examples of which that was shown: who decides them again is not blind.
        ended: Why nothing more comes; empty while more may.
        trouble: What went wrong, in a sentence.
        refused: What could not be stored and never can be, until somebody has seen it.
    """

    choice: Choice | None = None
    version: str = ""
    items: dict[int, CardItem] = field(default_factory=dict)
    streams: dict[int, Stream] = field(default_factory=dict)
    ahead: list[int] = field(default_factory=list)
    since: dict[int, int] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    sitting: Sitting | None = None
    given: set[int] = field(default_factory=set)
    came: str = ""
    saved: int = 0
    crossed: list[Crossed] = field(default_factory=list)
    asked: tuple[str, int] | None = None
    front: tuple[int, CardItem] | None = None
    behind: int | None = None
    revealed: set[int] = field(default_factory=set)
    ended: str = ""
    trouble: str = ""
    refused: list[str] = field(default_factory=list)

    def begin(self, choice: Choice) -> None:
        """Start over with other examples or in another way; what was stored stays counted."""
        self.choice, self.ended, self.behind, self.front = choice, "", None, None
        self.version = f"{choice.task_id}.{choice.run_id or 0}.{secrets.token_hex(6)}"
        self.items, self.streams, self.ahead, self.crossed = {}, {}, [], []


def queue_state() -> QueueState:
    """Return what this session remembers."""
    kept: QueueState = st.session_state.setdefault(_STATE, QueueState())
    return kept


def take_log(ws: Workspace, state: QueueState, person: str, key: str = CARD) -> None:
    """Store what was done on the card, as far as it is new; what cannot be is tried again.

    Args:
        ws: The workspace.
        state: What this session remembers.
        person: Who decides; what another one left in the browser is not stored under this name.
        key: The component that sent it.
    """
    value = getattr(st.session_state.get(key), "log", None)
    blocks = value.get("blocks") if isinstance(value, dict) else None
    if not isinstance(blocks, list):
        return
    try:
        for block in blocks[:_MOST_BLOCKS]:
            if is_theirs(ws, person, block):
                _take_block(ws, state, person, block)
    except StudioError as error:
        state.trouble = f"Not saved yet: {error}"


def _take_block(ws: Workspace, state: QueueState, person: str, block: dict[str, Any]) -> None:
    named = _VERSION.match(str(block.get("version")))
    instance, acked = str(block.get("instance")), block.get("acked")
    if named is None:
        return
    # Of a log never heard of the browser knows what another server had heard.
    is_new = instance not in state.heard
    first = acked if isinstance(acked, int) and acked > 0 else 0
    changes = read_changes(block, {instance: state.heard.get(instance, first)})
    if not changes.new:
        return
    unsure = _sent_before(block) if is_new else frozenset()
    task_id, run_id = int(named[1]), int(named[2]) or None
    store = _Storing(ws, state, task_id, run_id, person)
    state.trouble = ""
    for is_label, group in itertools.groupby(changes.new, lambda c: c.deed is Deed.LABEL):
        part = list(group)
        try:
            if is_label:
                store.labels(part)
            else:
                for change in part:
                    store.other(change, unsure=change.seq in unsure)
        except InputError as error:  # it will never be possible, so it is not tried again
            state.refused.append(str(error))
        state.heard[instance] = part[-1].seq
    if changes.missing:
        state.trouble = f"{changes.missing} decisions did not arrive. Look at the last labels."


def _sent_before(block: dict[str, Any]) -> frozenset[int]:
    """Return the entries that another server may have stored already."""
    log = block.get("log")
    entries = [e for e in log if isinstance(e, dict)] if isinstance(log, list) else []
    return frozenset(e["seq"] for e in entries if e.get("sent") and isinstance(e.get("seq"), int))


@dataclass(frozen=True, slots=True)
class _Storing:
    """Stores entries of one log."""

    ws: Workspace
    state: QueueState
    task_id: int
    run_id: int | None
    person: str

    def labels(self, changes: list[Change]) -> None:
        """Store labels in a row, and see whether somebody decided otherwise meanwhile."""
        task = self.ws.read.tasks.get(self.task_id)
        for seen, group in itertools.groupby(
            changes, lambda c: c.example_id in self.state.revealed
        ):
            store = functools.partial(
                correct_labels, self.ws, self.task_id, run_id=self.run_id, beside_rule=seen,
                mode=Mode.QUEUE, by=self.person,
            )  # fmt: skip
            self._keep(task, list(group), store)

    def _keep(self, task: Task, changes: list[Change], store: Callable[..., int]) -> None:
        """Store what can be, and go back to an example whose decision cannot."""
        named = [(c, task.name_of(c.label_id)) for c in changes if c.label_id is not None]
        decisions = [
            Decision(example_id=c.example_id or 0, label=label, client=c.client, seconds=c.seconds)
            for c, label in named
            if label is not None
        ]
        kept = keep_decisions(
            decisions,
            lambda some: store(decisions=some),
            given_up=[c.example_id or 0 for c, label in named if label is None],
        )
        self.state.saved += kept.saved
        for decision in kept.stored:
            self._passed(decision.example_id)
            self.state.given.add(decision.example_id)
        if kept.refused:
            self.state.refused.append(kept.trouble)
            if kept.refused[0] in self.state.items:
                self.state.asked = ("front", kept.refused[0])
        self._cross([d.example_id for d in kept.stored])

    def other(self, change: Change, *, unsure: bool) -> None:
        """Store a mark, an undo or a redo; an undo that may be done already is not repeated."""
        if change.deed in _MARKS and change.example_id:
            mark_example(
                self.ws, self.task_id, change.example_id, kind=_MARKS[change.deed],
                text=change.text, present=change.on, client=change.client, by=self.person,
            )  # fmt: skip
        if change.deed in (Deed.SKIP, Deed.NEXT) and change.example_id:
            self._passed(change.example_id)
        if change.deed in (Deed.UNDO, Deed.REDO) and unsure:
            self.state.trouble = "An undo may not have arrived. Look at your last label."
        elif change.deed is Deed.UNDO:
            self._turned(change, undo_correction(self.ws, self.task_id, by=self.person))
        elif change.deed is Deed.REDO:
            self._turned(change, redo_correction(self.ws, self.task_id, by=self.person))

    def _passed(self, example_id: int) -> None:
        if example_id in self.state.ahead:
            self.state.ahead.remove(example_id)

    def _turned(self, change: Change, done: Undone | None) -> None:
        """Keep count, and go to the example where it is another than the browser went to."""
        if done is None:
            self.state.trouble = why_unturned(self.ws, self.task_id, change.deed, self.person)
            return
        for example_id in done.example_ids if done.kind == "label" else ():
            if change.deed is Deed.UNDO:
                self.state.given.discard(example_id)
            else:
                self.state.given.add(example_id)
        if change.example_id not in done.example_ids:
            self.state.asked = ("front", done.example_ids[0])

    def _cross(self, ids: list[int]) -> None:
        known = [i for i in ids if self.state.streams.get(i) not in _INDEPENDENT]
        known = [i for i in known if i in self.state.since]
        if not known:
            return
        since = min(self.state.since[i] for i in known)
        found = others_since(self.ws, self.task_id, known, since=since, by=self.person)
        again = {crossed.example_id for crossed in found}
        self.state.crossed = [c for c in self.state.crossed if c.example_id not in again] + found
