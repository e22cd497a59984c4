"""The parts of the Evaluate page: figures, the confusion matrix with its examples, labels."""

from __future__ import annotations

import math
from typing import Any, Literal

import streamlit as st

from studio.analysis.intervals import needed_for
from studio.domain.evaluation import Evaluation, Figure
from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Task
from studio.ui.charts import confusion_chart, is_dark, selected, show_chart
from studio.ui.evaluation_data import cells
from studio.ui.evaluation_examples import download, draw_examples
from studio.ui.figures import count, figure_text, metric_name, percent
from studio.ui.notes import note
from studio.ui.page import escape
from studio.workspace import Workspace

ALL_ERRORS = "All errors"
TEST_IS_CLOSED = (
    "Test shows figures only: its examples stay closed, so that people can label them blind and "
    "nobody tunes on them. Read errors on validation."
)
Cell = tuple[str, str]
_ALL: Cell = ("", "")


def draw_headline(task: Task, run: Run, evaluation: Evaluation) -> None:
    """Draw the figures with interval and n, beside the baseline and the criterion."""
    first = task.criterion.metric if task.criterion else "macro_f1"
    second = "accuracy" if first == "macro_f1" else "macro_f1"
    with st.container(horizontal=True, gap="small", key="evaluate_figures"):
        for metric in (first, second):
            figure = evaluation.metric(metric)
            _tile(_capital(metric_name(metric)), _number(figure.value), _ends(figure), metric)
        _tile(
            f"Always “{escape(evaluation.majority_label)}”",
            _number(evaluation.majority),
            f"accuracy, n = {evaluation.n:,}",
            "majority",
        )
        _criterion_tile(task, evaluation)
    draw_outcomes(evaluation)
    is_tuned = run.kind in (ClassifierKind.MODEL, ClassifierKind.JOINED)
    if is_tuned and "train" in evaluation.split.split("+"):
        st.info(
            "This model learnt from train, so its figures there are too good. Read validation, or "
            "the cross-validated figures on Fine-tunes.",
            icon=":material/info:",
        )


def _tile(label: str, value: str, below: str, word: str) -> None:
    st.metric(
        label, value, below, delta_color="off", delta_arrow="off", border=True,
        help=note(metric_name(word)), width=196,
    )  # fmt: skip


def _criterion_tile(task: Task, evaluation: Evaluation) -> None:
    if task.criterion is None:
        _tile("Criterion", "none", "set one on Data", "criterion")
        return
    goal, figure = task.criterion.threshold, evaluation.metric(task.criterion.metric)
    needed = needed_for(figure, goal)
    if figure.low >= goal:
        below = "reached at the low end"
    elif figure.high < goal:
        below = "missed at the high end"
    elif needed:
        below = f"open, {needed:,} more may tell"
    else:
        below = "open, too few to tell"
    name = metric_name(task.criterion.metric)
    _tile(f"Criterion, {name}", f"≥ {goal:g}", below, "criterion")


def draw_outcomes(evaluation: Evaluation) -> None:
    """Say how many examples got no label, and why; nothing is dropped."""
    other = {name: n for name, n in evaluation.outcomes.items() if name != "ok"}
    if not other:
        return
    listed = ", ".join(
        f"{n:,} {name.replace('_', ' ')}" for name, n in sorted(other.items(), key=lambda o: -o[1])
    )
    st.warning(
        f"{count(sum(other.values()), 'example')} of {evaluation.n:,} got no label and "
        f"{'counts as an error' if sum(other.values()) == 1 else 'count as errors'}: {listed}. "
        f"Coverage is {percent(evaluation.coverage)}.",
        icon=":material/warning:",
    )


def draw_errors(ws: Workspace, task: Task, run: Run, evaluation: Evaluation) -> None:
    """Draw the confusion matrix and, below it, the examples of the chosen cell."""
    is_test = "test" in evaluation.split.split("+")
    key = f"evaluate_confusion_{run.id}_{evaluation.split}"
    width = min(760, 170 + 90 * len(evaluation.confusion.gold))
    left, right = side_by_side("evaluate_errors", max(350, width), 430)
    with left:
        turn = st.session_state.setdefault(f"{key}_turn", 0)
        event = show_chart(
            confusion_chart(evaluation.confusion, dark=is_dark()),
            key=f"{key}_{turn}",
            alt=_spoken(evaluation),
            on_select="ignore" if is_test else "rerun",
        )
    found = {} if is_test else cells(ws, task, run.id, evaluation.split)
    with right:
        cell = None if is_test else _choose_cell(found, selected(event, "cell"), key)
        st.caption("Blue is right, orange is wrong; the deeper, the larger a share of its gold.")
        _download_confusion(evaluation, run)
    if is_test:
        st.info(TEST_IS_CLOSED, icon=":material/lock:")
        return
    if cell is None:
        ids = tuple(sorted(i for (g, p), some in found.items() if g != p for i in some))
        what = f"errors of run {run.id} on {evaluation.split}"
    else:
        ids = found.get(cell, ())
        what = f"gold {cell[0]}, run {run.id} says {cell[1]}"
    draw_examples(ws, task, ids, runs=(run.id,), what=what, key=f"{key}_{cell}")


def side_by_side(key: str, left: int, right: int | Literal["stretch"]) -> tuple[Any, Any]:
    """Return two containers of these widths, the second below the first on a narrow page."""
    with st.container(horizontal=True, gap="medium", key=key):
        return (
            st.container(width=left, key=f"{key}_left"),
            st.container(width=right, key=f"beside_{key}"),
        )


def _choose_cell(
    found: dict[Cell, tuple[int, ...]], clicked: dict[str, Any] | None, key: str
) -> Cell | None:
    """Return the cell clicked or chosen in the list, whichever was last; None for all errors."""
    errors = sorted((c for c in found if c[0] != c[1]), key=lambda c: -len(found[c]))
    right = sorted((c for c in found if c[0] == c[1]), key=lambda c: -len(found[c]))
    options: list[Cell] = [_ALL, *errors, *right]
    choice, seen = f"{key}_choice", f"{key}_seen"
    cell = (str(clicked.get("gold")), str(clicked.get("predicted"))) if clicked else None
    if cell is not None and st.session_state.get(seen) != cell:
        st.session_state[choice] = cell if cell in options else _ALL
        if cell not in options:
            st.toast("No example in this cell.")
    st.session_state[seen] = cell
    wrong = sum(len(found[c]) for c in errors)

    def name(option: Cell) -> str:
        if option == _ALL:
            return f"{ALL_ERRORS} · {wrong:,}"
        return f"Gold {option[0]}, predicted {option[1]} · {len(found[option]):,}"

    chosen = st.selectbox(
        "Cell of the matrix (or click one)",
        options,
        format_func=name,
        key=choice,
        on_change=_forget_click,
        args=(key,),
    )
    return None if chosen == _ALL else chosen


def _forget_click(key: str) -> None:
    """Draw the chart anew, so that no other cell than the chosen one looks chosen."""
    st.session_state[f"{key}_turn"] += 1


def draw_labels(task: Task, evaluation: Evaluation) -> None:
    """Draw how well each label is told."""
    rows = [
        {
            "label": scores.label,
            "precision": figure_text(scores.precision),
            "recall": figure_text(scores.recall),
            "f1": figure_text(scores.f1),
            "support": scores.support,
        }
        for scores in evaluation.labels
    ]
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        column_config={
            "label": st.column_config.TextColumn("Label", width="medium"),
            "precision": st.column_config.TextColumn("Precision", help=note("precision")),
            "recall": st.column_config.TextColumn("Recall", help=note("recall")),
            "f1": st.column_config.TextColumn("F1", help=note("F1")),
            "support": st.column_config.NumberColumn(
                "Gold examples", help="How many examples have this label as gold."
            ),
        },
        key="evaluate_labels",
        alt="Precision, recall and F1 of each label, with intervals",
    )
    st.caption("Each figure stands with its 95 % interval and the examples behind it.")
    table = [_label_numbers(scores) for scores in evaluation.labels]
    download(
        table, list(table[0]), name=f"labels-run-{evaluation.run_id}", key="evaluate_labels_csv"
    )


def _label_numbers(scores: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"label": scores.label, "support": scores.support}
    for name in ("precision", "recall", "f1"):
        figure: Figure = getattr(scores, name)
        for part, number in figure.to_dict().items():
            row[name if part == "value" else f"{name}_{part}"] = number
    return row


def _download_confusion(evaluation: Evaluation, run: Run) -> None:
    confusion = evaluation.confusion
    rows = [
        {"gold": gold, **dict(zip(confusion.predicted, row, strict=True))}
        for gold, row in zip(confusion.gold, confusion.counts, strict=True)
    ]
    columns = ["gold", *confusion.predicted]
    download(
        rows,
        columns,
        name=f"confusion-run-{run.id}",
        key="evaluate_confusion_csv",
        what="the matrix",
    )


def _spoken(evaluation: Evaluation) -> str:
    """Return the matrix in words, for those who hear the page."""
    confusion = evaluation.confusion
    said = [
        f"gold {gold} predicted {predicted}: {n}"
        for gold, row in zip(confusion.gold, confusion.counts, strict=True)
        for predicted, n in zip(confusion.predicted, row, strict=True)
        if n
    ]
    return "Confusion matrix. " + "; ".join(said[:30])


def _number(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:.3f}"


def _ends(figure: Figure) -> str:
    if math.isnan(figure.value):
        return f"n = {figure.n:,}"
    return f"{figure.low:.3f} to {figure.high:.3f}, n = {figure.n:,}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
