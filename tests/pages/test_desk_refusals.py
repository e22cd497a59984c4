"""What a desk sends that is not of here or can never be stored: told, and in nobody's way."""

from __future__ import annotations

import pytest

from studio.actions.corrections import undo_correction
from studio.actions.label_sets import change_labels
from studio.actions.samples import load_sample
from studio.domain.label_change import Add, Retire
from studio.ui.carrier import CARRIER
from studio.ui.queue_state import CARD
from studio.ui.session import who
from tests.pages.conftest import Log, known_as

VIEWS = ("grid", "queue")
NOT_HERE = "nothing of it was stored here"


@pytest.fixture
def keto(ws):
    return change_labels(ws, load_sample(ws, "keto", by="Ada").id, Add(name="maybe"), by="Ada")


@pytest.fixture
def task(ws, keto):
    return ws.read.tasks.all()[0]


@pytest.fixture
def ids(ws, task):
    return [e.id for e in ws.read.examples.all(task.id)[:6]]


@pytest.fixture
def desk(open_app):
    """Return a function that opens a desk and gives what sends to it as the browser does."""

    def start(view):
        at = open_app("label")
        at.session_state["label_view"] = view
        at.run()

        def send(*entries, of=None, before=()):
            log = [{**entry, "seq": seq} for seq, entry in enumerate(entries, 1)]
            sent = {"instance": "browser-1", "who": of or known_as(), "seq": len(log), "log": log}
            if view == "grid":
                key = at.session_state["label_grid"].mount.key
                at.session_state[key] = sent | {"before": list(before)}
            else:
                sent |= {"version": at.session_state["queue_state"].version, "acked": 0}
                at.session_state[CARD] = Log(log={"blocks": [sent]})
            at.run()
            assert not at.exception, at.exception
            return at

        return send

    return start


def label(example_id, label):
    return {"do": "label", "id": example_id, "label": str(label.id)}


def stored(ws, task):
    found = ws.read.labels.history(task.id)
    return [(c.example_id, c.label_id) for c in found if c.person == "Ada"]


def warned(at):
    return " ".join(str(w.value) for w in at.warning)


@pytest.mark.parametrize("what", ["workspace_id", "generation"])
@pytest.mark.parametrize("view", VIEWS)
def test_what_was_keyed_in_another_workspace_is_not_stored_here(ws, task, ids, desk, view, what):
    send = desk(view)
    theirs = known_as()
    ws.store.tasks.set_setting(what, "another")
    assert who(ws, "Ada") != theirs
    send(label(ids[0], task.labels[0]), of=theirs)
    assert stored(ws, task) == []
    send(label(ids[0], task.labels[0]))
    assert stored(ws, task) == [(ids[0], task.labels[0].id)]


def test_a_grid_of_another_workspace_is_told_and_drawn_anew(ws, task, ids, open_app):
    at = open_app("label")
    key = at.session_state["label_grid"].mount.key
    del at.session_state["label_grid"]
    log = [{**label(ids[0], task.labels[0]), "seq": 1}]
    at.session_state[key] = {"instance": "browser-1", "who": "x", "seq": 1, "log": log}
    at.run()
    assert stored(ws, task) == []
    assert NOT_HERE in warned(at)
    assert at.session_state["label_grid"].mount.key != key
    next(b for b in at.button if b.label == "Seen").click().run()
    assert not warned(at)


def test_what_was_left_in_another_workspace_is_not_brought(ws, task, ids, open_app):
    log = [{**label(ids[0], task.labels[0]), "seq": 1}]
    block = {"instance": "grid-0001", "who": "x", "task": task.id, "run": None, "log": log}
    at = open_app("home")
    at.session_state[CARRIER] = Log(log={"blocks": [], "grids": [block]})
    at.run()
    assert not at.exception
    assert stored(ws, task) == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_label_given_up_meanwhile_is_told_and_the_others_are_stored(ws, task, ids, desk, view):
    send = desk(view)
    yes, _, maybe = task.labels
    change_labels(ws, task.id, Retire(label="maybe"), by="Bo")
    entries = [label(ids[0], maybe), label(ids[1], yes)]
    at = send(*entries)
    assert stored(ws, task) == [(ids[1], yes.id)]
    assert "1 decision could not be stored" in warned(at)
    assert "given up meanwhile" in warned(at)
    if view == "queue":
        assert at.session_state["queue_state"].given == {ids[1]}
    else:
        assert at.session_state["label_grid"].revision > 0, "the row shows what is stored"
    at = send(*entries, label(ids[2], yes))
    assert "1 decision could not be stored" in warned(at), "until somebody has seen it"
    assert stored(ws, task)[1:] == [(ids[2], yes.id)]


@pytest.mark.parametrize("view", VIEWS)
def test_one_that_can_never_be_stored_keeps_nothing_else_from_being_stored(
    ws, task, ids, desk, view
):
    send, yes = desk(view), task.labels[0]
    entries = [label(ids[0], yes), label(10**9, yes), label(ids[1], yes)]
    at = send(*entries)
    assert stored(ws, task) == [(ids[0], yes.id), (ids[1], yes.id)]
    assert "1 decision could not be stored" in warned(at)
    send(*entries, label(ids[2], yes))
    assert [i for i, _ in stored(ws, task)] == ids[:3]


def test_what_a_grid_before_left_keeps_nothing_from_being_stored(ws, task, ids, desk):
    send, yes = desk("grid"), task.labels[0]
    lost = {"instance": "grid-0001", "who": known_as(), "run": None, "server": "x",
            "log": [{**label(10**9, yes), "seq": 1}]}  # fmt: skip
    for n in (1, 2):
        send(*[label(i, yes) for i in ids[:n]], before=[lost])
    assert [i for i, _ in stored(ws, task)] == ids[:2]


def test_a_deed_on_many_leaves_out_what_cannot_be_stored_and_is_one_undo(ws, task, ids, desk):
    yes = task.labels[0]
    given = [[ids[0], str(yes.id)], [10**9, str(yes.id)], [ids[1], str(yes.id)]]
    at = desk("grid")({"do": "bulk", "given": given})
    assert [i for i, _ in stored(ws, task)] == ids[:2]
    assert "1 decision could not be stored" in warned(at)
    assert set(undo_correction(ws, task.id, by="Ada").example_ids) == set(ids[:2])


def test_the_grid_goes_on_after_what_the_page_before_it_left(ws, task, ids, open_app):
    yes = task.labels[0]
    at = open_app("label")
    at.session_state["label_grid"].at = ids[0]  # heard before the last keys
    log = [{**label(i, yes), "seq": seq} for seq, i in enumerate(ids[:2], 1)]
    block = {"instance": "grid-0001", "who": known_as(), "task": task.id, "run": None,
             "server": "x", "log": log, "row": ids[2]}  # fmt: skip
    at.session_state[CARRIER] = Log(log={"blocks": [], "grids": [block]})
    at.run()
    assert len(stored(ws, task)) == 2
    assert at.session_state["label_grid"].at == ids[2]
