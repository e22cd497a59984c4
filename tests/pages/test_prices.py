"""Prices on the settings page: edited in a table, refused with a sentence, nothing lost."""

from __future__ import annotations

import pandas as pd
import pytest
import streamlit as st

from studio.actions.prices import edit_prices
from studio.actions.providers import add_provider
from studio.domain.price import Price

COLUMNS = [
    "Provider",
    "Model",
    "For",
    "Input",
    "Output",
    "Batch input",
    "Batch output",
    "Source",
    "As of",
]


@pytest.fixture
def typed(monkeypatch):
    """What people typed into the table of their own prices; the test harness cannot type there."""
    rows: list[dict] = []
    drawn: list[tuple[str, pd.DataFrame]] = []
    real = st.data_editor

    def editor(frame, **more):
        real(frame, **more)
        drawn.append((more["key"], frame))
        return pd.DataFrame([dict.fromkeys(COLUMNS) | row for row in rows], columns=COLUMNS)

    monkeypatch.setattr(st, "data_editor", editor)
    return rows, drawn


@pytest.fixture
def openai(ws):
    add_provider(ws, name="openai", base_url="https://api.openai.com/v1", by="Ada")


ROW = {"Provider": "openai", "Model": "m", "Input": 0.5, "Output": 1.5}


def save(at):
    return at.button(key="settings_prices_save").click().run()


def test_the_shipped_prices_stand_below_with_day_and_source(open_app):
    at = open_app("settings")
    assert not at.exception
    shipped = next(d.value for d in at.dataframe if "Host" in d.value)
    luna = shipped[(shipped["Model"] == "gpt-6-luna") & (shipped["For"] == "chat")].iloc[0]
    assert (luna["Input"], luna["As of"]) == (0.1, "2026-10-14")
    assert luna["Age"].endswith(("day", "days"))


def test_prices_are_saved_changed_and_taken_back(open_app, ws, openai, typed):
    rows, drawn = typed
    rows += [ROW, {}]  # an empty row is no mistake
    at = save(open_app("settings"))
    assert not at.exception
    assert not at.error
    (kept,) = ws.read.prices.own()
    assert (kept.model, kept.input_usd, kept.source) == ("m", 0.5, "set by Ada")
    assert list(drawn[-1][1]["Model"]) == ["m"]

    rows[:] = [ROW | {"Output": 3.0, "Source": "contract"}]
    at = save(at)
    assert [(p.output_usd, p.source) for p in ws.read.prices.own()] == [(3.0, "contract")]
    assert "1 price saved." in [t.value for t in at.toast]

    rows.clear()
    at = save(at)
    assert ws.read.prices.own() == []


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"Model": "m", "Input": 1.0}, "Row 1 has no provider and no output."),
        (ROW | {"Input": -1.0}, "The input price of m must be 0 or more"),
        (ROW | {"Batch input": 0.1}, "Only one of the two batch prices of m"),
        (ROW | {"Provider": "nobody"}, "There is no provider 'nobody'"),
    ],
)
def test_a_wrong_cell_gets_a_sentence_and_the_table_stays(open_app, ws, openai, typed, row, says):
    rows, drawn = typed
    rows += [row, ROW | {"Model": "fine"}]
    at = save(open_app("settings"))
    assert says in at.error[0].value
    assert ws.read.prices.own() == []  # nor the row that was right
    assert len({key for key, _ in drawn}) == 1  # another key would be a table without what is typed


def test_the_same_model_twice_is_told(open_app, ws, openai, typed):
    rows, _ = typed
    rows += [ROW, ROW]
    at = save(open_app("settings"))
    assert "Row 2 prices m at openai a second time." in at.error[0].value

    rows[1] = ROW | {"For": "training", "Output": 0.0}
    save(at)
    assert [p.kind for p in ws.read.prices.own()] == ["chat", "training"]


def test_only_what_changed_is_written(open_app, ws, openai, typed):
    rows, _ = typed
    edit_prices(ws, put=[Price(provider="openai", model="m", input_usd=0.5, output_usd=1.5,
                               source="contract")], by="Grace")  # fmt: skip
    rows += [ROW | {"Source": "contract"}]
    at = save(open_app("settings"))
    assert "Nothing had changed." in [t.value for t in at.toast]
