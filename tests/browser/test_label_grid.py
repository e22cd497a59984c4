"""The labeling grid in a real browser: what is keyed is stored, once, in order."""

from __future__ import annotations

import random
import re
import time

import pytest

from studio.actions.corrections import Decision, correct_labels
from studio.actions.samples import load_sample
from studio.actions.tasks import work_on
from studio.domain.run import Answer, ClassifierKind, Outcome, Run
from studio.store.runs import Result
from tests.browser.conftest import serving, workspace_in
from tests.browser.running import settled

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    """One workspace for all; each test works on a task of its own."""
    with workspace_in(tmp_path_factory.mktemp("grid")) as opened:
        yield opened


@pytest.fixture(scope="module")
def served(ws):
    with serving(ws) as app:
        yield app


def turn_to(ws, task):
    """Let Ada's next visit open this task."""
    work_on(ws, task.id, by="Ada")
    return task


@pytest.fixture
def keto(ws):
    """A keto task with a finished run over all of it."""
    task = load_sample(ws, f"keto {len(ws.read.tasks.all())}", by="Ada")
    examples = ws.store.examples.all(task.id)
    run = Run(
        id=0, task_id=task.id, kind=ClassifierKind.PROMPT, title="better v2", model="m",
        provider="scripted", splits=("train", "validation", "test"), created_at=ws.now(),
        created_by="Ada",
    )  # fmt: skip
    run_id = ws.store.runs.create(
        run, example_ids=[e.id for e in examples], finetune_id=None, params={}
    )
    rng = random.Random(7)
    results = []
    for example in examples:
        said, other = rng.sample(task.labels, 2)
        sure = rng.uniform(0.5, 1)
        results.append(
            Result(
                example_id=example.id,
                label_id=said.id,
                answer=Answer(
                    outcome=Outcome.OK,
                    label=said.name,
                    probabilities={said.name: sure, other.name: 1 - sure},
                ),
            )
        )
    ws.store.runs.commit(ws.store.runs.get(run_id), results, at=ws.now())
    return turn_to(ws, task)


def open_label(page, served, *, query: str = ""):
    """Open the Label page through the navigation and return the grid's frame."""
    page.goto(f"{served.url}/{query}")
    link = page.get_by_role("link", name="Label", exact=True)
    gate = page.get_by_role("button", name="Start", exact=True)
    link.or_(gate).first.wait_for(timeout=30_000)
    if gate.is_visible():
        gate.click()
    link.click()
    return grid_of(page)


def grid_of(page, *, first: int | None = None):
    """Return the grid's frame once it holds the keyboard's focus and begins with this example."""
    grid = page.locator("iframe[title*=agGrid]")
    if first is not None:
        # For a moment the grid before stands beside the new one.
        row = f'.ag-row[row-id="{first}"][row-index="0"]'
        end = time.monotonic() + 30
        while grid.count() != 1 or not grid.content_frame.locator(row).count():
            assert time.monotonic() < end, f"example {first} never came first"
            page.wait_for_timeout(50)
    frame = grid.content_frame
    frame.locator(".ag-cell-focus:focus").wait_for(timeout=30_000)
    return frame


def events(ws, task):
    return [c for c in ws.read.labels.history(task.id) if c.person == "Ada"]


def wait_for_events(ws, task, number: int, seconds: float = 20):
    end = time.monotonic() + seconds
    while time.monotonic() < end and len(events(ws, task)) < number:
        time.sleep(0.05)
    return events(ws, task)


@pytest.mark.parametrize("gap", [60, 30])
def test_twenty_labels_keyed_fast_are_twenty_events(ws, keto, served, browser_page, gap):
    open_label(browser_page, served)
    order = [e.id for e in ws.read.examples.all(keto.id)][:20]
    keys = [random.Random(3).choice("12") for _ in order]
    for key in keys:
        browser_page.keyboard.press(key)
        browser_page.wait_for_timeout(gap)
    stored = wait_for_events(ws, keto, 20)
    assert [(c.example_id, c.label_id) for c in stored] == [
        (example_id, keto.labels[int(key) - 1].id)
        for example_id, key in zip(order, keys, strict=True)
    ]
    browser_page.get_by_text("20 saved").wait_for()
    browser_page.get_by_text("20 of 787 labeled by you").wait_for()


def test_every_key_does_what_it_says(ws, keto, served, browser_page):
    frame = open_label(browser_page, served)
    first, second, third, fourth = (e.id for e in ws.read.examples.all(keto.id)[:4])
    one, two = (label.id for label in keto.labels)
    press = browser_page.keyboard.press
    press("ArrowDown")
    press("1")  # second
    press("ArrowUp")
    press("2")  # second again, corrected
    press("ArrowUp")
    press("0")  # second taken back
    press("u")  # and that undone: 2 again
    press("Control+z")  # and that: 1 again
    press("ArrowUp")
    press("1")  # first
    stored = wait_for_events(ws, keto, 6)
    assert [(c.example_id, c.label_id) for c in stored] == [
        (second, one), (second, two), (second, None), (second, two), (second, one), (first, one),
    ]  # fmt: skip
    assert [c.undoes for c in stored] == [None, None, None, stored[2].id, stored[1].id, None]
    frame.locator('.ag-row[row-index="2"] [col-id="text"]').click()
    (run,) = ws.read.runs.all(keto.id)
    said = ws.read.examples.grid(keto.id, run_id=run.id, person="Ada", filter=_ids(third))[0]
    press("a")
    assert wait_for_events(ws, keto, 7)[-1].label_id == said["predicted"]
    press("w")
    browser_page.get_by_role("dialog").get_by_text("Because").wait_for()
    browser_page.get_by_role("textbox", name="Because").fill("It is full of flour.")
    browser_page.get_by_role("button", name="Save the rationale").click()
    browser_page.get_by_role("dialog").wait_for(state="detached")
    newest = ws.read.rationales.all(keto.id)[-1]
    assert (newest.text, newest.example_id, newest.author) == ("It is full of flour.", third, "Ada")
    frame.locator('.ag-row[row-index="3"] [col-id="text"]').click()
    press("?")
    browser_page.get_by_role("dialog").get_by_text("undo the last thing you did").wait_for()
    assert len(events(ws, keto)) == 7
    assert fourth not in [c.example_id for c in events(ws, keto)]


def _ids(*ids):
    from studio.store.examples import GridFilter

    return GridFilter(ids=ids)


def test_dropdown_and_mouse_label_too(ws, keto, served, browser_page):
    frame = open_label(browser_page, served)
    first, second = (e.id for e in ws.read.examples.all(keto.id)[:2])
    frame.get_by_role("button", name=re.compile("not_keto")).click()
    cell = frame.locator('.ag-row[row-index="1"] [col-id="label"]')
    cell.dblclick()
    frame.get_by_role("option", name="keto", exact=True).click()
    stored = wait_for_events(ws, keto, 2)
    assert [(c.example_id, c.label_id) for c in stored] == [
        (first, keto.label("not_keto").id),
        (second, keto.label("keto").id),
    ]


def test_undo_button_filter_and_page_change_lose_nothing(ws, keto, served, browser_page):
    open_label(browser_page, served)
    ids = [e.id for e in ws.read.examples.all(keto.id)]
    press = browser_page.keyboard.press
    for _ in range(5):
        press("1")
    browser_page.get_by_text("To do", exact=True).click()
    assert len(wait_for_events(ws, keto, 5)) == 5
    grid_of(browser_page, first=ids[5])
    press("2")
    press("2")
    browser_page.get_by_role("button", name="Next", exact=True).click()
    assert len(wait_for_events(ws, keto, 7)) == 7
    grid_of(browser_page, first=ids[55])
    press("1")
    browser_page.get_by_role("button", name=re.compile("Undo")).click()
    stored = wait_for_events(ws, keto, 9)
    assert [c.label_id for c in stored][-2:] == [keto.labels[0].id, None]
    assert stored[-1].undoes == stored[-2].id
    assert [c.example_id for c in stored] == [*ids[:7], ids[55], ids[55]]


def test_undo_clicked_before_a_label_is_on_its_way_takes_back_that_label(
    ws, keto, served, browser_page
):
    open_label(browser_page, served)
    heard_before_the_click = browser_page.get_by_role("button", name="Undo").evaluate(
        """button => {
          let heard = 0;
          const value = "streamlit:setComponentValue";
          window.addEventListener("message", (event) => (heard += event.data.type === value));
          const grid = document.querySelector("iframe").contentDocument;
          const key = new KeyboardEvent("keydown", {key: "2", bubbles: true, cancelable: true});
          grid.activeElement.dispatchEvent(key);
          button.focus();
          const before = heard;
          button.click();
          return before;
        }"""
    )
    assert heard_before_the_click == 1
    label, undone = wait_for_events(ws, keto, 2)
    assert (label.label_id, undone.undoes) == (keto.labels[1].id, label.id)


def marks_of(ws, task, *ids):
    return ws.read.marks.of(task.id, ids, "Ada")


def wait_until(done, seconds: float = 20):
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.05)
    assert done()


def test_flag_note_skip_undo_and_redo_by_key(ws, keto, served, browser_page):
    frame = open_label(browser_page, served)
    first, second, third = (e.id for e in ws.read.examples.all(keto.id)[:3])
    press = browser_page.keyboard.press
    press("f")
    press("t")
    browser_page.keyboard.type("fünf – who knows?", delay=30)
    press("Enter")
    press("s")  # skipped, on to the second
    press("1")
    press("f")  # the third
    press("u")
    press("u")
    press("r")
    press("Control+Shift+Z")
    wait_until(lambda: len(events(ws, keto)) == 3 and third in marks_of(ws, keto, third))
    assert marks_of(ws, keto, first, second, third) == {
        first: {"flag": "", "note": "fünf – who knows?", "skip": ""},
        third: {"flag": ""},
    }
    assert [(c.example_id, c.label_id) for c in events(ws, keto)] == [
        (second, keto.labels[0].id), (second, None), (second, keto.labels[0].id),
    ]  # fmt: skip
    assert events(ws, keto)[0].mode == "grid"
    assert 0 < events(ws, keto)[0].seconds < 60
    signs = frame.locator('.ag-row[row-index="0"] [col-id="marks"]')
    assert signs.inner_text().strip() == "\u2691\u270e\u21b7"
    grid_of(browser_page)


def test_many_rows_are_one_deed_with_one_undo(ws, keto, served, browser_page):
    frame = open_label(browser_page, served)
    ids = [e.id for e in ws.read.examples.all(keto.id)]
    press = browser_page.keyboard.press
    for _ in range(3):
        press("Shift+ArrowDown")
    frame.get_by_text("4 chosen").wait_for()
    press("2")
    frame.get_by_text("Label 4 examples not_keto?").wait_for()
    press("n")
    press("2")
    press("y")
    stored = wait_for_events(ws, keto, 4)
    assert [(c.example_id, c.label_id, c.mode) for c in stored] == [
        (i, keto.labels[1].id, "bulk") for i in ids[:4]
    ]
    assert len({c.deed for c in stored}) == 1
    press("u")
    stored = wait_for_events(ws, keto, 8)
    assert [c.label_id for c in stored[4:]] == [None] * 4
    frame.locator('.ag-row[row-index="5"] [col-id="text"]').click()
    frame.locator('.ag-row[row-index="7"] [col-id="text"]').click(modifiers=["Shift"])
    frame.locator('.ag-row[row-index="1"] [col-id="text"]').click(modifiers=["Control"])
    frame.get_by_text("4 chosen").wait_for()
    press("1")
    press("Enter")
    stored = wait_for_events(ws, keto, 12)
    assert [c.example_id for c in stored[8:]] == [ids[1], *ids[5:8]]
    press("Control+a")
    press("a")
    frame.get_by_text(re.compile("Accept the model's label of")).wait_for()
    press("Escape")
    frame.locator('.ag-row[row-index="3"] [col-id="text"]').click()
    press("2")  # of this row alone: a click ends the choice
    assert [c.example_id for c in wait_for_events(ws, keto, 13)[12:]] == [ids[3]]
    assert wait_for_events(ws, keto, 13)[-1].mode == "grid"


@pytest.fixture
def colours(ws):
    """A task of twelve labels and forty examples."""
    from studio.domain.example import Split

    names = [
        *("red", "orange", "yellow", "olive", "green", "teal"),
        *("cyan", "blue", "indigo", "violet", "pink", "grey"),
    ]
    task = ws.store.tasks.create(
        name="colours", question="", labels=[(name, "") for name in names], criterion=None,
        by="Ada", at=ws.now(),
    )  # fmt: skip
    rows = [(str(n), f"thing {n}", Split.TRAIN, {}) for n in range(40)]
    ws.store.examples.add(task.id, rows, ws.now())
    return turn_to(ws, task)


def test_beyond_nine_labels_one_types_to_find_at_30_ms(ws, colours, served, browser_page):
    frame = open_label(browser_page, served)
    wanted = ["violet", "pink", "grey", "teal", "indigo", "red"]
    for name in wanted:
        browser_page.keyboard.type(f"/{name}\n", delay=30)
    browser_page.keyboard.press("1")
    stored = wait_for_events(ws, colours, 7)
    assert [colours.name_of(c.label_id) for c in stored] == [*wanted, "red"]
    assert len({c.example_id for c in stored}) == 7
    browser_page.keyboard.press("l")
    browser_page.keyboard.press("ArrowDown")
    frame.locator(".desk-here", has_text="orange").wait_for()
    browser_page.keyboard.press("Escape")
    browser_page.keyboard.press("9")
    assert colours.name_of(wait_for_events(ws, colours, 8)[-1].label_id) == "indigo"


def test_a_reload_right_after_keys_loses_nothing(ws, keto, served, open_browser):
    with open_browser(
        errors=False
    ) as page:  # a reload of a page by its address asks for what is not
        _reload_right_after_keys(ws, keto, served, page)


def _reload_right_after_keys(ws, keto, served, browser_page):
    open_label(browser_page, served)
    ids = [e.id for e in ws.read.examples.all(keto.id)]
    for _ in range(5):
        browser_page.keyboard.press("1")
    browser_page.keyboard.press("u")
    browser_page.reload()
    stored = wait_for_events(ws, keto, 6)
    assert [(c.example_id, c.label_id) for c in stored] == [
        *((i, keto.labels[0].id) for i in ids[:5]), (ids[4], None),
    ]  # fmt: skip
    grid_of(browser_page)
    browser_page.keyboard.press("2")
    assert len(wait_for_events(ws, keto, 7)) == 7


def test_two_people_on_one_example_the_later_chooses(ws, keto, served, browser_page):
    open_label(browser_page, served)
    first, second = (e.id for e in ws.read.examples.all(keto.id)[:2])
    labels = [Decision(example_id=i, label="not_keto") for i in (first, second)]
    correct_labels(ws, keto.id, labels, by="Anna")
    browser_page.keyboard.press("1")
    browser_page.get_by_text("Anna").wait_for()
    browser_page.keyboard.press("h")
    stored = wait_for_events(ws, keto, 2)
    assert [(c.example_id, c.label_id) for c in stored] == [
        (first, keto.label("keto").id), (first, keto.label("not_keto").id),
    ]  # fmt: skip
    browser_page.get_by_text("Anna").wait_for(state="detached")
    settled(browser_page)  # a key for the grid that is being replaced would be lost
    grid_of(browser_page)
    browser_page.keyboard.press("1")
    browser_page.get_by_text("Anna").wait_for()
    browser_page.keyboard.press("k")
    browser_page.get_by_text("Anna").wait_for(state="detached")
    assert len(events(ws, keto)) == 3


def test_light_and_dark_can_be_switched_while_one_labels(ws, keto, served, browser_page):
    frame = open_label(browser_page, served)
    header = frame.locator(".ag-header")
    look = "e => getComputedStyle(e).backgroundColor + getComputedStyle(e).fontFamily"
    light = header.evaluate(look)
    browser_page.keyboard.press("1")
    browser_page.emulate_media(color_scheme="dark")
    wait_until(lambda: header.evaluate(look) != light)
    assert "sans-serif" in header.evaluate(look)
    assert "255, 255, 255" not in header.evaluate(look)
    browser_page.keyboard.press("2")
    assert len(wait_for_events(ws, keto, 2)) == 2
    assert frame.locator('.ag-row[row-index="0"] [col-id="label"]').inner_text() == "keto"


def test_whole_texts_open_by_key_and_each_runs_in_its_own_direction(ws, served, browser_page):
    from studio.domain.example import Split

    task = ws.store.tasks.create(
        name="words", question="", labels=[("a", ""), ("b", "")], criterion=None, by="Ada",
        at=ws.now(),
    )  # fmt: skip
    long = "מילה ארוכה מאוד " * 60
    rows = [("1", long, Split.TRAIN, {}), ("2", "short words", Split.TRAIN, {})]
    ws.store.examples.add(task.id, rows, ws.now())
    turn_to(ws, task)
    frame = open_label(browser_page, served)
    row = frame.locator('.ag-row[row-index="0"]')
    before = row.bounding_box()["height"]
    browser_page.keyboard.press("x")
    wait_until(lambda: row.bounding_box()["height"] > 4 * before)
    text = row.locator('[col-id="text"] .ag-cell-value')
    shown, all_of_it = text.evaluate("e => [e.clientHeight, e.scrollHeight]")
    assert shown >= all_of_it
    starts = """e => {
        const range = document.createRange();
        range.setStart(e.firstChild ?? e, 0); range.setEnd(e.firstChild ?? e, 1);
        const [one, all] = [range.getBoundingClientRect(), e.getBoundingClientRect()];
        return one.left - all.left > all.right - one.right ? "right" : "left";
    }"""
    leaf = '[col-id="text"] .ag-cell-value'
    assert row.locator(leaf).evaluate(starts) == "right"
    assert frame.locator(f'.ag-row[row-index="1"] {leaf}').evaluate(starts) == "left"
    browser_page.keyboard.press("x")
    wait_until(lambda: row.bounding_box()["height"] == before)


def test_all_of_a_filter_and_pasted_labels_are_one_deed_each(ws, keto, served, browser_page):
    open_label(browser_page, served)
    many = browser_page.get_by_role("button", name="Many at once")
    many.click()
    browser_page.get_by_text("Label all that fit the filter").click()
    dialog = browser_page.get_by_role("dialog")
    dialog.get_by_role("combobox").click()
    browser_page.get_by_role("option", name="not_keto").click()
    dialog.get_by_role("button", name="Label 627 examples not_keto").click()
    dialog.wait_for(state="detached")
    stored = events(ws, keto)
    assert (len(stored), {c.mode for c in stored}) == (627, {"bulk"})
    browser_page.get_by_text("627 of 787 labeled by you").wait_for()
    browser_page.get_by_role("button", name="Undo").click()
    browser_page.get_by_text("0 of 787 labeled by you").wait_for()
    many.click()
    browser_page.get_by_text("Paste labels from a spreadsheet").click()
    table = dialog.get_by_test_id("stDataFrame").locator("canvas").first
    table.wait_for()
    browser_page.wait_for_timeout(1500)  # the dialog moves in; a click before is lost
    box = table.bounding_box()
    browser_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    browser_page.evaluate("navigator.clipboard.writeText('Keto\\nno such label')")
    browser_page.mouse.click(box["x"] + box["width"] - 60, box["y"] + 51)
    browser_page.keyboard.press("Control+v")
    dialog.get_by_text("1 rejected").wait_for()
    dialog.get_by_role("button", name="Store 1 label").click()
    dialog.wait_for(state="detached")
    pasted = events(ws, keto)[-1]
    assert (pasted.example_id, pasted.label_id, pasted.mode) == (
        ws.read.examples.all(keto.id)[0].id, keto.label("keto").id, "paste",
    )  # fmt: skip


def test_names_and_texts_of_people_never_run_as_code(ws, served, browser_page):
    from studio.domain.example import Split

    evil = "::JSCODE::function(){window.top.document.title='ran'}()::JSCODE::"
    task = ws.store.tasks.create(
        name="evil",
        question="",
        labels=[(evil, ""), ("<img src=x onerror=alert(1)>", "")],
        criterion=None,
        by="Ada",
        at=ws.now(),
    )
    ws.store.examples.add(
        task.id,
        [("1", f"<script>alert(1)</script>{evil}", Split.TRAIN, {evil: "<b>x</b>"})],
        ws.now(),
    )
    turn_to(ws, task)
    frame = open_label(browser_page, served)
    frame.get_by_text("<script>alert(1)</script>").first.wait_for()
    browser_page.keyboard.press("1")
    assert len(wait_for_events(ws, task, 1)) == 1
    assert browser_page.title() != "ran"
    assert frame.locator("img").count() == 0
