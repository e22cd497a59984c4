"""The rule editor over 100,000 examples and 50 other rules, as a browser sees it.

Words are typed into a new rule in Chromium, a letter at a time; the time is from the key until other
figures stand on the page. The server's CPU is that of its process per letter. Then the rerun of the
tab in each of its views, and of the editor's part of the page when nothing changed. Texts and rules
are those of rules_scale.py. Needs STUDIO_SHARED (default ../shared) and Chromium.

    python benchmarks/rule_editor.py [--most 100000]
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.app_figures import CHROMIUM, held, listens, rerun, say  # noqa: E402
from benchmarks.rules_scale import base_texts, make_rules, make_texts  # noqa: E402
from studio.actions.rules import save_rule  # noqa: E402
from studio.actions.tasks import create_task  # noqa: E402
from studio.bootstrap import open_workspace  # noqa: E402
from studio.domain.coded_rationale import parse_rule  # noqa: E402
from studio.domain.correction import Origin  # noqa: E402
from studio.domain.example import Split  # noqa: E402
from studio.store.labels import NewLabel  # noqa: E402

WORDS = ("message", "account", "please call", "chicken with", "video")
GOLD, RERUNS, PAUSE_S = 1000, 10, 0.3
BARS = {"letter": 300.0, "rerun": 60.0, "fragment": 25.0}
VIEWS = ("The rules", "How votes are joined", "With a model", "What to look at")


def main() -> None:
    """Print the Markdown of this part."""
    options = argparse.ArgumentParser()
    options.add_argument("--most", type=int, default=100_000)
    most = options.parse_args().most
    print(f"Other work on the machine when this began: load average {os.getloadavg()[0]:.1f}.\n")
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "studio.db"
        say(f"{most:,} examples and 50 rules")
        fill(workspace, most)
        say("typing")
        print_typing(workspace, most)
        say("reruns")
        print_reruns(workspace)


def fill(workspace: Path, most: int) -> None:
    """Make a task with many examples, some gold and 50 rules."""
    ws = open_workspace(workspace, wake=lambda: None)
    task = create_task(ws, name="many", labels=["x", "y"], by="Ada")
    base = base_texts()
    rows = ((f"e{i}", text, Split.TRAIN, {}) for i, text in enumerate(make_texts(base, most)))
    ids = [i for i in ws.store.examples.add(task.id, rows, ws.now()) if i]
    chance = random.Random(3)
    labels = [
        NewLabel(example_id=i, label_id=chance.choice(task.labels).id, person="Ada",
                 origin=Origin.BLIND)
        for i in chance.sample(ids, min(GOLD, most))
    ]  # fmt: skip
    ws.store.labels.append(task.id, labels, ws.now())
    for number, rule in enumerate(make_rules(base)):
        label = "label" if number % 3 else "against"
        body = {k: v for k, v in rule.items() if k != "label"} | {label: "xy"[number % 2]}
        save_rule(ws, task.id, parse_rule(body), by="Ada")
    ws.store.close()
    ws.read.close()


def print_typing(workspace: Path, most: int) -> None:
    """Type words in Chromium and print how soon figures follow."""
    from playwright.sync_api import sync_playwright

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = os.environ | {"STUDIO_WORKSPACE": str(workspace), "STUDIO_WORKER": "external"}
    app = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port),
         "--server.headless", "true", "--server.address", "127.0.0.1",
         "--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"],
        cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not listens(port):
            time.sleep(0.05)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            context.add_init_script("localStorage.setItem('rationale-studio-person', 'Ada')")
            page = context.new_page()
            page.set_default_timeout(120_000)
            page.goto(f"http://127.0.0.1:{port}")
            page.get_by_role("link", name="Rationales", exact=True).click()
            began = time.monotonic()
            page.get_by_role("tab", name="Rules", exact=True).click()
            page.get_by_role("button", name="New rule").wait_for()
            page.locator(".row .open").first.wait_for()
            first = time.monotonic() - began
            page.get_by_role("button", name="New rule").click()
            walls, cpus = type_words(page, psutil.Process(app.pid))
            browser.close()
    finally:
        app.terminate()
        app.wait()
    walls.sort()
    middle, late = statistics.median(walls), walls[int(0.95 * len(walls))]
    print(
        f"| {most:,} examples, 50 other rules, {GOLD:,} gold; {len(walls)} letters | ms | bar | |"
    )
    print("|---|---|---|---|")
    for what, value in (("key to new figures, median", middle), ("95 of 100", late)):
        print(f"| {what} | {value:.0f} | {BARS['letter']:g} ms | {held(value, BARS['letter'])} |")
    print(f"| the server's CPU a letter, median | {statistics.median(cpus):.0f} | | |")
    print(
        f"| the tab for the first time, examples read and all rules applied | {1000 * first:.0f} | | |"
    )


def type_words(page: Any, app: psutil.Process) -> tuple[list[float], list[float]]:
    """Return milliseconds from each key until other figures stand there, and the server's CPU."""
    box = page.get_by_role("textbox", name="Words, with commas between")
    box.wait_for()
    watch = """() => new Promise(done => {
        const told = () => [...document.querySelectorAll('[data-testid=stMetric]')]
            .map(e => e.innerText).join();
        const before = told();
        window.began = 0;
        document.addEventListener('keydown', () => { window.began = performance.now(); },
            {once: true, capture: true});
        const look = () => {
            const now = performance.now();
            if (window.began && told() && told() !== before) done(now - window.began);
            else if (window.began && now - window.began > 5000) done(-1);
            else requestAnimationFrame(look);
        };
        look();
    })"""
    walls, cpus = [], []
    for number, words in enumerate(WORDS):
        box.fill("")
        box.press_sequentially(words[:2])
        page.wait_for_timeout(1500)  # figures of these stand there; the first word builds the index
        for letter in words[2:]:
            spent = sum(app.cpu_times()[:2])
            pending = page.evaluate_handle(f"() => {{ window.seen = ({watch})(); }}")
            pending.dispose()
            box.press(letter if letter != " " else "Space")
            wall = page.evaluate("() => window.seen")
            page.wait_for_timeout(1000 * PAUSE_S)
            if number and wall > 0:  # a letter that changes no figure tells nothing
                walls.append(wall)
                cpus.append(1000 * (sum(app.cpu_times()[:2]) - spent))
    return walls, cpus


def print_reruns(workspace: Path) -> None:
    """Print the CPU of a rerun of the tab in each view, and of the editor."""
    from unittest import mock

    os.environ |= {"STUDIO_WORKSPACE": str(workspace), "STUDIO_WORKER": "external"}
    warnings.simplefilter("ignore")
    from streamlit.testing.v1 import AppTest

    # There is no browser that could remember a name.
    mock.patch("studio.ui.session.browser_memory", return_value="").start()
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    at.session_state["person"] = "Ada"
    at.run()
    at.switch_page("pages/rationales.py")
    at.run()
    alone = measured(at)
    at.session_state["rationales_tab"] = "Rules"
    print(f"\n| rerun of the whole page, 50 rules | CPU ms, median of {RERUNS} | bar | |")
    print("|---|---|---|---|")
    print(
        f"| the tab Rationales | {alone:.0f} | {BARS['rerun']:g} ms | {held(alone, BARS['rerun'])} |"
    )
    for view in VIEWS:
        at.session_state["rationales_rules_view"] = view
        spent = measured(at)
        print(
            f"| {view} | {spent:.0f} | {BARS['rerun']:g} ms | {held(spent, BARS['rerun'])} |",
            flush=True,
        )
    at.session_state["rationales_rules_view"] = VIEWS[0]
    at.run()
    at.button(key="rationales_new_rule").click().run()
    next(b for b in at.text_input if b.label.startswith("Words, with")).set_value("call").run()
    spent = measured(at)
    print(
        f"| the editor, nothing changed | {spent:.0f} | {BARS['rerun']:g} ms | {held(spent, BARS['rerun'])} |"
    )


def measured(at: Any) -> float:
    """Return the median CPU milliseconds of a rerun, warm."""
    for _ in range(2):
        at.run()
    if at.exception:
        raise SystemExit(at.exception[0].message)
    return statistics.median(rerun(at) for _ in range(RERUNS))


if __name__ == "__main__":
    main()
