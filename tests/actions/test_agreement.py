"""How far people agree, from their stored decisions."""

import pytest

from studio.actions.agreement import people_agreement
from studio.actions.corrections import Decision, correct_labels, undo_correction
from studio.errors import InputError

SAID = {"Ada": "hhhs", "Bo": "hhss", "Cy": "sshh"}


@pytest.fixture
def task(ws, fill):
    return fill(ws)


@pytest.fixture
def say(ws, task):
    """Give the first train examples a person's labels, by first letter."""
    ids = ws.store.examples.ids(task.id, ["train"])

    def tell(who, letters, **more):
        names = {"h": "ham", "s": "spam"}
        decisions = [
            Decision(example_id=i, label=names[letter])
            for i, letter in zip(ids, letters, strict=False)
        ]
        correct_labels(ws, task.id, decisions, by=who, **more)

    return tell


def test_people_are_compared_and_files_are_nobody(ws, task, say):
    for who, letters in SAID.items():
        say(who, letters)
    found = people_agreement(ws, task.id)
    assert [one.person for one in found.figures.people] == ["Ada", "Bo", "Cy"]
    assert found.figures.shared == 4
    assert found.figures.pairs[0].people == ("Bo", "Cy")
    assert found.figures.pairs[0].differ == (("ham", "spam", 2), ("spam", "ham", 2))
    assert {one.example.external_id for one in found.apart} == {"tr0", "tr1", "tr2", "tr3"}
    assert found.apart[0].to_dict().keys() == {"id", "said", "likely", "chance", "overruled"}


def test_what_was_taken_back_and_what_was_assisted_can_be_left_out(ws, task, say):
    say("Ada", "hh")
    say("Bo", "hs", beside_rule=True)
    found = people_agreement(ws, task.id)
    assert (found.figures.shared, found.assisted) == (2, 2)
    with pytest.raises(InputError, match="Only Ada has given blind labels"):
        people_agreement(ws, task.id, blind_only=True)
    undo_correction(ws, task.id, by="Bo")
    assert people_agreement(ws, task.id).figures.shared == 1


def test_only_a_split_is_looked_at(ws, task, say):
    say("Ada", "hh")
    say("Bo", "hs")
    assert people_agreement(ws, task.id, split="train+test").figures.shared == 2
    with pytest.raises(InputError, match="Nobody has given labels"):
        people_agreement(ws, task.id, split="test")
    with pytest.raises(InputError, match="no split 'tests'"):
        people_agreement(ws, task.id, split="tests")


def test_an_error_says_who_labeled_and_what_to_do(ws, task, say):
    with pytest.raises(InputError, match="Nobody has given labels"):
        people_agreement(ws, task.id)
    say("Ada", "h")
    with pytest.raises(InputError, match="Only Ada") as told:
        people_agreement(ws, task.id)
    assert "studio correct mail FILE" in told.value.next_step
    last = ws.store.examples.ids(task.id, ["train"])[-1]
    correct_labels(ws, task.id, [Decision(example_id=last, label="ham")], by="Bo")
    with pytest.raises(InputError, match="Ada, Bo have not given labels to the same"):
        people_agreement(ws, task.id)
