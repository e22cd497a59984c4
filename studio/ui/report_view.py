"""Parts of the report page."""

from __future__ import annotations

import streamlit as st

from studio.actions.reports import build_report
from studio.domain.report import Report, Verdict
from studio.domain.task import Task
from studio.ui.charts import interval_chart, is_dark, show_chart
from studio.ui.colours import theme
from studio.ui.figures import count, duration, figure_text, metric_name, money, percent
from studio.ui.notes import note
from studio.ui.page import escape
from studio.workspace import Workspace

_WORDS = {Verdict.GO: "Go", Verdict.NO_GO: "No-go", Verdict.NOT_YET: "Not yet"}


def read_report(ws: Workspace, task: Task, person: str) -> Report:
    """Return the report; a browser that draws it again without news does not look again."""
    kept = st.session_state.get("report")
    if kept is None or kept[0] != (task.id, task.revision):
        kept = ((task.id, task.revision), build_report(ws, task.id, by=person))
        st.session_state["report"] = kept
    report: Report = kept[1]
    return report


def draw_verdict(report: Report) -> None:
    """Draw the verdict, large, with its reason."""
    decision = report.decision
    with st.container(border=True, key="verdict"):
        colours = theme()
        colour = {
            Verdict.GO: colours.good,
            Verdict.NO_GO: colours.bad,
            Verdict.NOT_YET: colours.undecided,
        }[decision.verdict]
        st.html(  # of constants only: nothing of the workspace may stand in here
            f'<p role="heading" aria-level="2" style="color:{colour};font-size:2.6rem;'
            f'font-weight:650;line-height:1.1;margin:0">{_WORDS[decision.verdict]}</p>'
        )
        st.markdown(escape(decision.reason))
        if decision.needed:
            st.markdown(
                f"About **{decision.needed:,} more blind test labels** would decide, "
                "if the figure stays as it is."
            )
        wanted = (
            f"Wanted: {metric_name(report.criterion.metric)} of at least "
            f"{report.criterion.threshold:g} on test."
            if report.criterion
            else "Nobody said yet which figure is good enough; set it under Data."
        )
        st.caption(
            f"{wanted} {note('verdict')} Recorded {report.created_at[:16].replace('T', ' ')} UTC."
        )


def draw_figure(report: Report) -> None:
    """Draw the figure with its interval against the criterion and the majority."""
    figure, evaluation = report.figure, report.evaluation
    if figure is None or evaluation is None:
        return
    metric = report.criterion.metric if report.criterion else "macro_f1"
    st.subheader(
        f"{metric_name(metric)} {figure_text(figure)}", anchor=False, help=note("interval")
    )
    show_chart(
        interval_chart(
            ((report.classifier, figure),),
            metric=metric_name(metric),
            threshold=report.criterion.threshold if report.criterion else None,
            majority=evaluation.majority if metric == "accuracy" else None,
            dark=is_dark(),
        )
        | {"height": 110},  # the axis takes its share
        key="report_interval",
        alt=f"{metric_name(metric)} {figure_text(figure)} against the criterion",
    )
    st.caption(
        f"Accuracy {figure_text(evaluation.accuracy)}. Always answering "
        f"“{escape(evaluation.majority_label)}” would score {evaluation.majority:.3f}. "
        f"{percent(evaluation.coverage)} of the test examples got a label."
    )


def draw_numbers(report: Report) -> None:
    """Draw money, minutes, and how often test was looked at."""
    with st.container(horizontal=True, key="report_numbers"):
        with st.container(width=200):
            st.metric("Spent on services", money(report.cost_usd))
        with st.container(width=200):
            st.metric(
                "Minutes of people",
                duration(report.minutes * 60) if report.minutes else _no_minutes(report),
                help="Of their timed decisions: as the browser measured, or else since the "
                "person's decision before." + _beside(report),
            )
        with st.container(width=200):
            st.metric("Looks at test", f"{report.test_looks:,}", help=note("test look"))
        with st.container(width=200):
            st.metric("Examples", f"{report.facts.get('examples', 0):,}")


def _no_minutes(report: Report) -> str:
    return "not timed" if report.untimed else "none yet"


def _beside(report: Report) -> str:
    return f" Not timed: {count(report.untimed, 'more decision')}." if report.untimed else ""


def draw_arms(report: Report) -> None:
    """Draw what three ways to the benchmark cost."""
    if not report.arms:
        return
    st.subheader("Three ways there, and what they cost", anchor=False)
    st.dataframe(
        [
            {
                "Way": arm.name,
                "People": duration(arm.minutes * 60) if arm.minutes else "none measured",
                "Services": money(arm.service_usd),
                "In all": money(arm.total_usd),
            }
            for arm in report.arms
        ],
        hide_index=True,
        key="report_arms",
        alt="Costs of three ways to the benchmark",
    )
    for arm in report.arms:
        st.caption(f"**{arm.name}.** {escape(arm.basis)}")


def draw_weak_spots(report: Report) -> None:
    """Draw the slices on which the classifier errs more than chance tells."""
    if not report.worst:
        return
    st.subheader("Where it errs most", anchor=False)
    st.dataframe(
        [{"Slice": name, "Error rate": figure_text(figure)} for name, figure in report.worst],
        hide_index=True,
        key="report_worst",
        alt="Slices with more errors than chance tells",
    )


def draw_missing(report: Report) -> None:
    """Draw what would make the report better."""
    if not report.missing:
        return
    st.subheader(f"What is missing ({count(len(report.missing), 'point')})", anchor=False)
    st.markdown("\n".join(f"- {escape(line)}" for line in report.missing))
