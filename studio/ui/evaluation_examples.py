"""A list of examples with gold and what a run says: to read, to open in Label, to take away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from studio.analysis.tables import write_csv
from studio.domain.run import ClassifierKind
from studio.domain.task import Task
from studio.ui.evaluation_data import SHOWN, example_rows
from studio.ui.figures import confidence_help
from studio.ui.rule_explained import draw_run_explanation
from studio.ui.session import open_page_of
from studio.workspace import Workspace

LABEL_IDS = "label_ids"
LABEL_IDS_FROM = "label_ids_from"
LABEL_IDS_RUN = "label_ids_run"
_FIND_FROM = 12


def draw_examples(
    ws: Workspace,
    task: Task,
    ids: tuple[int, ...],
    *,
    runs: tuple[int, ...],
    what: str,
    key: str,
) -> None:
    """Draw examples with their text, gold and prediction.

    Args:
        ws: The workspace.
        task: The task.
        ids: The examples, none of test.
        runs: One run, or the two that are compared.
        what: What they have in common, for the Label page and the file's name.
        key: Unique on the page.
    """
    if not ids:
        st.caption("No example here.")
        return
    rows = example_rows(ws, task, runs, ids[:SHOWN])
    shown = _found(rows, key) if len(rows) >= _FIND_FROM else rows
    names = {"gold": "Gold"}
    names |= {"before": f"Run {runs[0]}"} if len(runs) == 2 else {}
    names |= {"predicted": f"Run {runs[-1]}" if len(runs) == 2 else "Predicted"}
    names |= {"confidence": "Confidence"} if any(r["confidence"] is not None for r in rows) else {}
    names |= {"outcome": "Outcome"} if any(r["outcome"] != "ok" for r in rows) else {}
    names |= {"text": "Text"}
    event = st.dataframe(
        {title: [row[field] for row in shown] for field, title in names.items()},
        hide_index=True,
        column_config={
            "Text": st.column_config.TextColumn(width="large"),
            **{
                name: st.column_config.TextColumn(width="small")
                for name in list(names.values())[:-1]
            },
            "Confidence": st.column_config.NumberColumn(
                format="%.2f", width="small", help=confidence_help(shown)
            ),
        },
        on_select="rerun",
        selection_mode="single-row",
        placeholder="",
        key=f"{key}_list",
        alt=f"{len(shown)} examples: {what}",
    )
    _detail(ws, task, shown, event, runs[-1])
    if len(ids) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(ids):,}; Label opens them all.")
    with st.container(horizontal=True):
        if st.button("Open these in Label", key=f"{key}_open", icon=":material/edit:"):
            st.session_state[LABEL_IDS] = list(ids)
            st.session_state[LABEL_IDS_FROM] = what
            st.session_state[LABEL_IDS_RUN] = runs[-1]
            open_page_of("label")
        sure = ["confidence_from"] if "confidence" in names else []
        columns = ["external_id", *names, *sure]
        download(rows, columns, name=f"examples-run-{runs[-1]}", key=f"{key}_csv")


def download(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], *, name: str, key: str, what: str = ""
) -> None:
    """Draw the button that saves a list as CSV, made only when it is pressed."""
    st.download_button(
        f"Save {what} as CSV" if what else "Save as CSV",
        data=lambda: write_csv(rows, columns).encode("utf-8-sig"),
        file_name=f"{name}.csv",
        mime="text/csv",
        on_click="ignore",
        key=key,
        icon=":material/download:",
        type="tertiary",
    )


def chosen_index(event: Any, size: int) -> int | None:
    """Return the number of the line chosen in a table, None without one."""
    rows = (event.get("selection") or {}).get("rows") or [] if isinstance(event, dict) else []
    return rows[0] if rows and rows[0] < size else None


def _found(rows: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    wanted = st.text_input(
        "Find in these examples", key=f"{key}_find", placeholder="Find in these examples",
        label_visibility="collapsed", width=320,
    )  # fmt: skip
    words = wanted.casefold().split()
    return [row for row in rows if all(word in row["text"].casefold() for word in words)]


def _detail(ws: Workspace, task: Task, rows: list[dict[str, Any]], event: Any, run_id: int) -> None:
    """Draw the whole text of the chosen example; choosing is by mouse or by the arrow keys."""
    index = chosen_index(event, len(rows))
    if index is None:
        st.caption("Choose a line to read the whole text.")
        return
    row = rows[index]
    with st.container(border=True):
        st.text(row["text"])
        facts = {"id": row["external_id"], **row["metadata"]}
        st.text(" · ".join(f"{name}: {value}" for name, value in facts.items() if value))
        if ws.read.runs.get(run_id).kind in (ClassifierKind.RULES, ClassifierKind.JOINED):
            draw_run_explanation(ws, task, run_id, row["id"])
