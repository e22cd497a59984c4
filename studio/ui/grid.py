"""The labeling grid: one page of examples in AG Grid, and what is done there kept in the store.

This and `grid_options` are the only modules that know the grid component.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from studio.domain.example import Split
from studio.domain.task import Task
from studio.ui.grid_changes import Change, Deed
from studio.ui.grid_options import Sight, frame, height, options
from studio.ui.grid_state import GridState, Mount, applied
from studio.ui.grid_store import take_changes, take_missed
from studio.ui.grid_style import CSS
from studio.ui.session import who
from studio.workspace import Workspace

MOST_ROWS = 200
PAGE_SIZES = (25, 50, 100, MOST_ROWS)
_COUNTED = 1_000
KEYS = (
    ("1 … 9", "give the label of that number and move on"),
    ("/ or l", "type to find a label by its name; Enter gives it and moves on"),
    ("a or Enter", "accept the model's label and move on"),
    ("s or Space", "skip: mark it as skipped and move on"),
    ("0, Delete or Backspace", "take the label back"),
    ("f", "flag the example to look at it again, or take the flag away"),
    ("t or m", "write a note on the example"),
    ("u or Ctrl+Z", "undo the last thing you did: a label, many at once, or a mark"),
    ("r, Ctrl+Y or Ctrl+Shift+Z", "redo what you undid"),
    ("↑ ↓ ← →", "move"),
    ("Shift+↑ ↓, Shift or Ctrl click, Ctrl+A", "choose several rows for one label; Escape ends it"),
    ("x", "open the row to its whole text, and close it"),
    ("w", "write why you gave the last label, or of the example you moved to"),
    ("k / h", "where a colleague decided otherwise meanwhile: keep yours / take theirs"),
    ("n / p", "next / previous page"),
    ("F2 or double click", "choose from the list of labels"),
    ("Ctrl+C", "copy the words you selected, else the texts of the rows"),
    ("?", "show these keys"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GridPage:
    """One page of the grid, ready to be drawn again and again.

    Attributes:
        mount: What it is drawn for.
        rows: What the store says of its examples.
        frame: The same as the component takes them.
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
    frame: Any
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
            if (labeled := state.given.get(row["id"])) is not None:
                change += int(labeled) - int(row["label"] is not None)
        more = "+" if self.capped else ""
        return f"**{self.mine + change:,}{more}** of {self.total:,}{more} labeled by you"


def read_page(ws: Workspace, task: Task, person: str, sight: Sight, state: GridState) -> GridPage:
    """Read one page of examples and make it ready to be drawn."""
    if state.sight != f"{task.id}:{person}:{sight.hash}":
        state.sight = f"{task.id}:{person}:{sight.hash}"
        state.cursors, state.end, state.since = [None], None, ws.read.labels.last_event(task.id)
    if (state.task_id, state.person) != (task.id, person):
        state.task_id, state.person, state.crossed = task.id, person, []
    turn = state.wish(Deed.NEXT, Deed.PREVIOUS)
    if turn is not None and turn.deed is Deed.PREVIOUS and len(state.cursors) > 1:
        state.cursors.pop()
    elif turn is not None and turn.deed is Deed.NEXT and state.end is not None:
        state.cursors.append(state.end)
    if turn is not None:
        state.since = ws.read.labels.last_event(task.id)
    heard = applied().latest(person)
    rows, more = _rows(ws, task, person, sight, state.cursors[-1])
    state.end = rows[-1]["cursor"] if more else None
    mount = Mount(
        key=f"label_grid:{task.id}:{sight.hash}:{len(state.cursors)}:{state.revision}",
        task_id=task.id,
        run_id=sight.run_id,
        person=person,
    )
    focus, state.focus = state.focus, None
    state.given = {}
    total, mine = ws.read.examples.grid_count(
        task.id, run_id=sight.run_id, person=person, filter=sight.filter, limit=_COUNTED
    )
    return GridPage(
        mount=mount,
        rows=rows,
        frame=frame(task, rows, sight),
        options=options(task, sight, mount, focus, rows, heard, who(ws, person)),
        revision=state.revision,
        first=(len(state.cursors) - 1) * sight.size + 1,
        more=more,
        mine=mine,
        total=total,
        capped=total >= _COUNTED,
    )


def draw_grid(ws: Workspace, page: GridPage, sight: Sight, state: GridState) -> None:
    """Draw the grid; `take_changes` finds in the next run what was done in it."""
    from st_aggrid import AgGrid, StAggridTheme

    known, state.mount = state.mount, page.mount
    value = AgGrid(
        page.frame.copy(),  # the component writes into what it is given
        gridOptions=dict(page.options),
        height=height(len(page.rows), sight),
        data_return_mode="MINIMAL",
        update_on=[],  # desk_log.js sends what was done, before the grid's own events would
        # Belt and braces: when the person leaves the page at once, its script does not run again.
        callback=lambda _: take_changes(ws, state),
        allow_unsafe_jscode=True,
        enable_enterprise_modules=False,
        theme=StAggridTheme("quartz"),
        custom_css=CSS,
        key=page.mount.key,
    ).raw_data
    if known is None and value is not None:
        take_missed(ws, state, page.mount, value)
        st.rerun()


def turn_page(state: GridState, deed: Deed) -> None:
    """Go to the next or previous page."""
    state.asked.append(Change(seq=0, deed=deed, client=""))
    st.rerun()


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
        limit=sight.size + 1,
    )
    more = len(rows) > sight.size
    rows = rows[: sight.size]
    tests = [row["id"] for row in rows if row["split"] == Split.TEST]
    waiting = ws.read.label_sets.waiting(task.id, tests) if tests else set()
    for row in rows:
        row["waits"] = row["id"] in waiting
        if row["split"] == Split.TEST:
            # Also after the first decision: a second thought must be as blind as the first.
            row |= {"predicted": None, "confidence": None, "method": None, "outcome": None}
            if row["label"] is None or row["waits"]:
                row["gold"] = None
    marks = ws.read.marks.of(task.id, [row["id"] for row in rows], person)
    for row in rows:
        row["marks"] = marks.get(row["id"], {})
    return rows, more
