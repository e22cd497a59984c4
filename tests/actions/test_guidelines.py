"""Guideline notes: written, used, retired."""

import pytest

from studio.actions.guidelines import add_guideline, guideline_to_definition, retire_guideline
from studio.errors import InputError, NotFoundError


@pytest.fixture
def task(ws, fill):
    return fill(ws)


def test_a_note_is_kept_with_what_it_is_about(ws, task):
    example_id = ws.store.examples.ids(task.id, ["test"])[0]
    number = add_guideline(
        ws, task.id, text="  Offers from a\nfriend are wanted. ", label="ham", other="spam",
        example_id=example_id, by="Ada",
    )  # fmt: skip
    (note,) = ws.read.guidelines.all(task.id)
    assert (note.id, note.text) == (number, "Offers from a friend are wanted.")
    assert note.about(task) == "ham rather than spam"
    assert note.example_id == example_id
    add_guideline(ws, task.id, text="In doubt ask.", other="spam", by="Bo")
    assert ws.read.guidelines.all(task.id)[1].about(task) == "spam"


def test_a_note_is_retired_and_comes_back(ws, task):
    number = add_guideline(ws, task.id, text="Once.", by="Ada")
    retire_guideline(ws, task.id, number)
    assert ws.read.guidelines.all(task.id) == []
    assert ws.read.guidelines.all(task.id, retired=True)[0].retired_at
    retire_guideline(ws, task.id, number, back=True)
    assert ws.read.guidelines.all(task.id)[0].retired_at is None


def test_a_note_becomes_part_of_a_definition_once(ws, task):
    number = add_guideline(ws, task.id, text="Offers count.", label="ham", by="Ada")
    assert guideline_to_definition(ws, task.id, number) == "wanted. Offers count."
    assert ws.store.tasks.get(task.id).label("ham").definition == "wanted. Offers count."
    assert ws.store.tasks.get(task.id).label("spam").definition == ""
    with pytest.raises(InputError, match="says this already"):
        guideline_to_definition(ws, task.id, number)
    alone = add_guideline(ws, task.id, text="In doubt ask.", by="Ada")
    with pytest.raises(InputError, match="speaks for no label"):
        guideline_to_definition(ws, task.id, alone)


def test_what_cannot_be_is_said_in_a_sentence(ws, task, fill):
    for more, said in (
        ({"text": " "}, "empty"),
        ({"text": "x" * 2_001}, "2,001 letters"),
        ({"text": "x", "label": "ham", "other": "ham"}, "from itself"),
        ({"text": "x", "label": "eggs"}, "no label 'eggs'"),
        ({"text": "x", "example_id": 10**6}, "example"),
    ):
        with pytest.raises(InputError, match=said):
            add_guideline(ws, task.id, by="Ada", **more)
    number = add_guideline(ws, task.id, text="Once.", by="Ada")
    with pytest.raises(NotFoundError, match="no guideline note"):
        retire_guideline(ws, fill(ws, "other").id, number)
