"""The queue in a real browser: what is keyed is stored once, in order, whatever happens."""

from __future__ import annotations

import random
import time

import pytest

from studio.actions.examples import Columns, import_examples
from studio.actions.tasks import create_task
from studio.domain.correction import Mode, Origin
from studio.domain.mark import MarkKind
from tests.browser.conftest import import_dishes

pytestmark = pytest.mark.browser


@pytest.fixture
def dishes(ws):
    return import_dishes(ws)


def enter(page, url):
    """Open an address, giving the name where it is asked for."""
    page.goto(url)
    link = page.get_by_role("link", name="Home", exact=True)
    gate = page.get_by_role("button", name="Start", exact=True)
    link.or_(gate).first.wait_for(timeout=30_000)
    if gate.is_visible():
        gate.click()
    link.wait_for()


def open_queue(page, served):
    """Open the Label page one by one and wait for the first example."""
    enter(page, served.url)
    page.get_by_role("link", name="Label", exact=True).click()
    page.get_by_role("radio", name="One by one", exact=True).click()
    wait_for_card(page)


def wait_for_card(page):
    page.locator(".card .text", has_text="number").wait_for(timeout=60_000)


def shown(page) -> str:
    return page.locator(".card .text").inner_text()


def events(ws, task):
    return [c for c in ws.read.labels.history(task.id) if c.person == "Ada"]


def wait_for_events(ws, task, number: int, seconds: float = 30):
    end = time.monotonic() + seconds
    while time.monotonic() < end and len(events(ws, task)) < number:
        time.sleep(0.05)
    return events(ws, task)


def key_labels(page, ws, task, n, gap):
    """Key labels in a rhythm; return (text, label id) of each as it stood on the card."""
    typed = []
    rng = random.Random(gap)
    for _ in range(n):
        key = rng.choice("12")
        typed.append((shown(page), task.labels[int(key) - 1].id))
        page.keyboard.press(key)
        page.wait_for_timeout(gap)
    return typed


def told(ws, task, found):
    texts = {e.id: e.text for e in ws.read.examples.all(task.id)}
    return [(texts[c.example_id], c.label_id) for c in found]


@pytest.mark.parametrize("gap", [60, 30])
def test_twenty_keys_are_twenty_events(ws, dishes, served, browser_page, gap):
    open_queue(browser_page, served)
    typed = key_labels(browser_page, ws, dishes, 20, gap)
    stored = wait_for_events(ws, dishes, 20)
    assert told(ws, dishes, stored) == typed
    assert {(c.mode, c.origin) for c in stored} == {(Mode.QUEUE, Origin.BLIND)}
    assert all(c.seconds is not None for c in stored)
    wait_for_card(browser_page)  # it was filled again meanwhile
    typed = key_labels(browser_page, ws, dishes, 5, gap)
    assert told(ws, dishes, wait_for_events(ws, dishes, 25)[20:]) == typed


def test_every_key_does_what_it_says(ws, dishes, served, browser_page):
    open_queue(browser_page, served)
    press = browser_page.keyboard.press
    by_text = {e.text: e.id for e in ws.read.examples.all(dishes.id)}
    first = by_text[shown(browser_page)]
    press("f")
    press("t")
    browser_page.keyboard.type("1 odd, 2 rare")
    press("Enter")
    press("1")
    second = by_text[shown(browser_page)]
    press("s")
    third = by_text[shown(browser_page)]
    press("2")
    press("u")
    assert by_text[shown(browser_page)] == third
    press("r")
    press("ArrowLeft")
    press("1")
    stored = wait_for_events(ws, dishes, 5)
    one, two = (label.id for label in dishes.labels)
    assert [(c.example_id, c.label_id) for c in stored][:2] == [(first, one), (third, two)]
    assert ws.read.labels.current(dishes.id) == {first: one, third: one}
    marks = ws.read.marks.of(dishes.id, [first, second, third], "Ada")
    assert marks[first] == {MarkKind.FLAG: "", MarkKind.NOTE: "1 odd, 2 rare"}
    assert marks[second] == {MarkKind.SKIP: ""}
    press("?")
    browser_page.get_by_role("dialog").get_by_text("put back what was undone").wait_for()
    press("Escape")
    browser_page.get_by_role("dialog").wait_for(state="detached")
    press("w")
    browser_page.get_by_role("dialog").get_by_text("Because").wait_for()
    press("1")  # a dialog is open: no label
    browser_page.wait_for_timeout(300)
    assert len(events(ws, dishes)) == 5


def test_a_reload_in_the_middle_loses_nothing_and_repeats_nothing(ws, dishes, served, open_browser):
    # A reload at /label looks for the server below /label first, which the console tells.
    with open_browser(errors=False) as page:
        open_queue(page, served)
        typed = key_labels(page, ws, dishes, 10, 30)
        page.reload()
        wait_for_card(page)
        stored = wait_for_events(ws, dishes, 10)
        assert told(ws, dishes, stored) == typed
        typed += key_labels(page, ws, dishes, 5, 30)
        page.get_by_role("link", name="Home", exact=True).click()
        page.get_by_role(
            "heading", name="Home", exact=True
        ).wait_for()  # until then back is elsewhere
        assert told(ws, dishes, wait_for_events(ws, dishes, 15)) == typed
        page.go_back()
        wait_for_card(page)
        typed += key_labels(page, ws, dishes, 3, 60)
        assert told(ws, dishes, wait_for_events(ws, dishes, 18)) == typed


def test_a_server_that_goes_down_is_told_everything_later(ws, dishes, served, open_browser):
    with open_browser(errors=False) as page:
        open_queue(page, served)
        typed = key_labels(page, ws, dishes, 3, 60)
        wait_for_events(ws, dishes, 3)
        served.stop()
        typed += key_labels(page, ws, dishes, 8, 60)
        served.start()
        stored = wait_for_events(ws, dishes, 11, 60)
        assert told(ws, dishes, stored) == typed


def test_two_tabs_of_one_person_lose_nothing(ws, dishes, served, browser_page):
    open_queue(browser_page, served)
    other = browser_page.context.new_page()
    open_queue(other, served)
    mine = key_labels(browser_page, ws, dishes, 6, 60)
    theirs = key_labels(other, ws, dishes, 6, 60)
    stored = told(ws, dishes, wait_for_events(ws, dishes, 12))
    assert sorted(stored) == sorted(mine + theirs)
    other.close()


def test_beyond_nine_labels_one_is_found_by_typing(ws, served, browser_page):
    names = [f"intent {c}" for c in "abcdefghijkl"]
    task = import_dishes(ws, labels=names)
    open_queue(browser_page, served)
    for letter in "kblk":
        browser_page.keyboard.press("/")
        browser_page.keyboard.type(f"intent {letter}", delay=30)
        browser_page.keyboard.press("Enter")
    stored = wait_for_events(ws, task, 4)
    assert [task.name_of(c.label_id) for c in stored] == [f"intent {c}" for c in "kblk"]
    browser_page.locator(".card button.label").first.click()
    assert len(wait_for_events(ws, task, 5)) == 5


def test_names_and_texts_of_people_stay_text(ws, served, browser_page):
    evil = "<img src=x onerror=document.title='ran'>"
    task = create_task(ws, name="evil", labels=[evil, "b"], by="Ada")
    import_examples(
        ws, task.id, data=f'id,text\n1,"{evil} number"\n'.encode(), filename="e.csv",
        columns=Columns(id="id"), by="Ada",
    )  # fmt: skip
    open_queue(browser_page, served)
    assert shown(browser_page) == f"{evil} number"
    assert browser_page.locator(".card img").count() == 0
    assert browser_page.title() != "ran"
