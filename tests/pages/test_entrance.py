"""What the address of a visit asks for is kept until its page has taken it."""

from __future__ import annotations

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from studio.actions.samples import load_sample
from studio.actions.tasks import create_task
from tests.pages.conftest import APP


@pytest.fixture
def keto(ws):
    create_task(ws, name="another", labels=["yes", "no"], by="Ada")
    return load_sample(ws, name="keto", by="Ada")


def at_keto(open_app):
    at = open_app("label")
    return at.sidebar.selectbox(key="task").set_value("keto").run()


def view(at) -> str:
    return at.button_group(key="label_view").value


def address(at, name) -> str:
    said = at.query_params.get(name, "")
    return said[-1] if isinstance(said, list) else said


def test_the_first_visit_of_a_server_goes_through_the_app_at_its_own_address(keto, monkeypatch):
    monkeypatch.setattr("studio.ui.session.browser_memory", lambda **_: "")
    at = AppTest.from_file(str(APP), default_timeout=30)
    at._page_hash = calc_hash("label")  # as a browser does that had the page open
    at.session_state["person"] = "Ada"
    at.query_params |= {"view": "queue", "task": "keto"}
    at.run()
    assert not at.exception
    assert PagesManager.uses_pages_directory is False
    assert at.sidebar.selectbox(key="task").value == "keto"
    assert [t.value for t in at.title] == ["Label"]
    assert view(at) == "queue"
    assert (address(at, "view"), address(at, "task")) == ("queue", "keto")


def test_a_first_visit_without_a_name_keeps_its_address(keto, monkeypatch):
    monkeypatch.setattr("studio.ui.session.browser_memory", lambda **_: None)
    at = AppTest.from_file(str(APP), default_timeout=30)
    at._page_hash = calc_hash("label")
    at.query_params |= {"view": "queue", "task": "keto"}
    at.run()
    assert not at.exception
    assert not at.title, "nothing is shown before we know who looks"
    assert (address(at, "view"), address(at, "task")) == ("queue", "keto")


def test_an_address_that_is_behind_does_not_take_a_choice_back(keto, open_app):
    at = at_keto(open_app)
    assert view(at) == "grid"
    at.button_group(key="label_view").set_value("queue").run()
    for _ in range(2):  # the browser sends the address before until it has followed
        at.query_params["view"] = "grid"
        at.run()
        assert view(at) == "queue"
    assert address(at, "view") == "queue", "and it is told again"


def test_the_way_back_chooses_once_the_address_has_followed(keto, open_app):
    at = at_keto(open_app)
    at.button_group(key="label_view").set_value("queue").run()
    at.run()
    at.query_params["view"] = "grid"
    at.run()
    assert view(at) == "grid"


def test_what_the_studio_chose_is_told_in_every_run_for_a_run_may_be_interrupted(keto, open_app):
    at = at_keto(open_app)
    for _ in range(3):
        at.run()
        boxes = {
            "task": at.sidebar.selectbox(key="task"),
            "view": at.button_group(key="label_view"),
        }
        assert {name: box.proto.set_value for name, box in boxes.items()} == {
            "task": True, "view": True,
        }  # fmt: skip
