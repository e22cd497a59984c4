"""Charts: confusion matrix, figures with their intervals, confidence, learning curves.

Each function builds with Altair and returns the Vega-Lite specification, kept for the same
arguments: building one costs more than the whole rest of a page. `show_chart` draws it.
Colours are computed here for a light or a dark page, so that every number stays readable.
"""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import streamlit as st

from studio.domain.amounts import percent
from studio.domain.evaluation import NO_LABEL, Confusion, Figure
from studio.ui.colours import DARK, LIGHT, theme

Spec = dict[str, Any]
RGB = tuple[int, int, int]

_KEPT = 64
_INK: dict[bool, str] = {False: LIGHT.text, True: DARK.text}
_QUIET: dict[bool, str] = {False: LIGHT.muted, True: DARK.muted}
_PAPER: dict[bool, RGB] = {False: (255, 255, 255), True: (21, 24, 28)}
_RIGHT: dict[bool, RGB] = {False: (11, 98, 184), True: (88, 166, 255)}
_WRONG: dict[bool, RGB] = {False: (190, 66, 10), True: (255, 150, 84)}


def is_dark() -> bool:
    """Return whether the reader's page is dark."""
    return theme().kind == "dark"


def show_chart(
    spec: Spec, *, key: str, alt: str, on_select: Callable[[], None] | str = "ignore"
) -> Any:
    """Draw a chart.

    Args:
        spec: From a function of this module.
        key: Of the widget.
        alt: What a screen reader says of it.
        on_select: "rerun" or a callback where a click counts; the event is returned then.
    """
    # Streamlit changes what it is given, and the specification is shared by everybody.
    return st.vega_lite_chart(
        spec=copy.deepcopy(spec),
        width="stretch",
        key=key,
        alt=alt,
        on_select=cast("Any", on_select),
    )


def selected(event: Any, name: str) -> dict[str, Any] | None:
    """Return the fields of the one thing selected in a chart, None without one.

    >>> selected({"selection": {"cell": [{"gold": "a", "predicted": "b"}]}}, "cell")
    {'gold': 'a', 'predicted': 'b'}
    >>> selected({"selection": {"cell": {}}}, "cell") is None
    True
    """
    if not isinstance(event, Mapping):
        return None
    chosen = (event.get("selection") or {}).get(name)
    if isinstance(chosen, list) and chosen and isinstance(chosen[0], Mapping):
        return dict(chosen[0])
    return None


@functools.lru_cache(maxsize=_KEPT)
def confusion_chart(
    confusion: Confusion, *, dark: bool = False, titles: tuple[str, str] = ("Gold", "Predicted")
) -> Spec:
    """Return the matrix of gold (rows) against predicted (columns); a click selects "cell".

    Blue cells are right, orange ones wrong, the deeper the larger their share of that gold label.
    The column "(none)" stands there only when some example got no label.
    """
    import altair as alt

    columns = [
        name
        for j, name in enumerate(confusion.predicted)
        if name != NO_LABEL or any(row[j] for row in confusion.counts)
    ]
    cell = alt.selection_point(name="cell", fields=["gold", "predicted"])
    axis: dict[str, Any] = {
        "grid": False, "domain": False, "ticks": False, "labelLimit": 160, "labelPadding": 6,
        "labelFlush": False, "labelBound": False,
    }  # fmt: skip
    tooltip = [
        alt.Tooltip("gold:N", title=titles[0]),
        alt.Tooltip("predicted:N", title=titles[1]),
        alt.Tooltip("examples:Q", title="Examples"),
        alt.Tooltip("share:N", title="Share of this gold"),
    ][3 if len(columns) <= 6 else 0 :]  # a small matrix says the rest, and would be covered
    base = alt.Chart().encode(
        x=alt.X(
            "predicted:N", sort=columns, title=titles[1],
            axis=alt.Axis(orient="top", labelAngle=0 if len(columns) <= 6 else -40, **axis),
        ),
        y=alt.Y("gold:N", sort=list(confusion.gold), title=titles[0], axis=alt.Axis(**axis)),
        tooltip=tooltip,
    )  # fmt: skip
    rects = (
        base.mark_rect(cursor="pointer", strokeJoin="round")
        .encode(
            color=alt.Color("fill:N", scale=None),
            stroke=alt.condition(
                cell, alt.value(_INK[dark]), alt.value(_hex(_PAPER[dark])), empty=False
            ),
            strokeWidth=alt.condition(cell, alt.value(3), alt.value(1.5), empty=False),
        )
        .add_params(cell)
    )
    size = 15 if len(columns) <= 8 else 11
    numbers = base.mark_text(cursor="pointer", fontSize=size, fontWeight=600).encode(
        text=alt.Text("examples:Q", format=","), color=alt.Color("ink:N", scale=None)
    )
    height = len(confusion.gold) * (64 if len(confusion.gold) <= 4 else 36) + 60
    both = alt.layer(rects, numbers, data=_data(_cells(confusion, columns, dark)))
    return _spec(both.properties(height=height))


@functools.lru_cache(maxsize=_KEPT)
def interval_chart(
    rows: tuple[tuple[str, Figure], ...],
    *,
    metric: str = "macro-F1",
    threshold: float | None = None,
    majority: float | None = None,
    dark: bool = False,
) -> Spec:
    """Return figures side by side, a line each from low to high; a click selects "row".

    Args:
        rows: (name, figure) from top to bottom; undefined figures are left out.
        metric: What the figures are, for the axis.
        threshold: Of the criterion: a dashed line.
        majority: What always saying the commonest label reaches: a dotted line.
        dark: For a dark page.
    """
    import altair as alt

    values: list[dict[str, Any]] = [
        {
            "name": name,
            "value": figure.value,
            "low": figure.low,
            "high": figure.high,
            "n": figure.n,
        }
        for name, figure in rows
        if not math.isnan(figure.value)
    ]
    marks = [(v, text) for v, text in ((threshold, "criterion"), (majority, "majority"))
             if v is not None and not math.isnan(v)]  # fmt: skip
    seen = [v for row in values for v in (row["low"], row["high"])] + [v for v, _ in marks]
    low = max(0.0, math.floor((min(seen, default=0.0) - 0.03) * 10) / 10)
    scale = alt.Scale(domain=[low, 1.0], nice=False)
    row = alt.selection_point(name="row", fields=["name"])
    base = alt.Chart().encode(
        y=alt.Y(
            "name:N", sort=[v["name"] for v in values], title=None,
            axis=alt.Axis(
                labelLimit=220, grid=False, ticks=False, domain=False, labelPadding=8,
                labelFlush=False, labelBound=False,
            ),
        ),
        tooltip=[
            alt.Tooltip("name:N", title="Name"),
            alt.Tooltip("value:Q", title=metric, format=".3f"),
            alt.Tooltip("low:Q", title="Low end", format=".3f"),
            alt.Tooltip("high:Q", title="High end", format=".3f"),
            alt.Tooltip("n:Q", title="Examples"),
        ],
    )  # fmt: skip
    colour = alt.value(_hex(_RIGHT[dark]))
    lines = base.mark_rule(strokeWidth=3, opacity=0.55).encode(
        x=alt.X(
            "low:Q",
            scale=scale,
            title=metric,
            axis=alt.Axis(tickCount=6, format=".2~f", labelFlush=False),
        ),
        x2="high:Q",
        color=colour,
    )
    points = (
        base.mark_point(size=110, filled=True, opacity=1, cursor="pointer")
        .encode(
            x=alt.X("value:Q", scale=scale),
            color=colour,
            stroke=alt.condition(row, alt.value(_INK[dark]), alt.value(None), empty=False),
            strokeWidth=alt.value(2.5),
        )
        .add_params(row)
    )
    rules = [_mark(v, text, scale, dark) for v, text in marks]
    named = [_mark_name(v, text, scale, dark, i) for i, (v, text) in enumerate(marks)]
    height = max(1, len(values)) * 28 + 80
    layers = [*rules, lines, points, *named]
    return _spec(alt.layer(*layers, data=_data(values)).properties(height=height))


@functools.lru_cache(maxsize=_KEPT)
def learning_curve_chart(
    points: tuple[tuple[int, float], ...], *, metric: str = "macro-F1", dark: bool = False
) -> Spec:
    """Return how a figure grows with the examples learnt from: (examples, figure) in order."""
    import altair as alt

    values = [{"examples": n, "value": v} for n, v in points]
    low = max(0.0, math.floor((min((v for _, v in points), default=0.0) - 0.05) * 10) / 10)
    chart = (
        alt.Chart(_data(values))
        .mark_line(
            point=alt.OverlayMarkDef(size=70, filled=True, color=_hex(_RIGHT[dark])),
            color=_hex(_RIGHT[dark]),
            strokeWidth=2.5,
        )
        .encode(
            x=alt.X(
                "examples:Q", title="Examples learnt from",
                scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=6, tickMinStep=1, grid=False),
            ),
            y=alt.Y("value:Q", title=metric, scale=alt.Scale(domain=[low, 1.0]),
                axis=alt.Axis(tickCount=5)),
            tooltip=[
                alt.Tooltip("examples:Q", title="Examples learnt from"),
                alt.Tooltip("value:Q", title=metric, format=".3f"),
            ],
        )
        .properties(height=240)
    )  # fmt: skip
    return _spec(chart)


@functools.lru_cache(maxsize=_KEPT)
def reliability_chart(rows: tuple[tuple[float, Figure], ...], *, dark: bool = False) -> Spec:
    """Return how often labels are right by how sure they are; a click selects "bin".

    Where points lie on the dashed line, a confidence of .8 is right in 80 of 100 cases; below it
    the classifier boasts.

    Args:
        rows: (mean confidence, accuracy) of each bin, by confidence.
        dark: For a dark page.
    """
    import altair as alt

    values = [
        {"number": i, "sure": sure, "right": f.value, "low": f.low, "high": f.high, "n": f.n}
        for i, (sure, f) in enumerate(rows)
    ]
    start, floor = (
        max(0.0, math.floor((min((v[name] for v in values), default=0.0) - 0.02) * 10) / 10)
        for name in ("sure", "low")
    )
    across = alt.Scale(domain=[start, 1.0], nice=False)
    scale = alt.Scale(domain=[min(start, floor), 1.0], nice=False)
    axis = alt.Axis(tickCount=6, format=".2~f", labelFlush=False)
    bin_ = alt.selection_point(name="bin", fields=["number"])
    base = alt.Chart().encode(
        x=alt.X("sure:Q", scale=across, title="Confidence", axis=axis),
        tooltip=[
            alt.Tooltip("sure:Q", title="Mean confidence", format=".3f"),
            alt.Tooltip("right:Q", title="Share right", format=".3f"),
            alt.Tooltip("low:Q", title="Low end", format=".3f"),
            alt.Tooltip("high:Q", title="High end", format=".3f"),
            alt.Tooltip("n:Q", title="Examples"),
        ],
    )
    colour = alt.value(_hex(_RIGHT[dark]))
    lines = base.mark_rule(strokeWidth=3, opacity=0.55).encode(
        y=alt.Y("low:Q", scale=scale, title="Share that is right", axis=axis),
        y2="high:Q",
        color=colour,
    )
    points = (
        base.mark_point(size=130, filled=True, opacity=1, cursor="pointer")
        .encode(
            y=alt.Y("right:Q", scale=scale),
            color=colour,
            stroke=alt.condition(bin_, alt.value(_INK[dark]), alt.value(None), empty=False),
            strokeWidth=alt.value(2.5),
        )
        .add_params(bin_)
    )
    numbers = base.mark_text(dy=-12, fontSize=11, color=_QUIET[dark]).encode(
        y=alt.Y("high:Q", scale=scale), text=alt.Text("n:Q", format=",")
    )
    honest = (
        alt.Chart(_data([{"at": start}, {"at": 1.0}]))
        .mark_line(strokeDash=[6, 4], strokeWidth=1.5, color=_QUIET[dark])
        .encode(x=alt.X("at:Q", scale=across), y=alt.Y("at:Q", scale=scale))
    )
    layers = [honest, lines, points, numbers]
    return _spec(alt.layer(*layers, data=_data(values)).properties(height=320))


def _spec(chart: Any) -> Spec:
    spec: Spec = chart.to_dict()
    return spec


def _data(values: list[dict[str, Any]]) -> Any:
    import altair as alt

    return alt.Data(values=values)  # type: ignore[no-untyped-call]


def _cells(confusion: Confusion, columns: Sequence[str], dark: bool) -> list[dict[str, Any]]:
    cells = []
    for gold, row in zip(confusion.gold, confusion.counts, strict=True):
        total = sum(row)
        for predicted, count in zip(confusion.predicted, row, strict=True):
            if predicted not in columns:
                continue
            share = count / total if total else 0.0
            hue = _RIGHT[dark] if gold == predicted else _WRONG[dark]
            fill = _mix(_PAPER[dark], hue, 0.12 + 0.8 * share if count else 0.03)
            cells.append(
                {
                    "gold": gold,
                    "predicted": predicted,
                    "examples": count,
                    "share": percent(share),
                    "fill": _hex(fill),
                    "ink": _ink_on(fill) if count else _QUIET[dark],
                }
            )
    return cells


def _mark(value: float, text: str, scale: Any, dark: bool) -> Any:
    import altair as alt

    dash = [6, 4] if text == "criterion" else [2, 3]
    chart = alt.Chart(_data([{"at": value}]))
    return chart.mark_rule(strokeDash=dash, strokeWidth=1.5, color=_QUIET[dark]).encode(
        x=alt.X("at:Q", scale=scale)
    )


def _mark_name(value: float, text: str, scale: Any, dark: bool, place: int) -> Any:
    import altair as alt

    chart = alt.Chart(_data([{"at": value, "text": f"{text} {value:.3g}"}]))
    return chart.mark_text(
        align="left", dx=4, dy=-6 - 12 * place, baseline="bottom", color=_QUIET[dark], fontSize=11
    ).encode(x=alt.X("at:Q", scale=scale), y=alt.value(0), text="text:N")


def _mix(a: RGB, b: RGB, share: float) -> RGB:
    mixed = [round(x + (y - x) * share) for x, y in zip(a, b, strict=True)]
    return mixed[0], mixed[1], mixed[2]


def _hex(colour: RGB) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def contrast(a: RGB, b: RGB) -> float:
    """Return the contrast of two colours as WCAG 2 counts it, from 1 to 21.

    >>> round(contrast((0, 0, 0), (255, 255, 255)))
    21
    """
    bright, dim = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _ink_on(fill: RGB) -> str:
    """Return the black or white that reads better on a colour."""
    black, white = (0, 0, 0), (255, 255, 255)
    return _hex(black if contrast(fill, black) >= contrast(fill, white) else white)


def _luminance(colour: RGB) -> float:
    parts = [c / 255 for c in colour]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
