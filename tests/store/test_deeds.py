"""Undo and redo over labels and marks: whatever the order, what holds is what a model says."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.domain.correction import Mode, Origin
from studio.domain.example import Split
from studio.domain.gold import resolve_gold
from studio.domain.mark import Mark, MarkKind
from studio.store.labels import NewLabel
from studio.store.recount import recount

PEOPLE = ("Ada", "Bo")
COUNT = itertools.count()


def make_task(ws, n=3):
    number = next(COUNT)
    task = ws.store.tasks.create(
        name=f"t{number}", question="", labels=[("a", ""), ("b", ""), ("c", "")], criterion=None,
        by="Ada", at="2026",
    )  # fmt: skip
    rows = [(f"{number}-{i}", f"text {i}", Split.TRAIN, {}) for i in range(n)]
    return task, ws.store.examples.add(task.id, rows, "2026")


class Editor:
    """One person's desk, as any editor has it: what was done, and what was undone of it."""

    def __init__(self):
        self.done, self.undone = [], []

    def do(self, deed):
        self.done.append(deed)
        self.undone.clear()

    def undo(self):
        if not self.done:
            return None
        self.undone.append(self.done.pop())
        return self.undone[-1]

    def redo(self):
        if not self.undone:
            return None
        self.done.append(self.undone.pop())
        return self.done[-1]

    def holds(self):
        """Return {(what, place): value} of the deeds that stand."""
        return {key: value for deed in self.done for key, value in deed}


def label(ws, task, ids, who, given_, *, deed=None, origin=Origin.BLIND, mode=Mode.OTHER):
    rows = [
        NewLabel(
            example_id=ids[place], person=who, origin=origin, deed=deed, mode=mode,
            label_id=None if number is None else task.labels[number].id,
        )
        for place, number in given_
    ]  # fmt: skip
    ws.store.labels.append(task.id, rows, "2026")


def mark(ws, task, example, who, kind, text="", *, present=True):
    put = Mark(example_id=example, person=who, kind=kind, text=text, at="2026")
    return ws.store.marks.set(task.id, put, present=present)


def gold_anew(ws, task):
    """Return gold from the whole history, told again from the start."""
    events = ws.store.labels.history(task.id)
    by_id = {e.id: e for e in events}
    undone = set()
    for e in events:
        if e.undoes is None:
            continue
        target = by_id[e.undoes]
        if target.undoes is None:
            undone.add(target.id)
        else:
            undone.discard(target.undoes)
    standing = {}
    for e in events:
        if e.undoes is None and e.id not in undone:
            standing[e.example_id, e.person] = e
    found = {}
    for e in standing.values():
        found.setdefault(e.example_id, []).append(e)
    return {i: gold for i, now in found.items() if (gold := resolve_gold(now))}


people = st.sampled_from(PEOPLE)
place = st.integers(0, 2)
value = st.sampled_from([0, 1, 2, None])
steps = st.one_of(
    st.tuples(st.just("label"), people, st.lists(st.tuples(place, value), min_size=1, max_size=1)),
    st.tuples(st.just("bulk"), people, st.lists(st.tuples(place, value), min_size=1, max_size=4)),
    st.tuples(
        st.just("mark"), people, place, st.sampled_from(MarkKind), st.sampled_from(["", "x", None])
    ),
    st.tuples(st.just("undo"), people),
    st.tuples(st.just("undo"), people),
    st.tuples(st.just("redo"), people),
)  # fmt: skip


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(steps, max_size=16))
def test_any_order_of_undo_and_redo_is_what_an_editor_does(ws, story):
    task, ids = make_task(ws)
    desks = {who: Editor() for who in PEOPLE}
    for number, (what, who, *rest) in enumerate(story):
        desk = desks[who]
        if what in ("undo", "redo"):
            told = getattr(ws.store.deeds, what)(task.id, who, "2026")
            meant = getattr(desk, what)()
            assert (told is None) == (meant is None)
            if told is not None:
                assert set(told.example_ids) == {ids[key[1]] for key, _ in meant}
                assert told.kind == ("label" if meant[0][0][0] == "label" else "mark")
        elif what == "mark":
            where, kind, text = rest
            before = desk.holds().get((kind, where))
            changed = mark(ws, task, ids[where], who, kind, text or "", present=text is not None)
            assert changed == (before != text)
            if changed:
                desk.do([((kind, where), text)])
        else:
            deed = f"{task.id}-{number}" if what == "bulk" else None
            label(ws, task, ids, who, rest[0], deed=deed)
            desk.do([(("label", at), given_) for at, given_ in rest[0]])
        assert ws.store.labels.gold(task.id) == gold_anew(ws, task)
        found = ws.store.labels.said(task.id)
        who = [found.people[place] for place in found.person]
        said = dict(zip(zip(found.example_id, who, strict=True), found.label_id, strict=True))
        assert said == {
            (ids[at], one): task.labels[number].id
            for one in PEOPLE
            for (kind, at), number in desks[one].holds().items()
            if kind == "label" and number is not None
        }
        for one in PEOPLE:
            meant = {}
            for (kind, at), text in desks[one].holds().items():
                if kind != "label" and text is not None:
                    meant.setdefault(ids[at], {})[kind] = text
            assert ws.store.marks.of(task.id, ids, one) == meant
    assert recount(ws.store.db) == []


def test_a_deed_is_taken_back_whole_and_put_back_whole(ws):
    task, ids = make_task(ws)
    label(ws, task, ids, "Ada", [(0, 1)])
    label(ws, task, ids, "Ada", [(0, 0), (1, 0), (2, 0)], deed="bulk-1", origin=Origin.ASSISTED)
    before = ws.store.labels.gold(task.id)
    undone = ws.store.deeds.undo(task.id, "Ada", "2026")
    assert (undone.example_ids, undone.deed, undone.label) == (tuple(ids), "bulk-1", "a")
    assert {i: g.label_id for i, g in ws.store.labels.gold(task.id).items()} == {
        ids[0]: task.labels[1].id
    }
    assert ws.store.deeds.redo(task.id, "Ada", "2026") == undone
    assert ws.store.labels.gold(task.id) == before  # the same events settle it as before


def test_after_something_new_there_is_nothing_to_put_back(ws):
    task, ids = make_task(ws)
    label(ws, task, ids, "Ada", [(0, 0)])
    ws.store.deeds.undo(task.id, "Ada", "2026")
    mark(ws, task, ids[1], "Ada", MarkKind.FLAG)
    assert ws.store.deeds.redo(task.id, "Ada", "2026") is None
    label(ws, task, ids, "Bo", [(2, 0)])  # another person's deed changes nothing of hers
    assert ws.store.deeds.undo(task.id, "Ada", "2026").mark is MarkKind.FLAG
    assert ws.store.deeds.redo(task.id, "Ada", "2026").mark is MarkKind.FLAG


def test_what_a_change_of_the_label_set_moved_is_not_undone_by_a_key(ws):
    task, ids = make_task(ws)
    label(ws, task, ids, "Ada", [(0, 0)])
    label(ws, task, ids, "Ada", [(0, 1)], mode=Mode.LABEL_CHANGE)
    assert ws.store.deeds.undo(task.id, "Ada", "2026") is None


def test_a_retired_label_is_not_brought_back(ws):
    task, ids = make_task(ws)
    label(ws, task, ids, "Ada", [(0, 0)])
    label(ws, task, ids, "Ada", [(0, 1)])
    with ws.store.transaction() as conn:
        conn.execute("UPDATE label SET retired_at = '2026' WHERE id = ?", (task.labels[0].id,))
    assert ws.store.deeds.undo(task.id, "Ada", "2026") is None


def test_marks_are_counted_and_listed(ws):
    task, ids = make_task(ws)
    mark(ws, task, ids[0], "Ada", MarkKind.FLAG)
    mark(ws, task, ids[0], "Bo", MarkKind.FLAG)
    mark(ws, task, ids[1], "Bo", MarkKind.NOTE, "odd")
    assert not mark(ws, task, ids[1], "Bo", MarkKind.NOTE, "odd")
    assert ws.read.marks.counts(task.id) == {MarkKind.FLAG: 1, MarkKind.NOTE: 1, MarkKind.SKIP: 0}
    assert ws.read.marks.counts(task.id, "Ada")[MarkKind.NOTE] == 0
    assert [m.person for m in ws.read.marks.list(task.id, MarkKind.FLAG)] == ["Ada", "Bo"]
    assert ws.read.marks.list(task.id, MarkKind.NOTE, person="Bo")[0].text == "odd"


@pytest.mark.parametrize("table", ["label_event", "mark_event"])
def test_no_event_is_ever_taken_out(ws, table):
    task, ids = make_task(ws)
    label(ws, task, ids, "Ada", [(0, 0)])
    mark(ws, task, ids[0], "Ada", MarkKind.SKIP)
    with pytest.raises(Exception, match="append-only"), ws.store.transaction() as conn:
        conn.execute(f"DELETE FROM {table}")
