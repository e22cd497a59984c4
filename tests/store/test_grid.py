"""The labeling grid: every row once, and a test example shows no model before the person."""

import contextlib
import itertools
import math
import random
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.domain.correction import Origin
from studio.domain.example import Split
from studio.domain.mark import Mark, MarkKind
from studio.domain.run import Answer, ClassifierKind, Outcome, Run
from studio.store import grid_ways
from studio.store.grid_filter import ANYBODY, GridFilter, IdSet, Order
from studio.store.labels import NewLabel
from studio.store.recount import recount
from studio.store.runs import Result
from studio.store.store import Store
from tests.store.grid_model import (
    DAYS,
    PEOPLE,
    SPLITS,
    WORDS,
    check,
    expected,
    filters,
    read_all,
    walk,
)

NAMES = itertools.count()
PROFILE = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ORIGINS = (Origin.BLIND, Origin.ASSISTED, Origin.ADJUDICATED)


@pytest.fixture(scope="module")
def desk(tmp_path_factory, template):
    """A task whose examples have every mixture of predictions, labels, marks and the rest."""
    path = tmp_path_factory.mktemp("grid") / "studio.db"
    shutil.copyfile(template, path)
    store = Store(path)
    chance = random.Random(7)
    task, ids, run, other = begin(
        store,
        [
            (f"{chance.choice(WORDS)} {i}", Split(chance.choice(SPLITS)))
            for i in range(140)
        ],
    )  # fmt: skip
    for i in ids:
        for which, share in ((run, 0.75), (other, 0.5)):
            if chance.random() < share:
                label = chance.choice([0, 1, 2, 0, 1, 2, None])
                # Few different confidences, so that pages end in the middle of equal ones.
                sure = chance.choice([0.4, 0.5, 1 / 3, 0.9, None])
                say(store, task, which, i, label, sure, chance.choice(["error", "abstained"]))
    for day in DAYS:
        for person in (*PEOPLE, "file.csv"):
            origin = Origin.IMPORTED if person == "file.csv" else chance.choice(ORIGINS)
            chosen = chance.sample(ids, 12)
            decide(store, task, chosen, person, chance.choice([0, 1, 2, None]), origin, day)
    for i in ids:
        if chance.random() < 0.5:
            kind = chance.choice(["flag", "note", "skip"])
            mark(store, task, i, chance.choice(PEOPLE), kind, present=chance.random() < 0.8)
    for person in PEOPLE:
        assign(store, task, chance.sample(ids, 20), person, is_closed=person == "Cy")
        queue_again(store, task, chance.sample(ids, 30), is_undone=person == "Cy")
    decide(store, task, ids[:20], "Ada", 1, Origin.BLIND, DAYS[-1])
    yield store, task, run, other, ids
    store.close()


def begin(store, rows):
    """Make a task with examples and two runs."""
    number = next(NAMES)
    task = store.tasks.create(name=f"t{number}", question="", criterion=None, by="A", at="2026",
                              labels=[("a", ""), ("b", ""), ("c", "")])  # fmt: skip
    ids = store.examples.add(
        task.id, [(f"x{i}", text, split, {}) for i, (text, split) in enumerate(rows)], "2026"
    )
    runs = [
        store.file_run(
            Run(id=0, task_id=task.id, kind=ClassifierKind.PROMPT, title=name, splits=SPLITS),
            example_ids=ids, now=0.0,
        )
        for name in ("p", "rules")
    ]  # fmt: skip
    return task, ids, *runs


def say(store, task, run, example_id, label, sure, outcome):
    name = None if label is None else "abc"[label]
    answer = Answer(outcome=Outcome(outcome) if name is None else Outcome.OK, label=name,
                    probabilities={name: sure} if name and sure else {})  # fmt: skip
    label_id = None if label is None else task.labels[label].id
    result = Result(example_id=example_id, label_id=label_id, answer=answer)
    store.runs.commit(run, [result], at="2026")


def decide(store, task, ids, person, label, origin, at):
    label_id = None if label is None else task.labels[label].id
    new = [NewLabel(example_id=i, label_id=label_id, person=person, origin=origin) for i in ids]
    store.labels.append(task.id, new, at)


def mark(store, task, example_id, person, kind, *, present):
    new = Mark(example_id=example_id, person=person, kind=MarkKind(kind), text="", at="2026")
    store.marks.set(task.id, new, present=present)


def assign(store, task, ids, person, *, is_closed):
    with store.transaction() as conn:
        number = conn.execute(
            "INSERT INTO assignment_round (task_id, name, people, overlap, created_by, created_at,"
            " closed_at) VALUES (?, 'r', '[]', 0, 'A', '2026', ?)",
            (task.id, "2026" if is_closed else None),
        ).lastrowid
        conn.executemany(
            "INSERT OR IGNORE INTO assignment (task_id, person, example_id, round_id)"
            " VALUES (?,?,?,?)", [(task.id, person, i, number) for i in ids],
        )  # fmt: skip


def queue_again(store, task, ids, *, is_undone):
    with store.transaction() as conn:
        last = conn.execute("SELECT coalesce(max(id), 0) FROM label_event").fetchone()[0]
        number = conn.execute(
            "INSERT INTO label_change (task_id, kind, body, after_event, person, at, undone_at)"
            " VALUES (?, 'split', ?, ?, 'A', '2026', ?)",
            (task.id, '{"names": []}', last, "2026" if is_undone else None),
        ).lastrowid
        conn.executemany(
            "INSERT INTO relook (task_id, change_id, example_id) VALUES (?,?,?)",
            [(task.id, number, i) for i in set(ids)],
        )


def weigh(patch, few):
    """Make every walk look long, or every one short."""
    patch.setattr(grid_ways, "few", lambda _: 10**6 if few else -1)


@PROFILE
@given(data=st.data())
def test_paging_shows_every_wanted_row_once_and_in_order(desk, data):
    store, task, run, other, ids = desk
    f = data.draw(filters([label.id for label in task.labels], ids, other))
    shown = data.draw(st.sampled_from([run, run, run, None]))
    with pytest.MonkeyPatch.context() as patch:
        weigh(patch, data.draw(st.booleans()))  # gather and sort, or walk in order
        person, limit = (
            data.draw(st.sampled_from([*PEOPLE, "Nobody"])),
            data.draw(st.integers(1, 60)),
        )
        check(store, task, shown, other if f.differs_from else None, person, f, limit)


@PROFILE
@given(data=st.data())
def test_any_workspace_is_shown_as_a_naive_reading_of_it_wants(template, tmp_path, data):
    """Also after splits were changed, labels taken back and predictions forgotten."""
    path = tmp_path / f"{next(NAMES)}.db"
    shutil.copyfile(template, path)
    with contextlib.closing(Store(path)) as store:
        _try_any_workspace(store, data.draw)


def _try_any_workspace(store, draw):
    _, _, foreign, _ = begin(store, [("alpha", Split.TRAIN)])
    texts = st.sampled_from([*WORDS, "麺と面", "ＰＬＡＩＮ x"])
    split = st.sampled_from(list(Split))
    task, ids, run, other = begin(store, draw(st.lists(st.tuples(texts, split), max_size=24)))
    kinds = ["say", "say", "other", "label", "label", "label", "move", "undo", "forget", "mark",
             "assign", "again"]  # fmt: skip
    deed = st.tuples(
        st.sampled_from(kinds), st.integers(0, max(len(ids) - 1, 0)),
        st.sampled_from([0, 1, 2, None]), st.sampled_from([0.25, 0.5, 1.0, None]), split,
        st.sampled_from(PEOPLE), st.booleans(),
    )  # fmt: skip
    deeds = draw(st.lists(deed, max_size=60)) if ids else []
    for turn, (kind, place, label, sure, where, person, yes) in enumerate(deeds):
        example_id, at = ids[place], DAYS[turn * len(DAYS) // len(deeds)]
        if kind in ("say", "other"):
            say(store, task, run if kind == "say" else other, example_id, label, sure, "error")
        elif kind == "label":
            origin = ORIGINS[place % 3] if yes else Origin.IMPORTED
            decide(store, task, [example_id], person if yes else "file.csv", label, origin, at)
        elif kind == "move":
            store.examples.set_splits(task.id, {example_id: where})
        elif kind == "undo":
            store.deeds.undo(task.id, person, at)
        elif kind == "mark":
            mark(store, task, example_id, person, ("flag", "note")[place % 2], present=yes)
        elif kind == "assign":
            assign(store, task, [example_id], person, is_closed=yes)
        elif kind == "again":
            queue_again(store, task, [example_id], is_undone=yes)
        else:
            store.runs.forget_errors(run.id)
    f = draw(filters([label.id for label in task.labels], ids, other))
    with pytest.MonkeyPatch.context() as patch:
        weigh(patch, draw(st.booleans()))
        check(store, task, draw(st.sampled_from([run, run, run, None])),
              other if f.differs_from else None, draw(st.sampled_from(PEOPLE)), f,
              draw(st.integers(1, 30)))  # fmt: skip
    assert walk(store, task, foreign, "Ada", GridFilter(label_id=foreign.task_id), 50) == []
    assert recount(store.db) == []


def test_a_test_example_shows_its_prediction_only_after_the_own_label(desk):
    store, task, run, _, _ = desk
    rows = walk(store, task, run, "Nobody", GridFilter(splits=("test",)), 200)
    assert rows
    assert {(r["predicted"], r["confidence"], r["outcome"]) for r in rows} == {(None, None, None)}


def telling(task, other):
    """Return every condition that tells what a model, or others, said."""
    return [
        *({"label_id": label.id} for label in task.labels),
        *({"gold_label_id": label.id} for label in task.labels),
        *({"gold_origin": origin.value} for origin in Origin),
        *({"outcome": outcome.value} for outcome in Outcome),
        {"confidence": (0.0, 1.0)}, {"differs_from": other.id}, {"people_differ": True},
        {"show": "errors"},
    ]  # fmt: skip


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("few", [False, True], ids=["walks", "gathers"])
def test_no_filter_tells_what_was_said_of_a_test_example(desk, monkeypatch, few, order):
    """Whatever else is asked: who has not decided finds none, by no way, in no order."""
    store, task, run, other, ids = desk
    weigh(monkeypatch, few)
    beside = [
        {}, {"ids": tuple(ids)}, {"among": IdSet.of(ids)}, {"search": "alpha"}, {"search": "%"},
        {"show": "todo"}, {"mark": "flag"}, {"by": "Bo"}, {"by": ANYBODY}, {"relook": True},
        {"since": DAYS[1]}, {"assigned": True},
    ]  # fmt: skip
    for one, more in itertools.product(telling(task, other), beside):
        f = GridFilter(splits=("test",), order=order, **{**more, **one})
        assert f.tells
        assert walk(store, task, run, "Nobody", f, 200) == []
        assert store.examples.grid_ids(task.id, run_id=run.id, person="Nobody", filter=f) == []


@pytest.mark.parametrize("order", [Order.LEAST_SURE, Order.MOST_SURE])
def test_no_order_tells_how_sure_a_model_is_of_a_test_example(desk, order):
    store, task, run, _, _ = desk
    by_order = GridFilter(splits=("test",), order=order)
    rows = walk(store, task, run, "Nobody", by_order, 7)
    assert [r["id"] for r in rows] == sorted(r["id"] for r in rows)
    assert {r["cursor"][0] for r in rows} == {math.inf}


@pytest.mark.parametrize("few", [False, True], ids=["walks", "gathers"])
def test_no_way_to_a_page_looks_behind_the_mask(desk, monkeypatch, few):
    """Every filter with every other, all orders: what is hidden decides nothing."""
    store, task, run, other, ids = desk
    weigh(monkeypatch, few)
    seen = read_all(store, task, run, "Ada", other=other)
    conditions = [{}, *telling(task, other)[::4], {"show": "todo"}, {"show": "mine"}]
    beside = [{}, {"search": "alpha"}, {"ids": tuple(ids)}, {"mark": "flag"}, {"by": "Bo"}]
    for one, two, more, order in itertools.product(conditions, conditions, beside, Order):
        f = GridFilter(splits=("test",), order=order, **{**one, **two, **more})
        rows = walk(store, task, run, "Ada", f, 200)
        assert [row["id"] for row in rows] == expected(seen, f), f


def test_a_page_is_never_longer_than_200(desk):
    store, task, _, _, _ = desk
    page = store.examples.grid(task.id, run_id=None, person="A", filter=GridFilter(), limit=10_000)
    assert len(page) == 140 <= 200


def test_ids_end_at_their_limit_and_are_the_first(desk):
    store, task, _, _, ids = desk
    f = GridFilter(order=Order.LATEST)
    found = store.examples.grid_ids(task.id, run_id=None, person="A", filter=f, limit=3)
    assert found == ids[:3]


def test_who_has_decided_is_listed_without_files(desk):
    store, task, _, _, _ = desk
    assert store.examples.deciders(task.id) == list(PEOPLE)


def test_a_run_of_another_task_differs_from_nothing(desk):
    store, task, run, _, _ = desk
    other = begin(store, [("alpha", Split.TRAIN)])
    say(store, other[0], other[2], other[1][0], 1, 0.5, "ok")
    assert walk(store, task, run, "Ada", GridFilter(differs_from=other[2].id), 50) == []


@PROFILE
@given(data=st.data())
def test_no_page_reads_a_whole_table(desk, data):
    """Every table is entered by an index, whatever SQLite guesses of its size."""
    store, task, run, other, ids = desk
    f = data.draw(filters([label.id for label in task.labels], ids, other))
    plans = []
    read = store.db.read

    def explained(sql, parameters=()):
        plans.extend(row["detail"] for row in read(f"EXPLAIN QUERY PLAN {sql}", parameters))
        return read(sql, parameters)

    with pytest.MonkeyPatch.context() as patch:
        weigh(patch, data.draw(st.booleans()))
        patch.setattr(store.db, "read", explained)
        store.examples.grid(task.id, run_id=run.id, person="Ada", filter=f)
    assert plans
    apart = ("VIRTUAL TABLE", "CONSTANT ROW", "(subquery")
    whole = [p for p in plans if p.startswith("SCAN") and not any(word in p for word in apart)]
    assert whole == []
