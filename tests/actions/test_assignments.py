"""Rounds of work: what is given to whom, how far they are, and what ends or undoes them."""

import math

import pytest

from studio.actions.assignments import (
    close_round,
    hand_over_work,
    plan_round,
    round_progress,
    start_round,
    withdraw_round,
)
from studio.actions.corrections import Decision, correct_labels, undo_correction
from studio.errors import ConflictError, InputError, NotFoundError

WHO = ("Ada", "Bo", "Cy")


@pytest.fixture
def task(ws, fill):
    return fill(ws, train=30)


@pytest.fixture
def begin(ws, task):
    """Start a round."""

    def start(people=WHO, **more):
        return start_round(ws, task.id, plan_round(ws, task.id, people=people, **more), by="Ada")

    return start


def label(ws, task, who, ids):
    correct_labels(ws, task.id, [Decision(example_id=i, label="ham") for i in ids], by=who)


def done(ws, task):
    return {s.person: (s.given, s.done) for s in round_progress(ws, task.id)[0].shares}


def test_a_plan_says_what_it_means_and_stores_nothing(ws, task):
    planned = plan_round(ws, task.id, people=WHO, overlap=0.2, together=2, size=20)
    assert planned.plan.examples == 20
    assert len(planned.plan.shared) == 4
    assert sorted(len(ids) for ids in planned.plan.given.values()) == [8, 8, 8]
    assert planned.pool == 30
    assert planned.is_supposed
    assert 0.3 < planned.width < 2
    assert planned.in_pair == 1
    assert planned.to_dict()["expected"]["pair_width"] is None  # one example tells nothing
    assert round_progress(ws, task.id) == []
    again = plan_round(ws, task.id, people=WHO, overlap=0.2, together=2, size=20)
    assert again.plan == planned.plan


def test_people_find_their_own_and_progress_follows(ws, task, begin):
    new = begin(overlap=0.2)
    assert (new.name, new.examples, new.shared, new.together) == ("Round 1", 30, 6, 3)
    mine = ws.read.assignments.open_for(task.id, "Ada")
    assert len(mine) == 14
    label(ws, task, "Ada", mine[:5])
    label(ws, task, "Bo", mine[:5])  # that somebody else labeled it does not do Ada's part
    assert ws.read.assignments.open_for(task.id, "Ada") == mine[5:]
    assert done(ws, task)["Ada"] == (14, 5)
    undo_correction(ws, task.id, by="Ada")
    assert done(ws, task)["Ada"] == (14, 4)
    assert ws.read.assignments.open_for(task.id, "Nobody") == []


def test_a_second_round_takes_other_examples(ws, task, begin):
    begin(size=20)
    assert begin(size=None).examples == 10
    with pytest.raises(InputError, match="No example of train is left"):
        begin()
    assert begin(splits=["validation", "test"], overlap=0).examples == 12


def test_what_people_labeled_and_what_has_gold_can_stay_out(ws, fill):
    task = fill(ws, train=10, gold=False)
    ids = ws.store.examples.ids(task.id, ["train"])
    label(ws, task, "Di", ids[:3])
    assert plan_round(ws, task.id, people=WHO).pool == 10
    assert plan_round(ws, task.id, people=("Ada", "Di")).pool == 7
    assert plan_round(ws, task.id, people=WHO, without_gold=True).pool == 7


def test_closing_frees_what_is_left(ws, task, begin):
    new = begin(overlap=0)
    mine = ws.read.assignments.open_for(task.id, "Ada")
    label(ws, task, "Ada", mine[:4])
    ended = close_round(ws, task.id, new.id)
    assert {s.person: (s.given, s.done) for s in ended.shares}["Ada"] == (10, 4)
    assert done(ws, task)["Bo"] == (10, 0)
    assert ws.read.assignments.open_for(task.id, "Ada") == []
    assert plan_round(ws, task.id, people=WHO).pool == 26
    undo_correction(ws, task.id, by="Ada")
    assert done(ws, task)["Ada"] == (10, 4)  # as it stood when it was closed
    assert begin(overlap=1).examples == 27
    for change in (close_round, withdraw_round):
        with pytest.raises(ConflictError, match="was closed on"):
            change(ws, task.id, new.id)


def test_work_is_handed_over_evenly_and_nobody_gets_an_example_twice(ws, task, begin):
    new = begin(overlap=0.2)
    mine = ws.read.assignments.open_for(task.id, "Ada")
    shared = [i for i in mine if i in ws.read.assignments.open_for(task.id, "Bo")]
    alone = [i for i in mine if i not in shared]
    label(ws, task, "Ada", alone[:2])
    label(ws, task, "Di", alone[2:4])
    taken = hand_over_work(ws, task.id, new.id, giver="Ada", takers=["Bo", "Di"])
    assert sum(taken.values()) == len(mine) - 2
    assert taken["Di"] > taken["Bo"]
    assert ws.read.assignments.open_for(task.id, "Ada") == []
    assert done(ws, task)["Ada"] == (2, 2)
    assert not set(alone[2:4]) & set(ws.read.assignments.open_for(task.id, "Di"))
    assert ws.read.assignments.get(task.id, new.id).people == (*WHO, "Di")
    for giver, takers, said in (
        ("Ada", ["Bo"], "Ada has nothing left"),
        ("Bo", ["Bo"], "Bo cannot take over from Bo"),
        ("Bo", [""], "Nobody is named"),
    ):
        with pytest.raises(InputError, match=said):
            hand_over_work(ws, task.id, new.id, giver=giver, takers=takers)


def test_what_everybody_has_cannot_be_handed_over(ws, task, begin):
    new = begin(overlap=1)
    with pytest.raises(InputError, match="Bo have all of these"):
        hand_over_work(ws, task.id, new.id, giver="Ada", takers=["Bo"])


def test_a_round_is_undone_while_nobody_worked_on_it(ws, task, begin):
    new = begin()
    withdraw_round(ws, task.id, new.id)
    assert round_progress(ws, task.id) == []
    assert ws.read.assignments.open_for(task.id, "Ada") == []
    new = begin()
    label(ws, task, "Bo", ws.read.assignments.open_for(task.id, "Bo")[:1])
    with pytest.raises(ConflictError, match="Bo worked on Round 1 already"):
        withdraw_round(ws, task.id, new.id)


def test_two_who_start_at_once_do_not_share_out_the_same(ws, task):
    first, second = (plan_round(ws, task.id, people=WHO) for _ in range(2))
    start_round(ws, task.id, first, by="Ada")
    with pytest.raises(ConflictError, match="just now"):
        start_round(ws, task.id, second, by="Bo")
    assert len(round_progress(ws, task.id)) == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"people": []}, "Nobody is named"),
        ({"people": ["Ada", "ada"]}, "is named twice"),
        ({"people": [f"p{i}" for i in range(101)]}, "at most 100 people"),
        ({"overlap": 1.5}, "1.5 is no share"),
        ({"overlap": math.nan}, "no share"),
        ({"together": 4}, "4 of 3 people"),
        ({"size": 0}, "needs an example"),
        ({"splits": ["tests"]}, "no split 'tests'"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(ws, task, more, said):
    with pytest.raises(InputError, match=said):
        plan_round(ws, task.id, **({"people": WHO} | more))


def test_rounds_are_of_their_task(ws, task, fill, begin):
    new = begin()
    other = fill(ws, "other")
    with pytest.raises(NotFoundError, match="no round"):
        close_round(ws, other.id, new.id)
    assert round_progress(ws, other.id) == []
