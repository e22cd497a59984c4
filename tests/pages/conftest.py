"""The app on a workspace of its own, with no process beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from studio.actions.samples import load_sample
from studio.actions.tasks import create_task
from studio.bootstrap import open_workspace
from studio.ui.session import get_workspace, who
from studio.workspace import Workspace

APP = Path(__file__).parents[2] / "app.py"
STATES = ("empty workspace", "task without examples", "keto loaded")


@pytest.fixture(scope="session", autouse=True)
def scanned_once():
    """Look for installed components once: the test harness would for every test, 0.15 s each."""
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: found)
        yield


@pytest.fixture
def ws(tmp_path, monkeypatch) -> Workspace:
    """An empty workspace; the app under test opens the same file."""
    monkeypatch.setenv("STUDIO_WORKSPACE", str(tmp_path / "studio.db"))
    monkeypatch.setenv("STUDIO_WORKER", "external")
    monkeypatch.delenv("STUDIO_PERSON", raising=False)
    st.cache_resource.clear()
    st.cache_data.clear()
    opened = open_workspace()
    yield opened
    opened.store.close()
    opened.read.close()


@pytest.fixture
def fill(ws):
    """Bring the workspace into one of STATES."""

    def bring(state: str):
        if state == "keto loaded":
            return load_sample(ws, name="keto", by="Ada")
        if state == "task without examples":
            return create_task(ws, name="urgency", labels=["urgent", "can wait"], by="Ada")
        return None

    return bring


def known_as(person: str = "Ada") -> str:
    """What the app under test calls a person in the browser."""
    return who(get_workspace(), person)


class Log(dict):
    """What a component's state is to the script."""

    def __getattr__(self, name):
        return self.get(name)


class ThroughApp(PagesManager):
    """Runs app.py each time, as a server does once somebody has opened it.

    The test harness forgets before each run that the app declares its navigation, and would open
    the files of pages/ past app.py.
    """

    def __init__(self, *args, **kwargs) -> None:
        PagesManager.uses_pages_directory = False
        super().__init__(*args, **kwargs)


@pytest.fixture
def open_app(ws, monkeypatch):
    """Open the app at a page, as Ada unless told otherwise."""
    monkeypatch.setattr("streamlit.testing.v1.app_test.PagesManager", ThroughApp)
    # There is no browser that could remember a name.
    monkeypatch.setattr("studio.ui.session.browser_memory", lambda **_: "")

    def start(page: str = "home", *, person: str = "Ada", view: str = "") -> AppTest:
        at = AppTest.from_file(str(APP), default_timeout=30)
        if person:
            at.session_state["person"] = person
        if view:
            at.query_params[page] = view
        at.run()
        # Only from here on the test harness knows on which page it is.
        return at.switch_page(f"pages/{page}.py").run()

    return start
