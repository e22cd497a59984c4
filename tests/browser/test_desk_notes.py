"""A note that is being written belongs to its example, however one goes on."""

from __future__ import annotations

import time

import pytest

from studio.domain.mark import MarkKind
from tests.browser.conftest import import_dishes
from tests.browser.test_desk_faults import Desk

pytestmark = pytest.mark.browser


@pytest.fixture
def dishes(ws):
    return import_dishes(ws)


def notes(ws, task, seconds=20):
    """Return example id to the note on it, once there is one."""
    end = time.monotonic() + seconds
    while True:
        ids = ws.read.examples.ids(task.id)
        found = {
            i: kinds[MarkKind.NOTE]
            for i, kinds in ws.read.marks.of(task.id, ids, "Ada").items()
            if MarkKind.NOTE in kinds
        }
        if found or time.monotonic() > end:
            return found
        time.sleep(0.05)


def test_a_click_on_another_row_keeps_the_note_and_keys_go_on_there(
    ws, dishes, served, browser_page
):
    desk = Desk(browser_page, served.url, ws, dishes, "grid").open()
    first = desk.here()
    browser_page.keyboard.press("t")
    browser_page.keyboard.type("ask the chef", delay=20)
    desk.frame.locator('.ag-row[row-index="3"] [col-id="text"]').click()
    desk.frame.locator('.ag-row[row-index="3"] .ag-cell-focus').wait_for()
    other = desk.here()
    assert other != first
    browser_page.keyboard.press("2")
    desk.has([(other, dishes.labels[1].id)])
    assert notes(ws, dishes) == {first: "ask the chef"}


def test_a_note_is_kept_where_one_goes_on_by_a_label_button(ws, dishes, served, browser_page):
    desk = Desk(browser_page, served.url, ws, dishes, "queue").open()
    first = desk.here()
    browser_page.keyboard.press("t")
    browser_page.keyboard.type("ask the chef", delay=20)
    browser_page.locator(".card .label", has_text=dishes.labels[0].name).first.click()
    desk.has([(first, dishes.labels[0].id)])
    assert notes(ws, dishes) == {first: "ask the chef"}
    assert desk.here() != first
