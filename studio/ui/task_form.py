"""Forms for a task: making one, and changing what it promises and how its labels are defined."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
import streamlit as st

from studio.actions.tasks import create_task, update_task
from studio.domain.task import METRICS, Criterion, Task
from studio.errors import InputError
from studio.ui.figures import metric_name
from studio.ui.guard import kindly
from studio.ui.notes import note
from studio.ui.session import go_to_task, open_page_of
from studio.workspace import Workspace

_NONE = "none"
_DEFINITION = (
    "When this label applies, in a sentence. Models read it, so it moves labels more than "
    "anything else you can write."
)


def draw_new_task(ws: Workspace, person: str) -> None:
    """Draw the form that creates a task; what was typed stays when something is wrong."""
    number = len(ws.read.tasks.all())
    with st.form(f"new_task_{number}"):
        name = st.text_input("Name", placeholder="keto", max_chars=80, key=f"new_name_{number}")
        question = st.text_input(
            "Question",
            placeholder="Is this dish keto?",
            key=f"new_question_{number}",
            help="What you would ask an expert about one text.",
        )
        rows = _label_editor(pd.DataFrame({"Label": ["", ""], "Definition": ["", ""]}),
                             key=f"new_labels_{number}", num_rows="dynamic")  # fmt: skip
        st.caption(
            "Two labels or more: the empty row at the end adds one, and rows copied from a "
            "spreadsheet can be pasted. Definitions can wait."
        )
        criterion = draw_criterion(None, key=f"new_criterion_{number}")
        if not st.form_submit_button("Create the task", type="primary"):
            return
    with kindly():
        labels = [row for row in rows if row["Label"] or row["Definition"]]
        if len(labels) < 2:
            raise InputError(
                "A label set needs at least two labels.",
                next_step="Type into the table what else a text can be.",
            )
        task = create_task(
            ws,
            name=name,
            labels=[row["Label"] for row in labels],
            definitions=_definitions(labels),
            question=question,
            criterion=criterion,
            by=person,
        )
        go_to_task(task)
        open_page_of("data", tab="Import")


def draw_task(ws: Workspace, task: Task) -> None:
    """Draw the form that changes question, definitions and criterion."""
    with st.form(f"task_{task.id}_{task.revision}"):
        question = st.text_input("Question", value=task.question)
        rows = _label_editor(
            pd.DataFrame({
                "Label": list(task.label_names),
                "Definition": [label.definition for label in task.labels],
            }),
            key=f"labels_{task.id}_{task.revision}",
            num_rows="fixed",
        )  # fmt: skip
        criterion = draw_criterion(task.criterion, key=f"criterion_{task.id}_{task.revision}")
        if not st.form_submit_button("Save", type="primary"):
            return
    with kindly():
        update_task(
            ws,
            task.id,
            question=question,
            criterion=criterion,
            definitions={row["Label"]: row["Definition"] for row in rows},
        )
        st.toast("Saved. New runs use the new definitions.")
        st.rerun()


def draw_criterion(criterion: Criterion | None, *, key: str) -> str:
    """Draw the choice of a criterion and return it as text; empty when none is set."""
    options = [*METRICS[::-1], _NONE]
    with st.container(horizontal=True):
        metric = st.selectbox(
            "Criterion",
            options,
            index=options.index(criterion.metric) if criterion else 0,
            format_func=lambda m: "not decided yet" if m == _NONE else metric_name(m),
            key=f"{key}_metric",
            help=f"{note('criterion')} {note('macro-F1')}",
        )
        threshold = st.number_input(
            "At least",
            min_value=0.01,
            max_value=1.0,
            value=criterion.threshold if criterion else 0.85,
            step=0.01,
            key=f"{key}_threshold",
            help="1 is perfect.",
        )
    return "" if metric == _NONE else f"{metric}>={threshold:g}"


def _label_editor(frame: Any, *, key: str, num_rows: Any) -> list[dict[str, str]]:
    edited = st.data_editor(
        frame,
        num_rows=num_rows,
        hide_index=True,
        key=key,
        row_height=40,
        disabled=["Label"] if num_rows == "fixed" else False,
        column_config={
            "Label": st.column_config.TextColumn(width="small", max_chars=60),
            "Definition": st.column_config.TextColumn(width="large", help=_DEFINITION),
        },
        alt="Labels with their definitions",
    )
    return [{k: _text(row.get(k)) for k in ("Label", "Definition")} for row in _rows(edited)]


def _rows(frame: Any) -> Iterable[dict[str, Any]]:
    rows: list[dict[str, Any]] = frame.to_dict("records")
    return rows


def _text(cell: Any) -> str:
    return " ".join(cell.split()) if isinstance(cell, str) else ""


def _definitions(rows: list[dict[str, str]]) -> dict[str, str]:
    """Return label to definition.

    Raises:
        InputError: If a definition stands in a row without a label.
    """
    for row in rows:
        if not row["Label"]:
            raise InputError(
                f"The definition “{row['Definition'][:40]}” has no label.",
                next_step="Type the label's name in front of it.",
            )
    return {row["Label"]: row["Definition"] for row in rows if row["Definition"]}
