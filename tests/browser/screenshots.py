"""Picture every page in every state, light and dark, on a laptop and a tablet.

python -m tests.browser.screenshots [--keep FOLDER] [--as THEME-WIDTH] [PAGE | PAGE-STATE_VIEW ...]

The pictures go into the folder screenshots/, named page-state_view-theme-width.png. What people
would have done is done by the actions and a real worker; --keep makes the workspaces in a folder
and uses them again. Needs Chromium (or STUDIO_CHROMIUM).
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, sync_playwright

from studio.actions.samples import load_sample
from studio.bootstrap import open_workspace
from tests.browser.picture_states import ME, STATES, close
from tests.browser.picture_views import VIEWS, Scene, Step
from tests.browser.running import StudioApp, settled, studio_app

CHROMIUM = os.environ.get("STUDIO_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FOLDER = Path(__file__).parents[2] / "screenshots"
SIZES = {1280: 900, 820: 1100}
LOOKS = [(theme, width) for theme in ("light", "dark") for width in SIZES]
PAGES = (
    "home", "data", "rationales", "label", "people", "prompts", "finetunes", "evaluate", "report",
    "settings",
)  # fmt: skip
PLAIN = {"many": ("label",), "done": ("label",), "team": ("data", "label", "people", "prompts")}
"""The pages of a state that are pictured plain; all where it is not named."""
TALLEST = 4000

Shot = tuple[str, str, Sequence[Step]]


def main(args: Sequence[str]) -> int:
    """Write the pictures that are asked for, or all."""
    parser = argparse.ArgumentParser(prog="screenshots", description=__doc__)
    parser.add_argument("--keep", type=Path, help="where the workspaces are made, to be used again")
    parser.add_argument("--as", dest="look", choices=[f"{t}-{w}" for t, w in LOOKS])
    parser.add_argument("wanted", nargs="*", metavar="PAGE or PAGE-STATE_VIEW")
    asked = parser.parse_args(args)
    shots = {state: shots_of(state, asked.wanted) for state in STATES}
    known = {name for state in STATES for name, _, _ in shots_of(state, ())} | set(PAGES)
    if unknown := [name for name in asked.wanted if name not in known]:
        parser.error(f"There is no {unknown[0]!r}; there are {', '.join(sorted(known))}.")
    looks = [one for one in LOOKS if asked.look in (None, f"{one[0]}-{one[1]}")]
    FOLDER.mkdir(exist_ok=True)
    with ExitStack() as stack:
        folder = asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        missed = sum(
            shoot_state(browser, state, folder / state / "studio.db", some, looks)
            for state, some in shots.items()
            if some
        )
        if "home" in asked.wanted or not asked.wanted:
            with damaged(Path(stack.enter_context(tempfile.TemporaryDirectory()))) as app:
                for look in looks:
                    missed += shoot_all(browser, app, [("home-damaged", "home", ())], look)
        browser.close()
    return 1 if missed else 0


def shots_of(state: str, wanted: Sequence[str]) -> list[Shot]:
    """Return name, page and steps of the pictures of a state, as far as they are wanted."""
    shots: list[Shot] = [(f"{p}-{state}", p, ()) for p in PLAIN.get(state, PAGES)]
    views = VIEWS.get(state, {})
    shots += [(f"{page}-{state}_{view}", page, steps) for view, (page, steps) in views.items()]
    return [one for one in shots if not wanted or one[0] in wanted or one[1] in wanted]


def shoot_state(
    browser: Any, state: str, path: Path, shots: Sequence[Shot], looks: Sequence[tuple[str, int]]
) -> int:
    """Make a state's workspace where there is none, and picture it in every look."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        make = STATES[state]
        if make is not None:
            make(path)
    with studio_app(path, sample=state == "keto") as app:
        return sum(shoot_all(browser, app, shots, look) for look in looks)


@contextmanager
def damaged(folder: Path) -> Iterator[StudioApp]:
    """Serve a workspace file of which most bytes were overwritten."""
    path = folder / "studio.db"
    ws = open_workspace(path, wake=lambda: None)
    load_sample(ws, by=ME)
    close(ws)
    with path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(os.urandom(4096 * 40))
    with studio_app(path, bare=True) as app:
        yield app


def shoot_all(browser: Any, app: StudioApp, shots: Sequence[Shot], look: tuple[str, int]) -> int:
    """Picture these in one theme and size, and return how many could not be."""
    theme, width = look
    size = (width, SIZES[width])
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=theme
    )
    remember = f"localStorage.setItem('rationale-studio-person', '{ME}')"
    context.add_init_script(f"try {{ {remember} }} catch (e) {{}}")
    missed = 0
    for name, at, steps in shots:
        with ExitStack() as after:
            page = context.new_page()
            after.callback(page.close)
            page.goto(f"{app.url}/{at if at != 'home' else ''}")
            try:
                draw(Scene(page=page, app=app, after=after), steps)
            except Error as error:
                missed += 1
                print(f"{name}: {str(error).splitlines()[0]}", file=sys.stderr, flush=True)
            shoot(page, f"{name}-{theme}-{width}.png", size)
    context.close()
    return missed


def draw(scene: Scene, steps: Sequence[Step]) -> None:
    """Wait until a page is drawn, and take the steps to the view wanted."""
    scene.main.locator("h1, [data-testid=stAlert]").first.wait_for()
    settled(scene.page)
    if scene.page.locator("iframe[title*=agGrid]").count():
        _ = scene.grid
    for step in steps:
        step(scene)
        scene.page.wait_for_timeout(300)
        settled(scene.page)


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
