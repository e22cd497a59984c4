"""A damaged workspace: the app says so and offers the ways on; nothing is written to the file."""

from __future__ import annotations

import pytest
import streamlit as st

from studio.actions.tasks import create_task
from studio.actions.workspaces import back_up
from studio.bootstrap import open_workspace


@pytest.fixture
def damaged(ws):
    """A damaged workspace with a whole backup and a cut one beside it; returns its bytes."""
    create_task(ws, name="mail", labels=["ham", "spam"], by="Ada")
    backup = back_up(ws, ws.path.with_name("good.tgz")).file
    backup.with_name("cut.tgz").write_bytes(backup.read_bytes()[:-200])
    ws.store.close()
    ws.read.close()
    data = bytearray(ws.path.read_bytes())
    data[2 * 4096 : 6 * 4096] = b"\xaa" * (4 * 4096)
    ws.path.write_bytes(data)
    st.cache_resource.clear()
    return bytes(data)


def tasks(ws):
    opened = open_workspace(ws.path)
    try:
        return [task.name for task in opened.read.tasks.all()]
    finally:
        opened.store.close()
        opened.read.close()


def press(at, key):
    at.button(key=key).click().run()
    assert not at.exception


def test_a_backup_is_restored_from_the_page(open_app, ws, damaged):
    at = open_app()
    assert not at.exception
    assert at.title[0].value == "The workspace is damaged"
    assert len(at.error) == 1
    assert str(ws.path) in at.error[0].value
    listed = [m.value for m in at.markdown if "tgz" in m.value]
    assert len(listed) == 2
    assert [("whole" in line, "good" in line) for line in listed].count((True, True)) == 1
    (button,) = [b for b in at.button if b.label == "Restore this backup"]
    press(at, button.key)
    assert ws.path.read_bytes() == damaged
    press(at, button.key.replace("rescue_", "rescue_yes_"))
    st.cache_resource.clear()
    assert tasks(ws) == ["mail"]
    (aside,) = ws.path.parent.glob("studio.db.*.aside")
    assert aside.read_bytes() == damaged
    assert open_app().title[0].value == "Home"


def test_the_file_is_set_aside_only_after_a_question(open_app, ws, damaged):
    at = open_app()
    press(at, "rescue_anew")
    assert ws.path.read_bytes() == damaged
    press(at, "rescue_yes_anew")
    st.cache_resource.clear()
    assert tasks(ws) == []
    (aside,) = ws.path.parent.glob("studio.db.*.aside")
    assert aside.read_bytes() == damaged


def test_nobody_without_a_name_may_restore(open_app, damaged):
    at = open_app(person="")
    assert at.title[0].value == "Rationale Studio"
    assert "Restore this backup" not in [b.label for b in at.button]


def test_little_space_is_told_above_every_page(open_app, ws, monkeypatch):
    monkeypatch.setattr("studio.ui.shell.LITTLE_BYTES", 1 << 60)
    assert "MB left: free some space" in open_app("settings").warning[0].value
