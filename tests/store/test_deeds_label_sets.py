"""Undo across changes of the label set: what was taken back is as if it had never been."""

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.domain.correction import Origin
from studio.domain.label_change import Add, Merge, Rename, Split
from studio.domain.label_plan import plan_change
from studio.errors import InputError
from studio.store.recount import recount
from tests.store.test_deeds import PEOPLE, Editor, label, make_task

NAMES = ("a", "b", "c", "d", "e", "f")
COUNT = itertools.count()


class Desk:
    """A task, people's deeds on it as any editor has them, and what splits made of labels."""

    def __init__(self, ws):
        self.ws = ws
        self.task, self.ids = make_task(ws)
        label(ws, self.task, self.ids, "file.csv", [(0, 0), (1, 1)], origin=Origin.IMPORTED)
        self.start = self.gold()
        self.editors = {who: Editor() for who in PEOPLE}
        self.changes = []

    def now(self):
        return self.ws.store.tasks.get(self.task.id)

    def gold(self):
        return {
            i: (g.label_id, g.origin) for i, g in self.ws.store.labels.gold(self.task.id).items()
        }

    def change(self, deed):
        """Change the label set, if that is allowed."""
        before = {x.id for x in self.now().labels}
        try:
            plan = plan_change(self.now(), deed)
        except InputError:
            return
        change_id = self.ws.store.label_sets.apply(self.task.id, plan, by="Eve", at="2026")
        new = {x.id for x in self.now().labels} - before if isinstance(deed, Split) else set()
        parts = dict.fromkeys(new, plan.again[0] if plan.again else 0)
        self.changes.append((change_id, parts, next(COUNT)))

    def back(self):
        """Take the latest change back: who said a part since says the whole."""
        change_id, parts, since = self.changes.pop()
        self.ws.store.label_sets.undo(self.task.id, change_id, by="Eve", at="2026")
        for editor in self.editors.values():
            for pile in (editor.done, editor.undone):
                for deed in pile:
                    deed[:] = [
                        (at, (parts.get(said, said) if n > since else said, n))
                        for at, (said, n) in deed
                    ]

    def say(self, who, given_, *, bulk):
        """Let a person label examples, by the labels of now."""
        task = self.now()
        said = [(at, n % len(task.labels)) for at, n in given_]
        deed = f"bulk-{next(COUNT)}" if bulk else None
        label(self.ws, task, self.ids, who, said, deed=deed)
        self.editors[who].do([(at, (task.labels[n].id, next(COUNT))) for at, n in said])

    def turn(self, what, who):
        """Undo or redo; what the label set holds stays as it is, and it is told why."""
        editor = self.editors[who]
        held = self.ws.store.deeds.held(self.task.id, who, redo=what == "redo")
        done = getattr(self.ws.store.deeds, what)(self.task.id, who, "2026")
        if done is None:
            assert (held is None) == (not (editor.done if what == "undo" else editor.undone))
        else:
            assert held is None
            meant = getattr(editor, what)()
            assert set(done.example_ids) == {self.ids[at] for at, _ in meant}

    def turn_all(self, what, who):
        """Undo or redo all that is left; nothing holds it."""
        left = self.editors[who].done if what == "undo" else self.editors[who].undone
        for n in range(len(left), 0, -1):
            assert len(left) == n
            self.turn(what, who)
            self.check()
        assert getattr(self.ws.store.deeds, what)(self.task.id, who, "2026") is None

    def check(self):
        """With all changes taken back, all is as if there had been none."""
        said = {
            (row["example_id"], row["person"]): row["label_id"]
            for row in self.ws.store.db.read(
                "SELECT * FROM current_label WHERE task_id = ? AND person != 'file.csv'"
                " AND label_id IS NOT NULL",
                (self.task.id,),
            )
        }
        assert said == {
            (self.ids[at], who): given_
            for who, editor in self.editors.items()
            for at, (given_, _) in editor.holds().items()
        }


place, number = st.integers(0, 2), st.integers(0, 5)
people = st.sampled_from(PEOPLE)
name = st.sampled_from(NAMES)
steps = st.one_of(
    st.tuples(st.just("label"), people, st.lists(st.tuples(place, number), min_size=1, max_size=1)),
    st.tuples(st.just("bulk"), people, st.lists(st.tuples(place, number), min_size=1, max_size=4)),
    st.tuples(st.sampled_from(["undo", "undo", "redo"]), people),
    st.tuples(st.just("merge"), number, number),
    st.tuples(st.just("split"), number, name),
    st.tuples(st.just("rename"), number, name),
    st.tuples(st.just("back")),
    st.tuples(st.just("back")),
)  # fmt: skip


def live(desk, what, *rest):
    """Do one step of a story."""
    names = desk.now().label_names
    if what in ("label", "bulk"):
        desk.say(*rest, bulk=what == "bulk")
    elif what in ("undo", "redo"):
        desk.turn(what, *rest)
    elif what == "merge":
        one, other = (names[n % len(names)] for n in rest)
        desk.change(Merge(label=one, into=other))
    elif what == "split":
        whole = names[rest[0] % len(names)]
        desk.change(Split(label=whole, parts=((whole, ""), (rest[1], ""))))
    elif what == "rename":
        desk.change(Rename(label=names[rest[0] % len(names)], to=rest[1]))
    elif desk.changes:
        desk.back()


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(steps, max_size=20))
def test_with_the_changes_taken_back_undo_goes_on_as_if_there_had_been_none(ws, story):
    desk = Desk(ws)
    for step in story:
        live(desk, *step)
    while desk.changes:
        desk.back()
    desk.check()
    for who in PEOPLE:
        desk.turn_all("undo", who)
    assert desk.gold() == desk.start
    for who in PEOPLE:
        desk.turn_all("redo", who)
    assert recount(ws.store.db) == []


def bulk(ws):
    """Return a task with labels by Ada, and its ids."""
    task, ids = make_task(ws)
    label(ws, task, ids, "Ada", [(0, 0)])
    label(ws, task, ids, "Ada", [(at, 1) for at in (0, 1, 2)], deed=f"bulk-{next(COUNT)}")
    return task, ids


def merge(ws, task, one, other):
    plan = plan_change(ws.store.tasks.get(task.id), Merge(label=one, into=other))
    return ws.store.label_sets.apply(task.id, plan, by="Bo", at="2026")


def test_what_holds_a_label_is_told_with_the_changes_to_undo_first(ws):
    task, ids = bulk(ws)
    assert ws.store.deeds.held(task.id, "Ada") is None
    merged = merge(ws, task, "b", "a")
    held = ws.store.deeds.held(task.id, "Ada")
    assert held.changes == ("“b” was merged into “a”",)
    assert held.sentence == (
        "The last label cannot be undone before a later change of the label set is undone: "
        "“b” was merged into “a”."
    )
    plan = plan_change(ws.store.tasks.get(task.id), Rename(label="c", to="d"))
    renamed = ws.store.label_sets.apply(task.id, plan, by="Bo", at="2026")
    assert "2 later changes" in ws.store.deeds.held(task.id, "Ada").sentence
    assert ws.store.deeds.undo(task.id, "Ada", "2026") is None
    for change in (renamed, merged):
        ws.store.label_sets.undo(task.id, change, by="Bo", at="2026")
    assert set(ws.store.deeds.undo(task.id, "Ada", "2026").example_ids) == set(ids)
    merge(ws, task, "b", "c")
    assert ws.store.deeds.held(task.id, "Ada", redo=True).sentence.startswith("The last undo")
    assert ws.store.deeds.held(task.id, "Ada") is None  # what is older, no change has touched


def test_a_label_that_is_no_more_is_told_to_be_added_again(ws):
    task, ids = make_task(ws)
    plan = plan_change(task, Add(name="new"))
    added = ws.store.label_sets.apply(task.id, plan, by="Bo", at="2026")
    label(ws, ws.store.tasks.get(task.id), ids, "Ada", [(0, 3)])
    label(ws, task, ids, "Ada", [(0, 0)])
    ws.store.label_sets.undo(task.id, added, by="Bo", at="2026")
    held = ws.store.deeds.held(task.id, "Ada")
    assert (held.changes, held.label) == ((), "new")
    ws.store.label_sets.apply(
        task.id, plan_change(ws.store.tasks.get(task.id), Add(name="new")), by="Bo", at="2026"
    )
    assert ws.store.deeds.undo(task.id, "Ada", "2026").label == "a"
    assert ws.store.labels.gold(task.id)[ids[0]].label_id == task.labels[-1].id + 1


def test_a_dispute_that_was_settled_is_opened_again_after_a_merge_was_taken_back(ws):
    task, ids = make_task(ws)
    label(ws, task, ids, "Ada", [(0, 0)])
    label(ws, task, ids, "Bo", [(0, 1)])
    label(ws, task, ids, "Ada", [(1, 2)])
    before = ws.store.labels.gold(task.id)
    label(ws, task, ids, "Ada", [(0, 1)], origin=Origin.ADJUDICATED)
    ws.store.label_sets.undo(task.id, merge(ws, task, "b", "c"), by="Bo", at="2026")
    assert ws.store.deeds.undo(task.id, "Ada", "2026").label == "b"
    assert ws.store.labels.gold(task.id) == before
    assert ws.store.deeds.undo(task.id, "Ada", "2026").label == "c"
