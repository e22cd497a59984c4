"""What is typed over prompts in two tabs at once is kept side by side."""

from __future__ import annotations

import pytest

from studio.actions.drafts import kept_draft
from studio.ui.prompt_draft import PromptDrafts, keep_drafts


@pytest.fixture
def task(ws, fill):
    return fill(ws)


@pytest.fixture
def open_tab(ws, task):
    """Return a function that gives what a new tab, or one loaded again, holds."""
    return lambda: PromptDrafts.from_dict(kept_draft(ws, task.id, "prompts", by="Ada"))


def write(ws, task, tab, version, text):
    tab.base = version
    if text:
        tab.texts[version] = {"instructions": text}
    else:
        tab.texts.pop(version)
    keep_drafts(ws, task, tab, "Ada")


def texts(tab):
    return {version: text["instructions"] for version, text in tab.texts.items()}


def test_each_tab_keeps_what_was_typed_in_it_and_leaves_the_rest(ws, task, open_tab):
    one, two = open_tab(), open_tab()
    write(ws, task, one, 1, "meat")
    write(ws, task, two, 2, "fish")
    write(ws, task, one, 1, "meat and eggs")
    write(ws, task, two, 2, "fish and rice")
    assert texts(open_tab()) == {1: "meat and eggs", 2: "fish and rice"}


def test_what_one_tab_gave_up_does_not_come_back_from_another(ws, task, open_tab):
    write(ws, task, open_tab(), 1, "meat")
    one, two = open_tab(), open_tab()
    write(ws, task, one, 1, None)
    write(ws, task, two, 2, "fish")
    assert texts(open_tab()) == {2: "fish"}
    write(ws, task, two, 2, None)
    assert kept_draft(ws, task.id, "prompts", by="Ada") == {}


def test_a_tab_in_which_nothing_was_typed_writes_nothing(ws, task, open_tab):
    one, idle = open_tab(), open_tab()
    write(ws, task, one, 1, "meat")
    keep_drafts(ws, task, idle, "Ada")
    assert texts(open_tab()) == {1: "meat"}
