"""Prompts of other tools, few-shot policies and locks from a terminal."""

import json

PROMPTFOO = """
prompts: ["Is it wanted? {{message}}"]
tests:
  - vars: {message: win money}
    assert: [{type: equals, value: spam}]
  - vars: {message: see you}
    assert: [{type: equals, value: greeting}]
"""


def test_a_promptfoo_config_becomes_a_prompt_and_examples(studio, mail, tmp_path):
    (tmp_path / "wanted.yaml").write_text(PROMPTFOO)
    said = studio("prompt", "import", mail, "wanted.yaml", "--examples", "--json")
    assert said.code == 0
    assert said.json["kind"] == "promptfoo config"
    assert [one["prompt"] for one in said.json["prompts"]] == ["wanted"]
    assert said.json["unread"] == [
        {"where": "test 2", "reason": "'greeting' is none of the labels ham, spam"}
    ]
    assert (said.json["examples"], said.json["added"], said.json["left_out"]) == (1, 1, "")
    # Nothing comes twice.
    again = studio("prompt", "import", mail, "wanted.yaml", "--examples", "--json").json
    assert again["added"] == 0
    assert again["left_out"] == "1 is in the task already"
    told = studio("prompt", "import", mail, "wanted.yaml", "--examples").out
    assert "1 labeled text in it; 0 of them imported (1 is in the task already)." in told
    assert again["prompts"] == said.json["prompts"]
    told = studio("prompt", "show", mail, "wanted", "--json").json
    assert 'Is it wanted? "text"' in told["text"]
    assert told["few_shots"][0]["label"] == "spam"


def test_what_cannot_be_read_is_one_sentence(studio, mail, tmp_path):
    (tmp_path / "none.json").write_text('{"tests": []}')
    error = studio("prompt", "import", mail, "none.json", "--json").error
    assert error["code"] == "bad_input"
    assert "No prompt was found in none.json" in error["message"]
    assert error["next"]


def test_a_few_shot_of_test_is_left_out_and_said(studio, mail, tmp_path):
    text = "Spam NUMBER 0 of test"
    told = zip(("system", "user", "assistant"), ("Wanted?", text, "spam"), strict=True)
    line = {"messages": [{"role": role, "content": said} for role, said in told]}
    (tmp_path / "set.jsonl").write_text(json.dumps(line))
    told = studio("prompt", "import", mail, "set.jsonl", "--name", "mine", "--json").json
    assert told["prompts"] == [{"prompt": "mine", "version": 1, "id": 1, "few_shots": 0}]
    assert "locked test split" in told["unread"][0]["reason"]
    assert text not in json.dumps(told)


def test_policy_and_locks_are_saved_and_shown_in_the_difference(studio, mail):
    studio("prompt", "save", mail, "p", "--instructions", "Is it wanted?")
    words = ["--few-shots", "nearest:3", "--lock", "definitions", "--lock", "rationales"]
    studio("prompt", "save", mail, "p", "--instructions", "Is it wanted?", *words)
    told = studio("prompt", "show", mail, "p:2", "--json").json
    assert told["policy"] == {"way": "nearest", "count": 3}
    assert told["frozen"] == ["definitions", "reasons"]
    said = studio("prompt", "diff", mail, "p:1", "p:2").out
    assert "Few-shots chosen" in said
    assert "{+the 3 most alike to each text+}" in said
    assert "{+definitions, rationales+}" in said
    for words in (["--few-shots", "near:3"], ["--few-shots", "nearest:0"], ["--lock", "all"]):
        assert studio("prompt", "save", mail, "p", *words, "--json").error["next"]


def test_labels_called_yes_and_no_keep_their_definitions(studio, tmp_path):
    studio("task", "create", "t", "--labels", "yes,no")
    (tmp_path / "p.yaml").write_text("instructions:\ndefinitions:\n  yes: meat\n  no:\n")
    for verb in (["save", "t", "p"], ["import", "t"]):
        assert studio("prompt", *verb, "p.yaml").code == 0
        said = studio("prompt", "show", "t", "p").out
        assert "- yes: meat\n- no\n" in said
        assert "None" not in said
    (tmp_path / "r.yaml").write_text(
        "fallback: no\nrules: [{name: a, label: yes, any: [keywords: [on]]}]"
    )
    assert studio("rule", "import", "t", "r.yaml").code == 0
    assert studio("rule", "export", "t").out.startswith("fallback: 'no'")


def test_a_definition_is_added_to_those_of_the_file(studio, mail, tmp_path):
    (tmp_path / "p.yaml").write_text("definitions: {ham: meat}")
    assert studio("prompt", "save", mail, "p", "p.yaml", "--definition", "spam=tins").code == 0
    told = studio("prompt", "show", mail, "p", "--json").json
    assert told["definitions"] == {"ham": "meat", "spam": "tins"}
    for written in ("definitions: [x]", "definitions: x"):
        (tmp_path / "p.yaml").write_text(written)
        words = ["prompt", "save", mail, "p", "p.yaml", "--definition", "ham=x", "--json"]
        assert "definitions" in studio(*words).error["message"]
