from __future__ import annotations

import compileall
from pathlib import Path

import pytest

from studio.domain.task import Label, Task
from studio.ui.charts import contrast
from studio.ui.colours import DARK, LABEL_COLOURS, LIGHT, NEUTRAL, label_colours

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


def test_every_script_compiles():
    # A script that does not compile shows no exception to the test harness.
    assert compileall.compile_dir(ROOT / "pages", quiet=1, force=True)
    assert compileall.compile_file(ROOT / "app.py", quiet=1, force=True)
    assert compileall.compile_file(ROOT / "asgi.py", quiet=1, force=True)


def test_asks_for_a_name_and_goes_on(open_app):
    at = open_app(person="")
    assert at.title[0].value == "Rationale Studio"
    at.text_input[0].set_value("  Ada   L ")
    at.button[0].click().run()
    assert not at.exception
    assert at.session_state["person"] == "Ada L"
    assert at.title[0].value == "Home"


def test_an_empty_name_is_not_a_name(open_app):
    at = open_app(person="")
    at.button[0].click().run()
    assert at.error[0].value == "Type a name first, e.g. Ada."


def test_another_name_is_another_person(open_app, fill, monkeypatch):
    # What the browser once answered stays the component's value as long as the visit lasts.
    monkeypatch.setattr(
        "studio.ui.session.browser_memory", lambda *, remember, forget: "" if forget else "Bea"
    )
    fill("keto loaded")
    at = open_app("prompts", person="")
    assert at.session_state["person"] == "Bea"
    next(a for a in at.text_area if a.label == "Instructions").set_value("By Bea.").run()
    at.button(key="forget_name").click().run()
    at.text_input[0].set_value("Carl")
    at.button[0].click().run()
    assert not at.exception
    assert at.session_state["person"] == "Carl"
    assert at.selectbox(key="task").value == "keto"
    at.switch_page("pages/prompts.py").run()
    assert next(a for a in at.text_area if a.label == "Instructions").value != "By Bea."


def test_a_damaged_workspace_is_one_sentence(open_app, ws):
    ws.store.close()
    ws.read.close()
    for file in ws.path.parent.glob("studio.db*"):
        file.unlink()
    ws.path.write_bytes(b"this is no database" * 100)
    at = open_app()
    assert not at.exception
    assert len(at.error) == 1
    assert str(ws.path) in at.error[0].value


@pytest.mark.parametrize("state", ["empty workspace", "task without examples", "keto loaded"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_its_heading_in_every_state(open_app, fill, page, state):
    fill(state)
    at = open_app(page)
    assert not at.exception
    assert not at.error
    expected = "Fine-tunes" if page == "finetunes" else page.capitalize()
    assert at.title[0].value == expected
    assert at.caption[0].value


def test_the_task_is_chosen_once_for_all_pages(open_app, fill):
    fill("keto loaded")
    fill("task without examples")
    at = open_app("home")
    at.sidebar.selectbox(key="task").select("urgency").run()
    at.switch_page("pages/settings.py").run()
    assert at.sidebar.selectbox(key="task").value == "urgency"
    assert "**urgency**" in [m.value for m in at.markdown]


def test_an_address_without_a_task_goes_on_with_the_one_worked_on_last(open_app, fill):
    """A reload whose address lost its task must not put labels into another task."""
    fill("keto loaded")
    fill("task without examples")
    open_app("home").sidebar.selectbox(key="task").select("urgency").run()
    again = open_app("home")
    assert again.sidebar.selectbox(key="task").value == "urgency"
    assert "**urgency**" in [m.value for m in again.markdown]


def test_label_colours_are_told_apart_and_readable_on_both_grounds():
    assert len(set(LABEL_COLOURS)) == 8
    for colour in (*LABEL_COLOURS, NEUTRAL):
        for ground in (LIGHT.ground, DARK.ground):
            assert contrast(rgb(colour), rgb(ground)) >= 3, (colour, ground)
    for shades in (LIGHT, DARK):
        for colour in (shades.text, shades.muted, shades.good, shades.bad, shades.undecided):
            assert contrast(rgb(colour), rgb(shades.ground)) >= 4.5, colour


def test_labels_beyond_the_eighth_are_neutral():
    labels = tuple(Label(id=i, name=f"l{i}", definition="", position=i) for i in range(10))
    colours = label_colours(Task(id=1, name="t", labels=labels))
    assert [colours[f"l{i}"] for i in (7, 8, 9)] == [LABEL_COLOURS[7], NEUTRAL, NEUTRAL]


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
