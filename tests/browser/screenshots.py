"""Picture every page in every state, light and dark, on a laptop and a tablet.

python -m tests.browser.screenshots [PAGE ...]

The pictures go into the folder screenshots/, named page-state-theme-width.png. The worked state is
made by the actions and a real worker. Needs Chromium (or STUDIO_CHROMIUM).
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from studio.actions.corrections import Decision, correct_labels
from studio.actions.evaluations import evaluate_run
from studio.actions.finetunes import create_training_set, launch_finetune
from studio.actions.previews import preview_prompt
from studio.actions.runs import Choice, start_run
from studio.actions.samples import load_sample
from studio.actions.tasks import choose_champion
from studio.bootstrap import open_workspace
from studio.workspace import Workspace
from tests.browser.running import StudioApp, settled, studio_app, type_labels

CHROMIUM = os.environ.get("STUDIO_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FOLDER = Path(__file__).parents[2] / "screenshots"
SIZES = ((1280, 900), (820, 1100))
THEMES = ("light", "dark")
PAGES = (
    "home", "data", "rationales", "label", "people", "prompts", "finetunes", "evaluate", "report",
    "settings",
)  # fmt: skip
ME = "Ada"
TALLEST = 4000

Step = Callable[[Any], None]


def tab(name: str) -> Step:
    """Return a step that opens a tab."""
    return lambda page: page.get_by_role("tab", name=name, exact=True).click()


def press(name: str | re.Pattern[str]) -> Step:
    """Return a step that presses the first button of this name."""
    return lambda page: page.get_by_test_id("stMain").get_by_role("button", name=name).first.click()


def words(text: str) -> Step:
    """Return a step that clicks on words."""
    return lambda page: page.get_by_test_id("stMain").get_by_text(text, exact=True).first.click()


def choice(name: str) -> Step:
    """Return a step that chooses one of several views."""
    return lambda page: page.get_by_role("radio", name=name, exact=True).click()


def upload(page: Any) -> None:
    """Choose a file of which some rows cannot come in."""
    rows = [b"id,text,label,split"]
    rows += [b"n%d,Grilled fish number %d with lemon,keto,train" % (i, i) for i in range(12)]
    rows += [b"bad1,Something,maybe,train", b"bad2,,keto,train", b"bad3,Egg,keto,dev"]
    page.locator("input[type=file]").set_input_files(
        {"name": "dishes.csv", "mimeType": "text/csv", "buffer": b"\n".join(rows) + b"\n"}
    )


def bad_task(page: Any) -> None:
    """Ask for a task with one label only."""
    page.get_by_test_id("stMain").get_by_role("textbox", name="Name").fill("urgency")
    type_labels(page, [("urgent", "It cannot wait until tomorrow.")])
    page.get_by_test_id("stMain").get_by_role("button", name="Create the task").click()


def unfold(page: Any) -> None:
    """Open the second rationale of the list."""
    page.get_by_test_id("stExpander").nth(1).locator("summary").click()


# View of the worked state to the page and the steps that lead there.
VIEWS: dict[str, tuple[str, Sequence[Step]]] = {
    "import": ("data", (tab("Import"),)),
    "import_file": ("data", (tab("Import"), upload)),
    "splits": ("data", (tab("Splits"),)),
    "labels": ("data", (tab("Labels and criterion"),)),
    "new_task": ("data", (tab("New task"),)),
    "error": ("data", (tab("New task"), bad_task)),
    "rationale": ("rationales", (unfold,)),
    "drafts": ("rationales", (unfold, press(re.compile("rules of it")))),
    "rules": ("rationales", (tab("Rules"),)),
    "rule": ("rationales", (tab("Rules"), press("New rule"))),
    "known_rule": ("rationales", (tab("Rules"), press("sugar-replaced"))),
    "joining": ("rationales", (tab("Rules"), choice("How votes are joined"))),
    "with_model": ("rationales", (tab("Rules"), choice("With a model"))),
    "findings": ("rationales", (tab("Rules"), choice("What to look at"))),
    "gaps": ("rationales", (tab("Rules"), choice("What no rule covers"))),
    "seen": ("prompts", (tab("As the model sees it"),)),
    "changed": ("prompts", (tab("What you changed"),)),
    "labels_tab": ("evaluate", (tab("Labels"),)),
    "slices": ("evaluate", (tab("Slices"),)),
    "confidence": ("evaluate", (tab("Confidence"),)),
    "compare": ("evaluate", (tab("Compare"),)),
    "test": ("evaluate", (words("Test (locked)"),)),
}


def main(wanted: Sequence[str]) -> int:
    """Write the pictures of the named pages, or of all."""
    if unknown := [name for name in wanted if name not in PAGES]:
        print(f"There is no page {unknown[0]!r}; there are {', '.join(PAGES)}.", file=sys.stderr)
        return 2
    FOLDER.mkdir(exist_ok=True)
    pages = [name for name in PAGES if not wanted or name in wanted]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for state in ("empty", "keto", "worked"):
            path = Path(folder) / state / "studio.db"
            path.parent.mkdir()
            if state == "worked":
                work(path)
            with studio_app(path, sample=state == "keto") as app:
                views = VIEWS if state == "worked" else {}
                shoot_state(browser, app, state, pages, views)
        if "home" in pages:
            with damaged(Path(folder)) as app:
                shoot_state(browser, app, "damaged", ["home"], {})
        browser.close()
    return 0


def work(path: Path) -> None:
    """Do on the keto task what makes every page worth a look."""
    ws = open_workspace(path)
    task = load_sample(ws, by=ME)
    wait(ws, [start_run(ws, task.id, choice=Choice(rules=True), by=ME).id])
    first, better = ws.read.prompts.all(task.id)[:2]
    runs = [
        start_run(ws, task.id, choice=Choice(prompt=str(v.id)), by=ME).id for v in (first, better)
    ]
    wait(ws, runs)
    chosen = ws.read.examples.all(task.id, ("train",))[:40]
    gold = ws.read.labels.gold(task.id, ("train",))
    correct_labels(
        ws, task.id,
        [Decision(example_id=e.id, label=task.name_of(gold[e.id].label_id)) for e in chosen],
        run_id=runs[1], by=ME,
    )  # fmt: skip
    frozen = create_training_set(ws, task.id, by=ME)
    tuned = launch_finetune(
        ws, task.id, training_set_id=frozen.id, prompt=better.title, provider="embedded", by=ME
    )
    while not ws.read.finetunes.get(tuned.id).status.is_final:
        time.sleep(0.2)
    model = Choice(model=str(tuned.id))
    on_validation = start_run(ws, task.id, choice=model, splits=("validation",), by=ME).id
    on_test = start_run(ws, task.id, choice=model, splits=("test",), by=ME).id
    wait(ws, [on_validation, on_test])
    choose_champion(ws, task.id, on_validation)
    evaluate_run(ws, on_test, split="test", by=ME)
    shown = preview_prompt(ws, task.id, body=better.body, before=first.body, n=40, by=ME)
    wait(ws, [shown.run_id, *([shown.before_id] if shown.before_id else [])])
    ws.store.close()
    ws.read.close()


def wait(ws: Workspace, runs: Sequence[int]) -> None:
    """Wait until runs have ended."""
    while any(ws.read.runs.get(i).status in ("queued", "running") for i in runs):
        time.sleep(0.1)


@contextmanager
def damaged(folder: Path) -> Iterator[StudioApp]:
    """Serve a workspace file of which most bytes were overwritten."""
    path = folder / "damaged" / "studio.db"
    path.parent.mkdir()
    ws = open_workspace(path, wake=lambda: None)
    load_sample(ws, by=ME)
    ws.store.close()
    ws.read.close()
    with path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(os.urandom(4096 * 40))
    with studio_app(path, bare=True) as app:
        yield app


def shoot_state(
    browser: Any,
    app: StudioApp,
    state: str,
    pages: Sequence[str],
    views: dict[str, tuple[str, Sequence[Step]]],
) -> None:
    """Picture the pages of one workspace in both themes and both sizes."""
    for theme in THEMES:
        for width, height in SIZES:
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=theme
            )
            remember = f"localStorage.setItem('rationale-studio-person', '{ME}')"
            context.add_init_script(f"try {{ {remember} }} catch (e) {{}}")
            for name in pages:
                wanted: list[tuple[str, Sequence[Step]]] = [(state, ())]
                wanted += [
                    (f"{state}_{v}", steps) for v, (at, steps) in views.items() if at == name
                ]
                for title, steps in wanted:
                    page = context.new_page()
                    page.goto(f"{app.url}/{name if name != 'home' else ''}")
                    draw(page, steps)
                    shoot(page, f"{name}-{title}-{theme}-{width}.png", (width, height))
                    page.close()
            context.close()


def draw(page: Any, steps: Sequence[Step]) -> None:
    """Wait until a page is drawn, and take the steps to the view wanted."""
    page.get_by_test_id("stMain").locator("h1, [data-testid=stAlert]").first.wait_for()
    settled(page)
    for step in steps:
        step(page)
        page.wait_for_timeout(300)
        settled(page)


def shoot(page: Any, name: str, size: tuple[int, int]) -> None:
    """Picture all of a page, also what one would have to scroll to."""
    high, wanted = 0, size[1]
    while high < wanted:  # charts and tables draw themselves later, and then it is higher
        high = wanted
        page.set_viewport_size({"width": size[0], "height": high})
        page.wait_for_timeout(600)
        inside = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        wanted = min(inside, TALLEST)
    page.mouse.move(0, 0)
    page.screenshot(path=FOLDER / name)
    print(f"screenshots/{name}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
