"""What the app costs: a page's rerun, its start, an import, and the demo.

The app, the worker and the embedded server are started as people start them, on a warm install.
CPU is of all processes taking part; seconds depend on how busy the machine is, which is named.
Needs Chromium (or STUDIO_CHROMIUM); without one the start is left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks._app import Serving, serving  # noqa: E402
from benchmarks._visitor import Visitor  # noqa: E402
from benchmarks.store_scale import Words, fill  # noqa: E402
from benchmarks.thirty_people import open_desk  # noqa: E402
from studio.store.store import Store  # noqa: E402

STUDIO = [sys.executable, "-m", "studio.cli.main"]
CHROMIUM = os.environ.get("STUDIO_CHROMIUM") or shutil.which("chromium")
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "home": ("home", {}), "data": ("data", {}), "rationales": ("rationales", {}),
    "label": ("label", {}), "label, one by one": ("label", {"label_view": "queue"}),
    "people": ("people", {}), "prompts": ("prompts", {}),
    "prompts, matrix": ("prompts", {"prompts_matrix": True}), "finetunes": ("finetunes", {}),
    "evaluate": ("evaluate", {}), "report": ("report", {}), "settings": ("settings", {}),
}  # fmt: skip
"""What a line is called: the page, and what is chosen on it."""
BARS = {
    "rerun": 60.0,
    "fragment": 25.0,
    "payload": 100_000,
    "start": 3.0,
    "import": 5.0,
    "demo": 60.0,
}
DESK_EXAMPLES = 5_000
DEEDS = {"grid": 150, "queue": 200}
"""In the queue so many that order, evidence and forecast are all worked out anew meanwhile."""
QUIET_S = 4.0
"""What works beside is nice: on a busy machine it may stand still for a while."""
ROWS, STARTS, WARM, RERUNS = 10_000, 3, 2, 10


def main() -> None:
    """Print the Markdown of this part."""
    load = os.getloadavg()[0]
    print(f"Other work on the machine when this began: load average {load:.1f}.\n")
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "demo.db"
        say("demo --fast")
        print("| what | wall s | CPU s | bar | |\n|---|---|---|---|---|")
        wall, cpu = run_demo(demo)
        line("`studio demo --fast`", wall, cpu, BARS["demo"])
        say("import")
        wall, cpu = run_import(Path(folder))
        line(f"`studio import`, {ROWS:,} short examples", wall, cpu, BARS["import"])
        say("start of the app")
        if CHROMIUM:
            starts = [first_page(Path(folder), number) for number in range(STARTS)]
            listens_, loaded, home, again = (
                statistics.median(one) for one in zip(*starts, strict=True)
            )
            line(f"`studio app` to Home in a new Chromium profile, median of {STARTS}",
                 home, None, BARS["start"])  # fmt: skip
            print(f"\nOf the {home:.1f} s the server needs {listens_:.1f} s until it listens and the browser "
                  f"{loaded - listens_:.1f} s for Streamlit's own code, which it keeps: a later visit takes {again:.1f} s. "
                  "The worker with the embedded server starts meanwhile.")  # fmt: skip
        else:
            print("| `studio app` to Home in Chromium: not measured, there is none | | | | |")
        say("desks")
        asyncio.run(print_desks(Path(folder) / "desks.db"))
        say("reruns")
        print_reruns(demo)


def say(what: str) -> None:
    """Tell on standard error what is being measured."""
    print(what, file=sys.stderr, flush=True)


def line(what: str, wall: float, cpu: float | None, bar: float) -> None:
    """Print one line of the first table."""
    spent = "" if cpu is None else f"{cpu:.1f}"
    print(f"| {what} | {wall:.1f} | {spent} | {bar:g} s | {held(wall, bar)} |", flush=True)


def held(value: float, bar: float) -> str:
    """Say whether a figure keeps its bar."""
    return "held" if value <= bar else "**missed**"


def run_demo(workspace: Path) -> tuple[float, float]:
    """Return wall and CPU seconds of the fast demo, its worker and embedded server included."""
    with worker_ended(workspace) as spent:
        wall, cpu = timed([*STUDIO, "demo", "--fast", "--workspace", str(workspace)])
        return wall, cpu + spent()


def run_import(folder: Path) -> tuple[float, float]:
    """Return wall and CPU seconds of importing many short examples."""
    chance = random.Random(0)
    words = [f"word{i}" for i in range(5000)]
    file, workspace = folder / "many.csv", folder / "import.db"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "text", "label"])
        for number in range(ROWS):
            text = " ".join(chance.choices(words, k=12))
            writer.writerow([f"e{number}", text, chance.choice(("yes", "no"))])
    timed([*STUDIO, "task", "create", "many", "--labels", "yes,no", "--workspace", str(workspace)])
    return timed([*STUDIO, "import", "many", str(file), "--workspace", str(workspace)])


def timed(command: list[str]) -> tuple[float, float]:
    """Return wall and CPU seconds of a command and those it waited for."""
    before, started = os.times(), time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    wall, after = time.monotonic() - started, os.times()
    if done.returncode:
        raise SystemExit(f"{' '.join(command[1:])}: {done.stderr.strip()}")
    user, system = (getattr(after, name) - getattr(before, name)
                    for name in ("children_user", "children_system"))  # fmt: skip
    return wall, user + system


@contextmanager
def worker_ended(workspace: Path) -> Iterator[Any]:
    """End the worker of a workspace at the end; give what tells its CPU seconds so far."""
    from studio.bootstrap import open_workspace, workers_alive
    from studio.jobs.process import stop_worker

    def alive() -> list[Any]:
        ws = open_workspace(workspace, wake=lambda: None)
        found = workers_alive(ws)
        ws.store.close()
        ws.read.close()
        return found

    def spent() -> float:
        total = 0.0
        for info in alive():
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(info.pid)
                for one in (process, *process.children(recursive=True)):
                    times = one.cpu_times()
                    total += times.user + times.system
                own = process.cpu_times()
                total += own.children_user + own.children_system
        return total

    try:
        yield spent
    finally:
        for info in alive():
            stop_worker(info)


def first_page(folder: Path, number: int) -> tuple[float, float, float, float]:
    """Return seconds from `studio app` until it listens, its page loads, Home is there; and a later visit's."""
    from playwright.sync_api import sync_playwright

    from studio.actions.samples import load_sample
    from studio.bootstrap import open_workspace

    workspace = folder / f"app{number}.db"
    ws = open_workspace(workspace, wake=lambda: None)
    load_sample(ws, by="Ada")
    ws.store.close()
    ws.read.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*STUDIO, "app", "--no-browser", "--port", str(port), "--workspace", str(workspace)]
    with sync_playwright() as playwright, worker_ended(workspace):
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context()
        context.add_init_script("localStorage.setItem('rationale-studio-person', 'Ada')")
        page = context.new_page()
        started = time.monotonic()
        app = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            while not listens(port):
                time.sleep(0.02)
            seconds = [time.monotonic() - started]
            page.goto(f"http://127.0.0.1:{port}")
            seconds.append(time.monotonic() - started)
            page.get_by_role("heading", name="Home", exact=True).wait_for()
            seconds.append(time.monotonic() - started)
            second, started = context.new_page(), time.monotonic()
            second.goto(f"http://127.0.0.1:{port}")
            second.get_by_role("heading", name="Home", exact=True).wait_for()
            return seconds[0], seconds[1], seconds[2], time.monotonic() - started
        finally:
            os.killpg(app.pid, 15)
            app.wait()
            browser.close()


def listens(port: int) -> bool:
    """Return whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def print_desks(workspace: Path) -> None:
    """Print what a page and a label of grid and queue cost: bytes, and CPU of app and beside it."""
    store = Store(workspace)
    with contextlib.redirect_stdout(io.StringIO()):
        task, _, _ = fill(store, Words(), DESK_EXAMPLES)
    store.close()
    print("\n| desk | page: kB, not squeezed | bar | | a label: kB | CPU ms of the app | bar | "
          "| worked out beside it: CPU ms a label | CPU s when the page opens |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|")
    with serving(workspace) as app:
        async with Visitor(app.url, "First", page=""):
            pass  # the first visit of all loads the app's code
        for name, is_grid in (("grid, 200 rows", True), ("one by one", False)):
            began = app.spent()[1]
            desk = await open_desk(app, task, name, is_grid, 0)
            if is_grid:
                await desk.visitor.hold("label_size", ["200"])
            size = desk.visitor.bytes
            await desk.label()  # the first of all reads what the next ones find read
            before, opened = await quiet(app)
            sent = 0
            deeds = DEEDS["grid" if is_grid else "queue"]
            for _ in range(deeds):
                await desk.label()
                sent += desk.visitor.bytes
            after, beside = await quiet(app)
            spent = 1000 * (after - before) / deeds
            payload, fragment = BARS["payload"], BARS["fragment"]
            print(f"| {name} | {size / 1000:.0f} | {payload / 1000:g} kB | {held(size, payload)} "
                  f"| {sent / deeds / 1000:.0f} | {spent:.0f} | {fragment:g} ms | {held(spent, fragment)} "
                  f"| {1000 * (beside - opened) / deeds:.0f} | {opened - began:.1f} |", flush=True)  # fmt: skip
            await desk.visitor.__aexit__(None, None, None)


async def quiet(app: Serving) -> tuple[float, float]:
    """Wait until nothing is worked out beside the app; return the CPU seconds of both so far."""
    before = -1.0
    while (spent := app.spent())[1] > before:
        before = spent[1]
        await asyncio.sleep(QUIET_S)
    return spent


def print_reruns(workspace: Path) -> None:
    """Print the CPU of a rerun of each page, on the keto task with runs, corrections and a model."""
    os.environ |= {"STUDIO_WORKSPACE": str(workspace), "STUDIO_WORKER": "external"}
    warnings.simplefilter("ignore")
    from streamlit.testing.v1 import AppTest

    # There is no browser that could remember a name.
    mock.patch("studio.ui.session.browser_memory", return_value="").start()
    print(f"\n| page, rerun of the whole script | CPU ms, median of {RERUNS} | most | bar | |")
    print("|---|---|---|---|---|")
    for name, (page, chosen) in PAGES.items():
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        at.session_state["person"] = "Ada"
        at.run()
        at.switch_page(f"pages/{page}.py")
        for key, value in chosen.items():
            at.session_state[key] = value
        for _ in range(WARM):
            at.run()
        spent = [rerun(at) for _ in range(RERUNS)]
        if at.exception:
            raise SystemExit(f"{name}: {at.exception[0].message}")
        median = statistics.median(spent)
        bar = BARS["rerun"]
        print(f"| {name} | {median:.0f} | {max(spent):.0f} | {bar:g} ms | {held(median, bar)} |",
              flush=True)  # fmt: skip


def rerun(at: Any) -> float:
    """Return the CPU milliseconds of one rerun, all threads of this process."""
    began = time.process_time()
    at.run()
    return 1000 * (time.process_time() - began)


if __name__ == "__main__":
    main()
