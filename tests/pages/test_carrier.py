"""What a desk could not send before its page was left is stored from whatever page comes next."""

from __future__ import annotations

import pytest

from studio.actions.corrections import undo_correction
from studio.actions.samples import load_sample
from studio.actions.tasks import create_task
from studio.ui.carrier import CARRIER
from tests.pages.conftest import Log, known_as


@pytest.fixture
def keto(ws):
    return load_sample(ws, "keto", by="Ada")


@pytest.fixture
def ids(ws, keto):
    return [e.id for e in ws.read.examples.all(keto.id)[:4]]


def left(task, *entries, person="Ada", instance="grid-0001"):
    """The log of a grid as the browser keeps it."""
    log = [{**entry, "seq": seq} for seq, entry in enumerate(entries, 1)]
    return {
        "instance": instance, "who": known_as(person), "task": task.id, "run": None, "server": "x",
        "log": log, "at": 0,
    }  # fmt: skip


def label(example_id, label):
    return {"do": "label", "id": example_id, "label": str(label.id)}


def bring(at, *blocks):
    """Play the carrier, which knows the newest log first."""
    at.session_state[CARRIER] = Log(log={"blocks": [], "grids": list(blocks)})
    at.run()
    assert not at.exception
    return at


def stored(ws, task):
    found = ws.read.labels.history(task.id)
    return [(c.example_id, c.label_id) for c in found if c.person == "Ada"]


def test_what_two_grids_left_is_stored_once_the_older_one_first(ws, keto, ids, open_app):
    yes, no = keto.labels
    older = left(keto, label(ids[0], yes), label(ids[1], yes), instance="grid-0001")
    newer = left(keto, label(ids[1], no), instance="grid-0002")
    at = bring(open_app("home"), newer, older)
    assert stored(ws, keto) == [(ids[0], yes.id), (ids[1], yes.id), (ids[1], no.id)]
    bring(at, newer, older)
    bring(open_app("data"), newer, older)
    assert len(stored(ws, keto)) == 3


def test_it_belongs_to_its_task_also_when_another_is_chosen(ws, keto, ids, open_app):
    other = create_task(ws, name="other", labels=["a", "b"], by="Ada")
    at = open_app("home")
    at.sidebar.selectbox(key="task").set_value("other").run()
    bring(at, left(keto, label(ids[0], keto.labels[0])))
    assert len(stored(ws, keto)) == 1
    assert not stored(ws, other)


def test_what_another_person_left_waits_for_them(ws, keto, ids, open_app):
    bring(open_app("home"), left(keto, label(ids[0], keto.labels[0]), person="Bob"))
    assert not stored(ws, keto)


def test_an_undo_of_another_server_is_not_repeated(ws, keto, ids, open_app):
    yes = keto.labels[0]
    block = left(keto, label(ids[0], yes), {"do": "undo", "id": ids[0], "n": 1})
    bring(open_app("home"), left(keto, label(ids[0], yes)))
    undo_correction(ws, keto.id, by="Ada")
    bring(open_app("home"), block)
    assert stored(ws, keto) == [(ids[0], yes.id), (ids[0], None)]


@pytest.mark.parametrize(
    "block",
    [
        "x", {}, {"task": [1], "log": []},
        {"task": 10**30, "instance": "grid-0001", "log": [{"seq": 1}]},
        {"task": 1, "instance": "grid-0001", "log": [{"seq": 1, "do": "label"}]},
    ],
)  # fmt: skip
def test_what_no_grid_of_ours_wrote_is_nothing(ws, keto, open_app, block):
    theirs = block | {"who": known_as()} if isinstance(block, dict) else block
    bring(open_app("home"), theirs)
    assert not stored(ws, keto)
