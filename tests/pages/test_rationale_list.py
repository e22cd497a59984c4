"""The list of reasons: found again, opened, retired and brought back."""

from __future__ import annotations

import pytest

from studio.actions.rationales import record_rationale
from studio.actions.rules import read_rule, save_rule
from studio.actions.samples import load_sample


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
    """A reason about an example, not coded yet."""
    eggs = next(
        e for e in ws.read.examples.all(keto.id, ("train",)) if "cracked eggs" in e.text.casefold()
    )
    number = record_rationale(
        ws, keto.id, label="keto", text="Eggs carry no starch.", example_id=eggs.id,
        evidence=["cracked eggs"], by="Ada",
    )  # fmt: skip
    return next(r for r in ws.read.rationales.all(keto.id) if r.id == number)


def find(open_app, words: str):
    at = open_app("rationales")
    return at.text_input(key="rationales_filter_text").set_value(words).run()


def titles(at) -> list[str]:
    return [e.label.replace("\\", "") for e in at.expander if "· " in e.label]


def unfold(at, rationale):
    at.session_state[f"rationales_entry_{rationale.id}"] = True
    return at.run()


def test_reasons_are_searched_and_filtered(ws, open_app, keto, reason):
    at = find(open_app, "carry NO starch")
    assert titles(at) == ["Eggs carry no starch. :gray[· Ada · not coded yet]"]
    at = find(open_app, "")
    everything = ws.read.rationales.all(keto.id)
    assert len(titles(at)) == min(10, len(everything))
    at.selectbox(key="rationales_filter_author").set_value("Ada").run()
    assert len(titles(at)) == 1
    at.selectbox(key="rationales_filter_coded").set_value("coded").run()
    assert titles(at) == []
    assert "No rationale matches" in said(at)
    at.selectbox(key="rationales_filter_author").set_value("").run()
    coded = {rule.rationale_id for rule in ws.read.rules.all(keto.id)}
    assert len(titles(at)) == len([r for r in everything if r.id in coded][:10])
    assert all("rule" in title for title in titles(at))


def test_an_opened_reason_shows_what_became_of_it(ws, open_app, keto, reason):
    save_rule(
        ws, keto.id, read_rule("{name: eggy, label: keto, any: [keywords: [egg, eggs]]}"),
        rationale_id=reason.id, by="Ada",
    )  # fmt: skip
    at = unfold(find(open_app, "carry no starch"), reason)
    assert not at.exception
    shown = said(at)
    assert ":primary-background[" in shown
    assert "keto if it has one of egg, eggs" in shown
    assert "right 0." in shown
    assert "So far: speaks on" in shown
    assert "decided" in shown
    at.button(key=next(b.key for b in at.button if b.label == "eggy")).click().run()
    assert not at.exception
    assert at.session_state["rationales_tab"] == "Rules"
    assert "Eggs carry no starch" in said(at)


def test_a_reason_is_coded_by_hand(ws, open_app, keto, reason):
    at = unfold(find(open_app, "carry no starch"), reason)
    assert "No rule says it yet" in said(at)
    at.button(key=f"rationales_code_{reason.id}").click().run()
    assert "Eggs carry no starch" in said(at)
    boxes = [*at.text_area, *at.text_input]
    assert next(b.value for b in boxes if b.label.startswith("Words")) == "cracked eggs"
    at.button(key="rationales_rule_save").click().run()
    assert ws.read.rules.by_name(keto.id, "cracked-eggs").rationale_id == reason.id


def test_a_reason_is_retired_and_brought_back(ws, open_app, keto, reason):
    at = unfold(find(open_app, "carry no starch"), reason)
    at.button(key=f"rationales_retire_{reason.id}").click().run()
    assert reason.id not in [r.id for r in ws.read.rationales.all(keto.id)]
    at.button(key="rationales_undo").click().run()
    assert reason.id in [r.id for r in ws.read.rationales.all(keto.id)]
    at = unfold(find(open_app, "carry no starch"), reason)
    at.button(key=f"rationales_retire_{reason.id}").click().run()
    at.button(key=f"rationales_back_{reason.id}").click().run()
    assert reason.id in [r.id for r in ws.read.rationales.all(keto.id)]
    assert not at.exception


def test_hostile_reasons_stay_text(ws, open_app, keto):
    record_rationale(
        ws, keto.id, label="keto", text="<b>x</b> ![i](http://b.example) :red[y]", by="Eve"
    )
    at = find(open_app, "red")
    (entry,) = [e for e in at.expander if "Eve" in e.label]
    for markup in ("<b>", "](", "http:", ":red["):
        assert markup not in entry.label
