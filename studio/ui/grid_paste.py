"""Pasting labels from a spreadsheet: what is good is stored as one deed, the rest is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from studio.actions.corrections import paste_labels
from studio.domain.example import Split
from studio.ui.figures import count
from studio.ui.grid import MOST_ROWS, GridPage
from studio.ui.grid_options import Sight
from studio.ui.grid_state import GridState
from studio.ui.guard import kindly
from studio.ui.page import Page

MOST_PASTED = 1000
_SOURCES = {"page": "This page", "filter": "The filter", "ids": "Ids and labels of my own"}
_BLIND = "They count as blind gold, on test too: verdicts and checks of rules rest on it."
_ASSISTED = (
    "They count as assisted gold, on test too: verdicts and checks of rules leave them out. Tick "
    "only what is true, for whoever sees a model's label tends to agree with it."
)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A pasted row that cannot be stored: its place from 1, what it said, and why."""

    row: int
    id: str
    label: str
    why: str


@dataclass(slots=True)
class Pasted:
    """What was read of pasted rows.

    Attributes:
        given: Example id to the label to store.
        changed: How many of these the person had labeled otherwise.
        same: Rows that say what the person said already.
        rejected: Rows that cannot be stored.
    """

    given: dict[int, str] = field(default_factory=dict)
    changed: int = 0
    same: int = 0
    rejected: list[Rejected] = field(default_factory=list)


def read_pasted(
    cells: Iterable[tuple[int, str, str]],
    *,
    ids: Mapping[str, int],
    names: Mapping[str, str],
    own: Mapping[int, str],
) -> Pasted:
    """Sort pasted rows into what to store and what cannot be; rows without a label say nothing.

    Args:
        cells: Row number, external id and label as pasted.
        ids: The task's examples by external id.
        names: Label by each of its names, case folded, former ones too; case and blanks around a
            pasted name do not matter.
        own: What the person says now, by example.

    >>> cells = [(1, "a", " Keto "), (2, "b", "keto?"), (3, "z", "keto"), (4, "b", "")]
    >>> pasted = read_pasted(cells, ids={"a": 7, "b": 8}, names={"keto": "keto"}, own={})
    >>> pasted.given, [(r.row, r.why) for r in pasted.rejected]
    ({7: 'keto'}, [(2, 'no label has this name'), (3, 'no example has this id')])
    """
    pasted, said = Pasted(), dict[int, str]()
    for row, id_text, label_text in cells:
        named, label = id_text.strip(), names.get(label_text.strip().casefold())
        if not label_text.strip():
            continue
        example_id = ids.get(named)
        why = _why_not(example_id, label, said)
        if why or example_id is None or label is None:
            pasted.rejected.append(Rejected(row, named, label_text.strip(), why))
        elif example_id not in said:
            said[example_id] = label
            if own.get(example_id) == label:
                pasted.same += 1
            else:
                pasted.given[example_id] = label
                pasted.changed += example_id in own
    return pasted


def _why_not(example_id: int | None, label: str | None, said: Mapping[int, str]) -> str:
    if example_id is None:
        return "no example has this id"
    if label is None:
        return "no label has this name"
    if said.get(example_id, label) != label:
        return f"the same id stands above with {said[example_id]}"
    return ""


@st.dialog("Paste labels", width="large")
def paste_dialog(page: Page, view: GridPage, sight: Sight, state: GridState) -> None:
    """Show a table to paste into; store what is good of it once its count is confirmed."""
    st.caption(
        "Copy a column of labels in your spreadsheet, click the first cell of **label** here and "
        "paste. Emptied cells change nothing."
    )
    source = st.segmented_control(
        "Which examples",
        list(_SOURCES),
        format_func=_SOURCES.__getitem__,
        default="page",
        required=True,
        key="label_paste_source",
    )
    if source == "ids":
        cells, own = _draw_empty(state), None
    else:
        rows = view.rows if source == "page" else _first_rows(page, sight)
        own = _told(page, rows)
        cells = _draw_filled(rows, own, f"label_pasted:{source}:{state.revision}")
    if len(cells) > MOST_PASTED:
        st.error(f"At most {MOST_PASTED:,} rows are read at once; paste them in parts.")
        return
    ids = page.ws.read.examples.by_external_id(page.task.id, [c[1].strip() for c in cells])
    if own is None:
        own = _own(page, list(ids.values()))
    names = {written: label.name for written, label in page.task.written.items()}
    _confirm(page, sight, state, read_pasted(cells, ids=ids, names=names, own=own))


def _draw_filled(
    rows: Sequence[Mapping[str, Any]], own: Mapping[int, str], key: str
) -> list[tuple[int, str, str]]:
    """Draw the examples with this person's labels; return the rows whose label was changed."""
    import pandas as pd

    before = [own.get(row["id"], "") for row in rows]
    table = pd.DataFrame(
        {
            "id": [row["external_id"] for row in rows],
            "text": [row["text"][:200] for row in rows],
            "label": before,
        }
    )
    # The table keeps edits by place while only its values change. The filter is read anew at each
    # step, so a label given elsewhere could put other examples in these places.
    key = f"{key}:{hash(tuple(table['id']))}"
    edited = st.data_editor(
        table, key=key, hide_index=True, disabled=["id", "text"], num_rows="fixed", height=320
    )
    after = edited["label"].fillna("").astype(str)
    return [
        (place, row["external_id"], now)
        for place, (row, was, now) in enumerate(zip(rows, before, after, strict=True), 1)
        if now != was
    ]


def _draw_empty(state: GridState) -> list[tuple[int, str, str]]:
    """Draw a table without rows to paste ids and labels into; return its rows."""
    import pandas as pd

    text = st.column_config.TextColumn()
    edited = st.data_editor(
        pd.DataFrame({"id": pd.Series(dtype=str), "label": pd.Series(dtype=str)}),
        key=f"label_pasted:ids:{state.revision}",
        hide_index=True,
        num_rows="dynamic",
        height=320,
        column_config={"id": text, "label": text},
    )
    columns = (edited[name].fillna("").astype(str) for name in ("id", "label"))
    return [(n, id_text, label) for n, (id_text, label) in enumerate(zip(*columns, strict=True), 1)]


def _told(page: Page, rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Return this person's labels; of test examples that wait for another look none is told."""
    tests = [row["id"] for row in rows if row["split"] == Split.TEST]
    waiting = page.ws.read.label_sets.waiting(page.task.id, tests) if tests else set()
    named = ((row["id"], page.task.name_of(row["label"])) for row in rows)
    return {i: name for i, name in named if name and i not in waiting}


def _first_rows(page: Page, sight: Sight) -> list[dict[str, Any]]:
    """Return the first rows of the filter, as many as can be pasted at once."""
    rows: list[dict[str, Any]] = []
    while len(rows) < MOST_PASTED:
        found = page.ws.read.examples.grid(
            page.task.id,
            run_id=sight.run_id,
            person=page.person,
            filter=sight.filter,
            after=rows[-1]["cursor"] if rows else None,
            limit=MOST_ROWS,
        )
        rows += found
        if len(found) < MOST_ROWS:
            break
    return rows


def _own(page: Page, ids: Sequence[int]) -> dict[int, str]:
    """Return what this person says of these examples now."""
    found = page.ws.read.labels.beside(page.task.id, ids, run_id=None, person=page.person)
    return {row["id"]: name for row in found if (name := page.task.name_of(row["own"]))}


def _confirm(page: Page, sight: Sight, state: GridState, pasted: Pasted) -> None:
    """Say what would be stored and what cannot be, and store it when told so."""
    new = len(pasted.given) - pasted.changed
    st.markdown(
        f"**{count(len(pasted.given), 'label')}** to store: {new:,} new, "
        f"{pasted.changed:,} instead of another one of yours · {pasted.same:,} said already · "
        f"{len(pasted.rejected):,} rejected"
    )
    if pasted.rejected:
        st.dataframe(
            {name: [getattr(r, name) for r in pasted.rejected] for name in Rejected.__slots__},
            hide_index=True,
            height=min(38 + 35 * len(pasted.rejected), 220),
            key="label_paste_rejected",
        )
    blind = st.checkbox(
        "No model's or rule's label was in sight when these labels were made",
        key="label_paste_blind",
    )
    st.caption(_BLIND if blind else _ASSISTED)
    if st.button(
        f"Store {count(len(pasted.given), 'label')}",
        type="primary",
        disabled=not pasted.given,
        key="label_paste_go",
        help="One undo takes all of them back",
    ):
        with kindly():
            state.saved += paste_labels(
                page.ws,
                page.task.id,
                pasted.given,
                blind=blind,
                run_id=sight.run_id,
                by=page.person,
            )
            state.draw_anew()
            st.rerun()
