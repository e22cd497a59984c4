"""Both labeling desks while something breaks: afterwards SQLite has exactly what was keyed."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass
from typing import Any

import pytest

from studio.actions.prompts import save_prompt
from studio.actions.runs import Choice, start_run
from studio.bootstrap import open_workspace
from studio.domain.correction import Mode
from studio.domain.prompt import PromptText
from tests.browser.conftest import import_dishes
from tests.browser.running import main_button, studio_app

pytestmark = pytest.mark.browser
VIEWS = ("grid", "queue")


@pytest.fixture
def dishes(ws):
    return import_dishes(ws, examples=300)  # more than a page of the grid


@dataclass
class Desk:
    """An open desk and what one keyed there."""

    page: Any
    url: str
    ws: Any
    task: Any
    view: str
    person: str = "Ada"

    def open(self):
        """Open it, giving the name where it is asked for."""
        self.page.goto(self.url)
        link = self.page.get_by_role("link", name="Label", exact=True)
        gate = self.page.get_by_role("button", name="Start", exact=True)
        link.or_(gate).first.wait_for(timeout=60_000)
        if gate.is_visible():
            self.page.get_by_role("textbox", name="Your name").fill(self.person)
            gate.click()
        link.click()
        if self.view == "queue":
            self.page.get_by_role("radio", name="One by one", exact=True).click()
        return self.ready()

    def ready(self):
        """Wait until keys count."""
        if self.view == "queue":
            self.page.locator(".card .text", has_text="number").wait_for(timeout=60_000)
        else:
            self.frame.locator(".ag-cell-focus:focus").wait_for(timeout=60_000)
        return self

    @property
    def frame(self):
        return self.page.locator("iframe[title*=agGrid]").last.content_frame

    def here(self) -> int:
        """Return the example the next key is about."""
        if self.view == "grid":
            row = self.frame.locator(".ag-row:has(.ag-cell-focus)").first
            return int(row.get_attribute("row-id"))
        text = self.page.locator(".card .text").inner_text()
        return next(e.id for e in self.ws.read.examples.all(self.task.id) if e.text == text)

    def key(self, n, gap=60) -> list[tuple[int, int]]:
        """Key labels in a rhythm; return the example and the label of each."""
        typed = []
        rng = random.Random(n)
        for _ in range(n):
            key = rng.choice("12")
            typed.append((self.here(), self.task.labels[int(key) - 1].id))
            self.page.keyboard.press(key)
            self.page.wait_for_timeout(gap)
        return typed

    def stored(self):
        found = self.ws.read.labels.history(self.task.id)
        return [(c.example_id, c.label_id) for c in found if c.person == self.person]

    def has(self, typed, seconds=60):
        """Wait until as much is stored as was keyed, then a moment for what would be too much."""
        end = time.monotonic() + seconds
        while len(self.stored()) < len(typed) and time.monotonic() < end:
            time.sleep(0.05)
        self.page.wait_for_timeout(500)
        assert self.stored() == typed


def kill(served):
    """Kill the app as the kernel does: it can store nothing any more."""
    os.killpg(served.process.pid, signal.SIGKILL)
    served.process.wait(timeout=20)


@pytest.mark.parametrize("view", VIEWS)
def test_an_app_killed_under_an_open_page_is_told_all_of_it_later(
    ws, dishes, served, open_browser, view
):
    with open_browser(errors=False) as page:
        desk = Desk(page, served.url, ws, dishes, view).open()
        typed = desk.key(4)
        desk.has(typed)
        typed += desk.key(3, gap=10)
        kill(served)
        typed += desk.key(6)
        served.start()
        desk.has(typed)
        desk.ready()
        typed += desk.key(3)
        desk.has(typed)


@pytest.mark.parametrize("view", VIEWS)
def test_a_reload_while_the_app_is_down_loses_nothing(ws, dishes, served, open_browser, view):
    with open_browser(errors=False) as page:
        desk = Desk(page, served.url, ws, dishes, view).open()
        typed = desk.key(2)
        desk.has(typed)
        kill(served)
        typed += desk.key(5)
        served.start()
        page.reload()
        desk.ready()
        desk.has(typed)


@pytest.mark.parametrize("view", VIEWS)
def test_reload_and_back_in_the_middle_of_keying_lose_nothing(
    ws, dishes, served, open_browser, view
):
    with open_browser(errors=False) as page:
        desk = Desk(page, served.url, ws, dishes, view).open()
        typed = desk.key(6, gap=30)
        page.reload()
        desk.ready()
        typed += desk.key(4, gap=30)
        page.get_by_role("link", name="Home", exact=True).click()
        page.get_by_role("heading", name="Home", exact=True).wait_for()
        page.go_back()
        desk.ready()
        desk.has(typed)
        typed += desk.key(4, gap=30)
        page.go_back()
        desk.has(typed)


@pytest.mark.parametrize("view", VIEWS)
def test_another_page_opens_right_after_a_label(ws, dishes, served, browser_page, view):
    page = browser_page
    desk = Desk(page, served.url, ws, dishes, view).open()
    typed = []
    for _ in range(4):
        typed += desk.key(2, gap=10)
        page.get_by_role("link", name="Home", exact=True).click()
        page.get_by_role("heading", name="Home", exact=True).wait_for()
        desk.has(typed)
        page.get_by_role("link", name="Label", exact=True).click()
        desk.ready()


AT_ONCE = """([key, choice]) => {
  const frame = document.querySelector("iframe[title*=agGrid]");
  const desk = frame ? frame.contentDocument.activeElement : document.activeElement;
  const how = {key, bubbles: true, composed: true, cancelable: true};
  desk.dispatchEvent(new KeyboardEvent("keydown", how));
  const radios = [...document.querySelectorAll('[role="radio"]')];
  const radio = radios.find((one) => one.textContent.trim() === choice);
  radio.dispatchEvent(new PointerEvent("pointerdown", {bubbles: true}));
  radio.focus();
  radio.click();
}"""


@pytest.mark.parametrize(("view", "choice"), [("grid", "One by one"), ("queue", "Grid")])
def test_a_choice_right_after_a_key_is_not_taken_for_a_part_of_the_desk(
    ws, dishes, served, browser_page, view, choice
):
    desk = Desk(browser_page, served.url, ws, dishes, view).open()
    example = desk.here()
    browser_page.evaluate(AT_ONCE, ["1", choice])
    desk.view = VIEWS[1 - VIEWS.index(view)]
    desk.ready()
    desk.has([(example, dishes.labels[0].id)])


def test_what_the_grid_could_not_send_is_brought_by_the_next_page(ws, dishes, served, browser_page):
    page = browser_page
    desk = Desk(page, served.url, ws, dishes, "grid").open()
    page.evaluate(
        """() => {
          const tell = window.dispatchEvent;
          window.dispatchEvent = (event) => event.type === "message" || tell.call(window, event);
        }"""
    )
    typed = desk.key(3)
    page.wait_for_timeout(500)
    assert desk.stored() == []
    page.get_by_role("link", name="Home", exact=True).click()
    desk.has(typed)
    page.evaluate(
        """() => {
          const send = WebSocket.prototype.send;
          window.sent = 0;
          WebSocket.prototype.send = function (said) { window.sent += 1; send.call(this, said); };
        }"""
    )
    page.wait_for_timeout(3000)
    assert page.evaluate("window.sent") <= 1, "what was brought is not brought again"


@pytest.mark.parametrize("view", VIEWS)
def test_a_second_tab_on_the_same_example_keeps_both_decisions(
    ws, dishes, served, browser_page, view
):
    one = Desk(browser_page, served.url, ws, dishes, view).open()
    other = Desk(browser_page.context.new_page(), served.url, ws, dishes, view).open()
    assert one.here() == other.here() or view == "queue"
    mine = one.key(3)
    one.has(mine)
    theirs = other.key(3)
    one.has(mine + theirs)
    other.page.close()


@pytest.mark.parametrize("view", VIEWS)
def test_undo_reaches_over_a_change_of_the_page(ws, dishes, served, browser_page, view):
    desk = Desk(browser_page, served.url, ws, dishes, view).open()
    typed = desk.key(3)
    desk.has(typed)
    if view == "grid":
        main_button(browser_page, "Next").click()
        browser_page.get_by_text("51–100").wait_for()
    else:
        browser_page.get_by_role("link", name="Home", exact=True).click()
        browser_page.get_by_role("heading", name="Home", exact=True).wait_for()
        browser_page.get_by_role("link", name="Label", exact=True).click()
    desk.ready()
    browser_page.keyboard.press("u")
    desk.has([*typed, (typed[-1][0], None)])


@pytest.mark.parametrize("view", VIEWS)
def test_of_two_people_on_one_example_the_later_sees_the_earlier(
    ws, dishes, served, open_browser, view
):
    with open_browser() as page, open_browser() as second:
        ada = Desk(page, served.url, ws, dishes, view).open()
        bo = Desk(second, served.url, ws, dishes, view, person="Bo").open()
        page.keyboard.press("1")
        ada.has([(ada.stored()[0][0] if ada.stored() else bo.here(), dishes.labels[0].id)])
        while bo.here() != ada.stored()[0][0]:
            second.keyboard.press("s" if view == "queue" else "ArrowDown")
            second.wait_for_timeout(60)
        second.keyboard.press("2")
        second.get_by_text("while you looked").wait_for(timeout=30_000)
        assert bo.stored() == [(ada.stored()[0][0], dishes.labels[1].id)]
        second.get_by_role("button", name="Take theirs").click()
        bo.has([*bo.stored()[:1], ada.stored()[0]])
        ada.has(ada.stored()[:1])


@pytest.mark.parametrize("view", VIEWS)
def test_a_worker_killed_in_a_run_stops_neither_the_run_nor_the_labels(tmp_path, chromium, view):
    with studio_app(tmp_path / "studio.db") as app:
        ws = open_workspace(app.workspace)
        task = import_dishes(ws, examples=300)
        save_prompt(
            ws, task.id, name="first", body=PromptText(instructions="Is it keto?"), by="Ada"
        )
        with app.held_worker():
            run = start_run(ws, task.id, choice=Choice(prompt="first"), by="Ada")
            context = chromium.new_context()
            desk = Desk(context.new_page(), app.url, ws, task, view).open()
            typed = desk.key(3)
        (worker,) = app.workers()
        os.kill(worker.pid, signal.SIGKILL)
        typed += desk.key(5)
        ws.wake()
        typed += desk.key(5)
        desk.has(typed)
        end = time.monotonic() + 90
        while ws.read.runs.get(run.id).done < 300 and time.monotonic() < end:
            time.sleep(0.1)
        assert ws.read.runs.get(run.id).done == 300
        modes = {c.mode for c in ws.read.labels.history(task.id)}
        assert modes == {Mode.GRID if view == "grid" else Mode.QUEUE}
        context.close()
        ws.store.close()
        ws.read.close()
