"""Slices of a run, the worst first, each with its examples."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from studio.domain.evaluation import Evaluation
from studio.domain.run import Run
from studio.domain.slicing import SliceScore
from studio.domain.task import Task
from studio.ui.evaluation_data import cells, slices
from studio.ui.evaluation_examples import chosen_index, download, draw_examples
from studio.ui.figures import percent, percent_text
from studio.ui.notes import note
from studio.workspace import Workspace

LIFT = "The error rate here, as a multiple of the error rate on all examples."
Q = "Of slices at least as striking as this one, the share that chance alone would bring up."
WORSE = "Marked where the run errs more than chance explains: q is at most 0.05."
KINDS = {"metadata": "Metadata", "rule": "Rules", "label": "Labels", "length": "Length"}


def draw_slices(ws: Workspace, task: Task, run: Run, evaluation: Evaluation) -> None:
    """Draw groups of examples ranked by how much worse the run is on them."""
    found = slices(ws, task, run.id, evaluation.split)
    if not found:
        st.caption(
            "No slice has at least 8 examples with gold. Import examples with further columns, "
            "or code rules; each becomes a slice."
        )
        return
    shown = _filtered(found)
    worse = sum(score.is_worse for score in found)
    base = 1 - evaluation.accuracy.value
    st.caption(
        f"{len(found)} slices; {worse or 'none'} of them {'errs' if worse == 1 else 'err'} "
        "more than chance explains. "
        f"On all {evaluation.n:,} examples the run errs on {percent(base)}.",
        help=note("slice"),
    )
    event = st.dataframe(
        [_line(score) for score in shown],
        hide_index=True,
        column_config={
            "Slice": st.column_config.TextColumn(width="medium", help=note("slice")),
            "Errors": st.column_config.TextColumn(help="Error rate with its 95 % interval."),
            "Times": st.column_config.NumberColumn(format="%.1f ×", help=LIFT, width="small"),
            "q": st.column_config.NumberColumn(format="%.3f", help=Q, width="small"),
            "n": st.column_config.NumberColumn(help=note("n"), width="small"),
            "Worse": st.column_config.TextColumn(help=WORSE),
        },
        on_select="rerun",
        selection_mode="single-row",
        key=f"evaluate_slices_{run.id}_{evaluation.split}",
        alt="Slices, the worst first",
    )
    table = [_numbers(score) for score in shown]
    if table:
        download(table, list(table[0]), name=f"slices-run-{run.id}", key="evaluate_slices_csv")
    index = chosen_index(event, len(shown))
    if "test" in evaluation.split.split("+"):
        return
    if index is None:
        st.caption("Choose a slice to read its examples.")
        return
    _draw_members(ws, task, run, evaluation, shown[index])


def _draw_members(
    ws: Workspace, task: Task, run: Run, evaluation: Evaluation, score: SliceScore
) -> None:
    found = cells(ws, task, run.id, evaluation.split)
    inside = score.slice.example_ids
    wrong = {i for (gold, said), ids in found.items() if gold != said for i in ids} & inside
    st.text(f"{score.slice.name}: {len(wrong):,} errors among {score.error.n:,} examples")
    show_all = st.toggle("Also those that are right", key="evaluate_slice_all")
    known = {i for ids in found.values() for i in ids} & inside
    ids = tuple(sorted(known if show_all else wrong))
    what = f"slice {score.slice.name}, run {run.id}"
    draw_examples(
        ws, task, ids, runs=(run.id,), what=what, key=f"evaluate_members_{score.slice.name}"
    )


def _filtered(found: list[SliceScore]) -> list[SliceScore]:
    present = [kind for kind in KINDS if any(score.slice.kind == kind for score in found)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kinds = st.pills(
            "Kind of slice", present, selection_mode="multi", key="evaluate_slice_kinds",
            format_func=lambda kind: KINDS[kind],
        )  # fmt: skip
        wanted = st.text_input("Find a slice", key="evaluate_slice_find", width=220)
        only_worse = st.toggle("Only worse than chance", key="evaluate_slice_worse")
    return [
        score
        for score in found
        if (not kinds or score.slice.kind in kinds)
        and wanted.casefold().strip() in score.slice.name.casefold()
        and (score.is_worse or not only_worse)
    ]


def _line(score: SliceScore) -> dict[str, Any]:
    error = score.error
    return {
        "Slice": score.slice.name,
        "Errors": percent_text(error),
        "n": error.n,
        "Times": None if math.isnan(score.lift) else score.lift,
        "q": score.q,
        "Worse": "worse" if score.is_worse else "",
    }


def _numbers(score: SliceScore) -> dict[str, Any]:
    error = score.error.to_dict()
    return {
        "slice": score.slice.name,
        "kind": score.slice.kind,
        "n": error["n"],
        "error": error["value"],
        "low": error["low"],
        "high": error["high"],
        "lift": None if math.isnan(score.lift) else round(score.lift, 4),
        "q": round(score.q, 6),
        "worse_than_chance": score.is_worse,
    }
