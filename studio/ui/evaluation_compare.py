"""Runs side by side, and two of them in detail: which is better, and can one tell?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from studio.actions.evaluations import compare_runs
from studio.domain.evaluation import Comparison, Evaluation
from studio.domain.run import Run
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.charts import interval_chart, is_dark, selected, show_chart
from studio.ui.evaluation_data import comparison, figures_of_all, metric_of, run_title
from studio.ui.evaluation_examples import download, draw_examples
from studio.ui.evaluation_test import look_at_test
from studio.ui.evaluation_view import TEST_IS_CLOSED
from studio.ui.figures import count, metric_name
from studio.ui.guard import kindly
from studio.workspace import Workspace

_LATEST = 12
P = "How likely so uneven a split of right and wrong would be if both were equally good."
NEXT_RUN = "evaluate_next_run"


def draw_comparison(
    ws: Workspace, task: Task, runs: list[Run], run: Run, evaluation: Evaluation, person: str
) -> None:
    """Draw all runs of the split side by side, then one of them against the chosen run."""
    split = evaluation.split
    is_test = "test" in split.split("+")
    if is_test:
        others = [other for other in runs if other.id != run.id and "test" in other.splits]
    else:
        known = figures_of_all(ws, task, runs[:_LATEST], split)
        known.setdefault(run.id, evaluation)
        _draw_side_by_side(task, runs, known, split)
        others = [other for other in runs if other.id != run.id and other.id in known]
    if not others:
        st.caption("A second run on the same split is needed to compare.")
        return
    metric = metric_of(task)
    best = 0
    if not is_test:
        scores = [known[other.id].metric(metric).value for other in others]
        best = scores.index(max(scores))
    before = st.selectbox(
        f"Compare run {run.id} with",
        others,
        index=best,
        format_func=run_title,
        key=f"evaluate_other_{run.id}_{split}",
        width=420,
    )
    pair = (before.id, run.id)
    if is_test:
        found = look_at_test(
            ws, task, name=f"runs {before.id} and {run.id}", looks=2,
            read=lambda: compare_runs(ws, *pair, split=split, metric=metric, by=person),
        )  # fmt: skip
        if found is not None:
            st.markdown(verdict_text(found))
            st.info(TEST_IS_CLOSED, icon=":material/lock:")
        return
    with kindly():
        found = comparison(ws, task, pair, split, metric)
        st.markdown(verdict_text(found), help=P)
        _draw_lists(ws, task, found)


def verdict_text(found: Comparison) -> str:
    """Return what a comparison tells, in two sentences."""
    a, b = found.runs
    gain, name = found.difference, metric_name(found.metric)
    by = f"{gain.value:+.3f} {name} [{gain.low:+.3f}, {gain.high:+.3f}], n={found.n:,}"
    flips = (
        f"It fixes {count(len(found.fixed), 'error')} and breaks {len(found.broke):,}; "
        f"p {'< 0.001' if found.p < 0.001 else f'= {found.p:.3f}'}."
    )
    if found.tells:
        better = "better" if gain.value > 0 else "worse"
        return f"**Run {b} is {better} than run {a}: {by}.** {flips}"
    if found.needed:
        more = f" About {found.needed:,} more examples with gold would tell."
    elif gain.value == 0:
        more = " On these examples they are equally good."
    else:
        more = " No number of examples we could hope for would tell so small a difference."
    return f"**Not enough to tell run {b} from run {a}: {by}.** {flips}{more}"


def _draw_side_by_side(
    task: Task, runs: list[Run], known: dict[int, Evaluation], split: str
) -> None:
    metric = metric_of(task)
    shown = [other for other in runs if other.id in known]
    rows = tuple((_short(other), known[other.id].metric(metric)) for other in shown)
    majority = known[shown[0].id].majority if metric == "accuracy" else None
    key = f"evaluate_side_by_side_{split}"

    def choose() -> None:
        row = selected(st.session_state.get(key), "row")
        for other in shown:
            if row is not None and row.get("name") == _short(other):
                st.session_state[NEXT_RUN] = other.id

    show_chart(
        interval_chart(
            rows,
            metric=metric_name(metric),
            threshold=task.criterion.threshold if task.criterion else None,
            majority=majority,
            dark=is_dark(),
        ),
        key=key,
        alt=f"{metric_name(metric)} of {len(rows)} runs on {split}, with intervals",
        on_select=choose,
    )
    table = [_numbers(other, known[other.id]) for other in shown]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Newest first, each with its 95 % interval. Click a run to evaluate it.")
        download(
            table, list(table[0]), name=f"runs-{split}", key="evaluate_runs_csv", what="all runs"
        )


def _short(run: Run) -> str:
    return f"{run.id} · {run.title}"


def _draw_lists(ws: Workspace, task: Task, found: Comparison) -> None:
    sides = {
        f"Fixed · {len(found.fixed):,}": found.fixed,
        f"Broke · {len(found.broke):,}": found.broke,
    }
    key = f"evaluate_pair_{found.runs[0]}_{found.runs[1]}"
    side = st.segmented_control(
        "Examples that", list(sides), default=next(iter(sides)), required=True, key=f"{key}_side",
        help="Fixed: wrong before, right now. Broke: right before, wrong now.",
    )  # fmt: skip
    chosen = sides.get(side or "", ())
    what = f"{(side or '').split(' ')[0].lower()} by run {found.runs[1]} against {found.runs[0]}"
    draw_examples(ws, task, chosen, runs=found.runs, what=what, key=f"{key}_{side}")


def _numbers(run: Run, evaluation: Evaluation) -> dict[str, Any]:
    row: dict[str, Any] = {"run": run.id, "title": run.title, "model": run.model}
    row |= {"split": evaluation.split, "n": evaluation.n, "coverage": evaluation.coverage}
    for metric in ("macro_f1", "accuracy"):
        figure = evaluation.metric(metric).to_dict()
        row |= {metric: figure["value"], f"{metric}_low": figure["low"]}
        row |= {f"{metric}_high": figure["high"]}
    return row | {"majority": evaluation.majority}


def compare_quietly(
    ws: Workspace, task: Task, pair: tuple[int, int], split: str = "validation"
) -> str:
    """Return what comparing two runs tells, or why they cannot be compared."""
    try:
        return verdict_text(comparison(ws, task, pair, split, metric_of(task)))
    except InputError as error:
        return str(error)
