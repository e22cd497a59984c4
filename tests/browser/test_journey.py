"""One user does the whole loop in a real browser; what was done is then read back from SQLite."""

from __future__ import annotations

import csv
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from studio.config import data_folder
from studio.domain.correction import Origin
from studio.domain.finetune import FineTuneStatus
from studio.domain.run import ClassifierKind
from tests.browser.running import (
    StudioApp,
    Watch,
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

PARTS = {"train": 110, "validation": 60, "test": 30}
KEYS = "12211212212112212121"
KETO = "At most 5 g of net carbohydrate in 100 g: meat, fish, eggs, cheese, green vegetables."
NOT_KETO = "More than 5 g of net carbohydrate in 100 g: bread, rice, pasta, potatoes, sugar, fruit."
REASON = "Bread is mostly starch, whatever lies on it."


@pytest.fixture
def app(tmp_path):
    with studio_app(tmp_path / "studio.db") as running:
        yield running


def figure(n: int | str) -> re.Pattern[str]:
    """Match the two ends of an interval and the n beside it, however they are written."""
    return re.compile(rf"\d\D{{2,}}\d\S*\W+n ?= ?{n}\b")


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
        user = Journey(app, page, seen)
        user.enter()
        user.create_task()
        user.import_file(tmp_path / "dishes.csv")
        user.write_reason()
        user.code_reason()
        user.label_with_rules()
        user.write_prompt()
        user.run_prompt_and_refresh()
        user.key_labels()
        user.restart()
        user.fine_tune()
        user.evaluate()
        user.measure_on_test()
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
    assert seen.requests > 100
    assert seen.sockets >= 3  # first visit, refresh, restart


class Journey:
    """What one user does, a method for each stop."""

    def __init__(self, app: StudioApp, page, seen: Watch) -> None:
        self.app, self.page, self.seen = app, page, seen
        self.began = time.monotonic()

    def say(self, words: str) -> None:
        assert self.page.get_by_test_id("stException").count() == 0
        print(f"{time.monotonic() - self.began:6.1f} s  {words}")

    def button(self, name: str, *, exact: bool = True):
        return main_button(self.page, name, exact=exact)

    def wait_for(self, text: str | re.Pattern[str], *, seconds: float = 30):
        return wait_for_text(self.page, text, seconds=seconds)

    def choose(self, label: str, option: str) -> None:
        """Choose from a select box with the keyboard."""
        self.page.get_by_role("combobox", name=label).click()
        self.page.get_by_role("option", name=option).click()
        settled(self.page)

    def cells(self) -> list[str]:
        """Return what stands in the first table; a canvas keeps it for those who hear the page."""
        cells = self.page.locator("canvas td[role=gridcell]")
        cells.first.wait_for(state="attached")
        return cells.all_text_contents()

    def enter(self) -> None:
        self.page.goto(self.app.url)
        give_name(self.page, "Ada Lovelace")
        self.page.get_by_role("heading", name="Home", exact=True).wait_for()
        self.wait_for("There is no task yet.")
        self.say("entered")

    def create_task(self) -> None:
        page = self.page
        self.button("Create a task").click()
        self.button("Create the task").wait_for()
        settled(page)
        page.get_by_role("textbox", name="Name").fill("dishes")
        page.get_by_role("textbox", name="Question").fill("Is this dish keto?")
        type_labels(page, [("keto", KETO), ("not_keto", NOT_KETO)])
        threshold = page.get_by_role("spinbutton", name="At least")
        threshold.fill("0.6")
        threshold.press("Tab")
        self.button("Create the task").click()
        self.wait_for("A file with one text a row")
        self.say("task created")

    def import_file(self, path: Path) -> None:
        page = self.page
        page.locator("input[type=file]").set_input_files(path)
        self.wait_for("1 row will be rejected")
        expect(page.get_by_role("combobox", name="Gold label")).to_have_value("label")
        self.button("Import 201 rows").click()
        self.wait_for("200 examples added from dishes.csv, 200 with a gold label.")
        self.wait_for("1 row rejected; the others are in.")
        assert self.cells()[:2] == ["7", "the label 'maybe' is not one of keto, not_keto"]
        self.say("imported")

    def write_reason(self) -> None:
        page = self.page
        open_page(page, "Rationales")
        search = page.get_by_placeholder("Search the texts")
        search.fill("bread")
        search.press("Enter")
        self.wait_for(re.compile(r"\bbread\b", re.IGNORECASE))
        settled(page)
        while page.get_by_text("not_keto (gold)").count() == 0:
            self.button("Next example").click()
            settled(page)
        page.locator(".word").filter(has_text=re.compile("^bread$", re.IGNORECASE)).first.click()
        self.wait_for(re.compile("Points at “bread”", re.IGNORECASE))
        settled(page)
        self.button("not_keto", exact=False).click()
        settled(page)
        page.get_by_role("textbox", name="Why?").fill(REASON)
        self.button("Save the rationale", exact=False).click()
        self.wait_for(f"Saved: “{REASON}”")
        settled(page)
        self.say("reason written")

    def code_reason(self) -> None:
        page = self.page
        page.get_by_test_id("stExpander").filter(has_text=REASON).locator("summary").click()
        self.button("Code it by hand").click()
        self.wait_for(f"It codes: “{REASON}” (Ada Lovelace)")
        words = page.get_by_role("textbox", name="Words, with commas between")
        expect(words).to_have_value("bread")
        before = self.fires()
        words.fill("bread, toast*, bun*, rice, noodle*, pasta, potato*, sugar, honey")
        words.press("Control+Enter")
        page.wait_for_function(
            "n => Number(document.querySelector('[data-testid=stMetricValue]').innerText) > n",
            arg=before,
        )
        settled(page)
        assert self.fires() > before > 0
        self.wait_for(figure(r"\d+"))
        self.button("Save the rule").click()
        self.wait_for("Saved bread, version 1.")
        self.say("rule saved")

    def fires(self) -> int:
        return int(self.page.get_by_test_id("stMetricValue").first.inner_text().replace(",", ""))

    def label_with_rules(self) -> None:
        self.button("Label all with the rules").click()
        self.wait_for("Rules on validation", seconds=60)
        self.wait_for(re.compile(r"coverage \d+\.\d %"))
        self.say("labeled with the rules")

    def write_prompt(self) -> None:
        page = self.page
        open_page(page, "Prompts")
        told = page.get_by_role("textbox", name="Instructions")
        told.fill("You know what is in every dish. Decide for each dish whether it is keto.")
        told.press("Control+Enter")
        settled(page)
        page.get_by_test_id("stCheckbox").filter(has_text=REASON).click()
        settled(page)
        self.button("Preview").click()
        self.wait_for("This draft", seconds=60)
        self.wait_for(re.compile(r"\d+ calls? · free"), seconds=60)
        settled(page)
        self.button("Save", exact=False).click()
        name = page.get_by_role("textbox", name="Name")
        name.fill("first")
        name.press("Tab")
        settled(page)
        page.get_by_role("button", name="Save as a new version").click()
        self.wait_for("Saved as first v1.")
        expect(page.get_by_role("button", name="Save as a new version")).to_have_count(0)
        settled(page)
        self.say("prompt saved")

    def run_prompt_and_refresh(self) -> None:
        """Refresh the page while the run is half done; the worker is held to be sure of that."""
        page = self.page
        self.button("Run on all").click()
        job = wait_for_job(self.app, lambda job: 0 < job.done < job.total)
        with self.app.held_worker():
            page.reload()
            self.wait_for(re.compile(r"Labeling with .*first v1"))
            shown = self.wait_for(re.compile(r"\b\d+ of 170\b")).inner_text()
            done = int(re.search(r"(\d+) of 170", shown)[1])
            assert job.done <= done < 170
        self.wait_for(re.compile("first v1.* on train and validation"), seconds=60)
        self.wait_for(figure(170))
        assert self.app.read.jobs.get(job.id).done == 170
        self.say("prompt run, refreshed meanwhile")

    def key_labels(self) -> None:
        page = self.page
        open_page(page, "Label")
        frame = page.frame_locator("iframe[title*=agGrid]")
        frame.locator(".ag-cell-focus").wait_for()
        for key in KEYS:
            page.keyboard.press(key)
            page.wait_for_timeout(60)
        self.wait_for("20 saved")
        self.wait_for("20 of 200 labeled by you")
        page.keyboard.press("u")
        self.wait_for("19 of 200 labeled by you")
        self.say("labels keyed")

    def restart(self) -> None:
        page = self.page
        workers = [worker.pid for worker in self.app.workers()]
        with self.seen.while_down():
            self.app.stop()
            self.app.start()
            page.goto(self.app.url)
            page.get_by_role("heading", name="Home", exact=True).wait_for()
        self.wait_for("Latest runs")
        assert [worker.pid for worker in self.app.workers()] == workers
        open_page(page, "Label")
        self.wait_for("19 of 200 labeled by you")
        self.say("restarted")

    def fine_tune(self) -> None:
        page = self.page
        open_page(page, "Fine-tunes")
        self.button("Train on 110 labels").click()
        self.wait_for("Cross-validated: accuracy", seconds=90)
        self.say("trained")
        self.button("Run it on validation").click()
        self.wait_for("Against the best prompt, first v1", seconds=60)
        self.say("model run on validation")

    def evaluate(self) -> None:
        page = self.page
        settled(page)
        self.button("Evaluate").click()
        page.get_by_role("heading", name="Evaluate", exact=True).wait_for()
        settled(page)
        self.wait_for(figure(60))
        cell = page.locator("path[aria-label*='Predicted: not_keto; Gold: keto']")
        cell.click(force=True)  # the number lies above the cell; a click there counts too
        chosen = page.get_by_role("combobox", name="Cell of the matrix")
        expect(chosen).to_have_value(re.compile(r"^Gold keto, predicted not_keto · \d+$"))
        settled(page)
        number = int(chosen.input_value().split()[-1])
        cells = self.cells()  # those in sight
        assert (set(cells[0::4]), set(cells[1::4])) == ({"keto"}, {"not_keto"})
        self.button("Open these in Label").click()
        self.wait_for(f"{number} examples from gold keto, run 4 says not_keto")
        page.frame_locator("iframe[title*=agGrid]").locator(".ag-cell-focus").wait_for()
        self.say("errors opened in Label")
        self.wait_for(f"of {number} labeled by you")
        open_page(page, "Evaluate")
        page.get_by_role("tab", name="Slices").click()
        self.wait_for(re.compile(r"\d+ slices"))
        assert any(cell.startswith(("course = ", "cuisine = ")) for cell in self.cells())
        self.say("evaluated")

    def measure_on_test(self) -> None:
        page = self.page
        page.get_by_test_id("stMain").get_by_text("Test (locked)").click()
        self.wait_for("Run 4 left test out.")
        settled(page)
        self.button("Run it on test").click()
        self.wait_for("Test is locked.", seconds=60)
        settled(page)
        self.button("Look at test (0 → 1 looks)").click()
        self.wait_for("Test was looked at 1 time, this look included.")
        self.wait_for(figure(30))
        self.say("measured on test")

    def read_report(self) -> None:
        page = self.page
        open_page(page, "Report")
        self.wait_for(re.compile("^(Go|No-go|Not yet)$"))
        with page.expect_download() as download:
            self.button("Download the report").click()
        html = Path(download.value.path()).read_text(encoding="utf-8")
        assert "dishes" in html
        assert "<script src" not in html
        assert "http://" not in html.replace("http://www.w3.org", "")
        self.say("report read")


def check(app: StudioApp, rows: list[dict[str, str]]) -> None:
    """Compare what was done with what SQLite holds."""
    read, ada = app.read, "Ada Lovelace"
    (task,) = read.tasks.all()
    assert (task.name, task.question) == ("dishes", "Is this dish keto?")
    assert {one.name: one.definition for one in task.labels} == {"keto": KETO, "not_keto": NOT_KETO}
    assert (task.criterion.metric, task.criterion.threshold) == ("macro_f1", 0.6)

    examples = read.examples.all(task.id)
    assert [(e.external_id, e.text, e.split) for e in examples] == [
        (row["id"], row["text"], row["split"]) for row in rows
    ]  # so the row with the unknown label is not among them
    assert all(set(e.metadata) == {"cuisine", "course"} for e in examples)
    history = read.labels.history(task.id)
    imported = [c for c in history if c.origin is Origin.IMPORTED]
    assert [task.name_of(c.label_id) for c in imported] == [row["label"] for row in rows]

    (reason,) = read.rationales.all(task.id)
    assert (reason.text, reason.author) == (REASON, ada)
    assert task.name_of(reason.label_id) == "not_keto"
    (about,) = [e for e in examples if e.id == reason.example_id]
    assert [about.text[e.start : e.end].lower() for e in reason.evidence] == ["bread"]
    assert [e.words for e in reason.evidence] == [
        about.text[e.start : e.end] for e in reason.evidence
    ]
    (rule,) = read.rules.all(task.id, enabled_only=True)
    assert (rule.rationale_id, rule.body.name, rule.body.label) == (reason.id, "bread", "not_keto")
    assert "noodle*" in rule.body.any[0].words
    (version,) = read.prompts.all(task.id)
    assert (version.title, version.author) == ("first v1", ada)
    assert version.body.reasons == (("not_keto", REASON),)

    on_test, on_validation, prompted, ruled = read.runs.all(task.id)
    for run, kind, splits, total in (
        (ruled, ClassifierKind.RULES, ("train", "validation"), 170),
        (prompted, ClassifierKind.PROMPT, ("train", "validation"), 170),
        (on_validation, ClassifierKind.MODEL, ("validation",), 60),
        (on_test, ClassifierKind.MODEL, ("test",), 30),
    ):
        assert (run.kind, run.splits, run.status) == (kind, splits, "done")
        found = read.runs.predictions(run.id)
        assert {p.example_id for p in found} == {e.id for e in examples if e.split in splits}
        assert len(found) == run.total == total
    assert prompted.prompt_version_id == version.id
    assert [run.total for run in read.runs.all(task.id, previews=True) if run.preview] == [40]

    keyed = [c for c in history if c.origin is not Origin.IMPORTED]
    one, two = (label.id for label in task.labels)
    assert [(c.example_id, c.label_id, c.person, c.undoes) for c in keyed[:-1]] == [
        (e.id, {"1": one, "2": two}[key], ada, None) for e, key in zip(examples, KEYS, strict=False)
    ]
    assert {c.origin for c in keyed} == {Origin.ASSISTED}
    assert (keyed[-1].undoes, keyed[-1].label_id) == (keyed[-2].id, None)

    (finetune,) = read.finetunes.all(task.id)
    assert (finetune.status, finetune.created_by) == (FineTuneStatus.SUCCEEDED, ada)
    assert finetune.model == on_test.model == on_validation.model
    assert read.finetunes.training_set(task.id, finetune.training_set_id).size == 110
    looks = read.db.read("SELECT run_id, person FROM test_look ORDER BY id")
    assert [tuple(look) for look in looks] == [(on_test.id, ada)] * 2  # on Evaluate, on Report
    (verdict,) = read.db.read("SELECT verdict, person FROM verdict")
    assert verdict["verdict"] in ("go", "no-go", "not yet")
    assert verdict["person"] == ada
