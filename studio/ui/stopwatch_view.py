"""How fast and how good each way of working is: a table and a chart of people's own decisions."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from studio.actions.stopwatch import TaskStopwatch, task_stopwatch
from studio.analysis.stopwatch import CAUTION, LEAST_UNITS, Pace, Way
from studio.domain.evaluation import Figure
from studio.domain.task import Task
from studio.ui.charts import Spec, is_dark, show_chart
from studio.ui.colours import DARK, LIGHT
from studio.ui.empty import empty_state
from studio.ui.figures import percent
from studio.workspace import Workspace

_EVERYBODY = ""
_ROW = 62
"""Height of a way in pixels, as texts wrap in higher rows than 4 rem only."""


def draw_stopwatch(ws: Workspace, task: Task) -> None:
    """Draw seconds an accepted label by way of working, or why there are none yet."""
    people = ws.read.examples.deciders(task.id)
    if not people:
        empty_state(
            "Nobody has labeled anything here yet.",
            "Once people label on Label, this shows how long an accepted label takes in the grid, "
            "one by one, in bulk, blind or with a model's label in sight, and how good it is.",
            page="label",
            button="Go to Label",
        )
        return
    person = _EVERYBODY
    if len(people) > 1:
        person = st.selectbox(
            "Whose work", [_EVERYBODY, *people], key="stopwatch_person", width=260,
            format_func=lambda name: name or "Everybody",
        )  # fmt: skip
    told = _found(str(ws.path), task.id, task.revision, person, ws).found
    st.markdown(f"**{_headline(told.paces, told.slowest)}**")
    _table(told.paces, told.slowest)
    timed = tuple(
        (str(pace.way), pace.seconds) for pace in told.paces if not math.isnan(pace.seconds.value)
    )
    if timed:
        show_chart(
            pace_chart(timed, dark=is_dark()), key="stopwatch_chart",
            alt="Seconds an accepted label, by way of working",
        )  # fmt: skip
    st.caption(CAUTION + _how_timed(told.paces))


@st.cache_resource(max_entries=8, ttl=3600, show_spinner=False)
def _found(path: str, task_id: int, revision: int, person: str, _ws: Workspace) -> TaskStopwatch:
    return task_stopwatch(_ws, task_id, person=person)


def _headline(paces: Sequence[Pace], slowest: Way | None) -> str:
    faster = [p for p in paces if p.ratio is not None and p.ratio.low > 1]
    if faster and (best := max(faster, key=lambda p: p.ratio.value if p.ratio else 0.0)).ratio:
        r = best.ratio
        return (
            f"{str(best.way).capitalize()}: {r.value:.1f} times as fast "
            f"[{r.low:.1f}, {r.high:.1f}] as {slowest}. "
            "How often such labels are right stands beside it."
        )
    if slowest is None:
        return (
            f"Not enough to tell how fast a way is: at least {LEAST_UNITS} timed decisions of one "
            "way are needed, and of a blind one to compare with."
        )
    return "No way of working is faster than another as far as can be told."


def _table(paces: Sequence[Pace], slowest: Way | None) -> None:
    st.dataframe(
        [
            {
                "Way": str(pace.way),
                "Accepted": f"{pace.accepted:,} of {pace.given:,}",
                "Seconds a label": pace.seconds_words(),
                "Agreement": pace.agreement_words(),
                "Compared": pace.words(slowest),
                "Median": None if math.isnan(pace.median) else pace.median,
                "An hour": None if math.isnan(pace.per_hour.value) else round(pace.per_hour.value),
                "Agreement with": ", ".join(f"{n:,} {what}" for what, n in pace.references.items()),
            }
            for pace in paces
        ],
        hide_index=True, height="content", key="stopwatch_table", placeholder="",
        row_height=_ROW,
        column_config={
            "Way": st.column_config.TextColumn(width=115),
            "Accepted": st.column_config.TextColumn(
                width=90,
                help="Labels given in this way that still stand: not taken back, not changed since."
            ),
            "Seconds a label": st.column_config.TextColumn(
                width=115,
                help="All time worked in this way by the labels that stand, so a slip costs too. n "
                "counts decisions, or deeds that labeled many at once."
            ),
            "Median": st.column_config.NumberColumn(
                format="%.1f s", width=70,
                help="Half of the labels took less."
            ),
            "An hour": st.column_config.NumberColumn(format="localized", width=75),
            "Compared": st.column_config.TextColumn(
                width=125,
                help="With the slowest blind way; only where the interval leaves no doubt."
            ),
            "Agreement": st.column_config.TextColumn(
                width=125,
                help="How often such a label is the one that somebody gave who did not see it: "
                "adjudicated gold, else other people's blind labels, else a file's."
            ),
            "Agreement with": st.column_config.TextColumn(width=120),
        },
        alt="Pace and quality of each way of working",
    )  # fmt: skip


def _how_timed(paces: Sequence[Pace]) -> str:
    labels = sum(pace.given for pace in paces if pace.seconds.n)
    if not labels:
        return ""
    measured = sum(pace.measured * pace.given for pace in paces if pace.seconds.n) / labels
    said = " All times were measured in the browser."
    if measured < 1:
        said = (
            f" {percent(measured, digits=0)} of the times were measured in the browser; the "
            "others are the time since the same person's decision before, at most a minute."
        )
    capped = sum(pace.capped for pace in paces)
    return f"{said} {capped:,} longer ones count as the most there can be." if capped else said


@functools.lru_cache(maxsize=32)
def pace_chart(rows: tuple[tuple[str, Figure], ...], *, dark: bool = False) -> Spec:
    """Return seconds an accepted label side by side, a line each from low to high.

    Args:
        rows: (way, seconds), from top to bottom; one without ends is a point alone.
        dark: For a dark page.
    """
    import altair as alt

    colours = DARK if dark else LIGHT
    values: list[dict[str, Any]] = [
        {
            "way": name, "seconds": f.value, "n": f.n,
            "low": f.value if math.isnan(f.low) else f.low,
            "high": f.value if math.isnan(f.high) else f.high,
        }
        for name, f in rows
    ]  # fmt: skip
    scale = alt.Scale(zero=True, nice=True)
    axis = alt.Axis(tickCount=6, labelFlush=False)
    base = alt.Chart().encode(
        y=alt.Y(
            "way:N", sort=[name for name, _ in rows], title=None,
            axis=alt.Axis(labelLimit=220, grid=False, ticks=False, domain=False, labelPadding=8),
        ),
        tooltip=[
            alt.Tooltip("way:N", title="Way"),
            alt.Tooltip("seconds:Q", title="Seconds a label", format=".1f"),
            alt.Tooltip("low:Q", title="Low end", format=".1f"),
            alt.Tooltip("high:Q", title="High end", format=".1f"),
            alt.Tooltip("n:Q", title="Pieces of work", format=","),
        ],
        color=alt.value(colours.accent),
    )  # fmt: skip
    lines = base.mark_rule(strokeWidth=3, opacity=0.55).encode(
        x=alt.X("low:Q", scale=scale, title="Seconds an accepted label", axis=axis), x2="high:Q"
    )
    points = base.mark_point(size=110, filled=True, opacity=1).encode(
        x=alt.X("seconds:Q", scale=scale)
    )
    data = alt.Data(values=values)  # type: ignore[no-untyped-call]
    chart = alt.layer(lines, points, data=data).properties(height=len(rows) * 28 + 60)
    spec: Spec = chart.to_dict()
    return spec
