"""Labels on the Data page: what is done to them, what it will do, and how it is undone."""

from streamlit.testing.v1 import AppTest

from studio.actions.label_sets import change_labels
from studio.domain.label_change import Merge, Split
from tests.conftest import fill_task

LABELS = ("ham", "spam", "scam")


def test_the_labels_stand_with_gold_and_key(open_app, ws):
    fill_task(ws, labels=LABELS)
    at = open_app("data", view="Labels and criterion")
    assert not at.exception
    assert "8 gold labels · key 1" in [one.value for one in at.caption]


def dialog():
    """Draw the dialog whose name stands in the state, as a page does once its button is pressed."""
    import streamlit as st

    from studio.bootstrap import open_workspace
    from studio.ui import label_set_dialogs

    ws = open_workspace()
    task = ws.read.tasks.all()[0]
    more = [task.labels[1]] if st.session_state["ask"] in ("rename", "merge", "split") else []
    getattr(label_set_dialogs, f"ask_{st.session_state['ask']}")(ws, task, "Ada", *more)


def said(at):
    """Return the words on a page, without the signs that keep them from being read as Markdown."""
    return [one.value.replace("\\", "") for one in at.markdown]


def ask(name):
    at = AppTest.from_function(dialog, default_timeout=30)
    at.session_state["ask"] = name
    return at.run()


def test_a_rename_is_foreseen_and_done(ws):
    task = fill_task(ws, labels=LABELS)
    at = ask("rename")
    assert at.button(key="labels_confirm").disabled
    at.text_input(key="labels_to").set_value("junk").run()
    at.checkbox(key="labels_meaning").check().run()
    assert "8 gold labels are queued for another look." in said(at)
    at.button(key="labels_confirm").click().run()
    assert not at.exception
    assert ws.read.tasks.get(task.id).label_names == ("ham", "junk", "scam")


def test_a_merge_says_what_moves(ws):
    task = fill_task(ws, labels=LABELS)
    at = ask("merge")
    assert at.text_area(key="labels_defined_ham").value == "wanted"
    assert "8 gold labels move." in said(at)
    at.button(key="labels_confirm").click().run()
    assert ws.read.tasks.get(task.id).label_names == ("ham", "scam")


def test_a_split_and_an_order_are_done_once_they_are_whole(ws):
    task = fill_task(ws, labels=LABELS)
    at = ask("split")
    assert at.button(key="labels_confirm").disabled
    at.text_input(key="labels_part_1").set_value("news").run()
    at.button(key="labels_confirm").click().run()
    assert ws.read.tasks.get(task.id).label_names == (*LABELS, "news")
    at = ask("order")
    assert at.button(key="labels_confirm").disabled
    at.button(key="labels_place_ham_0_Down").click().run()
    at.number_input(key="labels_place_news_3").set_value(1).run()
    at.button(key="labels_place_news_0_Down").click().run()
    assert at.button(key="labels_place_spam_0_Up").disabled
    at.button(key="labels_confirm").click().run()
    assert ws.read.tasks.get(task.id).label_names == ("spam", "news", "ham", "scam")


def test_what_waits_is_said_and_a_change_is_undone(open_app, ws):
    task = fill_task(ws, labels=LABELS)
    parts = (("spam", ""), ("news", ""))
    change = change_labels(ws, task.id, Split(label="spam", parts=parts), by="Ada")
    at = open_app("data", view="Labels and criterion")
    assert "8 examples wait" in at.info[0].value
    at.button(key=f"labels_undo_{change.id}").click().run()
    assert not at.exception
    assert ws.read.tasks.get(task.id).label_names == LABELS
    assert not [one for one in at.button if one.key == f"labels_undo_{change.id}"]


def test_only_the_latest_change_can_be_undone(open_app, ws):
    task = fill_task(ws, labels=LABELS)
    parts = (("spam", ""), ("news", ""))
    first = change_labels(ws, task.id, Split(label="spam", parts=parts), by="Ada")
    latest = change_labels(ws, task.id, Merge(label="scam", into="spam"), by="Ada")
    at = open_app("data", view="Labels and criterion")
    keys = {one.key for one in at.button}
    assert f"labels_undo_{latest.id}" in keys
    assert f"labels_undo_{first.id}" not in keys


def test_a_name_that_cannot_be_is_said_before_anything_is_done(ws):
    task = fill_task(ws, labels=LABELS)
    at = ask("add")
    at.text_input(key="labels_name").set_value("Spam").run()
    assert "stands twice" in at.error[0].value
    assert at.button(key="labels_confirm").disabled
    assert ws.read.tasks.get(task.id).label_names == LABELS


def test_two_labels_cannot_be_merged_into_one(open_app, ws):
    task = fill_task(ws)
    at = open_app("data", view="Labels and criterion")
    assert at.button(key=f"labels_merge_{task.labels[0].id}").disabled
