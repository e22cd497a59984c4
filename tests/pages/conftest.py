"""The app on a workspace of its own, with no process beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from studio.bootstrap import open_workspace
from studio.workspace import Workspace

APP = Path(__file__).parents[2] / "app.py"


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
def open_app(ws, monkeypatch):
    """Open the app at a page, as Ada unless told otherwise."""

    # There is no browser that could remember a name.
    monkeypatch.setattr("studio.ui.session.browser_memory", lambda **_: "")

    def start(page: str = "home", *, person: str = "Ada") -> AppTest:
        at = AppTest.from_file(str(APP), default_timeout=30)
        if person:
            at.session_state["person"] = person
        at.run()
        if page != "home":
            at.switch_page(f"pages/{page}.py").run()
        return at

    return start
