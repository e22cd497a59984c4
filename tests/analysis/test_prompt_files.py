"""Files of other tools become prompts and labeled texts; what cannot be used is named."""

import contextlib
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from studio.analysis.prompt_files import MOST_SHOWN, read_prompt_file
from studio.domain.prompt import PromptText, render_messages, training_jsonl
from studio.errors import InputError

NAMES = ("ham", "spam")
PROMPTFOO = """
description: Spam or not
providers: [openai:gpt-5-mini]
prompts:
  - label: short
    raw: "Is this from {{ sender }} wanted? {{message | trim}}"
  - |
    [{"role": "system", "content": "Decide if it is wanted."},
     {"role": "user", "content": "{{message}}"}]
  - file://prompts/long.txt
tests:
  - vars: {message: Win money now, sender: bank}
    assert: [{type: equals, value: spam}]
  - vars: {message: See you at noon}
    assert: [{type: icontains, value: HAM}, {type: latency, threshold: 500}]
  - vars: {message: Hello}
    assert: [{type: equals, value: greeting}]
  - vars: {message: Good day}
    assert: [{type: llm-rubric, value: is friendly}]
"""


def read(text, name="file.yaml", columns=("sender",)):
    if not isinstance(text, str):
        text = json.dumps(text)
    return read_prompt_file(text, name, NAMES, columns)


def pairs(found):
    return [(one.text, one.label) for one in found.examples]


def lost(found):
    return {one.where: one.reason for one in found.unread}


def test_a_promptfoo_config_gives_prompts_and_labeled_texts():
    found = read(PROMPTFOO)
    assert found.kind == "promptfoo config"
    (name, first), (_, second) = found.prompts
    assert name == "short"
    assert first.instructions == "Is this from {{sender}} wanted? {{text}}"
    assert first.variables == ("sender",)
    assert second.instructions == "Decide if it is wanted."
    assert pairs(found) == [("Win money now", "spam"), ("See you at noon", "ham")]
    assert [shot.text for shot in first.few_shots] == ["Win money now", "See you at noon"]
    assert first.few_shots[0].values == {"sender": "bank"}
    assert lost(found) == {
        "prompt 3": "file://prompts/long.txt is another file; import that one",
        "test 3": "'greeting' is none of the labels ham, spam",
        "test 4": "it asserts no label by equals or contains",
        "providers": "models are chosen where a run is started",
        "assertions": "latency: here an answer is right when its label is",
    }


def test_a_variable_that_is_no_column_is_said():
    found = read("prompts: ['Mind the {{tone}}. {{text}}']")
    assert found.prompts[0][1].instructions == "Mind the tone. {{text}}"
    assert "no column" in lost(found)["prompt 1"]


def test_fine_tune_lines_of_both_forms():
    body = PromptText(
        instructions="Is it wanted?", definitions={"spam": "ads"}, reasons=(("spam", "prizes"),)
    )
    rows = [(i, f"text {i}", NAMES[i % 2]) for i in range(30)]
    found = read(training_jsonl(body, NAMES, rows), "set.jsonl")
    assert found.kind == "fine-tune JSONL"
    ((_, told),) = found.prompts
    # What the studio itself wrote comes back in its parts.
    assert (told.instructions, told.definitions, told.reasons) == (
        body.instructions, body.definitions, body.reasons)  # fmt: skip
    assert pairs(found) == [(text, label) for _, text, label in rows]
    assert len(told.few_shots) == MOST_SHOWN
    assert sum(shot.label == "ham" for shot in told.few_shots) == MOST_SHOWN / 2
    old = '{"prompt": "win", "completion": " spam"}\n\nnot json\n{"prompt": "x", "completion": "y"}'
    found = read(old, "old.jsonl")
    assert found.kind == "prompt/completion JSONL"
    assert pairs(found) == [("win", "spam")]
    assert lost(found) == {
        "line 3": "it is no JSON object",
        "line 4": "'y' is none of the labels ham, spam",
    }


def test_openai_evals_samples_items_and_definitions():
    sample = {"input": [{"role": "system", "content": "Wanted?"},
                        {"role": "user", "content": "win"}], "ideal": "spam"}  # fmt: skip
    found = read("\n".join([json.dumps(sample)] * 2), "samples.jsonl")
    assert found.kind == "OpenAI Evals samples"
    assert found.prompts[0][1].instructions == "Wanted?"
    assert pairs(found) == [("win", "spam")] * 2
    items = "\n".join(
        json.dumps({"item": {"ticket": text, "correct_label": label}})
        for text, label in (("win money", "spam"), ("see you", "Ham"))
    )
    assert pairs(read(items, "items.jsonl")) == [("win money", "spam"), ("see you", "ham")]
    definition = {
        "name": "wanted",
        "data_source_config": {"type": "custom"},
        "testing_criteria": [{"type": "label_model", "labels": list(NAMES), "input": [
            {"role": "developer", "content": "Say if it is wanted, for {{item.sender}}."},
            {"role": "user", "content": {"type": "input_text", "text": "{{item.ticket}}"}}]}],
        "source": {"content": [{"item": {"ticket": "win", "label": "spam"}}]},
    }  # fmt: skip
    found = read(definition, "eval.json")
    ((name, body),) = found.prompts
    assert (name, body.instructions) == ("wanted", "Say if it is wanted, for {{sender}}.")
    assert pairs(found) == [("win", "spam")]
    assert set(lost(found)) == {"data_source_config"}
    check = {"type": "string_check", "operation": "eq", "reference": "{{item.label}}"}
    definition["testing_criteria"] += [check, dict(definition["testing_criteria"][0])]
    assert lost(read(definition, "eval.json")) == {
        "testing_criteria 2": "string_check: the studio measures answers against gold by itself",
        "conversation 2": "only the first one of such a file becomes the prompt",
        "data_source_config": "nothing of it is part of a prompt or an example here",
    }


def test_a_chat_or_stored_prompt_with_examples_in_it():
    chat = render_messages(PromptText(instructions="Wanted?"), NAMES, "{{text}}")
    chat[1:1] = [{"role": "user", "content": [{"type": "input_text", "text": "win"}]},
                 {"role": "assistant", "content": '{"label": "spam"}'}]  # fmt: skip
    for told in (chat, {"messages": chat}, {"object": "prompt", "version": {"prompt": chat}}):
        found = read(told, "chat.json")
        assert found.prompts[0][1].instructions == "Wanted?"
        assert pairs(found) == [("win", "spam")]
    answers = {"instructions": "Mind the sender.", "input": chat, "model": "gpt-5-mini"}
    found = read(answers, "call.json")
    assert found.prompts[0][1].instructions == "Mind the sender.\n\nWanted?"
    assert lost(found) == {"model": "models are chosen where a run is started"}


def test_what_has_no_place_in_a_config_is_listed():
    told = """
prompts: [{label: a, raw: "Wanted? {{message}}", config: {temperature: 0}}]
defaultTest: {assert: [{type: latency, threshold: 500}]}
outputPath: out.json
env: {}
tests: [{vars: {message: win}, options: {}, assert: {type: equals, value: spam}}]
"""
    assert lost(read(told)) == {
        "prompt 1": "its config was left out",
        "defaultTest": "what it says of every test was left out; write it into each test",
        "outputPath": "nothing of it is part of a prompt or an example here",
        "fields of tests": "options: nothing of it is part of a prompt or an example here",
    }
    ours = read("instructions: Wanted?\nmodel: x\nnote: mine\n")
    assert set(lost(ours)) == {"model"}


def test_our_own_yaml_comes_back_whole_but_for_strangers():
    told = {"name": "mine", "instructions": "Wanted?", "definitions": {"ham": "ok", "eggs": "x"},
            "reasons": [["spam", "prizes"], ["bread", "y"]], "frozen": ["definitions"],
            "policy": {"way": "nearest", "count": 4},
            "few_shots": [{"text": "win", "label": "spam", "example_id": 7}]}  # fmt: skip
    found = read(yaml.safe_dump(told))
    ((name, body),) = found.prompts
    assert name == "mine"
    assert body.definitions == {"ham": "ok"}
    assert body.reasons == (("spam", "prizes"),)
    assert (body.frozen, str(body.policy)) == (("definitions",), "the 4 most alike to each text")
    assert body.few_shots[0].example_id is None
    assert set(lost(found)) == {"definition of eggs", "rationale of bread"}


def test_plain_text_is_the_instructions():
    found = read("Is it wanted?\n\n- mind: prizes\n", "prompt.txt")
    assert found.kind == "plain text"
    assert found.prompts[0][1].instructions == "Is it wanted?\n\n- mind: prizes"


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("", "empty.yaml", "No prompt was found in empty.yaml"),
        ("prompts: [file://a.txt]", "p.yaml", "prompt 1: file://a.txt is another file"),
        ('{"messages": []}', "a.json", "No prompt"),
        ("a: [", "b.yaml", "b.yaml cannot be read in line 1"),
        ("x: &a [1]\ny: *a", "c.yaml", "repeats a named part"),
        ("definitions: [1]", "d.yaml", "another form"),
        ("frozen: [all]\ninstructions: x", "e.yaml", "no part 'all'"),
        ("policy: {way: near, count: 2}", "f.yaml", "by 'near'"),
    ],
)
def test_what_holds_no_prompt_is_refused_with_a_next_step(text, name, said):
    with pytest.raises(InputError, match=said) as error:
        read(text, name)
    assert error.value.next_step


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("instructions: [a, b]", "instructions: needs a text, not ['a', 'b']"),
        ("instructions: {a: b}", "instructions: needs a text"),
        ("definitions: {ham: [a]}", "The definition of 'ham': needs a text"),
        ("definitions: ham", "another form than expected: definitions"),
        ("reasons: ab", "another form than expected: reasons"),
        ("reasons: [ab]", "another form than expected: reasons"),
        ("reasons: [[ham, {a: b}]]", "A line in reasons: needs a text"),
        ("few_shots: [ham]", "another form than expected: few_shots"),
        ("few_shots: [{text: a, label: ham, values: {sender: [a]}}]", "The value of 'sender'"),
        ("frozen: instructions", "another form than expected: frozen"),
    ],
)
def test_a_part_of_another_form_is_refused_with_its_name(text, said):
    with pytest.raises(InputError) as refused:
        read(text)
    assert said in str(refused.value)
    assert refused.value.next_step


def test_a_field_left_empty_says_nothing():
    ((_, body),) = read(
        "instructions:\ndefinitions:\n  ham:\n  spam: prizes\nreasons:\nfew_shots:\n"
    ).prompts
    assert body == PromptText(instructions="", definitions={"ham": "", "spam": "prizes"})


def test_labels_and_texts_are_read_as_they_were_written():
    told = "instructions: 010\ndefinitions: {yes: 1.50, no: on}\npolicy: {way: nearest, count: 4}\n"
    shots = "few_shots: [{text: 12:30, label: no, example_id: 7, values: {sender: off}}]"
    found = read_prompt_file(told + shots, "a.yaml", ["yes", "no"], ["sender"])
    ((_, body),) = found.prompts
    assert (found.unread, body.instructions) == ((), "010")
    assert body.definitions == {"yes": "1.50", "no": "on"}
    assert [(shot.text, shot.label, shot.values) for shot in body.few_shots] == [
        ("12:30", "no", {"sender": "off"})
    ]
    assert body.policy.count == 4


def test_tests_of_promptfoo_may_expect_yes_or_no():
    told = """
prompts: ["Is {{message}} of {{sender}} wanted?"]
tests:
- {vars: {message: ham, sender: 12:30}, assert: [{type: equals, value: yes}]}
- {vars: {message: a prize, sender: }, assert: [{type: equals, value: no}]}
- {vars: {message: a list, sender: [x]}, assert: [{type: equals, value: no}]}
- {vars: {message: nothing}, assert: [{type: equals, value: }]}
"""
    found = read_prompt_file(told, "a.yaml", ["yes", "no"], ["sender"])
    assert [(one.text, one.label, one.values) for one in found.examples] == [
        ("ham", "yes", {"sender": "12:30"}),
        ("a prize", "no", {"sender": ""}),
        ("a list", "no", {}),
    ]  # fmt: skip
    assert lost(found) == {
        "test 3": "sender holds no text; it was left out", "test 4": "its label is left empty",
    }  # fmt: skip


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(
        ["ham", "file://x", "{{text}}", "{{ a | b }}", "user", "equals", '{"label": "spam"}']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["prompts", "tests", "vars", "assert", "type", "value", "messages", "role",
                         "content", "input", "ideal", "item", "instructions", "definitions",
                         "reasons", "few_shots", "label", "text", "raw", "policy"]),
        inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


NAMED = st.sampled_from(["a.json", "a.yaml", "a.jsonl", "a.txt"])


def read_or_refused(text, name):
    """Return what was read; None where it was refused as files of people are."""
    with contextlib.suppress(InputError):
        return read(text, name)


@given(VALUES, NAMED)
def test_any_file_is_read_or_refused(value, name):
    found = read_or_refused(json.dumps(value), name)
    if found is None:
        return
    for _, body in found.prompts:
        assert PromptText.from_dict(body.to_dict()) == body
        assert {shot.label for shot in body.few_shots} <= set(NAMES)
        assert set(body.definitions) <= set(NAMES)
    assert {shot.label for shot in found.examples} <= set(NAMES)


@given(st.text(max_size=60), NAMED)
def test_any_text_is_read_or_refused(text, name):
    found = read_or_refused(text, name)
    assert found is None or found.prompts


@pytest.mark.parametrize(
    "piece", ["{{ ", "{{" + " " * 50, "{%", "{#", "{{a|", "{{-", "{ { {{a", "{{a}}{{"]
)
@pytest.mark.parametrize("name", ["a.txt", "a.json"])
def test_no_template_takes_long(piece, name):
    said = "Is it wanted? " + piece * (100_000 // len(piece))
    text = said if name == "a.txt" else json.dumps({"prompts": [said + "{{ text }}"]})
    found = read(text, name)  # minutes, where parts of a pattern match the same
    assert found.prompts[0][1].spelled().instructions
    assert isinstance(found.prompts[0][1].variables, tuple)


@pytest.mark.parametrize("deep", [480, 980, 3000, 100_000])
def test_a_file_nested_without_end_is_read_or_refused(deep):
    nested = "[" * deep + "]" * deep
    for text in (
        f'[{{"role": "system", "content": {nested}}}]',
        f'{{"prompts": ["Is it?"], "tests": [{nested}]}}',
        f'{{"instructions": {nested}}}',
        nested,
    ):
        read_or_refused(text, "a.json")


def test_half_a_character_does_not_get_in():
    ((_, body),) = read('{"instructions": "a \\ud800 b \\ud83d\\ude00"}', "a.json").prompts
    assert body.instructions == "a ? b 😀"
    assert body.hash


@pytest.mark.parametrize(
    "shot", [{"text": 5, "label": "ham"}, {"text": "a", "label": None}, {"text": "a", "label": 5},
             {"text": "a", "label": {"b": 1}}, {"text": "a", "label": "ham", "example_id": [1]}],
)  # fmt: skip
def test_a_few_shot_of_another_form_is_refused(shot):
    with pytest.raises(InputError, match="another form"):
        read(json.dumps({"instructions": "Is it?", "few_shots": [shot]}), "a.json")


def test_plain_text_may_begin_with_a_variable():
    assert (
        read("{{text}}: is it wanted?", "a.txt").prompts[0][1].instructions.startswith("{{text}}")
    )


def test_what_is_no_variable_of_ours_is_left_out_and_told():
    said = "{{#if long}}Long.{{/if}} {{ f(x) }}Is {{{dish}}} wanted? {% raw %}"
    found = read(json.dumps({"prompts": [said], "tests": [{"vars": {"dish": "x"}}]}), "a.json")
    ((_, body),) = found.prompts
    assert body.variables == ()
    assert body.instructions == "Long. Is {{{text}}} wanted?"
    reasons = [one.reason for one in found.unread]
    assert "{{#if long}} is no column of the examples; it was left out" in reasons


def test_a_column_that_cannot_be_a_variable_is_told():
    found = read("instructions: x\nname: q", "a.yaml", columns=("price {EUR}",))
    assert found.unread == ()
    told = {"prompts": ["Is {{message}} of {{price {EUR}}} wanted?"]}
    (one,) = read(told, "a.json", columns=("price {EUR}",)).unread
    assert "Rename it in the file" in one.reason
