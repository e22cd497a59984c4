"""A message of the page before does not turn back to it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from streamlit.runtime.scriptrunner_utils.script_requests import (
    RerunData,
    ScriptRequests,
    ScriptRequestType,
)

from studio.ui import late


@pytest.fixture
def requests(monkeypatch):
    """What a run of the page `home` is asked for meanwhile."""
    requests = ScriptRequests()
    ctx = SimpleNamespace(script_requests=requests, page_script_hash="home")
    monkeypatch.setattr(late, "get_script_run_ctx", lambda: ctx)
    return requests


def test_a_message_of_a_part_of_the_page_before_is_taken_as_sent_from_this_one(requests):
    with late.page_kept():
        requests.request_rerun(RerunData(fragment_id="grid", page_script_hash="label"))
    asked = requests.on_scriptrunner_ready().rerun_data
    assert (asked.page_script_hash, asked.fragment_id_queue) == ("home", ["grid"])


def test_also_when_the_page_ends_early(requests):
    asked = RerunData(fragment_id="grid", page_script_hash="label")
    with pytest.raises(ZeroDivisionError), late.page_kept():
        1 / int(not requests.request_rerun(asked))
    assert requests.on_scriptrunner_ready().rerun_data.page_script_hash == "home"


def test_whoever_asks_for_another_page_gets_it(requests):
    with late.page_kept():
        requests.request_rerun(RerunData(page_script_hash="data"))
    assert requests.on_scriptrunner_ready().rerun_data.page_script_hash == "data"


def test_where_nothing_is_asked_for_nothing_changes(requests):
    with late.page_kept():
        pass
    assert requests.on_scriptrunner_ready().type is ScriptRequestType.STOP


def test_outside_of_a_run_of_the_app_nothing_happens(monkeypatch):
    monkeypatch.setattr(late, "get_script_run_ctx", lambda: None)
    with late.page_kept():
        pass
