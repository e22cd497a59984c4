"""Decisions, marks, and two people on one example."""

import math

import pytest

from studio.actions.agreement import people_agreement
from studio.actions.corrections import (
    Decision,
    correct_labels,
    import_corrections,
    others_since,
    paste_labels,
    redo_correction,
    undo_correction,
)
from studio.actions.marks import LONGEST_NOTE, mark_example
from studio.actions.rules import read_rule, save_rule
from studio.actions.runs import Choice, start_run
from studio.actions.stopwatch import task_stopwatch
from studio.domain.correction import Crossed, Mode, Origin
from studio.domain.mark import MarkKind
from studio.errors import InputError


@pytest.fixture
def desk(ws, fill):
    task = fill(ws, gold=False)
    return ws, task, ws.read.examples.ids(task.id, ["train"])


def say(ws, task, example_id, label, by, **more):
    return correct_labels(
        ws, task.id, [Decision(example_id=example_id, label=label)], by=by, **more
    )


def test_a_decision_keeps_its_mode_and_its_seconds(desk):
    ws, task, (one, two, three, four, *_) = desk
    seconds = {one: 2.5, two: None, three: math.nan, four: 10.0**9}
    decisions = [Decision(example_id=i, label="ham", seconds=s) for i, s in seconds.items()]
    correct_labels(ws, task.id, decisions, mode=Mode.QUEUE, by="Ada")
    events = ws.read.labels.history(task.id)
    assert [e.seconds for e in events] == [2.5, None, None, None]
    assert {e.mode for e in events} == {Mode.QUEUE}


def test_the_later_sees_the_earlier_decision(desk):
    ws, task, (one, two, three, *_) = desk
    say(ws, task, two, "spam", "Bo")
    since = ws.read.labels.last_event(task.id)
    say(ws, task, one, "spam", "Bo")
    say(ws, task, three, "ham", "Bo")
    for example_id in (one, two, three):
        say(ws, task, example_id, "ham", "Ada")
    found = others_since(ws, task.id, [one, two, three], since=since, by="Ada")
    assert [(c.example_id, c.person, c.label, c.own) for c in found] == [(one, "Bo", "spam", "ham")]
    assert isinstance(found[0], Crossed)
    undo_correction(ws, task.id, by="Bo")  # three
    undo_correction(ws, task.id, by="Bo")  # one: nothing of Bo's is left to cross
    assert others_since(ws, task.id, [one, two, three], since=since, by="Ada") == []


def test_who_takes_a_label_over_on_test_does_not_make_it_two_blind_ones(ws, fill):
    task = fill(ws, gold=False)
    one, *_ = ws.read.examples.ids(task.id, ["test"])
    say(ws, task, one, "spam", "Ada")
    say(ws, task, one, "ham", "Bo")
    say(ws, task, one, "spam", "Bo", beside_rule=True, mode=Mode.GRID)
    (gold,) = ws.read.labels.gold(task.id, ["test"], blind_only=True).values()
    assert (task.name_of(gold.label_id), gold.person, gold.origin) == ("spam", "Ada", Origin.BLIND)
    assert people_agreement(ws, task.id).assisted == 1
    with pytest.raises(InputError, match="Only Ada has given blind labels"):
        people_agreement(ws, task.id, blind_only=True)
    undo_correction(ws, task.id, by="Bo")
    assert people_agreement(ws, task.id, blind_only=True).figures.shared == 1


def test_a_test_example_in_the_sight_of_a_run_is_blind_and_names_no_run(ws, fill, work):
    task = fill(ws)
    save_rule(ws, task.id, read_rule("{name: r, label: spam, any: [{regex: 'spam'}]}"), by="Ada")
    run = start_run(ws, task.id, choice=Choice(rules=True), by="Ada")
    for split, origin, run_id in (("train", "assisted", run.id), ("test", "blind", None)):
        one, *_ = ws.read.examples.ids(task.id, [split])
        say(ws, task, one, "ham", "Ada", run_id=run.id)
        (event,) = (e for e in ws.read.labels.history(task.id, example_id=one) if e.person == "Ada")
        assert (event.origin, event.run_id) == (origin, run_id)


@pytest.mark.parametrize("is_shown", [False, True], ids=["no run shown", "a run shown"])
def test_pasted_labels_are_blind_only_where_somebody_says_so(ws, fill, is_shown):
    """Neither test nor a grid without a model tells what was in sight elsewhere."""
    task = fill(ws, gold=False)
    save_rule(ws, task.id, read_rule("{name: r, label: spam, any: [{regex: 'spam'}]}"), by="Ada")
    run_id = start_run(ws, task.id, choice=Choice(rules=True), by="Ada").id if is_shown else None
    train, test = (ws.read.examples.ids(task.id, [split])[0] for split in ("train", "test"))
    for blind in (False, True):
        given = {train: "ham", test: "spam"}
        assert paste_labels(ws, task.id, given, blind=blind, run_id=run_id, by="Ada") == 2
        events = {e.example_id: e for e in ws.read.labels.history(task.id)[-2:]}
        assert {(e.origin.value, e.mode) for e in events.values()} == {
            ("blind" if blind else "assisted", Mode.PASTE)
        }
        assert events[test].run_id is None
        assert events[train].run_id == (None if blind else run_id)
        assert set(ws.read.labels.gold(task.id, blind_only=True)) == (
            set(given) if blind else set()
        )
        undone = undo_correction(ws, task.id, by="Ada")
        assert set(undone.example_ids) == {train, test}


def test_a_file_and_an_example_not_asked_for_cross_nobody(ws, fill):
    task = fill(ws)
    one, two, *_ = ws.read.examples.ids(task.id, ["train"])
    for example_id in (one, two):
        say(ws, task, example_id, "spam", "Ada")
    say(ws, task, two, "ham", "Bo")
    assert others_since(ws, task.id, [one], since=0, by="Ada") == []


def test_the_last_event_is_of_the_task(desk, fill):
    ws, task, (one, two, *_) = desk
    other = fill(ws, name="other", gold=False)
    assert ws.read.labels.last_event(task.id) == 0
    say(ws, task, one, "ham", "Zoe")
    say(ws, task, two, "ham", "Ada")
    last = ws.read.labels.history(task.id)[-1].id
    say(ws, other, ws.read.examples.ids(other.id)[0], "ham", "Bo")
    assert ws.read.labels.last_event(task.id) == last


def test_a_mark_is_undone_by_the_same_key_as_a_label(desk):
    ws, task, (one, two, *_) = desk
    say(ws, task, one, "ham", "Ada")
    assert mark_example(ws, task.id, two, kind=MarkKind.FLAG, by="Ada")
    assert not mark_example(ws, task.id, two, kind=MarkKind.FLAG, by="Ada")
    assert mark_example(ws, task.id, two, kind=MarkKind.NOTE, text=" odd ", by="Ada")
    assert ws.read.marks.of(task.id, [one, two], "Ada") == {
        two: {MarkKind.FLAG: "", MarkKind.NOTE: "odd"}
    }
    assert mark_example(ws, task.id, two, kind=MarkKind.NOTE, text="", by="Ada")  # taken away
    undone = [undo_correction(ws, task.id, by="Ada") for _ in range(4)]
    assert [u.kind for u in undone] == ["mark", "mark", "mark", "label"]
    assert ws.read.marks.of(task.id, [two], "Ada") == {}
    assert undo_correction(ws, task.id, by="Ada") is None
    assert redo_correction(ws, task.id, by="Ada").label == "ham"


def test_a_mark_sent_twice_counts_once(desk):
    ws, task, (one, *_) = desk
    flag = {"kind": MarkKind.FLAG, "by": "Ada"}
    assert mark_example(ws, task.id, one, client="grid-1:1", **flag)
    assert mark_example(ws, task.id, one, present=False, client="grid-1:2", **flag)
    assert not mark_example(ws, task.id, one, client="grid-1:1", **flag)
    assert ws.read.marks.of(task.id, [one], "Ada") == {}


@pytest.mark.parametrize(
    ("words", "how"),
    [
        ("Nobody", {"kind": MarkKind.FLAG, "by": ""}),
        ("not of this task", {"kind": MarkKind.FLAG, "by": "Ada", "example_id": 10**9}),
        (
            "2,001 characters",
            {"kind": MarkKind.NOTE, "by": "Ada", "text": "x" * (LONGEST_NOTE + 1)},
        ),
    ],
)
def test_what_cannot_be_marked_is_said(desk, words, how):
    ws, task, (one, *_) = desk
    with pytest.raises(InputError, match=words):
        mark_example(ws, task.id, how.pop("example_id", one), **how)


def test_a_file_is_one_deed_with_its_notes(desk):
    ws, task, (one, two, *_) = desk
    say(ws, task, one, "spam", "Bo")
    data = b"id,label,Note\ntr0,ham,looks odd\ntr1,ham,\n"
    import_corrections(ws, task.id, data=data, filename="c.csv", by="Bo", blind=True)
    events = [e for e in ws.read.labels.history(task.id) if e.deed]
    assert [(e.mode, e.note) for e in events] == [(Mode.FILE, "looks odd"), (Mode.FILE, "")]
    assert undo_correction(ws, task.id, by="Bo").example_ids == (one, two)
    assert {i: g.label_id for i, g in ws.read.labels.gold(task.id).items()} == {
        one: task.label("spam").id
    }


def test_the_stopwatch_reads_the_workspace(ws, fill):
    task = fill(ws)
    for example_id in ws.read.examples.ids(task.id, ["train"]):
        decision = Decision(example_id=example_id, label="ham", seconds=3.0)
        correct_labels(ws, task.id, [decision], mode=Mode.GRID, by="Ada")
    told = task_stopwatch(ws, task.id).to_dict()
    (way,) = told["ways"]
    assert (way["way"], way["accepted"], way["median_seconds"]) == ("grid, blind", 12, 3.0)
    assert way["references"] == {"a file": 12}
    assert way["agreement"]["value"] == 0.5
    assert told["compared_with"] is None
    with pytest.raises(InputError, match="'Bo' has given no label"):
        task_stopwatch(ws, task.id, person="Bo")
