"""From a highlighted phrase to an accepted rule to changed labels, by the keyboard alone."""

from __future__ import annotations

import csv
import re

import pytest

from studio.actions.examples import Columns, import_examples
from studio.actions.rationales import record_rationale
from studio.actions.rules import choose_fallback, read_rule, save_rule
from studio.actions.runs import Choice, start_run
from studio.actions.samples import load_sample
from studio.actions.tasks import create_task
from studio.analysis.votes import apply_rules
from studio.bootstrap import open_workspace
from studio.config import data_folder
from studio.domain.correction import Origin
from studio.domain.run import ClassifierKind
from tests.browser.running import main_button, open_page, settled, studio_app, wait_for_text, watch

pytestmark = pytest.mark.browser

WORD = "potato"
REASON = "Potatoes are starch, however they are cooked."
PLACE = """() => {
  let at = document.activeElement;
  while (at && at.shadowRoot && at.shadowRoot.activeElement) at = at.shadowRoot.activeElement;
  if (!at || at === document.body) return "";
  const named = at.labels && at.labels.length ? at.labels[0].innerText : "";
  return [at.getAttribute("role") || at.tagName.toLowerCase(), at.getAttribute("aria-label") || "",
    at.placeholder || "", named, (at.innerText || "").slice(0, 200)].join(" | ");
}"""


@pytest.fixture
def app(tmp_path):
    """A task whose only rule is about rice, all dishes else being keto, labeled by it once."""
    path = tmp_path / "studio.db"
    ws = open_workspace(path, wake=lambda: None)
    task = create_task(ws, name="dishes", labels=["keto", "not_keto"], by="Ada")
    import_examples(
        ws, task.id, data=dishes(), filename="dishes.csv",
        columns=Columns(label="label", split="split", id="id"), by="Ada",
    )  # fmt: skip
    rice = "{name: rice, label: not_keto, any: [keywords: [rice]]}"
    save_rule(ws, task.id, read_rule(rice), by="Ada")
    choose_fallback(ws, task.id, "keto")
    start_run(ws, task.id, choice=Choice(rules=True), by="Ada")
    ws.store.close()
    ws.read.close()
    with studio_app(path) as running:
        yield running


def dishes() -> bytes:
    """Return the keto examples; gold stands on every second of train and validation only."""
    with (data_folder() / "keto" / "examples.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row["label"] = row["label"] if number % 2 and row["split"] != "test" else ""
    lines = [[row[name] for name in ("id", "text", "label", "split")] for row in rows]
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines]
    return "\n".join(["id,text,label,split", *quoted]).encode()


class Keys:
    """A person without a mouse."""

    def __init__(self, page) -> None:
        self.page = page

    def press(self, key: str, times: int = 1) -> None:
        for _ in range(times):
            self.page.keyboard.press(key)

    def place(self) -> str:
        return str(self.page.evaluate(PLACE))

    def go_to(self, wanted: str) -> None:
        """Press Tab until what is focused says so."""
        seen = []
        for _ in range(200):
            self.press("Tab")
            seen.append(self.place())
            if re.search(wanted, seen[-1]):
                return
        raise AssertionError(f"no Tab leads to {wanted!r}: {seen}")

    def do(self, wanted: str) -> None:
        self.go_to(wanted)
        self.press("Enter")

    def settle(self) -> None:
        self.page.wait_for_timeout(500)  # what was keyed leaves the browser after a moment
        settled(self.page)


def test_from_a_phrase_to_changed_labels_by_keys_alone(app, chromium, tmp_path):
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script("localStorage.setItem('rationale-studio-person', 'Ada')")
    page = context.new_page()
    page.set_default_timeout(30_000)
    seen = watch(page, app.url)
    try:
        walk(app, page, Keys(page))
    except BaseException:
        page.screenshot(path=tmp_path / "failure.png", full_page=True)
        print(f"the page as it was: {tmp_path / 'failure.png'}")
        raise
    finally:
        context.close()
    check(app)
    assert seen.errors == []
    assert seen.foreign == []


def walk(app, page, keys: Keys) -> None:
    page.goto(f"{app.url}/rationales")
    wait_for_text(page, "Which label does it speak for?")
    settled(page)

    keys.go_to("Search the texts")
    page.keyboard.type(WORD)
    page.wait_for_function(
        "word => [...document.querySelectorAll('*')].some(e => e.shadowRoot &&"
        " (e.shadowRoot.querySelector('.text')?.innerText || '').toLowerCase().includes(word))",
        arg=WORD,
    )
    keys.settle()

    keys.go_to("^application")
    text = keys.place().split(" | ")[-1]
    words = re.findall(r"\w+(?:['’\-]\w+)*", text)
    keys.press("ArrowRight", next(i for i, w in enumerate(words) if w.lower().startswith(WORD)))
    keys.press("Enter")
    wait_for_text(page, re.compile("Points at “potato", re.IGNORECASE))
    keys.press("2")
    wait_for_text(page, re.compile("Points at"))
    keys.settle()
    keys.go_to(r"Why\?")
    page.keyboard.type(REASON)
    keys.press("Control+Enter")
    wait_for_text(page, f"Saved: “{REASON}”")
    keys.settle()
    assert app.read.rationales.all(1)[-1].text == REASON

    keys.do("Make rules of it")
    wait_for_text(page, "Each was tried on train and validation, never test.")
    keys.settle()
    keys.do(r"check\s+Accept")
    wait_for_text(page, "Accepted:")
    keys.settle()
    keys.do("Go to the rules")
    wait_for_text(page, "Label all with the rules")
    keys.settle()
    keys.do("Label all with the rules")
    for _ in range(100):
        runs = app.read.runs.all(1)
        if len(runs) == 2 and runs[0].status == "done":
            break
        page.wait_for_timeout(200)
    settled(page)
    assert page.get_by_test_id("stException").count() == 0


def check(app) -> None:
    """Compare what was done with what SQLite holds."""
    read = app.read
    (task,) = read.tasks.all()
    (reason,) = read.rationales.all(task.id)
    example = read.examples.get(task.id, reason.example_id)
    assert (reason.text, task.name_of(reason.label_id), reason.author) == (
        REASON, "not_keto", "Ada",
    )  # fmt: skip
    assert example.split != "test"
    (piece,) = reason.evidence
    assert example.text[piece.start : piece.end] == piece.words
    assert piece.words.lower().startswith(WORD)

    rice, accepted = read.rules.all(task.id, enabled_only=True)
    assert (rice.body.name, rice.rationale_id) == ("rice", None)
    assert (accepted.rationale_id, accepted.body.label) == (reason.id, "not_keto")
    assert {c.origin for c in read.labels.history(task.id)} == {Origin.IMPORTED}

    after, before = read.runs.all(task.id)
    assert {run.kind for run in (before, after)} == {ClassifierKind.RULES}
    assert [run.status for run in (before, after)] == ["done", "done"]
    said = [
        {p.example_id: task.name_of(p.label_id) for p in read.runs.predictions(run.id)}
        for run in (before, after)
    ]
    assert said[0].keys() == said[1].keys()
    changed = {i for i, label in said[0].items() if said[1][i] != label}
    assert changed
    assert {said[1][i] for i in changed} == {"not_keto"}
    votes = apply_rules([accepted], read.examples.some(task.id, list(said[0])))
    fired = [i for i, (spoke,) in zip(votes.example_ids, votes.fires, strict=True) if spoke]
    assert changed == {i for i in fired if said[0][i] == "keto"}
    assert example.id in fired


def enter(page, url: str) -> None:
    """Go to the Rationales page as Ada."""
    page.set_default_timeout(30_000)
    page.add_init_script("localStorage.setItem('rationale-studio-person', 'Ada')")
    page.goto(url)
    open_page(page, "Rationales")


def make_rules(page, entry):
    """Open a rationale of the list and have rules made of it, once what opens is at rest."""
    entry.locator("summary").click()
    button = main_button(page, "Make rules of it")
    button.wait_for()
    settled(page)
    button.press("Enter")  # a page that still moves cannot slip from under a key


def test_examples_behind_a_draft_are_labeled_by_one_key(ws, served, open_browser):
    task = load_sample(ws, by="Dr. Lind")
    about = next(e for e in ws.read.examples.all(task.id, ("train",)) if "batter" in e.text)
    reason = record_rationale(
        ws, task.id, label="not_keto", text="Batter and breadcrumbs are flour.",
        example_id=about.id, evidence=["batter"], by="Ada",
    )  # fmt: skip
    known = len(ws.read.labels.history(task.id))
    with open_browser() as page:
        enter(page, served.url)
        page.get_by_placeholder("Search the rationales").fill("breadcrumbs are")
        page.keyboard.press("Enter")
        wait_for_text(page, re.compile("not_keto.* · 1$"))
        settled(page)
        entry = page.get_by_test_id("stExpander").filter(has_text="Batter and breadcrumbs")
        make_rules(page, entry)
        wait_for_text(page, "Each was tried on train and validation")
        settled(page)
        cards = page.locator("[class*='st-key-rationales_draft_'][class*='_card']")
        card = cards.filter(has_text="batter, breadcrumb")
        figure = card.get_by_text(re.compile(r"^right ")).first.inner_text()

        card.get_by_role("radio", name=re.compile("^Wrong")).click()
        rows = card.locator(".row")
        rows.first.wait_for()
        card.locator(".list").focus()
        page.keyboard.press("2")
        page.keyboard.press("2")
        page.keyboard.press("u")
        page.keyboard.press("2")
        page.wait_for_function(
            "said => [...document.querySelectorAll('p')].every(p => p.innerText !== said)",
            arg=figure,
        )  # the figures follow
        settled(page)
        given = ws.read.labels.history(task.id)[known:]
        assert {c.origin for c in given} == {Origin.ASSISTED}
        assert {c.person for c in given} == {"Ada"}
        assert sum(c.undoes is not None for c in given) == 1
        assert rows.locator(".chip.given").count() == 2

        card.locator(".list").focus()
        page.keyboard.press("w")
        wait_for_text(page, "Which label does it speak for?")
        settled(page)
        assert ws.read.rationales.all(task.id)[-1].id == reason


def test_ten_checked_blind_make_a_draft_known(ws, served, open_browser):
    task = create_task(ws, name="mail", labels=["ham", "spam"], by="Ada")
    lines = [f"{i},{'win a prize now' if i % 3 == 0 else 'see you'} {i},train" for i in range(60)]
    import_examples(
        ws, task.id, data="\n".join(["id,text,split", *lines]).encode(), filename="mail.csv",
        columns=Columns(id="id", split="split"), by="Ada",
    )  # fmt: skip
    record_rationale(ws, task.id, label="spam", text="A prize nobody asked for.", by="Ada")
    with open_browser() as page:
        enter(page, served.url)
        make_rules(page, page.get_by_test_id("stExpander"))
        wait_for_text(page, "How often it is right is not known")
        settled(page)
        main_button(page, "Check 10 blind").first.click()
        box = page.get_by_role("dialog")
        box.locator(".row").nth(9).wait_for()
        texts = box.locator(".row .words").all_inner_texts()
        assert sum("prize" in text for text in texts) == 5
        assert box.locator("mark").count() == 0
        settled(page)  # until then the dialog may take the focus for itself
        box.locator(".list").focus()
        for text in texts:
            page.keyboard.press("2" if "prize" in text else "1")
        box.get_by_role("button", name="Show how the rule did").click()
        box.get_by_text(re.compile("you agree on 5")).wait_for()
        page.keyboard.press("Escape")
        wait_for_text(page, re.compile(r"1\.000 \[0\.57, 1\.00\] n=5"))
        given = ws.read.labels.history(task.id)
        assert len(given) == 10
        assert {c.origin for c in given} == {Origin.BLIND}
