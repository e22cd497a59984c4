"""The labeling grid: one page of examples in AG Grid, and what is done there kept in the store.

This and `grid_options` are the only modules that know the grid component. The browser keeps a
numbered log of everything done; `take_changes` applies what is new of it, in the body of the
script.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from studio.actions.corrections import Decision, correct_labels, undo_correction
from studio.domain.example import Split
from studio.domain.task import Task
from studio.errors import StudioError
from studio.ui.grid_changes import Change, Changes, Deed, read_changes
from studio.ui.grid_options import Sight, code, frame, height, options
from studio.ui.grid_style import CSS, THEME
from studio.workspace import Workspace

MOST_ROWS = 200
PAGE_SIZES = (25, 50, 100, MOST_ROWS)
_STATE = "label_grid"
_COUNT_PAGES = 5
KEYS = (
    ("1 … 9", "give the label of that number and move on"),
    ("a or Enter", "accept the model's label and move on"),
    ("s or Space", "skip to the next example"),
    ("0, Delete or Backspace", "take the label back"),
    ("u or Ctrl+Z", "undo your last decision"),
    ("↑ ↓ ← →", "move"),
    ("w", "write why you gave the last label, or of the example you moved to"),
    ("n / p", "next / previous page"),
    ("F2 or double click", "choose from the list of labels"),
    ("?", "show these keys"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A grid as it was drawn: what counts for everything that comes back from it."""

    key: str
    task_id: int
    run_id: int | None
    person: str


@dataclass(slots=True)
class GridState:
    """What a browser session remembers of the grid.

    One mutable object: a rerun may interrupt a script at any use of session_state, so nothing is
    assigned there between storing a decision and remembering that it was stored.

    Attributes:
        mount: The grid drawn last.
        applied: Number of the last entry applied, by instance.
        saved: Decisions stored in this session.
        revision: Grows when the grid must be drawn anew.
        sight: The hash of what was seen last.
        cursors: Where this page and those before it begin.
        end: Where the page drawn last ends, if another follows; what was labeled since may have
            left the filter, so this cannot be read anew.
        focus: The example to look at after drawing anew.
        looked_at: The example the person looks at, as far as known.
        given: What was done to each example since the page was read: labeled or taken back.
        asked: What was asked for beside decisions, in order.
        trouble: What went wrong, in a sentence.
    """

    mount: Mount | None = None
    applied: dict[str, int] = field(default_factory=dict)
    saved: int = 0
    revision: int = 0
    sight: str = ""
    cursors: list[tuple[float, int] | None] = field(default_factory=lambda: [None])
    end: tuple[float, int] | None = None
    focus: int | None = None
    looked_at: int | None = None
    given: dict[int, list[bool]] = field(default_factory=dict)
    asked: list[Change] = field(default_factory=list)
    trouble: str = ""

    def wish(self, *deeds: Deed) -> Change | None:
        """Return and forget the last wish of these kinds."""
        found = [c for c in self.asked if c.deed in deeds]
        self.asked = [c for c in self.asked if c.deed not in deeds]
        return found[-1] if found else None

    def must_draw(self, page: GridPage) -> bool:
        """Whether the grid as it was drawn no longer shows what it should."""
        turning = any(c.deed in (Deed.NEXT, Deed.PREVIOUS) for c in self.asked)
        return turning or self.revision != page.revision

    def draw_anew(self, focus: int | None = None) -> None:
        """Have the next run draw the grid from the store."""
        self.revision += 1
        self.focus = focus


@dataclass(frozen=True, slots=True, kw_only=True)
class GridPage:
    """One page of the grid, ready to be drawn again and again.

    Attributes:
        mount: What it is drawn for.
        rows: What the store says of its examples.
        options: Grid options and data, as the component takes them.
        revision: The state's revision it was read at.
        first: 1-based place of its first row.
        more: Whether a page follows.
        mine: How many examples of this filter the person had labeled when it was read.
        total: How many examples the filter has, as far as counted.
        capped: Whether there are more than were counted.
    """

    mount: Mount
    rows: list[dict[str, Any]]
    options: dict[str, Any]
    revision: int
    first: int
    more: bool
    mine: int
    total: int
    capped: bool

    def tally(self, state: GridState) -> str:
        """Say how many examples of the filter are labeled by now."""
        change = 0
        for row in self.rows:
            if done := state.given.get(row["id"]):
                change += int(done[-1]) - int(row["label"] is not None)
        more = "+" if self.capped else ""
        return f"**{self.mine + change:,}{more}** of {self.total:,}{more} labeled by you"


def grid_state() -> GridState:
    """Return what this session remembers."""
    if _STATE not in st.session_state:
        st.session_state[_STATE] = GridState()
    state: GridState = st.session_state[_STATE]
    return state


def take_changes(ws: Workspace, state: GridState) -> None:
    """Store what was done in the grid drawn last, as far as it is new."""
    if state.mount is not None:
        _apply(ws, state, state.mount, st.session_state.get(state.mount.key))


def read_page(ws: Workspace, task: Task, person: str, sight: Sight, state: GridState) -> GridPage:
    """Read one page of examples and make it ready to be drawn."""
    if state.sight != f"{task.id}:{person}:{sight.hash}":
        state.sight = f"{task.id}:{person}:{sight.hash}"
        state.cursors, state.end = [None], None
    turn = state.wish(Deed.NEXT, Deed.PREVIOUS)
    if turn is not None and turn.deed is Deed.PREVIOUS and len(state.cursors) > 1:
        state.cursors.pop()
    elif turn is not None and turn.deed is Deed.NEXT and state.end is not None:
        state.cursors.append(state.end)
    rows, more = _rows(ws, task, person, sight, state.cursors[-1])
    state.end = rows[-1]["cursor"] if more else None
    theme = st.context.theme.type or "light"
    mount = Mount(
        key=f"label_grid:{task.id}:{sight.hash}:{len(state.cursors)}:{state.revision}:{theme}",
        task_id=task.id,
        run_id=sight.run_id,
        person=person,
    )
    focus, state.focus = state.focus, None
    state.given = {}
    mine, total, capped = _mine(ws, task, person, sight)
    return GridPage(
        mount=mount,
        rows=rows,
        options=options(task, sight, focus, rows),
        revision=state.revision,
        first=(len(state.cursors) - 1) * sight.size + 1,
        more=more,
        mine=mine,
        total=total,
        capped=capped,
    )


def draw_grid(ws: Workspace, task: Task, page: GridPage, sight: Sight, state: GridState) -> None:
    """Draw the grid; `take_changes` finds in the next run what was done in it."""
    from st_aggrid import AgGrid, StAggridTheme

    known, state.mount = state.mount, page.mount
    value = AgGrid(
        frame(task, page.rows, sight),
        gridOptions=dict(page.options),
        height=height(len(page.rows), sight),
        data_return_mode="CUSTOM",
        custom_jscode_for_grid_return=code("collect"),
        should_grid_return=code("should_return"),
        update_on=["cellValueChanged"],
        # Belt and braces: when the person leaves the page at once, its script does not run again.
        callback=lambda _: take_changes(ws, state),
        allow_unsafe_jscode=True,
        enable_enterprise_modules=False,
        theme=StAggridTheme("quartz").withParams(**THEME),
        custom_css=CSS,
        key=page.mount.key,
    ).raw_data
    if known is None and value is not None:
        # The server was started anew behind an open page: what it missed is stored; undos are not
        # repeated, since nobody knows which of them were done.
        _apply(ws, state, page.mount, value, from_before=True)
        state.draw_anew()
        st.rerun()


def turn_page(state: GridState, deed: Deed) -> None:
    """Go to the next or previous page."""
    state.asked.append(Change(seq=0, deed=deed, client=""))
    st.rerun()


def undo_last(ws: Workspace, task: Task, person: str, state: GridState) -> None:
    """Take back the person's latest decision and draw the grid anew, looking at it."""
    undone = undo_correction(ws, task.id, by=person)
    state.draw_anew(None if undone is None else undone.example_ids[0])


def _apply(
    ws: Workspace, state: GridState, mount: Mount, value: Any, *, from_before: bool = False
) -> None:
    """Store new entries in their order; what cannot be stored stays to be tried again."""
    changes = read_changes(value, state.applied)
    state.looked_at = changes.focus or state.looked_at
    if not changes.new:
        return
    task = ws.read.tasks.get(mount.task_id)
    try:
        _store(ws, task, state, mount, changes, repeat=not from_before)
        state.trouble = ""
        if changes.missing and not from_before:
            state.trouble = (
                f"{changes.missing} decisions of this page did not arrive. "
                "Reload it and look at the last labels."
            )
            state.draw_anew()
    except StudioError as error:
        state.trouble = f"Not saved yet: {error}"


def _store(
    ws: Workspace,
    task: Task,
    state: GridState,
    mount: Mount,
    changes: Changes,
    *,
    repeat: bool,
) -> None:
    """Store labels in a row together and undos one by one, remembering each when it is done."""
    for is_label, group in itertools.groupby(changes.new, lambda c: c.deed is Deed.LABEL):
        if is_label:
            _store_labels(ws, task, state, mount, changes.instance, list(group))
            continue
        for change in group:
            if repeat and change.deed is Deed.UNDO:
                _store_undo(ws, task, state, mount, change)
            elif repeat:
                state.asked.append(change)
            state.applied[changes.instance] = change.seq


def _store_labels(
    ws: Workspace, task: Task, state: GridState, mount: Mount, instance: str, labels: list[Change]
) -> None:
    decisions = [d for d in (_decision(task, c) for c in labels) if d is not None]
    if decisions:
        state.saved += correct_labels(ws, task.id, decisions, run_id=mount.run_id, by=mount.person)
    state.applied[instance] = labels[-1].seq
    for decision in decisions:
        state.given.setdefault(decision.example_id, []).append(decision.label is not None)


def _store_undo(ws: Workspace, task: Task, state: GridState, mount: Mount, change: Change) -> None:
    undone = undo_correction(ws, task.id, by=mount.person)
    if undone is None:
        return
    if undone.kind == "mark" or undone.example_ids != (change.example_id,):
        state.draw_anew(undone.example_ids[0])
    elif state.given.get(undone.example_ids[0]):
        state.given[undone.example_ids[0]].pop()


def _decision(task: Task, change: Change) -> Decision | None:
    """Return the decision of an entry; None when it names a label the task does not have."""
    name = task.name_of(change.label_id)
    if change.example_id is None or (change.label_id is not None and name is None):
        return None
    return Decision(example_id=change.example_id, label=name, client=change.client)


def _rows(
    ws: Workspace, task: Task, person: str, sight: Sight, after: tuple[float, int] | None
) -> tuple[list[dict[str, Any]], bool]:
    """Return the rows of a page, blind where they must be, and whether another page follows."""
    rows = ws.read.examples.grid(
        task.id,
        run_id=sight.run_id,
        person=person,
        filter=sight.filter,
        after=after,
        limit=min(sight.size + 1, MOST_ROWS),
    )
    more = len(rows) > sight.size or len(rows) == MOST_ROWS
    rows = rows[: sight.size]
    for row in rows:
        if row["split"] == Split.TEST:
            # Also after the first decision: a second thought must be as blind as the first.
            row |= {"predicted": None, "confidence": None, "method": None, "outcome": None}
            if row["label"] is None:
                row["gold"] = None
    return rows, more


def _mine(ws: Workspace, task: Task, person: str, sight: Sight) -> tuple[int, int, bool]:
    """Count the filter's examples this person has labeled, and all of them, up to a limit."""
    mine, total, after = 0, 0, None
    for _ in range(_COUNT_PAGES):
        rows = ws.read.examples.grid(
            task.id,
            run_id=sight.run_id,
            person=person,
            filter=sight.filter,
            after=after,
            limit=MOST_ROWS,
        )
        total += len(rows)
        mine += sum(row["label"] is not None for row in rows)
        if len(rows) < MOST_ROWS:
            return mine, total, False
        after = rows[-1]["cursor"]
    return mine, total, True
