"""What the grid component is given for a page: its rows, columns, options and look.

Its JavaScript comes from the constant files in `js/`; names and texts of people travel as data,
never as code.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.domain.mark import MarkKind
from studio.domain.task import Task
from studio.store.examples import GridFilter
from studio.ui.colours import label_colours
from studio.ui.figures import confidence_help
from studio.ui.grid_state import Mount, applied
from studio.ui.grid_style import BARE_PX, HEADER_PX, MOST_PX, ROW_PX

_JS = Path(__file__).parent / "js"
_LEGEND = (
    ("/", "find a label"),
    ("a", "accept"),
    ("s", "skip"),
    ("f", "flag"),
    ("t", "note"),
    ("u", "undo"),
    ("?", "all keys"),
    ("r", "redo"),
    ("x", "whole text"),
    ("0", "clear"),
    ("w", "why"),
)
_DESK_PARTS = ("hold", "log", "clock", "rows", "deeds", "keys", "line", "finder")
_MOST_KEYS = 9


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
    def counts_as(self) -> str:
        """What a decision made with this in sight counts as, in a sentence."""
        if self.run_id is None:
            return "No model's label is in sight: what you give now counts as blind gold."
        return (
            "A model's label is in sight: what you give now counts as assisted gold. Choose "
            "“No model” to label blind."
        )

    @property
    def hash(self) -> str:
        """A short name of the choice, for the grid's key."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


def frame(task: Task, rows: Sequence[dict[str, Any]], sight: Sight) -> Any:
    """Return the rows as a frame."""
    import pandas as pd

    columns: dict[str, list[Any]] = {
        "id": [row["id"] for row in rows],
        "text": [row["text"] for row in rows],
        "predicted": [_said(row) for row in rows],
        "confidence": [row["confidence"] for row in rows],
        # Another look at a test example is as blind as the first.
        "label": ["" if row["waits"] else _id_text(row["label"]) for row in rows],
        "gold": [_id_text(row["gold"]) if row["gold"] != row["label"] else "" for row in rows],
        "split": [row["split"] for row in rows],
        "external": [row["external_id"] for row in rows],
    }
    for kind in MarkKind:
        columns[kind.value] = [_mark(row["marks"], kind) for row in rows]
    for place, name in enumerate(sight.columns):
        columns[f"meta{place}"] = [str(row["metadata"].get(name, "")) for row in rows]
    return pd.DataFrame(columns).astype({"confidence": float})


def height(rows: int, sight: Sight) -> int:
    """Return the pixels of the grid: as high as its rows, up to what fits a laptop's screen."""
    return MOST_PX if sight.whole_text else min(BARE_PX + ROW_PX * max(rows, 3), MOST_PX)


def _said(row: dict[str, Any]) -> str:
    """Return the predicted label's id, or the outcome where there is no label."""
    outcome = row["outcome"] or ""
    return _id_text(row["predicted"]) or outcome.replace("_", " ")


def _mark(marks: Mapping[MarkKind, str], kind: MarkKind) -> str | bool:
    """Return a note's words, or whether another mark is set."""
    return marks.get(kind, "") if kind is MarkKind.NOTE else kind in marks


def _id_text(label_id: int | None) -> str:
    return "" if label_id is None else str(label_id)


def options(
    task: Task,
    sight: Sight,
    mount: Mount,
    focus: int | None,
    rows: Sequence[Mapping[str, Any]],
    heard: Mapping[str, int],
    who: str,
) -> dict[str, Any]:
    """Return the grid's options for these rows; what people wrote is made inert first.

    Args:
        task: The task.
        sight: What is shown.
        mount: What the grid is drawn for.
        focus: The example to look at.
        rows: Its rows, as they were read.
        heard: How far each grid was applied before the rows were read.
        who: What the browser knows the person by.
    """
    colours = label_colours(task)
    return {
        "columnDefs": _columns(task, sight, confidence_help(rows)),
        "defaultColDef": {
            "suppressKeyboardEvent": _script("suppress_key"),
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
                if (key != "a" or sight.run_id is not None)
                and (key != "/" or len(task.labels) > _MOST_KEYS)
            ],
            "focus": focus,
            "run": mount.run_id,
            "server": applied().name,
            "heard": heard,
            "who": who,
            "task": task.id,
        },
        "getRowId": _script("row_id"),
        "onGridReady": _desk(),
        "onCellEditingStarted": _script("editing_started"),
        "onCellValueChanged": _script("value_changed"),
        "rowHeight": ROW_PX,
        "headerHeight": HEADER_PX,
        "rowClassRules": {"desk-open": "data.open"},
        "rowSelection": {
            "mode": "multiRow",
            "checkboxes": False,
            "headerCheckbox": False,
            "enableClickSelection": False,
        },
        "enableCellTextSelection": True,
        "ensureDomOrder": True,
        "stopEditingWhenCellsLoseFocus": True,
        "suppressScrollOnNewData": True,
        "tooltipShowDelay": 700,
        "tooltipHideDelay": 20000,
    }


def _columns(task: Task, sight: Sight, sure_help: str) -> list[dict[str, Any]]:
    longest = max(len(name) for name in task.label_names)
    wide = min(200, max(104, 8 * longest + 40))
    chip = {"valueFormatter": _script("label_name"), "cellStyle": _script("label_style")}
    columns: list[dict[str, Any]] = [
        {
            "field": "text",
            "headerName": "Example",
            "flex": 1,
            "minWidth": 250,
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
    columns.append(
        {
            "colId": "marks",
            "headerName": "",
            "headerTooltip": "Your marks: flagged (f), noted (t), skipped (s)",
            "width": 50,
            "valueGetter": _script("marks"),
            "tooltipValueGetter": _script("marks_tip"),
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
                "headerTooltip": sure_help,
                "width": 70,
                "sortable": True,
                "valueFormatter": _script("percent"),
                "cellStyle": _script("confidence_style"),
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
        {"field": "split", "headerName": "Split", "width": 84},
        {"field": "external", "headerName": "Id", "width": 84, "tooltipField": "external"},
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
def _script(name: str) -> str:
    """Return a function from the constant files, as text within the options."""
    return _marked(_source(name))


@functools.cache
def _desk() -> str:
    """Return the function that begins the desk, its parts written into it."""
    parts = ",".join(f"({_source(f'desk_{name}').strip()})" for name in _DESK_PARTS)
    return _marked(_source("ready").replace("DESK_PARTS", f"[{parts}]"))


def _source(name: str) -> str:
    text = (_JS / f"{name}.js").read_text(encoding="utf-8")
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def _marked(source: str) -> str:
    """Return a script on one line with the component's mark of code around it.

    The component's own wrapper does this in a time that grows with the square of the length.
    """
    return f"::JSCODE::{' '.join(source.split())}::JSCODE::"
