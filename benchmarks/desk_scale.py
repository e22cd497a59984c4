"""Grid and queue over a million examples, in Chromium: open, filter, turn the page, label, bulk.

The workspace is that of `store_scale`; the app is started as people start it. A time is from the
click or key until the page shows what was asked for, or until SQLite holds the label.

    python benchmarks/desk_scale.py [--examples 1000000] [--workspace FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks._app import Serving, serving  # noqa: E402
from benchmarks.store_scale import Words, fill  # noqa: E402
from studio.store.store import Store  # noqa: E402

CHROMIUM = os.environ.get("STUDIO_CHROMIUM") or shutil.which("chromium")
LONGEST_S = 180.0
PERSON = "Zoe"
WORD = 900
"""How common the word is that is searched: it stands in some 2 of 1,000 examples."""
ROW = '.ag-row[row-index="0"]'


def main() -> int:
    """Print the figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=1_000_000)
    parser.add_argument("--workspace", type=Path, help="one that was made before; it is changed")
    asked = parser.parse_args()
    if CHROMIUM is None:
        sys.stderr.write("There is no Chromium; install it or set STUDIO_CHROMIUM.\n")
        return 3
    with tempfile.TemporaryDirectory() as folder:
        path = asked.workspace or Path(folder) / "studio.db"
        if not path.exists():
            store = Store(path)
            with contextlib.redirect_stdout(io.StringIO()):
                fill(store, Words(), asked.examples)
            store.close()
        with serving(path) as app:
            measure(app, Store(path))
    return 0


def measure(app: Serving, store: Store) -> None:
    """Do it all once in a new browser profile."""
    from playwright.sync_api import sync_playwright

    (task,) = store.tasks.all()
    many = sum(store.examples.counts(task.id).values())
    print(f"{many:,} examples, a run over all of them and a tenth with gold; "
          f"load average when this began {os.getloadavg()[0]:.1f}.\n")  # fmt: skip
    print("| deed | wall s | CPU s of the app |\n|---|---|---|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(1000 * LONGEST_S)
        context.add_init_script(f"localStorage.setItem('rationale-studio-person', '{PERSON}')")
        page = context.new_page()
        page.goto(app.url)
        page.get_by_role("heading", name="Home", exact=True).wait_for()
        settled(page)
        grid(app, store, page)
        queue(app, store, page)
        browser.close()


def grid(app: Serving, store: Store, page: Any) -> None:
    """Time what people do in the grid."""
    word = Words().known[WORD]
    with line(app, "open the grid"):
        page.get_by_role("link", name="Label", exact=True).click()
        frame = page.locator("iframe[title*=agGrid]").last.content_frame
        frame.locator(".ag-cell-focus:focus").wait_for()
    settled(page)
    with line(app, "next page of 50"):
        turn(page, lambda: page.get_by_role("button", name="Next", exact=True).click())
    for number in range(3):
        label(app, store, page, number)
    settled(page)
    with line(app, "show what is still to do"):
        turn(page, lambda: page.get_by_text("To do", exact=True).click())
    with line(app, "search one word"):
        field = page.locator(".st-key-label_search input")
        turn(page, lambda: (field.fill(word), field.press("Enter")))
    before = labels(store)
    with line(app, "Many at once: count what fits"):
        page.get_by_role("button", name="Many at once").click()
        page.get_by_text("Label all that fit the filter").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("combobox").click()
        page.get_by_role("option").first.click()
        go = dialog.locator(".st-key-label_bulk_go button")
        go.wait_for()
        settled(page)
    with line(app, "label all that fit"):
        go.click()
        wait(lambda: labels(store) > before)
        dialog.wait_for(state="detached")
        settled(page)
    print(f"\nThe last labeled {labels(store) - before:,} examples in one deed.\n")
    print("| deed | wall s | CPU s of the app |\n|---|---|---|")


def queue(app: Serving, store: Store, page: Any) -> None:
    """Time what people do one by one."""
    settled(page)
    with line(app, "open the queue"):
        page.get_by_role("radio", name="One by one", exact=True).click()
        page.locator(".card .label").first.wait_for()
    settled(page)
    for number in range(3):
        label(app, store, page, number)
    with line(app, "20 more, with what is fetched meanwhile"):
        before = labels(store)
        for _ in range(20):
            page.keyboard.press("2")
            page.wait_for_timeout(200)
        wait(lambda: labels(store) >= before + 20)
        settled(page)


@contextlib.contextmanager
def line(app: Serving, what: str) -> Iterator[None]:
    """Time what is done within and print it."""
    sys.stderr.write(f"{what}\n")
    cpu, wall = app.cpu(), time.perf_counter()
    yield
    print(f"| {what} | {time.perf_counter() - wall:.2f} | {app.cpu() - cpu:.2f} |", flush=True)


def turn(page: Any, act: Callable[[], Any]) -> None:
    """Do something and wait until another example stands in the grid's first row."""
    frame = page.locator("iframe[title*=agGrid]").last.content_frame
    first = frame.locator(ROW).first.get_attribute("row-id")
    act()
    wait(lambda: _first_row(page) not in ("", first))
    settled(page)


def _first_row(page: Any) -> str:
    found = page.locator("iframe[title*=agGrid]")
    if found.count() != 1:
        return ""
    row = found.content_frame.locator(ROW)
    return str(row.first.get_attribute("row-id")) if row.count() else ""


def settled(page: Any) -> None:
    """Wait until the page's script has run to its end."""
    page.wait_for_function(
        """() => {
            const app = document.querySelector('[data-testid="stApp"]');
            return app && app.getAttribute('data-test-script-state') !== 'running'
              && !document.querySelector('[data-stale="true"]');
        }"""
    )


def label(app: Serving, store: Store, page: Any, number: int) -> None:
    """Time one key until SQLite holds its label."""
    before = labels(store)
    with line(app, f"label {number + 1}, until SQLite holds it"):
        page.keyboard.press("1")
        wait(lambda: labels(store) > before)


def labels(store: Store) -> int:
    """Return how many labels the person has now."""
    counted = "SELECT count(*) FROM current_label WHERE person = ? AND label_id IS NOT NULL"
    return int(store.db.value(counted, (PERSON,)))


def wait(done: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + LONGEST_S
    while not done():
        if time.monotonic() > end:
            raise SystemExit("it did not come to be so")
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
