"""Settling what people differ on: it beats their labels, and takes none of their votes away."""

import pytest

from studio.actions.adjudication import dispute_cases, find_disputes, settle_dispute
from studio.actions.agreement import people_agreement
from studio.actions.corrections import (
    Decision,
    correct_labels,
    redo_correction,
    undo_correction,
)
from studio.actions.label_sets import change_labels
from studio.domain.correction import Mode, Origin
from studio.domain.label_change import Merge
from studio.errors import InputError

SAID = {"Ada": "hhhs", "Bo": "hhss", "Cy": "hshs"}


@pytest.fixture
def task(ws, fill):
    return fill(ws)


@pytest.fixture
def ids(ws, task):
    return ws.store.examples.ids(task.id, ["train"])[:4]


@pytest.fixture
def differ(ws, task, ids):
    """Ada, Bo and Cy differ on the second and the third example."""
    names = {"h": "ham", "s": "spam"}
    for who, letters in SAID.items():
        told = [Decision(example_id=i, label=names[x]) for i, x in zip(ids, letters, strict=True)]
        correct_labels(ws, task.id, told, by=who)


def gold(ws, task, example_id):
    found = ws.store.labels.gold(task.id, ids=[example_id])[example_id]
    return task.name_of(found.label_id), found.origin


@pytest.mark.usefixtures("differ")
def test_what_people_differ_on_is_listed_and_settled(ws, task, ids):
    found = find_disputes(ws, task.id)
    assert (set(found.open), found.settled) == (set(ids[1:3]), 0)
    (case,) = dispute_cases(ws, task.id, ids[1:2])
    assert case.said == {"ham": ("Ada", "Bo"), "spam": ("Cy",)}
    assert case.told() == "ham 2, spam 1"
    assert gold(ws, task, ids[1]) == ("ham", Origin.BLIND)
    assert settle_dispute(ws, task.id, ids[1], label="spam", client="c1", seconds=4.0, by="Di")
    assert not settle_dispute(ws, task.id, ids[1], label="spam", client="c1", by="Di")
    assert gold(ws, task, ids[1]) == ("spam", Origin.ADJUDICATED)
    last = ws.store.labels.history(task.id, example_id=ids[1])[-1]
    assert (last.mode, last.seconds) == (Mode.ADJUDICATION, 4.0)
    found = find_disputes(ws, task.id)
    assert (found.open, found.settled) == ((ids[2],), 1)
    assert find_disputes(ws, task.id, splits=["test"]).open == ()


@pytest.mark.usefixtures("differ")
def test_who_settles_it_keeps_the_vote_given_before(ws, task, ids):
    before = people_agreement(ws, task.id).figures
    settle_dispute(ws, task.id, ids[1], label="spam", by="Ada")
    after = people_agreement(ws, task.id).figures
    assert (after.alpha, after.shared, after.pairs) == (before.alpha, before.shared, before.pairs)
    assert find_disputes(ws, task.id).settled == 1


@pytest.mark.usefixtures("differ")
def test_who_settled_it_and_labels_it_again_changes_how_it_ended(ws, task, ids):
    settle_dispute(ws, task.id, ids[1], label="spam", by="Ada")
    correct_labels(ws, task.id, [Decision(example_id=ids[1], label="spam")], by="Ada")
    assert gold(ws, task, ids[1]) == ("spam", Origin.ADJUDICATED)
    correct_labels(ws, task.id, [Decision(example_id=ids[1], label="spam")], by="Bo")
    correct_labels(ws, task.id, [Decision(example_id=ids[1], label="ham")], by="Ada")
    assert gold(ws, task, ids[1]) == ("ham", Origin.ADJUDICATED)


@pytest.mark.usefixtures("differ")
def test_a_label_given_beside_a_models_has_not_the_weight_of_an_adjudication(ws, task, ids):
    def again(label):
        said = [Decision(example_id=ids[1], label=label)]
        correct_labels(ws, task.id, said, beside_rule=True, by="Ada")

    settle_dispute(ws, task.id, ids[1], label="spam", by="Ada")
    again("spam")
    assert gold(ws, task, ids[1]) == ("spam", Origin.ADJUDICATED)
    again("ham")
    assert gold(ws, task, ids[1]) == ("ham", Origin.ASSISTED)
    last = ws.store.labels.history(task.id, example_id=ids[1])[-1]
    assert (last.origin, last.person) == (Origin.ASSISTED, "Ada")
    assert ids[1] in find_disputes(ws, task.id).open
    undo_correction(ws, task.id, by="Ada")
    assert gold(ws, task, ids[1]) == ("spam", Origin.ADJUDICATED)


@pytest.mark.usefixtures("differ")
def test_it_is_undone_and_redone_as_every_decision(ws, task, ids):
    settle_dispute(ws, task.id, ids[1], label="spam", by="Ada")
    assert undo_correction(ws, task.id, by="Ada").example_ids == (ids[1],)
    assert gold(ws, task, ids[1]) == ("ham", Origin.BLIND)
    assert ids[1] in find_disputes(ws, task.id).open
    assert redo_correction(ws, task.id, by="Ada").example_ids == (ids[1],)
    assert gold(ws, task, ids[1]) == ("spam", Origin.ADJUDICATED)
    settle_dispute(ws, task.id, ids[2], label="ham", by="Di")
    undo_correction(ws, task.id, by="Di")
    assert find_disputes(ws, task.id).settled == 1
    assert people_agreement(ws, task.id).figures.pairs[0].people != ("Ada", "Di")


@pytest.mark.usefixtures("differ")
def test_of_two_who_settle_it_the_later_counts(ws, task, ids):
    settle_dispute(ws, task.id, ids[1], label="spam", by="Di")
    settle_dispute(ws, task.id, ids[1], label="ham", by="Ed")
    assert gold(ws, task, ids[1]) == ("ham", Origin.ADJUDICATED)


def test_what_cannot_be_is_said_in_a_sentence(ws, task, ids, fill):
    other = fill(ws, "other")
    for example_id, label, by, said in (
        (ids[0], "eggs", "Ada", "no label 'eggs'"),
        (ids[0], "ham", " ", "Nobody is named"),
        (ws.store.examples.ids(other.id)[0], "ham", "Ada", "another task"),
    ):
        with pytest.raises(InputError, match=said):
            settle_dispute(ws, task.id, example_id, label=label, by=by)
    assert find_disputes(ws, task.id).open == ()


def test_a_vote_given_before_it_was_settled_is_read_by_the_labels_of_now(ws, fill):
    task = fill(ws, labels=("ham", "spam", "scam"), gold=False)
    ids = ws.store.examples.ids(task.id, ["train"])[:4]
    for who, label in (("Ada", "scam"), ("Bo", "ham")):
        correct_labels(ws, task.id, [Decision(example_id=i, label=label) for i in ids], by=who)
    settle_dispute(ws, task.id, ids[0], label="ham", by="Ada")
    change_labels(ws, task.id, Merge(label="scam", into="spam"), by="Ada")
    assert people_agreement(ws, task.id).figures.shared == 4
    assert find_disputes(ws, task.id).settled == 1
