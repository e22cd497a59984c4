from __future__ import annotations


def test_asks_for_a_name_and_goes_on(open_app):
    at = open_app(person="")
    assert at.title[0].value == "Rationale Studio"
    at.text_input[0].set_value("  Ada   L ")
    at.button[0].click().run()
    assert not at.exception
    assert at.session_state["person"] == "Ada L"
    assert at.title[0].value == "Home"


def test_an_empty_name_is_not_a_name(open_app):
    at = open_app(person="")
    at.button[0].click().run()
    assert at.error[0].value == "Type a name first, e.g. Ada."
