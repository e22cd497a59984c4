"""Prompts: edit, preview, save, run on all; nothing typed is lost."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from studio.actions.examples import import_examples
from studio.actions.prompts import save_prompt
from studio.actions.samples import load_sample
from studio.actions.tasks import create_task
from studio.analysis.example_rows import Columns
from studio.domain.job import JobStatus
from studio.domain.prompt import PromptText
from studio.domain.run import Answer, Outcome
from studio.handlers.pacing import Pacers
from studio.handlers.runs import run_handler
from studio.jobs.control import Control
from studio.providers.scripted import ScriptedProvider


def raw(at) -> str:
    kinds = ("error", "warning", "info", "success", "caption", "markdown", "text", "code")
    return "\n".join(element.value for kind in kinds for element in getattr(at, kind))


def said(at) -> str:
    """Return what a reader sees: without escapes and joiners."""
    return raw(at).replace("\\", "").replace("\u2060", "")


def answer(question) -> Answer:
    """Say keto where the text has no rice; a draft that names bread sees bread too."""
    text = question.messages[-1]["content"].lower()
    words = ["rice", "bread"] if "BREAD" in question.messages[0]["content"] else ["rice"]
    label = "not_keto" if any(w in text for w in words) else "keto"
    other = "keto" if label == "not_keto" else "not_keto"
    return Answer(
        outcome=Outcome.OK,
        label=label,
        probabilities={label: 0.75, other: 0.25},
        model="scripted-1",
        detail={
            "evidence": [
                {"line": "Rice is *starch*", "label": label, "kind": "reason", "weight": 0.6}
            ],
            "unused_lines": ["Think step by step."],
            "notes": ["The label keto has no definition."],
        },
    )


@pytest.fixture
def keto(ws):
    return load_sample(ws, by="Dr. Lind")


@pytest.fixture
def app(ws, open_app, keto, monkeypatch):
    """Open the page with a script in place of the embedded server."""
    service = ScriptedProvider(answer, name="embedded")
    scripted = dataclasses.replace(ws, provider=lambda _: service)
    monkeypatch.setattr("studio.ui.session._open", lambda path: scripted)

    def work() -> None:
        async def all_jobs() -> None:
            while job := ws.store.jobs.claim("test:1:1", ws.clock(), 60.0):
                control = Control(ws.store.jobs, job, clock=ws.clock, lease_s=60.0)
                await run_handler(scripted, Pacers(), job, control)
                ws.store.jobs.finish(job.id, control.fence, JobStatus.DONE, "", ws.clock())

        asyncio.run(all_jobs())

    at = open_app("prompts")
    at.work = work
    return at


def field(at, label: str):
    return next(a for a in at.text_area if a.label == label)


def test_an_empty_workspace_says_what_to_do(open_app):
    at = open_app("prompts")
    assert not at.exception
    assert at.title[0].value == "Prompts"
    assert any(b.label == "Load the keto example" for b in at.button)


def test_a_task_without_prompts_begins_with_its_question(ws, open_app):
    create_task(ws, name="empty", labels=["a", "b"], question="Which one?", by="Ada")
    at = open_app("prompts")
    assert not at.exception
    assert field(at, "Instructions").value == "Which one?"
    at.button(key="prompts_preview_go").click().run()
    assert "no examples" in said(at)
    assert not at.exception


def test_an_edit_is_previewed_against_the_saved_version(ws, keto, app):
    field(app, "Instructions").set_value("Mind the BREAD. Think step by step.").run()
    assert "not saved" in said(app)
    app.button(key="prompts_preview_go").click().run()
    assert not app.exception
    app.work()
    app.run()
    assert not app.exception
    assert [m.label for m in app.metric] == ["better v1", "This draft"]
    assert any(word in said(app) for word in ("Better", "Worse", "Not enough to tell"))
    assert "has no definition" in said(app)
    assert "calls" in said(app)
    runs = ws.read.runs.all(keto.id, previews=True)
    assert [r.preview for r in runs] == [True, True]
    assert all("test" not in r.splits for r in runs)

    field(app, "Instructions").set_value("Mind the BREAD.").run()
    assert "changed the draft since" in said(app)


def test_a_clicked_example_shows_what_moved_it(ws, keto, app):
    field(app, "Instructions").set_value("Mind the BREAD.").run()
    app.button(key="prompts_preview_go").click().run()
    app.work()
    app.run()
    draft = ws.read.runs.all(keto.id, previews=True)[0]
    key = f"prompts_rows_{draft.id}_changed"
    app.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    assert not app.exception
    assert "What moved it" in said(app)
    assert "Rice is \\*starch\\*" in raw(app)


def test_a_draft_is_kept_a_version_saved_and_nothing_lost(ws, keto, app, open_app):
    field(app, "Instructions").set_value("Is it keto? Be strict.").run()
    # Another version in front, then back; and another visit, as after a refresh.
    versions = {v.title: v.id for v in ws.read.prompts.all(keto.id)}
    box = app.selectbox(key=next(b.key for b in app.selectbox if b.label == "Prompt"))
    box.set_value(versions["first v1"]).run()
    assert field(app, "Instructions").value == "Is this dish keto?"
    box = app.selectbox(key=next(b.key for b in app.selectbox if b.label == "Prompt"))
    box.set_value(versions["better v1"]).run()
    assert field(app, "Instructions").value == "Is it keto? Be strict."
    other = open_app("prompts")
    assert field(other, "Instructions").value == "Is it keto? Be strict."
    app.session_state["prompts_side"] = "What you changed"
    app.run()
    assert ":green-background[Is it keto? Be strict.]" in said(app)

    next(t for t in app.text_input if t.label.startswith("What did")).set_value("stricter").run()
    app.button(key="prompts_save").click().run()
    assert not app.exception
    saved = ws.read.prompts.all(keto.id)[-1]
    assert (saved.title, saved.note, saved.author) == ("better v2", "stricter", "Ada")
    assert saved.body.instructions == "Is it keto? Be strict."
    assert saved.body.reasons == ws.read.prompts.find(keto.id, "better v1").body.reasons
    assert "not saved" not in said(app)


def test_a_saved_version_as_it_stands_is_no_draft(keto, app):
    assert "not saved" not in said(app)
    assert field(app, "When is it keto?").value.startswith("Meat, poultry")


def test_reasons_are_ticked_and_examples_of_train_shown(ws, keto, app):
    boxes = [c for c in app.checkbox if "_reason_" in c.key]
    assert len(boxes) == 20
    app.button(
        key=next(b.key for b in app.button if b.key and b.key.endswith("_none"))
    ).click().run()
    next(c for c in app.checkbox if "_reason_" in c.key).check().run()
    shots = next(m for m in app.multiselect if m.label == "Examples")
    train = next(e for e in ws.read.examples.all(keto.id, ("train",)))
    shots.set_value([train.id]).run()
    next(t for t in app.text_input if t.label == "Name").set_value("short").run()
    app.button(key="prompts_save").click().run()
    assert not app.exception
    body = ws.read.prompts.find(keto.id, "short").body
    assert len(body.reasons) == 1
    assert [s.example_id for s in body.few_shots] == [train.id]


def test_a_prompt_without_a_name_is_refused_in_place(ws, keto, app):
    app.button(key="prompts_new").click().run()
    app.button(key="prompts_new_fresh").click().run()
    field(app, "Instructions").set_value("Something new.").run()
    app.button(key="prompts_save").click().run()
    assert "has no name" in said(app)
    assert field(app, "Instructions").value == "Something new."
    assert len(ws.read.prompts.all(keto.id)) == 2


def test_a_version_runs_on_all_and_becomes_champion(ws, keto, app):
    app.button(key="prompts_run_all").click().run()
    assert not app.exception
    app.work()
    app.run()
    assert "on train and validation" in said(app)
    assert "accuracy 0." in said(app)
    app.button(key="prompts_champion").click().run()
    assert not app.exception
    best = ws.read.prompts.find(keto.id, "better")
    assert ws.read.tasks.get(keto.id).champion == f"prompt:{best.id}"


def test_texts_of_people_stay_text(ws, open_app):
    task = create_task(ws, name="x", labels=["<b>a</b>", "b"], question="q", by="Ada")
    body = PromptText(
        instructions="![i](http://x.example/i.png)",
        reasons=(("b", "see [this](http://y.example)"),),
    )
    save_prompt(ws, task.id, name="p", body=body, by="Ada")
    at = open_app("prompts")
    assert not at.exception
    for box in at.checkbox:
        assert "](http" not in box.label


def test_a_saved_prompt_is_attacked_and_the_flip_rate_shown(ws, keto, app):
    version = ws.read.prompts.all(keto.id)[-1]
    box = f"prompts_injections_{version.id}"
    app.session_state[box] = True
    app.run()
    app.button(key=f"prompts_attack_go_{version.id}").click().run()
    assert not app.exception
    assert "prompts_attack_go" not in str([b.key for b in app.button])  # one is under way
    app.work()
    app.run()
    assert not app.exception
    assert "Flip rate" in [metric.label for metric in app.metric]
    assert "pairs do not count" in said(app)
    field(app, "Instructions").set_value("Mind the BREAD.").run()  # a draft is not the version
    assert "Flip rate" not in [metric.label for metric in app.metric]


def advice_buttons(at, word):
    return [b for b in at.button if (b.key or "").startswith(f"prompts_advice_{word}")]


def test_a_good_prompt_gets_no_advice(keto, app):
    assert "Advice" not in said(app)
    assert advice_buttons(app, "") == []


def test_advice_is_applied_with_a_click_and_taken_back(keto, app, open_app):
    field(app, "Instructions").set_value("Is this dish keto? Do your best.").run()
    assert "“Do your best.” says nothing" in said(app)
    assert "~~Do your best.~~" in said(app)
    advice_buttons(app, "apply")[0].click().run()
    assert not app.exception
    assert field(app, "Instructions").value == "Is this dish keto?"
    assert "says nothing" not in said(app).replace("Undo", "")
    assert field(open_app("prompts"), "Instructions").value == "Is this dish keto?"  # it is kept
    app.button(key="prompts_advice_undo_go").click().run()
    assert field(app, "Instructions").value == "Is this dish keto? Do your best."
    advice_buttons(app, "hide")[0].click().run()
    assert "says nothing" not in said(app)


def test_an_undo_never_eats_what_was_typed_since(keto, app):
    field(app, "Instructions").set_value("Is this dish keto? Do your best.").run()
    advice_buttons(app, "apply")[0].click().run()
    field(app, "Instructions").set_value("Is this whole dish keto?").run()
    app.button(key="prompts_advice_undo_go").click().run()
    assert not app.exception
    assert field(app, "Instructions").value == "Is this whole dish keto?"
    assert "typed since" in said(app)


def test_advice_on_texts_of_people_stays_text(ws, open_app):
    task = create_task(ws, name="x", labels=["<b>a</b>", "b"], question="q", by="Ada")
    body = PromptText(
        instructions="see [this](http://y.example), etc.", definitions={"b": "[x](y)"}
    )
    save_prompt(ws, task.id, name="p", body=body, by="Ada")
    at = open_app("prompts")
    assert not at.exception
    assert "vague" in said(at)
    for element in [*at.markdown, *at.caption]:
        assert "](http" not in element.value


def test_what_the_encoder_cannot_read_is_named_before_any_preview(app, keto):
    field(app, "Instructions").set_value("Think step by step.\nketo: Mind the fat.").run()
    told = said(app)
    assert "visibility_off: Think step by step." in told
    assert "visibility_off: keto" not in told
    assert "instructions in prose, conditions" in told


def test_a_locked_part_is_left_alone_until_it_is_unlocked(ws, app, keto):
    field(app, "Instructions").set_value("Is it keto, etc.?").run()
    lock = next(b.key for b in app.button if b.key.endswith("_lock_instructions"))
    app.button(key=lock).click().run()
    assert field(app, "Instructions").disabled
    assert not field(app, "When is it keto?").disabled
    assert "The instructions are locked" in said(app)
    app.text_input(key=next(t.key for t in app.text_input if t.label == "Name")).set_value("calm")
    app.button(key="prompts_save").click().run()
    saved = ws.read.prompts.find(keto.id, "calm")
    assert saved.body.frozen == ("instructions",)
    # The lock is there for the next person, and one click takes it off.
    assert field(app, "Instructions").disabled
    app.button(key=next(b.key for b in app.button if b.key.endswith("_lock_instructions"))).click()
    app.run()
    assert not field(app, "Instructions").disabled
    assert "not saved" in said(app)
    app.session_state["prompts_side"] = "What you changed"
    app.run()
    assert "**Locked**" in said(app)


def test_few_shots_alike_to_a_text_are_shown_before_they_are_sent(ws, app, keto):
    way = next(b for b in app.button_group if b.label == "How they are chosen")
    way.set_value("nearest").run()
    assert "the 8 most alike to each text" in "".join(e.label for e in app.expander)
    app.button(key=next(b.key for b in app.button if b.key.endswith("_shot_sample"))).click().run()
    text = next(t.value for t in app.text_input if t.label.startswith("Which would be sent"))
    assert text
    train = {e.text for e in ws.read.examples.all(keto.id, ["train"])}
    shown = [line for line in said(app).splitlines() if ":color[■]" in line and " · " in line]
    assert sum(any(t[:20] in line for t in train) for line in shown) == 8
    assert not app.exception


def test_a_click_on_a_column_sends_it_along(ws, open_app):
    task = create_task(ws, name="tea", labels=["a", "b"], question="Which one?", by="Ada")
    rows = b"text,brand\ngreen tea,Acme\nblack tea,Best\n"
    import_examples(ws, task.id, data=rows, filename="t.csv", columns=Columns(), by="Ada")
    at = open_app("prompts")
    pills = next(b for b in at.button_group if b.label == "Insert a column")
    pills.set_value("brand").run()
    assert field(at, "Instructions").value == "Which one? {{brand}}"
    assert "column brand" in said(at)  # the encoder does not read it
    assert not [b for b in at.button_group if b.label == "Insert a column"]
    at.session_state["prompts_side"] = "As the model sees it"
    at.run()
    assert 'Which one? "brand"' in said(at)
    assert '"brand": "…"' in said(at)
    field(at, "Instructions").set_value("Mind {{maker}}.").run()
    assert "No example has a column “maker”. There are {{text}} and {{brand}}." in said(at)


def test_a_column_whose_name_cannot_be_a_variable_is_not_offered(ws, open_app):
    task = create_task(ws, name="tea", labels=["a", "b"], question="Which one?", by="Ada")
    rows = b"text,price {EUR},brand\ngreen tea,3,Acme\nblack tea,4,Best\n"
    import_examples(ws, task.id, data=rows, filename="t.csv", columns=Columns(), by="Ada")
    at = open_app("prompts")
    pills = next(b for b in at.button_group if b.label == "Insert a column")
    assert pills.options == ["brand"]
    field(at, "Instructions").set_value("At {{price {EUR}}}?").run()
    assert "cannot be a variable by this name. Rename it in the file" in said(at)


def test_a_new_prompt_begins_with_a_file_of_another_tool(ws, app, keto):
    app.button(key="prompts_new").click().run()
    next(b for b in app.button_group if b.label == "Begin with").set_value("A file").run()
    config = """
prompts: ["Can a guest on a ketogenic diet eat {{dish}}?"]
tests:
  - vars: {dish: a plate of bacon}
    assert: [{type: equals, value: keto}]
  - vars: {dish: a bun}
    assert: [{type: equals, value: bread}]
"""
    app.file_uploader[0].upload("diet.yaml", config.encode(), "application/yaml").run()
    assert not app.exception
    assert "Read as promptfoo config" in said(app)
    assert "test 2: 'bread' is none of the labels keto, not_keto" in said(app)
    before = sum(ws.read.examples.counts(keto.id).values())
    app.button(key="prompts_new_examples").click().run()
    assert sum(ws.read.examples.counts(keto.id).values()) == before + 1
    assert "1 example added." in said(app)
    app.button(key="prompts_new_examples").click().run()
    assert "0 examples added; 1 is in the task already." in said(app)
    app.button(key="prompts_new_file_go").click().run()
    assert field(app, "Instructions").value == "Can a guest on a ketogenic diet eat {{text}}?"
    assert "not saved" in said(app)
    assert next(t for t in app.text_input if t.label == "Name").value == "diet"
    assert not app.exception


def test_the_tour_teaches_with_the_tasks_own_labels(app, keto):
    app.button(key="prompts_tour").click().run()
    assert "1 of 6" in said(app)
    assert "not_keto" in said(app)
    app.button(key="tour_next").click().run()
    assert "2 of 6" in said(app)
    for _ in range(2):
        app.button(key="tour_back").click().run()
    assert "6 of 6" in said(app)
    assert not app.button(key="tour_next").disabled
    app.button(key="tour_take").click().run()
    assert field(app, "Instructions").value == "Is this dish keto?"
    assert not app.exception
