"""From a rationale to drafted rules: seen, accepted, edited, dropped; and with no gold."""

from __future__ import annotations

import pytest

from studio.actions.corrections import Decision, correct_labels
from studio.actions.examples import Columns, import_examples
from studio.actions.providers import add_provider
from studio.actions.rationales import record_rationale
from studio.actions.samples import load_sample
from studio.actions.tasks import create_task
from studio.domain.capability import Capabilities, Feature, Finding, State
from studio.ui.rule_drafts_card import ENOUGH


def said(at) -> str:
    """Return what a reader sees: without escapes and joiners."""
    kinds = ("error", "warning", "info", "success", "caption", "markdown", "text", "code")
    shown = "\n".join(element.value for kind in kinds for element in getattr(at, kind))
    return shown.replace("\\", "").replace("\u2060", "")


@pytest.fixture
def keto(ws):
    return load_sample(ws, by="Dr. Lind")


@pytest.fixture
def reason(ws, keto):
    example = next(e for e in ws.read.examples.all(keto.id, ("train",)) if "batter" in e.text)
    return record_rationale(
        ws, keto.id, label="not_keto", text="Batter and breadcrumbs are flour.",
        example_id=example.id, evidence=["batter"], by="Ada",
    )  # fmt: skip


@pytest.fixture
def mail(ws):
    """A task without any gold, and a reason in it."""
    task = create_task(ws, name="mail", labels=["ham", "spam"], by="Ada")
    lines = [
        f"{i},{'win a prize now' if i % 3 == 0 else 'see you at noon'} {i},train" for i in range(60)
    ]
    import_examples(
        ws, task.id, data="\n".join(["id,text,split", *lines]).encode(), filename="mail.csv",
        columns=Columns(id="id", split="split"), by="Ada",
    )  # fmt: skip
    record_rationale(ws, task.id, label="spam", text="A prize nobody asked for.", by="Ada")
    return ws.read.tasks.get(task.id)


def drafts(open_app, rationale_id: int):
    at = open_app("rationales")
    at.session_state["rationales_drafting"] = rationale_id
    return at.run()


def buttons(at, ending: str):
    return [b for b in at.button if b.key and b.key.endswith(ending)]


def test_drafts_show_what_they_would_do_and_one_is_accepted(ws, open_app, keto, reason):
    before = len(ws.read.rules.all(keto.id))
    at = drafts(open_app, reason)
    assert not at.exception
    shown = said(at)
    assert "Batter and breadcrumbs are flour." in shown
    assert ":primary-background[batter]" in shown.lower()
    assert 1 <= len(buttons(at, "_accept")) <= 6
    for words in ("fires on **", "newly decides **", "overlap", "conflict", "right"):
        assert words in shown
    assert "n=" in shown
    assert len(ws.read.rules.all(keto.id)) == before  # nothing counts before it is accepted

    buttons(at, "_accept")[0].click().run()
    assert not at.exception
    rules = ws.read.rules.all(keto.id)
    assert len(rules) == before + 1
    assert (rules[-1].rationale_id, rules[-1].body.label) == (reason, "not_keto")
    assert f"Accepted: **{rules[-1].body.name}**" in said(at)
    at.button(key="rationales_drafts_rules").click().run()
    assert at.session_state["rationales_tab"] == "Rules"
    assert not at.exception


def test_figures_that_changed_meanwhile_must_be_seen_again(ws, open_app, keto, reason):
    at = drafts(open_app, reason)
    last = buttons(at, "_accept")[-1]
    shown = said(at)
    example = next(e for e in ws.read.examples.all(keto.id, ("train",)) if "batter" in e.text)
    correct_labels(ws, keto.id, [Decision(example_id=example.id, label="keto")], by="Eve")
    before = len(ws.read.rules.all(keto.id))
    last.click().run()
    assert "were not seen, or have changed since" in said(at)
    assert len(ws.read.rules.all(keto.id)) == before
    assert said(at) != shown  # the figures of now
    buttons(at, "_accept")[-1].click().run()
    assert len(ws.read.rules.all(keto.id)) == before + 1


def test_a_draft_is_dropped_for_good_and_brought_back(ws, open_app, keto, reason):
    at = drafts(open_app, reason)
    number = len(buttons(at, "_drop"))
    buttons(at, "_drop")[0].click().run()
    assert len(buttons(at, "_drop")) == number - 1
    other = drafts(open_app, reason)
    assert len(buttons(other, "_drop")) == number - 1
    other.button(key="rationales_drafts_back").click().run()
    assert len(buttons(other, "_drop")) == number
    assert not other.exception


def test_a_draft_is_edited_before_it_is_a_rule(ws, open_app, keto, reason):
    at = drafts(open_app, reason)
    buttons(at, "_edit")[0].click().run()
    assert not at.exception
    assert at.session_state["rationales_tab"] == "Rules"
    assert "Batter and breadcrumbs are flour." in said(at)
    boxes = [*at.text_area, *at.text_input]
    assert next(box for box in boxes if box.label.startswith("Words")).value.startswith("rice")
    at.button(key="rationales_rule_save").click().run()
    assert ws.read.rules.all(keto.id)[-1].rationale_id == reason


def test_its_examples_are_one_click_away(ws, open_app, keto, reason):
    at = drafts(open_app, reason)
    lists = [c for c in at.segmented_control if c.key.startswith("rationales_draft_")]
    assert all(c.value is None for c in lists)
    lists[0].set_value("Fires on").run()
    assert not at.exception


def test_without_gold_a_draft_says_what_is_not_known(ws, open_app, mail):
    (reason,) = ws.read.rationales.all(mail.id)
    at = drafts(open_app, reason.id)
    assert not at.exception
    assert f"Check {ENOUGH} blind" in said(at)
    assert "right: unknown" in said(at)
    assert {b.label for b in buttons(at, "_accept")} == {"Accept untested"}
    buttons(at, "_accept")[0].click().run()
    assert len(ws.read.rules.all(mail.id)) == 1


def test_a_reason_no_example_bears_out_gets_no_draft_but_a_way_on(ws, open_app, mail):
    reason = record_rationale(ws, mail.id, label="spam", text="Zzyzx.", by="Ada")
    at = drafts(open_app, reason)
    assert "No rule could be drafted" in said(at)
    at.button(key="rationales_drafts_hand").click().run()
    assert not at.exception
    assert "Zzyzx." in said(at)
    at.session_state["rationales_tab"] = "Rationales"
    at.run()
    at.button(key="rationales_drafts_close").click().run()
    assert at.button(key="rationales_save")


def test_from_the_writer_straight_to_drafts(ws, open_app, mail):
    at = open_app("rationales")
    at.segmented_control(key="rationales_new_about").set_value("On its own").run()
    next(b for b in at.button if b.label.endswith(" spam")).click().run()
    at.text_area(key="rationales_new_text").set_value("It promises a prize.").run()
    at.button(key="rationales_save").click().run()
    at.button(key="rationales_make_rules").click().run()
    assert not at.exception
    assert "It promises a prize." in said(at)
    assert buttons(at, "_accept")


def test_a_chat_model_is_asked_only_after_consent(ws, open_app, mail):
    (reason,) = ws.read.rationales.all(mail.id)
    at = drafts(open_app, reason.id)
    ask = f"rationales_ask_{reason.id}"
    assert not buttons(at, "_go")  # nobody to ask: the embedded model writes no text
    add_provider(ws, name="far", base_url="https://far.example/v1", model="m", by="Ada")
    ws.store.tasks.set_setting("default_provider", "far")
    at.run()
    at.button(key=f"{ask}_go").click().run()
    assert "is not known to write text" in said(at)

    can = Capabilities(model="m", findings=(Finding(Feature.CHAT, State.YES, "said"),))
    ws.store.providers.save_capabilities("far", can)
    at.button(key=f"{ask}_go").click().run()
    assert "far.example" in said(at)
    assert at.button(key=f"{ask}_go").label == "Agree and ask"
    assert not ws.read.jobs.open()
    at.button(key=f"{ask}_go").click().run()
    assert not at.exception
    (job,) = ws.read.jobs.open()
    assert job.params["rationale"] == reason.id
    assert any("Asking for rules" in p.proto.text for p in at.get("progress"))
