"""Many labels at once: what was counted is what happens, and one key takes it back."""

import pytest

from studio.actions import bulk
from studio.actions.adjudication import settle_dispute
from studio.actions.bulk import BulkCount, bulk_count, bulk_label
from studio.actions.corrections import Decision, correct_labels, redo_correction, undo_correction
from studio.actions.runs import Choice, start_run
from studio.domain.correction import Mode, Origin
from studio.errors import InputError
from studio.store.grid import GridFilter


@pytest.fixture
def desk(ws, fill, work):
    task = fill(ws, gold=False)
    started = start_run(
        ws, task.id, choice=Choice(), splits=("train", "validation", "test"), by="Ada"
    )
    work(ws)
    return ws, task, ws.read.runs.get(started.id)


def say(ws, task, example_id, label, by, **more):
    correct_labels(ws, task.id, [Decision(example_id=example_id, label=label)], by=by, **more)


def do(ws, task, target, *, label, run_id, by="Ada"):
    count = bulk_count(ws, task.id, target, label=label, run_id=run_id, by=by)
    return bulk_label(
        ws, task.id, target, label=label, run_id=run_id, expect=count.n, by=by
    )  # fmt: skip


def test_the_count_says_what_will_happen(desk):
    ws, task, run = desk
    ids = ws.read.examples.ids(task.id, ["train"])
    say(ws, task, ids[0], "spam", "Ada")
    say(ws, task, ids[1], "ham", "Ada")
    say(ws, task, ids[2], "ham", "Bo")
    say(ws, task, ids[3], "spam", "Bo")
    count = bulk_count(ws, task.id, ids[:5], label="spam", run_id=run.id, by="Ada")
    assert count == BulkCount(n=4, same=1, own_changed=1, contradicted=1)
    assert bulk_count(ws, task.id, ids[:5], label="spam", run_id=None, by="Ada").n == 4
    done = bulk_label(ws, task.id, ids[:5], label="spam", run_id=run.id, expect=4, by="Ada")
    assert done.n == 4
    assert bulk_count(ws, task.id, ids[:5], label="spam", run_id=run.id, by="Ada").n == 0
    events = [e for e in ws.read.labels.history(task.id) if e.deed == done.deed]
    assert {(e.mode, e.origin, e.run_id) for e in events} == {(Mode.BULK, Origin.ASSISTED, run.id)}


def test_one_undo_takes_all_back_and_one_redo_puts_it_back(desk):
    ws, task, run = desk
    ids = ws.read.examples.ids(task.id, ["train"])
    say(ws, task, ids[0], "ham", "Ada")
    before = ws.read.labels.gold(task.id)
    do(ws, task, GridFilter(), label="spam", run_id=run.id)
    after = ws.read.labels.gold(task.id)
    assert len(after) == 18
    undone = undo_correction(ws, task.id, by="Ada")
    assert len(undone.example_ids) == 18
    assert undone.label == "spam"
    assert ws.read.labels.gold(task.id) == before
    redo_correction(ws, task.id, by="Ada")
    assert ws.read.labels.gold(task.id) == after


@pytest.mark.parametrize("label", ["spam", None])
def test_a_filter_never_reaches_a_test_example(desk, label):
    """The person has looked at none of them, so neither label would be the person's own."""
    ws, task, run = desk
    count = bulk_count(ws, task.id, GridFilter(), label=label, run_id=run.id, by="Ada")
    assert (count.n, count.test_left_out) == (18, 6)
    do(ws, task, GridFilter(), label=label, run_id=run.id)
    assert {g.origin for g in ws.read.labels.gold(task.id).values()} == {Origin.ASSISTED}
    assert ws.read.labels.gold(task.id, ["test"]) == {}
    only_test = GridFilter(splits=("test",))
    count = bulk_count(ws, task.id, only_test, label=label, run_id=run.id, by="Ada")
    assert count == BulkCount(n=0, test_left_out=6)


def test_a_filter_is_not_blind_even_with_no_run_in_sight(desk):
    """Else a search for a word would be blind gold for the rule of the same word."""
    ws, task, _ = desk
    do(ws, task, GridFilter(search="spam"), label="spam", run_id=None)
    gold = ws.read.labels.gold(task.id)
    assert len(gold) == 9
    assert {g.origin for g in gold.values()} == {Origin.ASSISTED}


def test_chosen_examples_are_blind_where_nothing_was_in_sight(desk):
    ws, task, run = desk
    train, test = (ws.read.examples.ids(task.id, [split])[:2] for split in ("train", "test"))
    do(ws, task, [*train, *test], label="ham", run_id=None)
    assert {g.origin for g in ws.read.labels.gold(task.id).values()} == {Origin.BLIND}
    do(ws, task, [*train, *test], label="spam", run_id=run.id)
    gold = ws.read.labels.gold(task.id)
    assert [gold[i].origin for i in (*train, *test)] == [
        Origin.ASSISTED, Origin.ASSISTED, Origin.BLIND, Origin.BLIND,
    ]  # fmt: skip


def test_a_run_is_accepted_but_for_test_and_where_it_says_nothing(ws, fill, work):
    task = fill(ws, gold=False, labels=("ham", "spam", "eggs"))
    started = start_run(ws, task.id, choice=Choice(), splits=("train", "test"), by="Ada")
    work(ws)
    ids = ws.read.examples.ids(task.id, ["train", "test"])
    count = bulk_count(ws, task.id, ids, label=None, run_id=started.id, by="Ada")
    assert count == BulkCount(n=8, unlabeled=4, test_left_out=6)
    do(ws, task, ids, label=None, run_id=started.id)
    said = {
        p.example_id: p.label_id
        for p in ws.read.runs.predictions(started.id, splits=["train"])
        if p.label_id
    }
    assert ws.read.labels.current(task.id) == said


def test_another_count_than_the_confirmed_one_stores_nothing(desk):
    ws, task, run = desk
    events = len(ws.read.labels.history(task.id))
    say(ws, task, ws.read.examples.ids(task.id, ["train"])[1], "ham", "Bo")
    with pytest.raises(InputError, match="18 examples would be labeled now, not the 17"):
        bulk_label(ws, task.id, GridFilter(), label="ham", run_id=run.id, expect=17, by="Ada")
    assert len(ws.read.labels.history(task.id)) == events + 1


def test_too_many_are_refused_in_one_sentence(desk, monkeypatch):
    ws, task, run = desk
    monkeypatch.setattr(bulk, "MOST", 17)
    with pytest.raises(InputError, match="More than 17 examples"):
        bulk_count(ws, task.id, GridFilter(), label="ham", run_id=run.id, by="Ada")


def test_what_cannot_be_is_refused(desk, fill):
    ws, task, run = desk
    other = fill(ws, name="other")
    cases = {
        "Nobody": {"label": "ham", "run_id": None, "by": " "},
        "No run": {"label": None, "run_id": None, "by": "Ada"},
        "another task": {"label": None, "run_id": run.id, "by": "Ada", "task_id": other.id},
        "eggs": {"label": "eggs", "run_id": None, "by": "Ada"},
    }
    for words, case in cases.items():
        task_id = case.pop("task_id", task.id)
        with pytest.raises(InputError, match=words):
            bulk_count(ws, task_id, [1], **case)


def test_examples_of_other_tasks_are_not_touched(desk, fill):
    ws, task, _ = desk
    other = fill(ws, name="other", gold=False)
    ids = ws.read.examples.ids(other.id)
    assert bulk_count(ws, task.id, ids, label="ham", run_id=None, by="Ada") == BulkCount(n=0)


def test_what_this_person_settled_is_never_unsettled_by_many_at_once(desk):
    ws, task, run = desk
    ids = ws.read.examples.ids(task.id, ["train"])[:2]
    settle_dispute(ws, task.id, ids[0], label="ham", by="Ada")
    settle_dispute(ws, task.id, ids[1], label="spam", by="Bo")
    count = bulk_count(
        ws, task.id, GridFilter(splits=("train",)), label="spam", run_id=run.id, by="Ada"
    )
    assert (count.n, count.settled, count.own_changed) == (11, 1, 0)
    do(ws, task, GridFilter(splits=("train",)), label="spam", run_id=run.id)
    gold = ws.store.labels.gold(task.id, ids=ids)
    assert {g.origin for g in gold.values()} == {Origin.ADJUDICATED}
    assert [task.name_of(gold[i].label_id) for i in ids] == ["ham", "spam"]
