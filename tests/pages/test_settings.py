from __future__ import annotations


def test_says_who_works_and_that_the_worker_is_missing(open_app):
    at = open_app("settings")
    texts = [m.value for m in at.markdown]
    assert "You work as **Ada**." in texts
    assert any("Not running" in text for text in texts)
    assert "Start it in a terminal: `studio worker`." in texts


def test_a_provider_is_added_without_its_key(open_app, ws, monkeypatch):
    monkeypatch.setenv("MY_SERVICE_KEY", "sk-very-secret")
    at = open_app("settings")
    fill_provider(at, key="MY_SERVICE_KEY")
    assert not at.error
    assert ws.read.providers.get("mine").key_env == "MY_SERVICE_KEY"
    frame = at.dataframe[0].value
    assert "MY_SERVICE_KEY: found" in list(frame["Key"])
    assert "sk-very-secret" not in str(at.main)


def test_a_key_typed_in_place_of_a_name_is_refused(open_app, ws):
    at = open_app("settings")
    fill_provider(at, key="sk-proj-abc")
    assert "not by itself" in at.error[0].value
    assert ws.read.providers.all() == []


def test_the_workspace_file_is_checked(open_app):
    at = open_app("settings")
    at.button(key="settings_examine").click().run()
    checks = next(d.value for d in at.dataframe if "Check" in d.value)
    assert {"integrity", "sqlite"} <= set(checks["Check"])


def test_another_name_is_asked_for(open_app):
    at = open_app("settings")
    at.button(key="settings_forget").click().run()
    assert at.title[0].value == "Rationale Studio"


def fill_provider(at, *, key: str) -> None:
    inputs = {i.label: i for i in at.text_input}
    inputs["Name"].set_value("mine")
    inputs["Address"].set_value("http://127.0.0.1:9/v1")
    inputs["Variable that holds its key"].set_value(key)
    next(b for b in at.button if b.label == "Add").click().run()
