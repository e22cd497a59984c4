"""Advice on prompts with what the workspace knows."""

import dataclasses

import pytest

from studio.actions.prompt_advice import advise_prompt
from studio.actions.runs import Choice, start_run
from studio.actions.samples import load_sample
from studio.domain.prompt import PromptText
from studio.domain.run import Answer, Outcome
from studio.providers.scripted import ScriptedProvider
from tests.conftest import work_off


@pytest.fixture
def keto(ws):
    return load_sample(ws, by="Dr. Lind")


def codes(found, *, ideas=False):
    return [a.code for a in found if (a.severity.value == "idea") == ideas]


def test_the_better_prompt_of_the_sample_is_left_alone(ws, keto):
    better = ws.read.prompts.find(keto.id, "better").body
    assert codes(advise_prompt(ws, keto.id, better)) == []


def test_the_hasty_one_is_completed_with_the_experts_words(ws, keto):
    first = ws.read.prompts.find(keto.id, "first").body
    found = advise_prompt(ws, keto.id, first)
    assert codes(found) == ["vague"]
    assert "[fill in" not in found[0].rewrite.after
    assert found[0].rewrite.after.startswith("too many carbs: ")
    assert set(codes(found, ideas=True)) == {"rationale"}


@pytest.mark.parametrize("split", ["test", "validation", "train"])
def test_texts_of_examples_are_found_and_those_of_test_never_told(ws, keto, split):
    example = next(e for e in ws.read.examples.all(keto.id, (split,)) if len(e.text.split()) > 12)
    body = dataclasses.replace(
        ws.read.prompts.find(keto.id, "better").body,
        instructions=f"Decide. For instance {example.text.lower()}",
    )
    (leak,) = [a for a in advise_prompt(ws, keto.id, body) if a.code == "leak"]
    assert split in leak.title
    told = str(leak.to_dict(body)).lower()
    assert not any(word in told for word in example.text.lower().split() if len(word) > 9)
    assert (leak.place.end == 0) == (split == "test")


def test_errors_of_the_latest_run_suggest_lines_and_nothing_is_written(open_studio):
    always = Answer(outcome=Outcome.OK, label="keto", probabilities={"keto": 1.0}, model="s-1")
    ws = open_studio(provider=ScriptedProvider(lambda q: always, name="embedded"))
    keto = load_sample(ws, by="Dr. Lind")
    version = ws.read.prompts.find(keto.id, "first")
    start_run(ws, keto.id, choice=Choice(prompt=str(version.id)), by="Ada")
    work_off(ws)
    before = ws.read.tasks.get(keto.id).revision
    found = advise_prompt(ws, keto.id, version.body)
    assert "contrast" in codes(found, ideas=True)
    assert found == advise_prompt(ws, keto.id, version.body)
    assert ws.read.tasks.get(keto.id).revision == before


def test_a_hosted_model_by_a_floating_name_is_told(open_studio):
    service = ScriptedProvider(lambda q: None, name="hosted")
    service.default_model = "gpt-5-mini"
    ws = open_studio(provider={"hosted": service})
    task = load_sample(ws, with_knowledge=False, by="Ada")
    body = PromptText(
        instructions="Is this dish keto?",
        definitions={"keto": "Meat, fish.", "not_keto": "Rice, bread."},
    )
    assert codes(advise_prompt(ws, task.id, body, provider="hosted")) == ["floating_model"]
    assert codes(advise_prompt(ws, task.id, body)) == []


def test_a_column_that_the_default_encoder_is_not_given_is_told(ws, keto):
    better = ws.read.prompts.find(keto.id, "better").body
    body = dataclasses.replace(better, instructions="Is a {{course}} of this kind keto?")
    (one,) = [a for a in advise_prompt(ws, keto.id, body) if a.severity.value != "idea"]
    assert one.title == "Only a chat model reads the column course"
    assert one.code == "chat_only"
