"""A preview in all its states: at work, stopped, without gold, not enough to tell."""

from __future__ import annotations

import dataclasses
import json

import pytest

from studio.actions.preview_results import last_preview, preview_result
from studio.actions.previews import preview_prompt
from studio.actions.runs import Choice, start_run, steer_run
from studio.actions.samples import load_sample
from studio.domain.capability import Capabilities, Feature, Finding, State
from studio.domain.job import Want
from studio.domain.prompt import PromptText
from studio.domain.run import Answer, Outcome
from studio.providers.scripted import ScriptedProvider
from tests.conftest import work_off
from tests.pages.test_prompts import said

DRAFT = PromptText(instructions="Mind the BREAD.")


def answer(question) -> Answer:
    text = question.messages[-1]["content"].lower()
    words = ["rice", "bread"] if "BREAD" in question.messages[0]["content"] else ["rice"]
    label = "not_keto" if any(w in text for w in words) else "keto"
    return Answer(outcome=Outcome.OK, label=label, probabilities={label: 0.75}, model="scripted-1")


@pytest.fixture
def keto(ws):
    return load_sample(ws, by="Dr. Lind")


@pytest.fixture
def desk(ws, keto, open_app, monkeypatch):
    """The workspace with a script in place of the embedded server, and a way to open the page."""
    service = ScriptedProvider(answer, name="embedded")
    scripted = dataclasses.replace(ws, provider=lambda _: service, wake=lambda: None)
    monkeypatch.setattr("studio.ui.session._open", lambda path: scripted)
    return scripted, lambda: open_app("prompts")


def filed(ws, keto, **more):
    before = ws.read.prompts.find(keto.id, "better").body
    return preview_prompt(ws, keto.id, body=DRAFT, before=before, by="Ada", **more)


def test_rows_are_there_while_it_works(desk, keto):
    ws, start = desk
    preview = filed(ws, keto)
    work_off(ws, until=lambda: ws.read.runs.get(preview.before_id).status == "done")
    draft = ws.read.runs.get(preview.run_id)
    ws.store.jobs.ask(draft.job_id, Want.PAUSE, ws.clock())
    with ws.store.transaction() as conn:  # as if it had got no further
        conn.execute("DELETE FROM prediction WHERE run_id = ? AND example_id > ?",
                     (draft.id, preview.example_ids[6]))  # fmt: skip
        conn.execute("UPDATE run SET done = 7 WHERE id = ?", (draft.id,))
        conn.execute("UPDATE job SET status = 'paused' WHERE id = ?", (draft.job_id,))
    at = start()
    assert not at.exception
    assert "7 answers of 40 so far" in said(at)
    assert at.get("progress")
    assert not at.metric
    assert len(at.dataframe[0].value) == 7


def test_a_cancelled_one_shows_its_rows_and_no_figure(desk, keto):
    ws, start = desk
    preview = filed(ws, keto)
    steer_run(ws, preview.run_id, Want.CANCEL)
    work_off(ws)
    at = start()
    assert not at.exception
    assert "It ended with 0 of 40 answers" in said(at)
    assert not at.metric
    assert any(b.label == "Go on where it was" for b in at.button)


def test_a_failed_one_says_why(desk, keto, monkeypatch):
    ws, start = desk

    def broken(question):
        return Answer(outcome=Outcome.ERROR, detail={"error": "The key is not accepted."})

    monkeypatch.setattr("tests.pages.test_previews.answer", broken)
    broken_ws = dataclasses.replace(
        ws, provider=lambda _: ScriptedProvider(broken, name="embedded")
    )
    filed(ws, keto)
    work_off(broken_ws)
    at = start()
    assert not at.exception
    assert "The key is not accepted" in said(at)


def test_not_enough_to_tell_goes_on_with_as_many_more(desk, keto):
    ws, start = desk
    preview = filed(ws, keto)
    work_off(ws)
    told = preview_result(ws, preview.run_id)
    assert not told.comparison.tells
    at = start()
    more = at.button(key=f"prompts_more_{preview.run_id}")
    assert more.label == f"Preview on {min(told.comparison.needed, 500)} more"
    assert "questions to this machine" in more.help
    more.click().run()
    work_off(ws)
    at.run()
    assert not at.exception
    grown = preview_result(ws, last_preview(ws, keto.id, "Ada"))
    assert grown.looks == 2
    assert grown.asked > told.asked
    assert "Looked at 2 times" in said(at)


def test_hard_ones_are_a_list_of_their_own(desk, keto):
    ws, start = desk
    work_off(ws)
    first = filed(ws, keto, n=10)
    work_off(ws)
    at = start()
    assert not at.exception
    kinds = next(c for c in at.pills if c.label == "Examples")
    told = preview_result(ws, first.run_id)
    assert [kind.split()[0] for kind in kinds.options][-1] == "All"
    assert ("Hard" in " ".join(kinds.options)) == bool(told.of("hard"))
    assert "drawn at random" in said(at)


def test_without_gold_the_changed_labels_are_all_there_is(desk, keto):
    ws, start = desk
    with ws.store.transaction() as conn:
        conn.execute("DELETE FROM gold")
    filed(ws, keto)
    work_off(ws)
    at = start()
    assert not at.exception
    assert "No gold in the sample" in said(at)
    assert not at.metric


def test_versions_are_compared_by_slice_and_a_cell_opens_its_errors(desk, keto):
    ws, start = desk
    for version in ws.read.prompts.all(keto.id):
        start_run(ws, keto.id, choice=Choice(prompt=str(version.id)), by="Ada")
    work_off(ws)
    at = start()
    assert "2 versions were tried on this gold" in said(at)
    at.session_state["prompts_matrix"] = True
    at.session_state["prompts_matrix_label"] = {"selection": {"cells": [(0, "gold is keto")]}}
    at.run()
    assert not at.exception
    table = next(d.value for d in at.dataframe if "gold is keto" in d.value.columns)
    assert list(table["Version"]) == ["better v1", "first v1"]
    assert "n=" in table["all"][0]
    assert "errors of better v1 on gold is keto" in said(at)


def test_the_encoder_writes_nothing_and_says_so(desk, keto):
    _, start = desk
    at = start()
    button = at.button(key="prompts_rewrite_none")
    assert button.disabled
    assert "writes no text" in button.help


def test_a_proposed_rewrite_is_applied_by_a_click_and_taken_back(ws, keto, open_app, monkeypatch):
    said_back = {"instructions": "Keto?", "definitions": [], "why": "shorter <script>"}
    far = ScriptedProvider(
        lambda _: Answer(outcome=Outcome.NOT_JSON, raw=json.dumps(said_back), model="far-1"),
        name="far",
        capabilities=Capabilities(model="m", findings=(Finding(Feature.CHAT, State.YES, "said"),)),
    )
    far.host, far.is_local = "far.example", False
    ws.store.tasks.set_setting("default_provider", "far")
    ws.store.providers.save_capabilities("far", far._capabilities)
    scripted = dataclasses.replace(ws, provider=lambda _: far, wake=lambda: None)
    monkeypatch.setattr("studio.ui.session._open", lambda path: scripted)
    at = open_app("prompts")
    assert not at.exception
    assert "no example: " in said(at)
    at.button(key="prompts_rewrite_go").click().run()
    assert "far.example" in said(at)
    assert far.questions == []
    at.button(key="prompts_rewrite_go").click().run()
    work_off(scripted)
    at.run()
    assert not at.exception
    assert "Proposed by far-1" in said(at)
    at.button(key="prompts_rewrite_apply").click().run()
    field = next(a for a in at.text_area if a.label == "Instructions")
    assert field.value == "Keto?"
    at.button(key="prompts_advice_undo_go").click().run()
    field = next(a for a in at.text_area if a.label == "Instructions")
    assert field.value != "Keto?"
