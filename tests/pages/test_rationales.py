"""Rules on the Rationales page: empty, full, wrong; nothing typed is lost."""

from __future__ import annotations

import asyncio

import pytest

from studio.actions.rules import export_rules, read_rule, save_rule
from studio.actions.samples import load_sample
from studio.actions.tasks import create_task
from studio.domain.job import JobStatus
from studio.domain.rationale import Evidence
from studio.errors import InputError
from studio.handlers.pacing import Pacers
from studio.handlers.runs import run_handler
from studio.jobs.control import Control
from studio.ui.rationale_text import marked, plain
from studio.ui.rule_draft import FORM, YAML, draft_of, new_draft
from studio.ui.rule_list import RuleListDeed
from studio.ui.rule_table import _decoded, act


def raw(at) -> str:
    kinds = ("error", "warning", "info", "success", "caption", "markdown", "text", "code")
    return "\n".join(element.value for kind in kinds for element in getattr(at, kind))


def said(at) -> str:
    """Return what a reader sees: without escapes and joiners."""
    return raw(at).replace("\\", "").replace("\u2060", "")


def open_rules(open_app, **more):
    at = open_app("rationales", **more)
    at.session_state["rationales_tab"] = "Rules"
    return at.run()


def new_yaml_rule(at, text: str):
    at.button(key="rationales_new_rule").click().run()
    control = next(b for b in at.segmented_control if b.key.startswith("rationales_rule_mode"))
    control.set_value(YAML).run()
    area = next(a for a in at.text_area if a.key.startswith("rationales_rule_yaml"))
    return area.set_value(text).run()


def work(ws) -> None:
    """Do every open job as the worker would."""

    async def all_jobs() -> None:
        while job := ws.store.jobs.claim("test:1:1", ws.clock(), 60.0):
            control = Control(ws.store.jobs, job, clock=ws.clock, lease_s=60.0)
            await run_handler(ws, Pacers(), job, control)
            ws.store.jobs.finish(job.id, control.fence, JobStatus.DONE, "", ws.clock())

    asyncio.run(all_jobs())


def test_an_empty_workspace_says_what_to_do(open_app):
    at = open_app("rationales")
    assert not at.exception
    assert at.title[0].value == "Rationales"
    assert any(b.label == "Load the keto example" for b in at.button)


def test_a_task_without_anything_says_what_to_do_next(ws, open_app):
    create_task(ws, name="empty", labels=["a", "b"], by="Ada")
    at = open_rules(open_app)
    assert not at.exception
    assert "No rules yet" in said(at)
    assert at.button(key="rationales_run").disabled


@pytest.fixture
def keto(ws):
    return load_sample(ws, by="Dr. Lind")


def test_a_rule_in_yaml_is_previewed_and_saved(ws, open_app, keto):
    at = new_yaml_rule(
        open_rules(open_app), "name: oats\nlabel: not_keto\nany:\n- keywords: [oats]\n"
    )
    assert not at.exception
    assert [m.label for m in at.metric] == ["Fires on", "Accuracy", "Conflicts"]
    assert at.metric[1].value.endswith("%")
    at.button(key="rationales_rule_save").click().run()
    assert ws.read.rules.by_name(keto.id, "oats").body.label == "not_keto"
    assert "Saved oats, version 1" in said(at)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name: [", "cannot be read in line"),
        ("name: oats\nlabel: keto\n", "no condition under"),
        ("name: oats\nlabel: vegan\nany:\n- phrase: oats\n", "has no label 'vegan'"),
        ("name: oats\nlabel: keto\nany:\n- regex: '(?=x)'\n", "Rule 'oats'"),
        ("name: rice\nlabel: keto\nany:\n- phrase: oats\n", "There is a rule 'rice' already"),
    ],
)
def test_a_bad_rule_gets_one_sentence_and_keeps_its_text(ws, open_app, keto, text, sentence):
    rules = export_rules(ws, keto.id)
    at = new_yaml_rule(open_rules(open_app), text)
    at.button(key="rationales_rule_save").click().run()
    assert not at.exception
    assert sentence.replace("'", "") in said(at).replace("'", "")
    assert next(a.value for a in at.text_area) == text
    assert export_rules(ws, keto.id) == rules
    # Another visit finds the draft.
    other = open_rules(open_app)
    other.button(key="rationales_go_on_").click().run()
    assert next(a.value for a in other.text_area) == text


def test_the_form_writes_the_same_rule(ws, open_app, keto):
    at = open_rules(open_app)
    at.button(key="rationales_new_rule").click().run()
    words = next(a for a in at.text_input if a.label.startswith("Words, with"))
    words.set_value("courgetti, zoodle*").run()
    assert not at.error
    at.button(key="rationales_rule_save").click().run()
    saved = ws.read.rules.by_name(keto.id, "courgetti").body
    assert saved == read_rule(
        "{name: courgetti, label: keto, any: [keywords: [courgetti, zoodle*]]}"
    )


def test_rules_are_switched_moved_opened_and_given_a_fallback(ws, open_app, keto):
    rules = ws.read.rules.all(keto.id)
    ids = [rule.id for rule in rules]
    assert not act(ws, keto, rules, RuleListDeed(), "Ada")
    seen = tuple(ids)
    third_first = (ids[2], ids[0], ids[1], *ids[3:])
    assert act(ws, keto, rules, RuleListDeed(order=(seen, third_first)), "Ada")
    first_last = (*ids[1:], ids[0])  # somebody else, who saw none of it, nor a rule added since
    new = save_rule(ws, keto.id, read_rule("{name: new, label: keto, any: [phrase: x]}"), by="Bob")
    assert act(ws, keto, rules, RuleListDeed(order=(seen, first_last)), "Bob")
    moved = ws.read.rules.all(keto.id)
    assert [r.id for r in moved] == [ids[2], ids[1], *ids[3:], ids[0], new.id]
    assert act(ws, keto, moved, RuleListDeed(switched=(ids[0], False)), "Ada")
    assert [r.id for r in ws.read.rules.all(keto.id) if not r.enabled] == [ids[0]]

    at = open_rules(open_app)
    box = next(b for b in at.selectbox if b.label == "Where no rule speaks")
    box.set_value("").run()
    assert ws.read.tasks.get(keto.id).fallback_label_id is None
    assert not at.exception


def test_all_is_labeled_with_the_rules(ws, open_app, keto):
    at = open_rules(open_app)
    at.button(key="rationales_run").click().run()
    assert not at.exception
    work(ws)
    at.run()
    assert "Rules on validation" in said(at)
    assert "accuracy 0." in said(at)
    assert not at.exception


def test_every_sample_rule_passes_through_the_form_unchanged(ws, keto):
    for rule in ws.read.rules.all(keto.id):
        draft = draft_of(rule.body, None)
        assert draft.mode == FORM
        assert draft.read() == rule.body
        draft.switch(YAML)
        assert draft.read() == rule.body
        draft.switch(FORM)
        assert draft.read() == rule.body


def test_bad_yaml_keeps_the_editor_where_it_is():
    draft = new_draft("a")
    draft.switch(YAML)
    draft.text = "name: ["
    with pytest.raises(InputError):
        draft.switch(FORM)
    assert (draft.mode, draft.text) == (YAML, "name: [")


def test_a_file_that_is_not_text_gets_a_sentence():
    assert _decoded("\ufeffrules: []".encode()) == "rules: []"
    with pytest.raises(InputError, match="UTF-8"):
        _decoded(b"\xff\xfe\x00")


def test_untrusted_text_stays_text():
    hostile = "<b>x</b> [a](http://b.example) ![i](//c) :red[y] $z$ :material/home: www.d.example"
    shown = plain(hostile)
    for markup in ("<b>", "](", "http:", "://", ":red[", ":material/", "www."):
        assert markup not in shown
    assert "\\*" in marked("*a* b", [Evidence(start=4, end=5, words="b")])
