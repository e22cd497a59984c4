"""A column whose name cannot be a variable is not offered; where it is written, advice says so."""

import pytest

from studio.actions.examples import import_examples
from studio.actions.prompt_advice import advise_prompt
from studio.actions.prompts import save_prompt
from studio.analysis.example_rows import Columns
from studio.domain.prompt import PromptText
from studio.errors import InputError


@pytest.fixture
def priced(ws, fill):
    task = fill(ws)
    data = b"id,text,price {EUR},brand\n1,tea,3,Acme\n2,ham,4,Best\n"
    import_examples(
        ws, task.id, data=data, filename="a.csv", columns=Columns(text="text"), by="Ada"
    )
    return task


def blanks(ws, task, said):
    found = advise_prompt(ws, task.id, PromptText(instructions=said))
    return [(a.title, a.suggestion, a.rewrite) for a in found if a.code == "blank"]


def test_advice_says_to_rename_it(ws, priced):
    ((title, suggestion, rewrite),) = blanks(ws, priced, "Is it spam at {{price {EUR}}}?")
    assert "{{price {EUR}}}" in title
    assert "Rename it in the file" in suggestion
    assert rewrite is None


def test_it_is_offered_for_no_other(ws, priced):
    ((_, suggestion, _),) = blanks(ws, priced, "Is it spam of {maker}?")
    assert "brand" in suggestion
    assert "EUR" not in suggestion
    with pytest.raises(InputError) as refused:
        save_prompt(ws, priced.id, name="p", by="Ada",
                    body=PromptText(instructions="Of {{maker}}?"))  # fmt: skip
    assert "brand" in refused.value.next_step
    assert "EUR" not in refused.value.next_step
