"""How far a run's confidence can be trusted: against gold, and what could be taken unseen."""

from __future__ import annotations

from typing import Any

import streamlit as st

from studio.domain.calibration import Accepted, Bin, Calibration
from studio.domain.evaluation import Evaluation
from studio.domain.run import Run
from studio.domain.task import Task
from studio.ui.charts import is_dark, reliability_chart, selected, show_chart
from studio.ui.empty import empty_state
from studio.ui.evaluation_data import calibration
from studio.ui.evaluation_examples import download, draw_examples
from studio.ui.evaluation_view import TEST_IS_CLOSED, side_by_side
from studio.ui.figures import count, figure_text, percent_text
from studio.ui.notes import note
from studio.workspace import Workspace


def draw_trust(ws: Workspace, task: Task, run: Run, evaluation: Evaluation) -> None:
    """Draw confidence against gold, the examples of a bin, and the table of what to accept."""
    found = calibration(ws, task, run.id, evaluation.split)
    if not found.n:
        empty_state(
            "This run gave no confidence.",
            "What it asked tells no probabilities. Where a service tells none, a run can ask "
            "several times and take the votes as its confidence.",
            page="prompts",
            button="Run a prompt",
        )
        return
    st.subheader("How far can its confidence be trusted?", anchor=False)
    _draw_verdict(found)
    is_test = "test" in evaluation.split.split("+")
    key = f"evaluate_trust_{run.id}_{evaluation.split}"
    left, right = side_by_side("evaluate_trust", 430, "stretch")
    with left:
        turn = st.session_state.setdefault(f"{key}_turn", 0)
        event = show_chart(
            reliability_chart(
                tuple((b.confidence, b.accuracy) for b in found.bins), dark=is_dark()
            ),
            key=f"{key}_{turn}",
            alt=_spoken(found),
            on_select="ignore" if is_test else "rerun",
        )
        st.caption(
            "Dashed: an honest confidence. Points below it boast. The bar is the 95 % "
            "interval; above it stands the number of examples."
        )
    with right:
        _draw_accepted(found, run)
    if is_test:
        st.info(TEST_IS_CLOSED, icon=":material/lock:")
        return
    chosen = _choose_bin(found, selected(event, "bin"), key)
    if chosen is not None:
        what = f"confidence {_span(chosen)}, run {run.id} on {evaluation.split}"
        draw_examples(
            ws, task, chosen.example_ids, runs=(run.id,), what=what, key=f"{key}_{chosen.low}"
        )


def _draw_verdict(found: Calibration) -> None:
    """Say what kind of confidence it is, and whether it is further off than chance explains."""
    says = "more than chance explains" if found.is_off else "no more than chance explains"
    st.markdown(
        f"Kind of confidence: **{found.kind}**. Calibration error **{found.ece:.3f}**, {says} "
        f"(up to {found.chance:.3f}), n = {found.n:,}.",
        help=note("calibration error"),
    )
    if found.left_out:
        st.warning(found.left_out, icon=":material/call_split:")
    if found.without:
        some = count(found.without, "example")
        st.caption(f"{some} got no confidence and would never be taken unseen.")


def _draw_accepted(found: Calibration, run: Run) -> None:
    """Draw what taking labels unseen from each confidence on would bring."""
    st.markdown("**What could be taken unseen?**", help=note("taken unseen"))
    st.dataframe(
        [_line(one) for one in found.accepted],
        hide_index=True,
        height="content",
        column_config={
            "Confidence": st.column_config.TextColumn(width="small"),
            "Of all examples": st.column_config.TextColumn(help=note("interval")),
            "Right among them": st.column_config.TextColumn(help=note("accuracy")),
        },
        key="evaluate_accepted",
        alt="By the least confidence: the share of examples taken unseen, and how often right",
    )
    st.caption(f"{found.kind[:1].upper()}{found.kind[1:]}. Choose here, confirm once on test.")
    table = [_numbers(one, found) for one in found.accepted]
    download(table, list(table[0]), name=f"taken-unseen-run-{run.id}", key="evaluate_accepted_csv")


def _line(one: Accepted) -> dict[str, str]:
    share = one.share
    return {
        "Confidence": f"≥ {one.least:.2f}",
        "Of all examples": percent_text(share, digits=0),
        "Right among them": figure_text(one.accuracy, digits=3),
    }


def _numbers(one: Accepted, found: Calibration) -> dict[str, Any]:
    return {
        "least_confidence": one.least,
        "method": found.method.value if found.method else "",
        **{f"share_{name}": value for name, value in one.share.to_dict().items()},
        **{f"accuracy_{name}": value for name, value in one.accuracy.to_dict().items()},
    }


def _choose_bin(found: Calibration, clicked: dict[str, Any] | None, key: str) -> Bin | None:
    """Return the bin clicked or chosen in the list, whichever was last; None for no bin."""
    choice, seen = f"{key}_choice", f"{key}_seen"
    number = clicked.get("number") if clicked else None
    if number is not None and st.session_state.get(seen) != number:
        st.session_state[choice] = number if number in range(len(found.bins)) else None
    st.session_state[seen] = number

    def name(number: int) -> str:
        one = found.bins[number]
        right = round(one.accuracy.value * one.accuracy.n)
        return f"{_span(one)} · {right:,} of {one.accuracy.n:,} right"

    chosen = st.selectbox(
        "Examples with a confidence of (or click a point)",
        range(len(found.bins)),
        index=None,
        format_func=name,
        key=choice,
        on_change=_forget_click,
        args=(key,),
        placeholder="Choose to read them",
        width=430,
    )
    return None if chosen is None else found.bins[chosen]


def _forget_click(key: str) -> None:
    """Draw the chart anew, so that no other point than the chosen one looks chosen."""
    st.session_state[f"{key}_turn"] += 1


def _span(one: Bin) -> str:
    """Return the confidences of a bin.

    >>> from studio.analysis.intervals import UNDEFINED
    >>> _span(Bin(low=0.5, high=0.5, confidence=0.5, accuracy=UNDEFINED, example_ids=()))
    '0.50'
    """
    low, high = f"{one.low:.2f}", f"{one.high:.2f}"
    return low if low == high else f"{low} to {high}"


def _spoken(found: Calibration) -> str:
    """Return the chart in words, for those who hear the page."""
    said = [f"confidence {_span(b)}: right {figure_text(b.accuracy)}" for b in found.bins]
    return f"Confidence against the share that is right. {'; '.join(said)}"
