"""Two people differ, a third settles it by keys in a browser: what SQLite holds is what counts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from studio.actions.corrections import Decision, correct_labels
from studio.actions.samples import load_sample
from studio.actions.tasks import work_on
from studio.domain.correction import Mode, Origin
from tests.browser.conftest import serving, workspace_in
from tests.browser.running import settled

pytestmark = pytest.mark.browser
MANY = 12


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    """One workspace for all; each test works on a task of its own."""
    with workspace_in(tmp_path_factory.mktemp("people")) as opened:
        yield opened


@pytest.fixture(scope="module")
def served(ws):
    with serving(ws) as app:
        yield app


@pytest.fixture
def task(ws):
    """A keto task, which Ada's next visit opens."""
    task = load_sample(ws, f"keto {len(ws.read.tasks.all())}", by="Dr. Lind")
    work_on(ws, task.id, by="Ada")
    return task


@pytest.fixture
def disputed(ws, task):
    """Bo and Chi differ on a dozen examples."""
    ids = ws.read.examples.ids(task.id, ["train"])[:MANY]
    for who, label in (("Bo", "keto"), ("Chi", "not_keto")):
        correct_labels(ws, task.id, [Decision(example_id=i, label=label) for i in ids], by=who)
    return ids


@pytest.fixture
def desk(disputed, browser_page, served):
    """The list of disputes, with the keys in it."""
    page = browser_page
    page.goto(served.url)
    link = page.get_by_role("link", name="People", exact=True)
    gate = page.get_by_role("button", name="Start", exact=True)
    link.or_(gate).first.wait_for(timeout=30_000)
    if gate.is_visible():
        gate.click()
    link.click()
    page.get_by_role("tab", name="Adjudicate", exact=True).click()
    page.locator(".list .row").first.wait_for()
    settled(page)
    page.locator(".list").focus()
    return page


def settled_labels(ws, task, ids):
    gold = ws.read.labels.gold(task.id, ids=ids)
    return [task.name_of(g.label_id) for g in gold.values() if g.origin is Origin.ADJUDICATED]


def wait_for(page, is_so):
    for _ in range(400):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it never came to be so")


def test_disputes_are_settled_by_keys_and_gold_changes(ws, task, disputed, desk):
    page = desk
    first = page.locator(".list .row").first
    expect(first.locator(".after")).to_be_empty()
    for _ in range(MANY):
        page.keyboard.press("2")
        page.wait_for_timeout(60)
    wait_for(page, lambda: settled_labels(ws, task, disputed) == ["not_keto"] * MANY)
    expect(first.locator(".after")).to_have_text("People said keto 1, not_keto 1")
    given = [c for c in ws.read.labels.history(task.id) if c.mode is Mode.ADJUDICATION]
    assert len(given) == MANY
    assert all(c.seconds is not None and 0 <= c.seconds < 60 for c in given)
    expect(page.get_by_text(re.compile(f"0 disputes open, {MANY} settled"))).to_be_visible()
    page.keyboard.press("u")
    wait_for(page, lambda: len(settled_labels(ws, task, disputed)) == MANY - 1)
    expect(page.get_by_text(re.compile(f"1 dispute open, {MANY - 1} settled"))).to_be_visible()


def test_a_guideline_is_written_where_the_dispute_is_settled(ws, task, desk):
    page = desk
    page.keyboard.press("1")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("w")
    page.get_by_role("textbox", name="What holds from now on").fill("Cream counts.")
    page.get_by_role("button", name="Save the note").click()
    wait_for(page, lambda: ws.read.guidelines.all(task.id))
    (note,) = ws.read.guidelines.all(task.id)
    assert (note.text, note.about(task)) == ("Cream counts.", "keto rather than not_keto")
    expect(page.get_by_role("button", name="Guidelines 1")).to_be_visible()
