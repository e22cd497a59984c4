from __future__ import annotations

import pytest

from studio.actions.runs import Choice, start_run
from studio.domain.run import Answer, Outcome
from studio.store.runs import Result


def test_an_empty_workspace_offers_the_example(open_app):
    at = open_app()
    at.button(key="load_keto").click().run()
    assert not at.exception
    assert "**keto**" in [m.value for m in at.markdown]
    assert at.sidebar.selectbox(key="task").value == "keto"


@pytest.mark.parametrize(
    ("state", "action"),
    [("task without examples", "Import examples"), ("keto loaded", "Run a prompt")],
)
def test_names_the_one_next_step(open_app, fill, state, action):
    fill(state)
    at = open_app()
    assert at.button(key="next_step_go").label == action
    at.button(key="next_step_go").click().run()
    assert not at.exception


def test_the_next_step_opens_its_tab_whichever_was_open_before(open_app, fill):
    fill("task without examples")
    at = open_app("data", view="New task")
    assert at.session_state["data"] == "New task"
    at.switch_page("pages/home.py").run()
    at.button(key="next_step_go").click().run()
    assert not at.exception
    assert at.session_state["data"] == "Import"


def test_shows_a_run_while_it_works_and_its_figure_when_done(open_app, fill, ws):
    task = fill("keto loaded")
    run = start_run(ws, task.id, choice=Choice(rules=True), splits=["validation"], by="Ada")
    at = open_app()
    assert not at.exception
    assert at.button(key=f"home_run_{run.id}_pause").label == "Pause"

    gold = ws.read.labels.gold(task.id, ["validation"])
    results = [
        Result(example_id=i, label_id=g.label_id,
               answer=Answer(outcome=Outcome.OK, label=task.name_of(g.label_id)))
        for i, g in gold.items()
    ]  # fmt: skip
    ws.store.runs.commit(run, results, at=ws.now())
    at = open_app()
    assert any("best on validation: macro-F1 1.000" in m.value for m in at.markdown)
