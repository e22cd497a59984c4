"""Rules in a browser: figures follow what is typed, one key labels, a drag orders; see SQLite."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from studio.actions.samples import load_sample
from studio.actions.tasks import work_on
from studio.domain.correction import Origin
from tests.browser.conftest import serving, workspace_in
from tests.browser.running import main_button, settled

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    """One workspace for all; each test works on a task of its own."""
    with workspace_in(tmp_path_factory.mktemp("rules")) as opened:
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
def rules_page(task, browser_page, served):
    browser_page.goto(served.url)
    link = browser_page.get_by_role("link", name="Rationales", exact=True)
    gate = browser_page.get_by_role("button", name="Start", exact=True)
    link.or_(gate).first.wait_for(timeout=30_000)
    if gate.is_visible():
        gate.click()
    link.click()
    browser_page.get_by_role("tab", name="Rules", exact=True).click()
    browser_page.locator(".row .open").first.wait_for()
    settled(browser_page)
    return browser_page


def fires(page) -> int:
    shown = page.get_by_test_id("stMetricValue").first.inner_text()
    return int(shown.replace(",", ""))


def mine(ws, task):
    return [
        (c.example_id, task.name_of(c.label_id), c.origin)
        for c in ws.read.labels.history(task.id)
        if c.person == "Ada"
    ]


def labels_reach(ws, task, n: int, page) -> list:
    for _ in range(400):
        if len(found := mine(ws, task)) >= n:
            return found
        page.wait_for_timeout(50)
    raise AssertionError(f"{len(found)} of {n} labels arrived")


def test_figures_follow_each_letter_and_a_wrong_example_takes_one_key(ws, task, rules_page):
    page = rules_page
    main_button(page, "New rule").click()
    words = page.get_by_role("textbox", name="Words, with commas between")
    words.wait_for()
    words.press_sequentially("rice", delay=60)
    page.get_by_test_id("stMetricValue").first.wait_for()
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stMetricValue]').innerText !== '0'"
    )
    expect(words).to_be_focused()
    settled(page)
    rice = fires(page)
    words.press_sequentially(", bread", delay=60)
    page.wait_for_function(
        "n => Number(document.querySelector('[data-testid=stMetricValue]').innerText) > n", arg=rice
    )
    expect(words).to_be_focused()  # typing goes on where it was
    expect(words).to_have_value("rice, bread")
    settled(page)
    listed = page.locator(".list .row")
    expect(listed.first.locator("mark").first).to_have_text(re.compile("rice|bread", re.I))
    # The new rule says keto, so dishes with rice that are not keto are its wrong ones.
    page.locator(".list").focus()
    page.keyboard.press("2")
    page.keyboard.press("2")
    page.keyboard.press("1")
    page.keyboard.press("u")
    found = labels_reach(ws, task, 4, page)
    assert [label for _, label, _ in found] == ["not_keto", "not_keto", "keto", None]
    assert {origin for _, _, origin in found[:3]} == {Origin.ASSISTED}
    assert len({example for example, _, _ in found}) == 3
    settled(page)
    expect(listed.nth(0).locator(".chip")).to_have_class(re.compile("given"))
    expect(listed.nth(2)).to_have_class(re.compile("here"))  # nobody lost the place
    name = page.get_by_role("textbox", name="Name", exact=True)
    name.fill("rice-or-bread")
    name.press("Enter")
    main_button(page, "Save the rule").click()
    page.get_by_text("Saved rice").wait_for()
    saved = ws.read.rules.by_name(task.id, "rice-or-bread").body
    assert str(saved.any[0]) == "has one of rice, bread"


def test_a_rule_is_dragged_moved_by_keys_and_switched(ws, task, rules_page):
    page = rules_page
    before = [rule.body.name for rule in ws.read.rules.all(task.id)]
    grip = page.locator(".row .handle").nth(2).bounding_box()
    target = page.locator(".row").nth(0).bounding_box()
    page.mouse.move(grip["x"] + 8, grip["y"] + 8)
    page.mouse.down()
    page.mouse.move(grip["x"] + 8, target["y"] + 4, steps=8)
    page.mouse.up()
    third, first, second, *rest = before[2], before[0], before[1], *before[3:]
    expect(page.locator(".row .open").first).to_have_text(third)
    wait_for_order(ws, task, page, [third, first, second, *rest])
    row = page.locator(".row").nth(0)
    row.focus()
    page.keyboard.press("Alt+ArrowDown")
    wait_for_order(ws, task, page, [first, third, second, *rest])
    page.locator(".row .on").nth(0).uncheck()
    for _ in range(400):
        if not ws.read.rules.by_name(task.id, first).enabled:
            break
        page.wait_for_timeout(50)
    assert [r.body.name for r in ws.read.rules.all(task.id) if not r.enabled] == [first]


def wait_for_order(ws, task, page, names) -> None:
    for _ in range(400):
        if [rule.body.name for rule in ws.read.rules.all(task.id)] == names:
            return
        page.wait_for_timeout(50)
    assert [rule.body.name for rule in ws.read.rules.all(task.id)] == names


def test_a_blind_check_hides_everything_and_gives_blind_gold(ws, task, rules_page):
    page = rules_page
    page.locator(".row .open", has_text="sugar").nth(1).click()
    main_button(page, "Check 10 blind").click()
    box = page.get_by_role("dialog")
    box.locator(".list .row").first.wait_for()
    assert box.locator(".list .row").count() == 10
    assert box.locator("mark, .warning").count() == 0
    assert set(box.locator(".chip").all_text_contents()) == {""}
    settled(page)  # until then the dialog may take the focus for itself
    box.locator(".list").press("1")
    box.locator(".list").press("2")
    found = labels_reach(ws, task, 2, page)
    assert [(label, origin) for _, label, origin in found] == [
        ("keto", Origin.BLIND), ("not_keto", Origin.BLIND),
    ]  # fmt: skip
    box.get_by_role("button", name="Show how the rule did").click()
    box.get_by_text(re.compile("Of 2 examples the rule fires on")).wait_for()


def test_why_is_asked_by_a_key_and_a_rationale_is_begun_about_an_example(ws, task, rules_page):
    page = rules_page
    page.locator(".row .open", has_text="bread").first.click()
    rows = page.locator(".list")
    rows.wait_for()
    settled(page)
    text = page.locator(".list .row .words").first.inner_text()
    rows.focus()
    page.keyboard.press("e")
    box = page.get_by_role("dialog", name="Why this label")
    box.wait_for()
    expect(box).to_contain_text(text[:30])
    page.keyboard.press("Escape")
    box.wait_for(state="detached")
    rows.focus()
    page.keyboard.press("w")
    expect(page.get_by_role("tab", name="Rationales", exact=True)).to_have_attribute(
        "aria-selected", "true"
    )
    settled(page)
    expect(page.get_by_test_id("stMain")).to_contain_text(text[:30])
