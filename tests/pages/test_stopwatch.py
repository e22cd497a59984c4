"""The stopwatch of the People page in its states."""

from __future__ import annotations

import pytest

from studio.actions.corrections import Decision, correct_labels
from studio.domain.correction import Mode
from tests.conftest import fill_task


@pytest.fixture
def task(ws):
    return fill_task(ws, train=80)


@pytest.fixture
def look(open_app):
    """Open the page at the stopwatch, on everybody's work or a person's."""

    def at_stopwatch(person=""):
        at = open_app("people")
        at.session_state["people"] = "Stopwatch"
        at.session_state["stopwatch_person"] = person
        at.run()
        assert not at.exception
        return at

    return at_stopwatch


def label(ws, task, ids, seconds, *, by="Ada", **more):
    for i, example_id in enumerate(ids):
        decision = Decision(
            example_id=example_id, label="ham", seconds=seconds and seconds + 0.1 * (i % 5)
        )
        correct_labels(ws, task.id, [decision], by=by, **more)


def words(at):
    return " ".join(e.value for e in [*at.markdown, *at.caption])


def test_before_anybody_labels_it_says_what_will_stand_here(ws, task, look):
    at = look()
    assert "Nobody has labeled anything here yet." in words(at)
    assert not at.dataframe


def test_too_few_decisions_claim_nothing(ws, task, look):
    label(ws, task, ws.read.examples.ids(task.id, ["train"])[:5], 2.0, mode=Mode.GRID)
    at = look()
    assert "Not enough to tell" in words(at)
    row = at.dataframe[0].value.iloc[0]
    assert row["Way"] == "grid, blind"
    assert row["Compared"] == "not enough to tell"
    assert row["Seconds a label"] == "2.2 not enough to tell n=5"


def test_a_faster_way_is_told_with_its_quality(ws, task, look):
    ids = ws.read.examples.ids(task.id, ["train"])
    label(ws, task, ids[:30], 8.0, mode=Mode.GRID)
    label(ws, task, ids[30:60], 2.0, mode=Mode.QUEUE, beside_rule=True)
    label(ws, task, ids[:4], None, by="Bo", mode=Mode.FILE)
    at = look()
    assert "Queue, assisted: 3.7 times as fast" in words(at)
    rows = at.dataframe[0].value.set_index("Way")
    assert rows.loc["queue, assisted", "Compared"].startswith("3.7 times as fast as grid, blind")
    assert rows.loc["grid, blind", "Agreement with"] == "4 another person, blind, 26 a file"
    assert rows.loc["from a file, blind", "Seconds a label"] == "not timed"
    alone = look("Bo").dataframe[0].value
    assert alone["Way"].tolist() == ["from a file, blind"]
