"""The labeling grid: one page of examples in AG Grid, and what is done there kept in the store.

The only module that knows the grid component. Its JavaScript comes from the constant files in
`js/`; names and texts of people travel as data, never as code. The browser keeps a numbered log of
everything done; `take_changes` applies what is new of it, in the body of the script.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from studio.actions.corrections import Decision, correct_labels, undo_correction
from studio.domain.example import Split
from studio.domain.task import Task
from studio.errors import StudioError
from studio.store.examples import GridFilter
from studio.ui.colours import label_colours
from studio.ui.grid_changes import Change, Changes, Deed, read_changes
from studio.ui.grid_style import BARE_PX, CSS, HEADER_PX, MOST_PX, ROW_PX, THEME
from studio.workspace import Workspace

MOST_ROWS = 200
PAGE_SIZES = (25, 50, 100, MOST_ROWS)
_STATE = "label_grid"
_COUNT_PAGES = 5
_JS = Path(__file__).parent / "js"
_LEGEND = (
    ("a", "accept"),
    ("s", "skip"),
    ("0", "clear"),
    ("u", "undo"),
    ("w", "why"),
    ("?", "all keys"),
)
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
class Sight:
    """What a person chose to see.

    Attributes:
        filter: Which examples, in which order.
        run_id: The run whose labels are shown; None is blind.
        size: Rows a page.
        columns: Metadata columns shown.
        whole_text: Whether rows grow with their text.
    """

    filter: GridFilter = field(default_factory=GridFilter)
    run_id: int | None = None
    size: int = 50
    columns: tuple[str, ...] = ()
    whole_text: bool = False

    @property
    def hash(self) -> str:
        """A short name of the choice, for the grid's key."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


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
        options=_options(task, sight, focus),
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
        _frame(task, page.rows, sight),
        gridOptions=dict(page.options),
        height=_height(len(page.rows), sight),
        data_return_mode="CUSTOM",
        custom_jscode_for_grid_return=_code("collect"),
        should_grid_return=_code("should_return"),
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
    state.draw_anew(None if undone is None else undone.example_id)


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
    if undone is not None and undone.example_id != change.example_id:
        state.draw_anew(undone.example_id)
    elif undone is not None and state.given.get(undone.example_id):
        state.given[undone.example_id].pop()


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
            row |= {"predicted": None, "confidence": None, "outcome": None}
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


def _frame(task: Task, rows: Sequence[dict[str, Any]], sight: Sight) -> Any:
    """Return the rows as a new frame; the component writes into what it is given."""
    import pandas as pd

    columns: dict[str, list[Any]] = {
        "id": [row["id"] for row in rows],
        "text": [row["text"] for row in rows],
        "predicted": [_said(row) for row in rows],
        "confidence": [row["confidence"] for row in rows],
        "label": [_id_text(row["label"]) for row in rows],
        "gold": [_id_text(row["gold"]) if row["gold"] != row["label"] else "" for row in rows],
        "split": [row["split"] for row in rows],
        "external": [row["external_id"] for row in rows],
    }
    for place, name in enumerate(sight.columns):
        columns[f"meta{place}"] = [str(row["metadata"].get(name, "")) for row in rows]
    frame = pd.DataFrame(columns)
    return frame.astype({"confidence": float})


def _height(rows: int, sight: Sight) -> int:
    """Return the pixels of the grid: as high as its rows, up to what fits a laptop's screen."""
    return MOST_PX if sight.whole_text else min(BARE_PX + ROW_PX * max(rows, 3), MOST_PX)


def _said(row: dict[str, Any]) -> str:
    """Return the predicted label's id, or the outcome where there is no label."""
    outcome = row["outcome"] or ""
    return _id_text(row["predicted"]) or outcome.replace("_", " ")


def _id_text(label_id: int | None) -> str:
    return "" if label_id is None else str(label_id)


def _options(task: Task, sight: Sight, focus: int | None) -> dict[str, Any]:
    """Return the grid's options; what people wrote is made inert first."""
    colours = label_colours(task)
    return {
        "columnDefs": _columns(task, sight),
        "defaultColDef": {
            "suppressKeyboardEvent": _text("suppress_key"),
            "resizable": True,
            "sortable": False,
            "suppressMovable": True,
            "suppressHeaderMenuButton": True,
        },
        "context": {
            "order": [str(label.id) for label in task.labels],
            "names": {str(label.id): inert(label.name) for label in task.labels},
            "colours": {str(label.id): colours[label.name] for label in task.labels},
            "legend": [
                {"key": key, "does": does}
                for key, does in _LEGEND
                if key != "a" or sight.run_id is not None
            ],
            "focus": focus,
        },
        "getRowId": _text("row_id"),
        "onGridReady": _text("ready"),
        "onCellKeyDown": _text("key_down"),
        "onCellEditingStarted": _text("editing_started"),
        "onCellValueChanged": _text("value_changed"),
        "rowHeight": ROW_PX,
        "headerHeight": HEADER_PX,
        "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
        "enableCellTextSelection": True,
        "ensureDomOrder": True,
        "stopEditingWhenCellsLoseFocus": True,
        "suppressScrollOnNewData": True,
        "tooltipShowDelay": 700,
        "tooltipHideDelay": 20000,
    }


def _columns(task: Task, sight: Sight) -> list[dict[str, Any]]:
    longest = max(len(name) for name in task.label_names)
    wide = min(200, max(104, 8 * longest + 40))
    chip = {"valueFormatter": _text("label_name"), "cellStyle": _text("label_style")}
    columns: list[dict[str, Any]] = [
        {
            "field": "text",
            "headerName": "Example",
            "flex": 1,
            "minWidth": 280,
            "wrapText": True,
            "autoHeight": sight.whole_text,
            "tooltipField": None if sight.whole_text else "text",
        },
    ]
    columns.append(
        {
            "field": "label",
            "headerName": "Your label",
            "headerTooltip": "Press the label's number, or F2 for the list",
            "width": wide,
            "editable": True,
            "cellEditor": "agSelectCellEditor",
            "cellEditorParams": {"values": ["", *(str(label.id) for label in task.labels)]},
            **chip,
        }
    )
    if sight.run_id is not None:
        columns += [
            {
                "field": "predicted",
                "headerName": "Model says",
                "width": wide,
                "sortable": True,
                **chip,
            },
            {
                "field": "confidence",
                "headerName": "Sure",
                "headerTooltip": "How sure the model is of its label",
                "width": 70,
                "sortable": True,
                "valueFormatter": _text("percent"),
                "cellStyle": _text("confidence_style"),
            },
        ]
    if sight.run_id is not None:
        columns.append(
            {
                "field": "gold",
                "headerName": "Gold",
                "headerTooltip": "What counts so far where it is not your label; hidden on test",
                "width": wide,
                "sortable": True,
                **chip,
            }
        )
    columns += [
        {
            "field": f"meta{place}",
            "headerName": inert(name),
            "width": 120,
            "tooltipField": f"meta{place}",
        }
        for place, name in enumerate(sight.columns)
    ]
    return [
        *columns,
        {"field": "split", "headerName": "Split", "width": 88},
        {"field": "external", "headerName": "Id", "width": 84, "tooltipField": "external"},
        {"field": "sent", "hide": True},
    ]


def inert(text: str) -> str:
    """Return a name that the grid component cannot take for code.

    The component runs every option that holds its mark as JavaScript, names of labels included.

    >>> inert("::JSCODE::alert(1)::JSCODE::")
    ': :JSCODE: :alert(1): :JSCODE: :'
    """
    while "::" in text:
        text = text.replace("::", ": :")
    return text


@functools.cache
def _code(name: str) -> Any:
    """Return a function from the constant files, as the component takes it."""
    from st_aggrid import JsCode

    return JsCode((_JS / f"{name}.js").read_text(encoding="utf-8"))


def _text(name: str) -> str:
    return str(_code(name).js_code)
