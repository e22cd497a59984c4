"""Reasons written about an example or on their own; nothing typed is lost."""

from __future__ import annotations

import pytest

from studio.actions.samples import load_sample
from studio.actions.tasks import create_task
from studio.domain.rationale import Evidence, find_evidence


def said(at) -> str:
    """Return what a reader sees: without escapes and joiners."""
    kinds = ("error", "warning", "info", "success", "caption", "markdown", "text", "code")
    shown = "\n".join(element.value for kind in kinds for element in getattr(at, kind))
    return shown.replace("\\", "").replace("\u2060", "")


@pytest.fixture
def keto(ws):
    return load_sample(ws, by="Dr. Lind")


@pytest.fixture
def mark(monkeypatch):
    """Mark words as the browser would: there is none here that could run the component."""
    marks: dict[str, list[str]] = {}

    def marker(text, marked, *, key, label=""):
        marker.shown = (text, tuple(marked))
        return find_evidence(text, marks[key]) if key in marks else tuple(marked)

    def do(at, *words):
        number = at.session_state["rationales_marker"]
        marks[f"rationales_words_{number}_{at.session_state['rationales_new_example']}"] = [*words]
        return at.run()

    do.marker = marker
    monkeypatch.setattr("studio.ui.rationale_writer.word_marker", marker)
    return do


def choose(at, label: str):
    return (
        next(b for b in at.button if b.label.replace("\\", "").endswith(f" {label}")).click().run()
    )


def write(at, text: str):
    return at.text_area(key="rationales_new_text").set_value(text).run()


def test_a_task_without_anything_says_what_to_do_next(ws, open_app):
    create_task(ws, name="empty", labels=["a", "b"], by="Ada")
    at = open_app("rationales")
    assert not at.exception
    assert "No examples yet" in said(at)
    assert "No rationales yet" in said(at)


def test_a_reason_is_written_about_an_example_and_the_next_example_comes(ws, open_app, keto, mark):
    at = open_app("rationales")
    at.text_input(key="rationales_search").set_value("eggs").run()
    shown = ws.read.examples.get(keto.id, at.session_state["rationales_new_example"])
    assert shown.split != "test"
    assert mark.marker.shown == (shown.text, ())
    choose(at, "keto")
    write(at, "Eggs carry no starch.")
    mark(at, "eggs")
    assert "Points at “" in said(at)
    at.button(key="rationales_save").click().run()
    assert not at.exception
    added = ws.read.rationales.all(keto.id)[-1]
    assert (added.text, added.author, added.example_id) == (
        "Eggs carry no starch.",
        "Ada",
        shown.id,
    )
    assert added.evidence == find_evidence(shown.text, ["eggs"])

    assert "Saved: “Eggs carry no starch.”" in said(at)
    assert at.button(key="rationales_make_rules").label == "Make rules of it"
    assert at.text_area(key="rationales_new_text").value == ""
    assert at.session_state["rationales_new_label"] is None
    following = at.session_state["rationales_new_example"]
    assert following != shown.id
    assert mark.marker.shown == (ws.read.examples.get(keto.id, following).text, ())
    at.button(key="rationales_previous").click().run()
    assert at.session_state["rationales_new_example"] == shown.id


def test_the_place_that_was_marked_is_kept(ws, open_app, keto, monkeypatch):
    at = open_app("rationales")
    example = ws.read.examples.get(keto.id, at.session_state["rationales_new_example"])
    letter = example.text[0]
    again = example.text.index(letter, 1)
    second = Evidence(start=again, end=again + 1, words=letter)
    monkeypatch.setattr("studio.ui.rationale_writer.word_marker", lambda *_, **__: (second,))
    choose(at, "keto")
    write(at, "Because.")
    at.button(key="rationales_save").click().run()
    assert ws.read.rationales.all(keto.id)[-1].evidence == (second,)


def test_what_cannot_be_saved_is_said_and_nothing_typed_is_lost(ws, open_app, keto, mark):
    before = len(ws.read.rationales.all(keto.id))
    at = open_app("rationales")
    at.button(key="rationales_save").click().run()
    assert "No label is chosen" in said(at)
    choose(at, "keto")
    at.button(key="rationales_save").click().run()
    assert "The rationale is empty" in said(at)
    write(at, "Because.")
    at.button(key="rationales_next").click().run()
    at.button(key="rationales_next").click().run()
    here = at.session_state["rationales_new_example"]
    text = ws.read.examples.get(keto.id, here).text
    mark(at, text[:4])
    # Another visit, as after a refresh of the browser.
    other = open_app("rationales")
    assert other.text_area(key="rationales_new_text").value == "Because."
    assert other.session_state["rationales_new_label"] == "keto"
    assert other.session_state["rationales_new_example"] == here
    assert mark.marker.shown == (text, find_evidence(text, [text[:4]]))
    assert len(ws.read.rationales.all(keto.id)) == before


def test_a_draft_with_marks_no_text_has_is_no_trouble(ws, open_app, keto, mark):
    at = open_app("rationales")
    at.session_state["rationales_new_marks"] = [[0, 99_999], [-1, 2], "x", [5, 4]]
    at.session_state["rationales_marker"] = 7
    at.run()
    assert not at.exception
    assert mark.marker.shown[1] == ()


def test_a_reason_may_stand_on_its_own(ws, open_app, keto):
    at = open_app("rationales")
    at.segmented_control(key="rationales_new_about").set_value("On its own").run()
    choose(at, "not_keto")
    write(at, "Sugar is sugar.")
    at.button(key="rationales_save").click().run()
    added = ws.read.rationales.all(keto.id)[-1]
    assert (added.example_id, added.text) == (None, "Sugar is sugar.")


def test_many_labels_are_chosen_by_typing(ws, open_app):
    create_task(ws, name="many", labels=[f"label {i}" for i in range(12)], by="Ada")
    at = open_app("rationales")
    at.segmented_control(key="rationales_new_about").set_value("On its own").run()
    at.selectbox(key="rationales_new_label").set_value("label 11").run()
    write(at, "It is eleven.")
    at.button(key="rationales_save").click().run()
    assert not at.exception
    assert "It is eleven" in said(at)


def test_examples_are_searched_and_walked_through(ws, open_app, keto):
    at = open_app("rationales")
    at.text_input(key="rationales_search").set_value("noodles").run()
    first = at.session_state["rationales_new_example"]
    assert "noodles" in ws.read.examples.get(keto.id, first).text.lower()
    at.button(key="rationales_next").click().run()
    assert at.session_state["rationales_new_example"] != first
    at.button(key="rationales_previous").click().run()
    assert at.session_state["rationales_new_example"] == first
    at.text_input(key="rationales_search").set_value("no dish has this").run()
    assert "No example of train or validation" in said(at)
    assert not at.exception


def test_an_example_opened_elsewhere_stays_where_the_writer_was_not_drawn_yet(ws, open_app, keto):
    wanted = [e.id for e in ws.read.examples.all(keto.id) if e.split.value == "train"][7]
    at = open_app("home")
    at.session_state["rationales_opened"] = wanted  # as `open_example` leaves it
    at.switch_page("pages/rationales.py").run()
    assert at.session_state["rationales_new_example"] == wanted
    assert at.segmented_control(key="rationales_new_about").value == "About an example"
    at.button(key="rationales_next").click().run()
    assert at.session_state["rationales_new_example"] != wanted
