"""What is pictured of each state beside its plain pages, and the steps that lead there."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from studio.actions.corrections import Decision, correct_labels
from studio.bootstrap import open_workspace
from tests.browser.picture_states import close
from tests.browser.running import StudioApp, type_labels

CONFIG = b"""prompts:
  - "You decide whether a dish is keto. {{text}}"
  - file://prompts/other.txt
providers: [openai:gpt-4o-mini]
tests:
  - vars: {text: Grilled salmon with butter}
    assert: [{type: equals, value: keto}]
  - vars: {text: Pancakes with syrup}
    assert: [{type: llm-rubric, value: is polite}]
"""


@dataclass(slots=True)
class Scene:
    """A page being led to a view.

    Attributes:
        page: The browser's page.
        app: The app it shows.
        after: What is to be undone once the picture is taken.
    """

    page: Any
    app: StudioApp
    after: ExitStack

    @property
    def main(self) -> Any:
        """The page outside the sidebar."""
        return self.page.get_by_test_id("stMain")

    @property
    def grid(self) -> Any:
        """The frame of the labeling grid, once it takes keys."""
        frame = self.page.locator("iframe[title*=agGrid]").content_frame
        frame.locator(".ag-cell-focus:focus").wait_for(timeout=30_000)
        return frame


Step = Callable[[Scene], Any]


def tab(name: str) -> Step:
    """Return a step that opens a tab."""
    return lambda scene: scene.page.get_by_role("tab", name=name, exact=True).click()


def press(name: str | re.Pattern[str], place: int = 0) -> Step:
    """Return a step that presses a button of this name, the first unless told otherwise."""
    return lambda scene: scene.main.get_by_role("button", name=name).nth(place).click()


def words(text: str) -> Step:
    """Return a step that clicks on words."""
    return lambda scene: scene.main.get_by_text(text, exact=True).first.click()


def choice(name: str | re.Pattern[str]) -> Step:
    """Return a step that chooses one of several views."""
    return lambda scene: scene.page.get_by_role("radio", name=name, exact=True).first.click()


def item(name: str) -> Step:
    """Return a step that chooses an item of an open menu."""
    return lambda scene: scene.page.get_by_text(name, exact=True).last.click()


def unfolded(name: str) -> Step:
    """Return a step that opens a part that is folded away."""
    return lambda scene: (
        scene.page.get_by_test_id("stExpander").filter(has_text=name).locator("summary").click()
    )


def keys(*pressed: str, within: str = "grid") -> Step:
    """Return a step that presses keys in the grid, in the card of the queue or in a list."""

    def step(scene: Scene) -> None:
        if within == "grid":
            _ = scene.grid
        else:
            scene.page.locator(within).first.focus()
        for key in pressed:
            scene.page.keyboard.press(key)
            scene.page.wait_for_timeout(60)

    return step


def typed(text: str) -> Step:
    """Return a step that types."""
    return lambda scene: scene.page.keyboard.type(text, delay=20)


def paused(seconds: float) -> Step:
    """Return a step that waits, where only time tells that something moved in."""
    return lambda scene: scene.page.wait_for_timeout(1000 * seconds)


def dialog_button(name: str) -> Step:
    """Return a step that presses a button of the open dialog."""
    return lambda scene: (
        scene.page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()
    )


def upload(scene: Scene) -> None:
    """Choose a file of which some rows cannot come in."""
    rows = [b"id,text,label,split"]
    rows += [b"n%d,Grilled fish number %d with lemon,keto,train" % (i, i) for i in range(12)]
    rows += [b"bad1,Something,maybe,train", b"bad2,,keto,train", b"bad3,Egg,keto,dev"]
    scene.page.locator("input[type=file]").set_input_files(
        {"name": "dishes.csv", "mimeType": "text/csv", "buffer": b"\n".join(rows) + b"\n"}
    )


def upload_prompt(scene: Scene) -> None:
    """Choose a config of promptfoo, of which not all can be read."""
    config = {"name": "promptfooconfig.yaml", "mimeType": "text/yaml", "buffer": CONFIG}
    scene.page.get_by_role("dialog").locator("input[type=file]").set_input_files(config)


def bad_task(scene: Scene) -> None:
    """Ask for a task with one label only."""
    scene.main.get_by_role("textbox", name="Name").fill("urgency")
    type_labels(scene.page, [("urgent", "It cannot wait until tomorrow.")])
    scene.main.get_by_role("button", name="Create the task").click()


def unfold(scene: Scene) -> None:
    """Open the second rationale of the list."""
    scene.page.get_by_test_id("stExpander").nth(1).locator("summary").click()


def as_saved(scene: Scene) -> None:
    """Discard what another view left in the editor: drafts are kept."""
    discard = scene.main.get_by_role("button", name="Discard changes")
    if discard.count():
        discard.click()
        scene.page.wait_for_timeout(1500)


def streaming(scene: Scene) -> None:
    """Preview on 200 examples, and hold the worker once answers have come."""
    run = max(r.id for r in scene.app.read.runs.all(1, previews=True))
    as_saved(scene)
    scene.main.get_by_role("combobox", name="Sample").click()
    scene.page.get_by_role("option", name="on 200 examples").click()
    words_of = scene.main.get_by_role("textbox", name="Instructions")
    words_of.fill(f"{words_of.input_value()} {time.time():.0f}")
    words_of.press("Tab")
    scene.page.wait_for_timeout(1500)
    scene.main.get_by_role("button", name="Preview", exact=True).click()
    for _ in range(3000):
        new = [r.done for r in scene.app.read.runs.all(1, previews=True) if r.id > run]
        if len(new) == 2 and min(new) > 4:
            break
        time.sleep(0.02)
    scene.after.enter_context(scene.app.held_worker())
    scene.page.wait_for_timeout(2500)


def crossed(scene: Scene) -> None:
    """Let Bo decide of the example that is looked at, and decide otherwise."""
    looked_at = scene.grid.locator(".ag-row-focus").first.get_attribute("row-id")
    ws = open_workspace(scene.app.workspace, wake=lambda: None)
    task = ws.read.tasks.all()[0]
    decision = Decision(example_id=int(looked_at), label=task.label_names[1])
    correct_labels(ws, task.id, [decision], by="Bo")
    close(ws)
    scene.page.keyboard.press("1")
    scene.page.get_by_text("while you looked").wait_for()


CARD = ".card"
QUEUE = choice("One by one")
ASSISTED = (QUEUE, choice("Assisted"))
RULES = tab("Rules")
# View of a state to the page and the steps that lead there.
VIEWS: dict[str, dict[str, tuple[str, Sequence[Step]]]] = {
    "worked": {
        "import": ("data", (tab("Import"),)),
        "import_file": ("data", (tab("Import"), upload)),
        "splits": ("data", (tab("Splits"),)),
        "labels": ("data", (tab("Labels and criterion"),)),
        "new_task": ("data", (tab("New task"),)),
        "error": ("data", (tab("New task"), bad_task)),
        "rationale": ("rationales", (unfold,)),
        "drafts": ("rationales", (unfold, press(re.compile("rules of it")))),
        "rules": ("rationales", (RULES,)),
        "rule": ("rationales", (RULES, press("New rule"))),
        "known_rule": ("rationales", (RULES, press("sugar-replaced"))),
        "joining": ("rationales", (RULES, choice("How votes are joined"))),
        "with_model": ("rationales", (RULES, choice("With a model"))),
        "findings": ("rationales", (RULES, choice("What to look at"))),
        "gaps": ("rationales", (RULES, choice("What no rule covers"))),
        "bulk": ("label", (press("Many at once"), item("Label all that fit the filter"))),
        "accept": (
            "label",
            (press("Many at once"), item("Accept the model's labels of this filter"), paused(1)),
        ),
        "filter": ("label", (press(re.compile("^Filter")),)),
        "asked_many": ("label", (keys("Shift+ArrowDown", "Shift+ArrowDown", "2"),)),
        "note": ("label", (keys("f", "ArrowDown", "f", "t"), typed("Ask Dr. Lind"))),
        "queue": ("label", (QUEUE,)),
        "queue_order": ("label", (QUEUE, press(re.compile("studio chooses")))),
        "queue_assisted": ("label", ASSISTED),
        "queue_why": ("label", (QUEUE, keys("w", within=CARD))),
        "seen": ("prompts", (tab("As the model sees it"),)),
        "changed": ("prompts", (tab("What you changed"),)),
        "tour": ("prompts", (press("Good and bad prompts"), paused(1))),
        "tour_3": (
            "prompts",
            (
                press("Good and bad prompts"),
                dialog_button("Next"),
                paused(1),
                dialog_button("Next"),
                paused(1),
            ),
        ),
        "new": ("prompts", (press("New prompt"), paused(1))),
        "new_file": (
            "prompts",
            (press("New prompt"), choice("A file"), paused(1), upload_prompt, paused(1)),
        ),
        "shots": ("prompts", (as_saved, unfolded("Few-shots"), choice("Alike"), press("Take one"))),
        "locked": ("prompts", (as_saved, press("Lock"))),
        "save": ("prompts", (press("Lock"), press(re.compile("Save")))),
        "matrix": ("prompts", (unfolded("Versions by slice"),)),
        "streaming": ("prompts", (streaming,)),
        "labels_tab": ("evaluate", (tab("Labels"),)),
        "slices": ("evaluate", (tab("Slices"),)),
        "confidence": ("evaluate", (tab("Confidence"),)),
        "compare": ("evaluate", (tab("Compare"),)),
        "test": ("evaluate", (words("Test (locked)"),)),
    },
    "team": {
        "labels": ("data", (tab("Labels and criterion"),)),
        "rename": ("data", (tab("Labels and criterion"), press("Rename"), paused(1))),
        "merge": ("data", (tab("Labels and criterion"), press("Merge"), paused(1))),
        "split": ("data", (tab("Labels and criterion"), press(re.compile("^Split$")), paused(1))),
        "add": ("data", (tab("Labels and criterion"), press("Add a label"), paused(1))),
        "order": ("data", (tab("Labels and criterion"), press("Change the order"), paused(1))),
        "adjudicate": ("people", (tab("Adjudicate"),)),
        "settled": ("people", (tab("Adjudicate"), keys("1", "ArrowUp", within=".list"))),
        "explained": ("people", (tab("Adjudicate"), keys("e", within=".list"), paused(1))),
        "note": ("people", (tab("Adjudicate"), keys("w", within=".list"), paused(1))),
        "rounds": ("people", (tab("Rounds"),)),
        "start": ("people", (tab("Rounds"), unfolded("Start a round"))),
        "guidelines": ("people", (tab("Guidelines"),)),
        "stopwatch": ("people", (tab("Stopwatch"),)),
        "crossed": ("label", (crossed,)),
        "queue": ("label", (QUEUE,)),
    },
    "keto": {
        "adjudicate": ("people", (tab("Adjudicate"),)),
        "rounds": ("people", (tab("Rounds"),)),
        "guidelines": ("people", (tab("Guidelines"),)),
        "stopwatch": ("people", (tab("Stopwatch"),)),
        "queue": ("label", (QUEUE,)),
    },
    "many": {
        "finder": ("label", (keys("/"), typed("o"))),
        "open": ("label", (keys("ArrowDown", "ArrowDown", "x"),)),
        "paste": (
            "label",
            (press("Many at once"), item("Paste labels from a spreadsheet"), paused(2)),
        ),
        "queue": ("label", (QUEUE,)),
        "queue_finder": ("label", (QUEUE, keys("/", within=CARD), typed("ch"))),
    },
    "done": {
        "todo": ("label", (choice("To do"),)),
        "queue": ("label", (QUEUE,)),
    },
}
