"""What was done in the labeling grid, kept in the store: once, in order, whole deeds together.

The browser keeps a numbered log of everything done; `take_changes` applies what is new of it, in
the body of the script.
"""

from __future__ import annotations

import functools
import itertools
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
from studio.domain.correction import Crossed, Mode, Undone
from studio.domain.mark import MarkKind
from studio.domain.task import Task
from studio.errors import InputError, StudioError
from studio.store.examples import GridFilter
from studio.ui.desk_decisions import keep_decisions
from studio.ui.grid_changes import Change, Changes, Deed, read_before, read_changes
from studio.ui.grid_state import GridState, Mount, applied
from studio.ui.rationale_text import plain
from studio.ui.session import is_theirs
from studio.workspace import Workspace

_MARKS = {Deed.FLAG: MarkKind.FLAG, Deed.NOTE: MarkKind.NOTE, Deed.SKIP: MarkKind.SKIP}
_MOST_LEFT = 8
_TURNS = {Deed.UNDO: undo_correction, Deed.REDO: redo_correction}
_ELSEWHERE = (
    "What this page showed before belongs to another workspace or person, or to before a backup "
    "was restored; nothing of it was stored here."
)
_NOTHING = {
    Deed.UNDO: "Nothing is left to undo.",
    Deed.REDO: "Nothing is left to redo, or something was decided since.",
}


def take_changes(ws: Workspace, state: GridState) -> None:
    """Store what was done in the grid drawn last, as far as it is new."""
    if state.mount is not None:
        _apply(ws, state, state.mount, st.session_state.get(state.mount.key))


def take_missed(ws: Workspace, state: GridState, mount: Mount, value: Any) -> None:
    """Store what the server missed while it was started anew behind an open page.

    Undos are not repeated, since nobody knows which of them were done.
    """
    if is_theirs(ws, mount.person, value):
        _apply(ws, state, mount, value, repeat=False)
    elif isinstance(value, dict) and value.get("log"):
        state.refused.append(_ELSEWHERE)
    state.draw_anew()


def take_left(ws: Workspace, state: GridState, person: str, blocks: Any) -> None:
    """Store what grids wrote down whose page was left before it could be sent.

    Args:
        ws: The workspace.
        state: What this session remembers.
        person: Who looks; what another person left in this browser waits for them.
        blocks: The logs as the browser kept them; untrusted.
    """
    tasks = {task.id for task in ws.read.tasks.all()} if blocks else set()
    for block in reversed(blocks[:_MOST_LEFT] if isinstance(blocks, list) else []):
        task_id = block.get("task") if isinstance(block, dict) else None
        if isinstance(task_id, int) and task_id in tasks:
            mount = Mount(key="", task_id=task_id, run_id=None, person=person)
            _apply(ws, state, mount, {"who": block.get("who"), "before": [block]})


def turn_back(
    ws: Workspace, task: Task, person: str, state: GridState, deed: Deed = Deed.UNDO
) -> None:
    """Undo the person's latest deed, or redo it, and draw the grid anew, looking at it."""
    turned = _TURNS[deed](ws, task.id, by=person)
    if turned is None:
        st.toast(plain(why_unturned(ws, task.id, deed, person)))
    else:
        state.turned = (_words(deed, turned), state.saved)
    state.draw_anew(turned.example_ids[0] if turned else None)


def why_unturned(ws: Workspace, task_id: int, deed: Deed, person: str) -> str:
    """Return why nothing was undone or redone, and what to do where something is in the way."""
    held = ws.read.deeds.held(task_id, person, redo=deed is Deed.REDO)
    return held.sentence if held else _NOTHING[deed]


def _words(deed: Deed, turned: Undone) -> str:
    """Say what was undone or redone."""
    n = len(turned.example_ids)
    of = f" of {n:,} examples" if n > 1 else ""
    return f"{'took back' if deed is Deed.UNDO else 'put back'} {turned.what}{of}"


def settle_crossing(ws: Workspace, task: Task, mount: Mount, state: GridState, deed: Deed) -> None:
    """Choose about the oldest crossing: keep the own label, take the other's, or flag it."""
    if not state.crossed:
        return
    crossed = state.crossed[0]
    if deed is Deed.TAKE:
        decision = Decision(example_id=crossed.example_id, label=crossed.label)
        # Whoever takes a label over has seen it, so it is not blind.
        correct_labels(
            ws, task.id, [decision], run_id=mount.run_id, beside_rule=True, mode=Mode.GRID,
            by=mount.person,
        )  # fmt: skip
        state.draw_anew()
    elif deed is Deed.FLAG:
        note = f"{crossed.person} says {crossed.label}"
        mark_example(
            ws, task.id, crossed.example_id, kind=MarkKind.FLAG, text=note, by=mount.person
        )
        state.draw_anew()
    state.crossed.pop(0)
    state.settled.add(crossed)


def _apply(
    ws: Workspace, state: GridState, mount: Mount, value: Any, *, repeat: bool = True
) -> None:
    """Store new entries in their order; what cannot be stored yet stays to be tried again."""
    if not is_theirs(ws, mount.person, value):
        return
    done = applied()
    try:
        with done.lock:
            changes = read_changes(value, done)
            state.looked_at = changes.focus or state.looked_at
            state.at = changes.at or state.at
            # A reload may have cut off what the grid before wrote last.
            logs = [log for log in value.get("before") or () if is_theirs(ws, mount.person, log)]
            for earlier in read_before({"before": logs}, done):
                task = ws.read.tasks.get(mount.task_id)
                mounted = _with_run(ws, mount, earlier.run_id)
                known = earlier.server == done.name
                _store(ws, task, state, mounted, earlier.changes, repeat=known)
                state.at = changes.at or earlier.row  # what was decided since is behind them
                state.draw_anew()
            if changes.new:
                task = ws.read.tasks.get(mount.task_id)
                _store(ws, task, state, mount, changes, repeat=repeat)
        if changes.new:
            state.trouble = ""
            _look_for_crossings(ws, state, mount, changes)
        if changes.missing and repeat:
            state.trouble = (
                f"{changes.missing} decisions of this page did not arrive. "
                "Reload it and look at the last labels."
            )
            state.draw_anew()
    except StudioError as error:
        state.trouble = f"Not saved yet: {error}"


def _with_run(ws: Workspace, mount: Mount, run_id: int | None) -> Mount:
    """Return the mount of an earlier grid of this person and task."""
    known = run_id is not None and any(r.id == run_id for r in ws.read.runs.all(mount.task_id))
    run_id = run_id if known else mount.run_id if run_id is not None else None
    return Mount(key=mount.key, task_id=mount.task_id, run_id=run_id, person=mount.person)


def _store(
    ws: Workspace, task: Task, state: GridState, mount: Mount, changes: Changes, *, repeat: bool
) -> None:
    """Store labels in a row together and all else one by one, remembering each when it is done."""
    for is_label, group in itertools.groupby(changes.new, lambda c: c.deed is Deed.LABEL):
        if is_label:
            labels = list(group)
            _store_labels(ws, task, state, mount, labels)
            applied().set(changes.instance, labels[-1].seq, mount.person)
            continue
        for change in group:
            try:
                _store_one(ws, task, state, mount, change, repeat=repeat)
            except InputError as error:  # it will never be possible, so it is not tried again
                state.refuse(str(error), change.example_id)
            applied().set(changes.instance, change.seq, mount.person)


def _store_one(
    ws: Workspace, task: Task, state: GridState, mount: Mount, change: Change, *, repeat: bool
) -> None:
    if change.deed is Deed.BULK:
        _store_labels(ws, task, state, mount, [change])
    elif change.deed in _MARKS and change.example_id is not None:
        mark_example(
            ws,
            task.id,
            change.example_id,
            kind=_MARKS[change.deed],
            text=change.text if change.deed is Deed.NOTE else "",
            present=change.on,
            client=change.client,
            by=mount.person,
        )
    elif repeat and change.deed in _TURNS:
        turned = _TURNS[change.deed](ws, task.id, by=mount.person)
        if turned is not None:
            state.turned = (_words(change.deed, turned), state.saved)
            _show_turned(ws, task, state, mount, change, turned)
        elif change.example_id is not None:  # the browser shows what did not happen
            st.toast(plain(why_unturned(ws, task.id, change.deed, mount.person)))
            state.draw_anew(change.example_id)
    elif repeat and change.deed in (Deed.KEEP, Deed.TAKE):
        settle_crossing(ws, task, mount, state, change.deed)
    elif repeat:
        state.asked.append(change)


def _store_labels(
    ws: Workspace, task: Task, state: GridState, mount: Mount, changes: list[Change]
) -> None:
    """Store decisions: those of one key each, or those of one deed on many rows."""
    bulk = changes[0] if changes[0].deed is Deed.BULK else None
    store = functools.partial(
        correct_labels, ws, task.id, run_id=mount.run_id, mode=Mode.BULK if bulk else Mode.GRID,
        deed=bulk.client if bulk else None, by=mount.person,
    )  # fmt: skip
    decisions, given_up = _decisions(task, changes)
    kept = keep_decisions(decisions, lambda some: store(decisions=some), given_up=given_up)
    state.saved += kept.saved
    for decision in kept.stored:
        state.given[decision.example_id] = decision.label is not None
    if kept.refused:
        state.refuse(kept.trouble, kept.refused[0])


def _decisions(task: Task, changes: list[Change]) -> tuple[list[Decision], list[int]]:
    """Return the decisions of entries, and the examples of those on labels given up meanwhile."""
    found, given_up = [], []
    for change in changes:
        for example_id, label_id in change.given or ((change.example_id or 0, change.label_id),):
            label = task.name_of(label_id)
            if label is None and label_id is not None:
                given_up.append(example_id)
                continue
            client = f"{change.client}:{example_id}" if change.given else change.client
            found.append(
                Decision(example_id=example_id, label=label, client=client, seconds=change.seconds)
            )
    return found, given_up


def _show_turned(
    ws: Workspace, task: Task, state: GridState, mount: Mount, change: Change, turned: Undone
) -> None:
    """Draw the grid anew where the browser expected another deed to be undone or redone."""
    as_expected = change.example_id in turned.example_ids and change.n == len(turned.example_ids)
    if not as_expected:
        state.draw_anew(turned.example_ids[0])
    elif turned.kind == "label":
        rows = ws.read.examples.grid(
            task.id,
            run_id=None,
            person=mount.person,
            filter=GridFilter(ids=turned.example_ids),
            after=None,
            limit=len(turned.example_ids),
        )
        state.given |= {row["id"]: row["label"] is not None for row in rows}


def _look_for_crossings(ws: Workspace, state: GridState, mount: Mount, changes: Changes) -> None:
    """Find what others decided, since the page was read, of the examples decided now."""
    ids = {i for c in changes.new if c.deed is Deed.LABEL and (i := c.example_id)}
    ids |= {i for c in changes.new for i, _ in c.given}
    if not ids:
        return
    found: list[Crossed] = others_since(
        ws, mount.task_id, sorted(ids), since=state.since, by=mount.person
    )
    still = [c for c in state.crossed if c.example_id not in ids]
    state.crossed = still + [c for c in found if c not in state.settled]
