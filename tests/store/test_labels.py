"""Label history: whatever people do, in whatever order, gold is what a naive fold says."""

import itertools
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.domain.correction import Origin
from studio.domain.example import Split
from studio.errors import InputError
from studio.store.labels import NewLabel

PEOPLE = ("Ada", "Bo", "Cy")
COUNT = itertools.count()
PEOPLES_OWN = (Origin.BLIND, Origin.ASSISTED, Origin.ADJUDICATED)


def make_task(ws, n=3):
    number = next(COUNT)
    task = ws.store.tasks.create(
        name=f"t{number}", question="", labels=[("a", ""), ("b", ""), ("c", "")], criterion=None,
        by="Ada", at="2026",
    )  # fmt: skip
    rows = [(f"{number}-{i}", f"text {i}", Split.TRAIN, {}) for i in range(n)]
    return task, ws.store.examples.add(task.id, rows, "2026")


@dataclass
class Fold:
    """The naive telling: every person keeps a pile of decisions, and undo takes the top one off."""

    made: int = 0
    piles: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    clients: set = field(default_factory=set)

    def decide(self, person, example, label, origin, client=None):
        if client is not None and client in self.clients:
            return
        self.clients.add(client)
        self.made += 1
        pile = self.piles.setdefault(person, [])
        pile.append((self.made, example, label, origin))

    def undo(self, person):
        if self.piles.get(person):
            self.piles[person].pop()

    def from_file(self, example, label):
        self.made += 1
        self.files[example] = (self.made, example, label, Origin.IMPORTED)

    def gold(self):
        standing = {}
        for pile in self.piles.values():
            own = {}
            for decision in pile:
                own[decision[1]] = decision
            for example, decision in own.items():
                standing.setdefault(example, []).append(decision)
        result = {}
        for example in {*standing, *self.files}:
            given_ = [d for d in standing.get(example, []) if d[2] is not None]
            judged = [d for d in given_ if d[3] is Origin.ADJUDICATED]
            file = [self.files[example]] if example in self.files else []
            if judged:
                result[example] = max(judged)[2]
            elif given_:
                votes = Counter(d[2] for d in given_)
                best = max(votes.values())
                result[example] = max(d for d in given_ if votes[d[2]] == best)[2]
            elif file:
                result[example] = file[0][2]
        return result


people = st.sampled_from(PEOPLE)
places = st.integers(0, 2)
decisions = st.tuples(
    st.just("decide"), people, places, st.sampled_from([0, 1, 2, None]),
    st.sampled_from(PEOPLES_OWN), st.sampled_from([None, "k1", "k2", "k3"]),
)  # fmt: skip
deeds = st.one_of(
    decisions,
    decisions,
    st.tuples(st.just("undo"), people),
    st.tuples(st.just("undo"), people),
    st.tuples(st.just("file"), places, st.integers(0, 2)),
)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(deeds, max_size=14))
def test_gold_is_what_a_naive_fold_says(ws, story):
    task, ids = make_task(ws)
    fold = Fold()
    for deed in story:
        if deed[0] == "undo":
            ws.store.deeds.undo(task.id, deed[1], "2026")
            fold.undo(deed[1])
            continue
        if deed[0] == "file":
            _, place, label = deed
            row = NewLabel(example_id=ids[place], label_id=task.labels[label].id,
                           person="file x.csv", origin=Origin.IMPORTED)  # fmt: skip
            fold.from_file(ids[place], row.label_id)
        else:
            _, person, place, label, origin, client = deed
            row = NewLabel(
                example_id=ids[place], person=person, origin=origin,
                label_id=None if label is None else task.labels[label].id,
                client=client and f"{task.id}-{client}",
            )  # fmt: skip
            fold.decide(person, ids[place], row.label_id, origin, row.client)
        ws.store.labels.append(task.id, [row], "2026")
    gold = ws.store.labels.gold(task.id)
    assert {i: g.label_id for i, g in gold.items()} == fold.gold()


def decide(ws, task, example, label, person="Ada", **more):
    label_id = None if label is None else task.label(label).id
    new = NewLabel(
        example_id=example, label_id=label_id, person=person,
        **{"origin": Origin.BLIND, **more},
    )  # fmt: skip
    return ws.store.labels.append(task.id, [new], "2026")


def gold_names(ws, task):
    return {i: task.name_of(g.label_id) for i, g in ws.store.labels.gold(task.id).items()}


def test_undo_goes_back_step_by_step_and_then_stops(ws):
    task, (one, two, _) = make_task(ws)
    decide(ws, task, one, "a")
    decide(ws, task, two, "b")
    decide(ws, task, one, "c")
    seen = []
    while ws.store.deeds.undo(task.id, "Ada", "2026"):
        seen.append(gold_names(ws, task))
    assert seen == [{one: "a", two: "b"}, {one: "a"}, {}]
    assert ws.store.deeds.undo(task.id, "Bo", "2026") is None
    assert len(ws.store.labels.history(task.id)) == 6  # nothing was ever taken out


def test_a_decision_after_an_undo_can_be_undone(ws):
    task, (one, *_) = make_task(ws)
    decide(ws, task, one, "a")
    decide(ws, task, one, "b")
    ws.store.deeds.undo(task.id, "Ada", "2026")
    decide(ws, task, one, "c")
    assert ws.store.deeds.undo(task.id, "Ada", "2026").label == "c"
    assert gold_names(ws, task) == {one: "a"}


def test_undo_brings_gold_back_where_people_differ(ws):
    """A slip that is undone leaves no trace in a tie that the other person had won."""
    task, (one, *_) = make_task(ws)
    decide(ws, task, one, "a", "Ada")
    decide(ws, task, one, "b", "Bo")
    before = ws.store.labels.gold(task.id)
    decide(ws, task, one, "c", "Ada")
    ws.store.deeds.undo(task.id, "Ada", "2026")
    assert ws.store.labels.gold(task.id) == before


def test_undo_takes_back_only_the_own_decisions(ws):
    task, (one, *_) = make_task(ws)
    decide(ws, task, one, "a", "Ada")
    decide(ws, task, one, "b", "Bo")
    ws.store.deeds.undo(task.id, "Ada", "2026")
    assert gold_names(ws, task) == {one: "b"}


def test_what_a_file_said_counts_again_when_people_withdraw(ws):
    task, (one, *_) = make_task(ws)
    decide(ws, task, one, "a", "file x.csv", origin=Origin.IMPORTED)
    decide(ws, task, one, "b")
    assert gold_names(ws, task) == {one: "b"}
    decide(ws, task, one, None)
    assert gold_names(ws, task) == {one: "a"}


def test_a_decision_sent_again_counts_once(ws):
    task, (one, two, _) = make_task(ws)
    new = NewLabel(example_id=one, label_id=task.label("a").id, person="Ada", origin=Origin.BLIND,
                   client="grid-1:1")  # fmt: skip
    other = NewLabel(example_id=two, label_id=task.label("b").id, person="Ada", origin=Origin.BLIND,
                     client="grid-1:2")  # fmt: skip
    assert ws.store.labels.append(task.id, [new], "2026") == 1
    assert ws.store.labels.append(task.id, [new, other, other], "2026") == 1
    assert ws.store.labels.append(task.id, [new, other], "2026") == 0
    assert len(ws.store.labels.history(task.id)) == 2


def test_a_decision_on_a_foreign_example_stores_nothing(ws):
    task, (one, *_) = make_task(ws)
    _, (foreign, *_) = make_task(ws)
    rows = [
        NewLabel(example_id=i, label_id=task.labels[0].id, person="Ada", origin=Origin.BLIND)
        for i in (one, foreign)
    ]
    with pytest.raises(InputError, match="another task"):
        ws.store.labels.append(task.id, rows, "2026")
    assert ws.store.labels.history(task.id) == []
    assert ws.store.labels.gold(task.id) == {}


def test_assisted_gold_is_no_blind_gold(ws):
    task, (one, two, _) = make_task(ws)
    decide(ws, task, one, "a", origin=Origin.ASSISTED)
    decide(ws, task, two, "a", origin=Origin.IMPORTED, person="file")
    assert set(ws.store.labels.gold(task.id)) == {one, two}
    assert set(ws.store.labels.gold(task.id, blind_only=True)) == {two}
    assert set(ws.store.labels.current(task.id)) == {one}
