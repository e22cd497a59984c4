"""Charts say what they are asked to say, in colours one can read."""

from __future__ import annotations

import json
import math

import pytest

from studio.domain.evaluation import NO_LABEL, Confusion, Figure
from studio.ui.charts import (
    confusion_chart,
    contrast,
    interval_chart,
    learning_curve_chart,
    reliability_chart,
    selected,
)


def matrix(none: int = 0) -> Confusion:
    return Confusion(
        gold=("keto", "not_keto"),
        predicted=("keto", "not_keto", NO_LABEL),
        counts=((40, 3, none), (7, 90, 0)),
    )


def values(spec: dict) -> list[dict]:
    found = list(spec.get("datasets", {}).values())
    if "data" in spec and "values" in spec["data"]:
        found.append(spec["data"]["values"])
    for layer in spec.get("layer", []):
        found += [layer["data"]["values"]] if "values" in layer.get("data", {}) else []
    return [row for rows in found for row in rows]


def rgb(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def test_the_column_without_a_label_stands_there_only_when_it_is_needed():
    without = {row["predicted"] for row in values(confusion_chart(matrix()))}
    assert without == {"keto", "not_keto"}
    assert NO_LABEL in {row["predicted"] for row in values(confusion_chart(matrix(none=2)))}


def test_a_click_on_a_cell_names_gold_and_predicted():
    spec = confusion_chart(matrix())
    (cell,) = [p for p in spec["params"] if p["name"] == "cell"]
    assert cell["select"] == {"type": "point", "fields": ["gold", "predicted"]}
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["rect", "text"]
    assert spec["layer"][0]["encoding"]["y"]["field"] == "gold"
    assert spec["layer"][0]["encoding"]["x"]["field"] == "predicted"
    assert "opacity" not in json.dumps(spec), "what is not selected must not fade"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("share", range(0, 101, 5))
def test_every_number_can_be_read_on_its_cell(dark: bool, share: int):
    confusion = Confusion(
        gold=("a", "b"), predicted=("a", "b", NO_LABEL), counts=((share, 100 - share, 0), (0, 0, 0))
    )
    for cell in values(confusion_chart(confusion, dark=dark)):
        assert contrast(rgb(cell["fill"]), rgb(cell["ink"])) >= 4.5, cell


def test_names_of_labels_are_data_and_never_part_of_an_expression():
    evil = "datum.x || alert('1')"
    confusion = Confusion(
        gold=(evil, "b"), predicted=(evil, "b", NO_LABEL), counts=((1, 0, 0),) * 2
    )
    spec = confusion_chart(confusion)
    assert "alert" in json.dumps(values(spec))
    assert all(
        word not in json.dumps(spec) for word in ('"expr"', '"calculate"', '"url"', '"href"')
    )


def test_figures_stand_side_by_side_with_criterion_and_majority():
    rows = (
        ("better v2", Figure(value=0.9, low=0.86, high=0.93, n=300)),
        ("rules", Figure(value=0.7, low=0.64, high=0.76, n=300)),
        ("unknown", Figure(value=math.nan, low=math.nan, high=math.nan, n=0)),
    )
    spec = interval_chart(rows, threshold=0.85, majority=0.6)
    shown = values(spec)
    assert [row["name"] for row in shown if "name" in row] == ["better v2", "rules"]
    assert {"criterion 0.85", "majority 0.6"} <= {row.get("text") for row in shown}
    text = json.dumps(spec)
    assert '"domain": [0.5, 1.0]' in text
    assert "NaN" not in text
    assert interval_chart((), threshold=None)["height"] > 0


def test_a_learning_curve_keeps_its_points_in_order():
    spec = learning_curve_chart(((20, 0.5), (80, 0.72), (200, 0.8)))
    assert [row["examples"] for row in values(spec)] == [20, 80, 200]
    assert spec["mark"]["type"] == "line"


def test_no_chart_asks_for_anything_outside():
    specs = [
        confusion_chart(matrix()),
        interval_chart((("a", Figure(value=0.5, low=0.4, high=0.6, n=9)),), threshold=0.8),
        learning_curve_chart(((1, 0.2), (2, 0.4))),
    ]
    for spec in specs:
        spec = {key: value for key, value in spec.items() if key != "$schema"}
        assert "http" not in json.dumps(spec)


@pytest.mark.parametrize(
    "event",
    [None, "x", {}, {"selection": {}}, {"selection": {"cell": []}}, {"selection": {"cell": {}}}],
)
def test_nothing_selected_is_none(event: object):
    assert selected(event, "cell") is None


def test_a_small_matrix_is_not_covered_by_its_tooltip():
    spec = confusion_chart(matrix())
    assert [t["field"] for t in spec["layer"][0]["encoding"]["tooltip"]] == ["share"]
    names = tuple("abcdefgh")
    large = Confusion(gold=names, predicted=(*names, NO_LABEL), counts=((1,) * 9,) * 8)
    tooltip = confusion_chart(large)["layer"][0]["encoding"]["tooltip"]
    assert [t["field"] for t in tooltip] == ["gold", "predicted", "examples", "share"]


def test_confidence_stands_against_the_share_that_is_right():
    rows = ((0.62, Figure(value=0.55, low=0.34, high=0.74, n=20)),
            (0.97, Figure(value=0.9, low=0.7, high=0.97, n=20)))  # fmt: skip
    spec = reliability_chart(rows)
    points = [row for row in values(spec) if "sure" in row]
    assert [(p["number"], p["sure"], p["right"], p["n"]) for p in points] == [
        (0, 0.62, 0.55, 20), (1, 0.97, 0.9, 20),
    ]  # fmt: skip
    assert [row["at"] for row in values(spec) if "at" in row] == [0.6, 1.0], "the honest line"
    (clicked,) = [p for p in spec["params"] if p["name"] == "bin"]
    assert clicked["select"] == {"type": "point", "fields": ["number"]}
