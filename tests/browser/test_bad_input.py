"""What goes wrong gets one sentence on the screen, and never a traceback."""

from __future__ import annotations

import os
import re
import signal
import subprocess

import pytest
from playwright.sync_api import expect

from tests.browser.running import (
    STUDIO,
    give_name,
    main_button,
    open_page,
    settled,
    studio_app,
    type_labels,
    wait_for_job,
    wait_for_text,
    watch,
)

pytestmark = pytest.mark.browser
TRACES = re.compile(r"Traceback|Error:|\.py\b|line \d+, in")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with studio_app(tmp_path_factory.mktemp("bad") / "studio.db", sample=True) as running:
        yield running


@pytest.fixture
def page(app, chromium):
    """A page of the app whose visitor gave a name; no traceback may ever stand on it."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    seen = watch(opened, app.url)
    opened.goto(app.url)
    give_name(opened, "Ada")
    opened.get_by_role("heading", name="Home", exact=True).wait_for()
    settled(opened)
    yield opened
    no_traceback(opened)
    context.close()
    assert seen.errors == []
    assert seen.foreign == []


def no_traceback(page) -> None:
    assert page.get_by_test_id("stException").count() == 0
    assert not TRACES.search(page.get_by_test_id("stMain").inner_text())


def open_tab(page, title: str, tab: str) -> None:
    open_page(page, title)
    page.get_by_role("tab", name=tab, exact=True).click()
    settled(page)


def said(page, text: str | re.Pattern[str]) -> str:
    """Wait for an alert with this text; return all of it."""
    alert = page.get_by_test_id("stAlert").filter(has_text=text).first
    alert.wait_for(timeout=30_000)
    settled(page)
    no_traceback(page)
    return alert.locator("p").first.inner_text().strip()


def upload(page, name: str, content: bytes) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content}
    )


def test_files_that_are_none(app, page):
    before = sum(app.read.examples.counts(1).values())
    for name, content, sentence in (
        ("empty.csv", b"", "The file empty.csv is empty."),
        ("head.csv", b"text,label\n", "The file head.csv has no rows below its header."),
        ("picture.csv", bytes(range(256)) * 8, "The file picture.csv is not text"),
        ("broken.jsonl", b"{not json\n", "The file broken.jsonl"),
        ("table.parquet", b"PAR1 nothing of it", "The file table.parquet is not Parquet."),
    ):
        open_tab(page, "Data", "Import")
        upload(page, name, content)
        assert "\n" not in said(page, sentence)
        open_page(page, "Home")  # the upload is forgotten
    assert sum(app.read.examples.counts(1).values()) == before


def test_unknown_labels_and_no_text_are_named_row_by_row(app, page):
    before = sum(app.read.examples.counts(1).values())
    open_tab(page, "Data", "Import")
    upload(
        page,
        "odd.csv",
        b"id,text,label,split\na,Fish,maybe,train\nb,,keto,train\nc,Egg,keto,dev2\n",
    )
    said(page, "1 row will be rejected: “maybe” is no label of this task")
    said(page, "holds “dev2”")
    main_button(page, "Import 3 rows").click()
    said(page, "3 rows rejected")
    rows = page.locator("canvas td[role=gridcell]")
    rows.first.wait_for(state="attached")
    cells = rows.all_text_contents()
    assert cells[0::2] == ["2", "3", "4"]
    assert all(reason for reason in cells[1::2])
    assert sum(app.read.examples.counts(1).values()) == before


def test_a_column_of_numbers_taken_for_the_text(app, page):
    """Every row of the chosen column is empty: nothing comes in, and the reason is said."""
    before = sum(app.read.examples.counts(1).values())
    open_tab(page, "Data", "Import")
    upload(page, "blank.csv", b"one,two\n,1\n,2\n")
    chosen = page.get_by_role("combobox", name="Text")
    chosen.click()
    page.get_by_role("option", name="one").click()
    settled(page)
    main_button(page, "Import 2 rows").click()
    said(page, "2 rows rejected")
    assert sum(app.read.examples.counts(1).values()) == before


def new_task(page, name: str, labels: list[tuple[str, str]]) -> None:
    open_tab(page, "Data", "New task")
    page.get_by_test_id("stMain").get_by_role("textbox", name="Name").fill(name)
    type_labels(page, labels)
    main_button(page, "Create the task").click()


def test_a_label_set_of_one(app, page):
    new_task(page, "single", [("keto", "Few carbohydrates.")])
    assert "--" not in said(page, "at least two labels")  # nothing of the terminal in here
    assert [task.name for task in app.read.tasks.all()] == ["keto"]


def test_a_second_task_of_the_same_name(app, page):
    new_task(page, "Keto", [("yes", ""), ("no", "")])
    said(page, "A task 'Keto' exists already.")
    expect(page.get_by_test_id("stMain").get_by_role("textbox", name="Name")).to_have_value("Keto")
    assert [task.name for task in app.read.tasks.all()] == ["keto"]


def test_a_rule_that_cannot_be_read(app, page):
    rules = len(app.read.rules.all(1))
    open_tab(page, "Rationales", "Rules")
    main_button(page, "New rule").click()
    page.get_by_test_id("stMain").get_by_text("YAML", exact=True).click()
    text = page.get_by_role("textbox", name="The rule as YAML")
    for bad in ("name: [", "just words", "name: x\nlabel: nobody\nany:\n- keywords: [rice]"):
        text.fill(bad)
        text.press("Control+Enter")
        page.get_by_test_id("stAlert").first.wait_for()
        settled(page)
        main_button(page, "Save the rule").click()
        settled(page)
        said(page, "")
    main_button(page, "Discard").click()
    wait_for_text(page, re.compile("Label all with the rules"))
    assert len(app.read.rules.all(1)) == rules


def test_a_dead_worker_is_said_and_started_anew(app, page):
    """With the worker dies the embedded server; a new one ends what the old one began."""
    open_page(page, "Prompts")
    main_button(page, "Run on all").click()
    job = wait_for_job(app, lambda job: 0 < job.done < job.total)
    for worker in app.workers():
        os.kill(worker.pid, signal.SIGKILL)
    said(page, "No worker is running, so this waits; nothing that was done is lost.")
    main_button(page, "Start the worker").click()
    wait_for_text(page, "See the errors", seconds=90)
    ended = app.read.jobs.get(job.id)
    assert (ended.status, ended.done, ended.failed) == ("done", ended.total, 0)


def test_a_damaged_workspace(tmp_path, chromium):
    path = tmp_path / "studio.db"
    with studio_app(path, sample=True) as whole:
        whole.stop()
        whole.end()
    path.with_name("studio.db-wal").unlink(missing_ok=True)
    with path.open("r+b") as file:
        for page_number in range(2, 60):
            file.seek(4096 * page_number)
            file.write(os.urandom(4096))
    started = subprocess.run(
        [STUDIO, "app", "--no-browser", "--workspace", path],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert started.returncode == 1
    assert started.stderr.strip().count("\n") == 0
    assert not re.search(r"Traceback|\.py\b", started.stderr)
    with studio_app(path, bare=True) as bare:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(bare.url)
        page.get_by_role("textbox", name="Your name").fill("Ada")
        page.get_by_role("button", name="Start").click()
        assert "damaged" in said(page, str(path))
        page.get_by_role("heading", name="The workspace is damaged").wait_for()
        context.close()
