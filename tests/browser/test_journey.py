"""One user does the whole loop in a real browser; what was done is then read back from SQLite."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import expect

from studio.bootstrap import open_workspace
from studio.config import data_folder
from studio.domain.finetune import FineTuneStatus
from studio.domain.run import ClassifierKind
from tests.browser.running import StudioApp, give_name, open_page, settled, studio_app, watch

pytestmark = pytest.mark.browser

PARTS = {"train": 110, "validation": 60, "test": 30}
KEYS = "12211212212112212121"
KETO = "At most 5 g of net carbohydrate in 100 g: meat, fish, eggs, cheese, green vegetables."
NOT_KETO = "More than 5 g of net carbohydrate in 100 g: bread, rice, pasta, potatoes, sugar, fruit."
REASON = "Bread is mostly starch, whatever lies on it."


@pytest.fixture
def app(tmp_path):
    with studio_app(tmp_path / "studio.db") as running:
        yield running


def write_csv(path: Path) -> list[dict[str, str]]:
    """Write some of the keto examples and, as line 7, one with a label nobody knows."""
    with (data_folder() / "keto" / "examples.csv").open(encoding="utf-8", newline="") as file:
        known = list(csv.DictReader(file))
    rows = []
    for split, number in PARTS.items():
        some = [row for row in known if row["split"] == split]
        rows += some[:: len(some) // number][:number]
    bad = dict(
        rows[0], id="dish-bad", text="Something else. Nobody knows what it is.", label="maybe"
    )
    columns = ["id", "text", "label", "split", "cuisine", "course"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows([*rows[:5], bad, *rows[5:]])
    return rows


def test_the_whole_loop(app: StudioApp, chromium, tmp_path):
    rows = write_csv(tmp_path / "dishes.csv")
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(30_000)
    seen = watch(page, app.url)
    try:
        user = Journey(app, page, tmp_path)
        user.enter()
        user.create_task()
        user.import_file(tmp_path / "dishes.csv")
        user.write_reason()
        return
        user.label_with_rules()
        user.write_prompt()
        user.run_prompt_and_refresh()
        user.key_labels()
        user.restart()
        user.fine_tune()
        user.evaluate()
        user.read_report()
    except BaseException:
        page.screenshot(path=tmp_path / "failure.png", full_page=True)
        print(f"the page as it was: {tmp_path / 'failure.png'}")
        raise
    finally:
        context.close()
    check(app, rows)
    assert seen.errors == []
    assert seen.foreign == []
    assert seen.requests > 100 and seen.sockets >= 3


class Journey:
    """What one user does, a method for each stop."""

    def __init__(self, app: StudioApp, page, folder: Path) -> None:
        self.app, self.page, self.folder = app, page, folder
        self.began = time.monotonic()

    def say(self, words: str) -> None:
        assert self.page.get_by_test_id("stException").count() == 0
        print(f"{time.monotonic() - self.began:6.1f} s  {words}")

    def button(self, name: str, *, exact: bool = True):
        return self.page.get_by_test_id("stMain").get_by_role("button", name=name, exact=exact)

    def wait_for(self, text: str | re.Pattern[str], *, seconds: float = 30):
        found = self.page.get_by_test_id("stMain").get_by_text(text).first
        found.wait_for(timeout=1000 * seconds)
        return found

    def choose(self, label: str, option: str) -> None:
        """Choose from a select box with the keyboard."""
        self.page.get_by_role("combobox", name=label).click()
        self.page.get_by_role("option", name=option).click()
        settled(self.page)

    def enter(self) -> None:
        self.page.goto(self.app.url)
        give_name(self.page, "Ada Lovelace")
        self.page.get_by_role("heading", name="Home", exact=True).wait_for()
        self.wait_for("There is no task yet.")
        self.say("entered")

    def create_task(self) -> None:
        page = self.page
        self.button("Create a task").click()
        page.get_by_role("heading", name="Data", exact=True).wait_for()
        page.get_by_role("textbox", name="Name").fill("dishes")
        page.get_by_role("textbox", name="Question").fill("Is this dish keto?")
        self.type_labels([("keto", KETO), ("not_keto", NOT_KETO)])
        threshold = page.get_by_role("spinbutton", name="At least")
        threshold.fill("0.6")
        threshold.press("Tab")
        self.button("Create the task").click()
        self.wait_for("A file with one text a row")
        self.say("task created")

    def type_labels(self, labels: list[tuple[str, str]]) -> None:
        """Fill the table of labels, which is a canvas: cells are found by their place."""
        table = self.page.get_by_test_id("stDataFrame").first
        canvas = table.locator("canvas").first
        canvas.wait_for()
        for number, pair in enumerate(labels):
            for place, text in zip((60, 420), pair, strict=True):
                canvas.click(position={"x": place, "y": 55 + 40 * number})
                self.page.keyboard.type(text)
                self.page.keyboard.press("Enter")
                settled(self.page)

    def import_file(self, path: Path) -> None:
        page = self.page
        page.locator("input[type=file]").set_input_files(path)
        self.wait_for("1 row will be rejected")
        expect(page.get_by_role("combobox", name="Gold label")).to_have_value("label")
        self.button("Import 201 rows").click()
        self.wait_for("200 examples added from dishes.csv, 200 with a gold label.")
        self.wait_for("1 row rejected; the others are in.")
        rejected = page.get_by_role("gridcell", name=re.compile("maybe"))
        rejected.first.wait_for(state="attached")
        self.say("imported")

    def write_reason(self) -> None:
        page = self.page
        open_page(page, "Rationales")
        search = page.get_by_placeholder("Search the texts")
        search.fill("bread")
        search.press("Enter")
        page.get_by_test_id("stMain").get_by_text(re.compile("bread", re.I)).first.wait_for()
        settled(page)
        page.get_by_role("radio", name="not_keto").click()
        page.get_by_role("textbox", name="Why?").fill(REASON)
        words = page.get_by_role("combobox", name="Words it points at")
        words.fill("bread")
        page.get_by_role("option").first.wait_for()
        words.press("Enter")
        words.press("Escape")
        settled(page)
        self.button("Save the reason").click()
        self.wait_for("Saved. It stands in the list below.")
        self.say("reason written")
