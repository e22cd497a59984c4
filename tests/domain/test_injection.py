"""The injections that come with the studio, and that none leaves the JSON string it stands in."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from studio.config import data_folder
from studio.domain.injection import DISGUISES, Injection, target_of
from studio.domain.prompt import PromptText, render_decision, render_messages
from studio.domain.run import Question
from studio.errors import InputError
from studio.providers.chat import Bodies, as_json
from studio.providers.decisions import _as_asked, openai_shape, system_one_shape

LABELS = ("ham", "spam")
BODY = PromptText(instructions="Is it ham?", definitions={"ham": "wanted"})
TOLD = yaml.safe_load((data_folder() / "injections.yaml").read_text(encoding="utf-8"))
SUITE = [Injection.from_dict(one) for one in TOLD]


def question(text):
    return Question(
        model="m", messages=tuple(render_messages(BODY, LABELS, text)), label_names=LABELS,
        instructions=render_decision(BODY, LABELS), definitions=BODY.definitions,
    )  # fmt: skip


def chat(text):
    return json.loads(Bodies().encode(question(text), {"seed": 0, "store": False}))


def decisions(text):
    return json.loads(as_json(openai_shape(_as_asked(question(text)))))


def system_one(text):
    return json.loads(as_json(system_one_shape(_as_asked(question(text)))))


def check_stays(text):
    """The text is one JSON string at one place of each body, and nothing else knows of it."""
    empty, body = chat(""), chat(text)
    assert json.loads(body["messages"][-1].pop("content")) == {"text": text}
    empty["messages"][-1].pop("content")
    assert body == empty
    empty, body = decisions(""), decisions(text)
    assert json.loads(body["input"][0].pop("content")) == {"text": text}
    empty["input"][0].pop("content")
    assert body == empty
    empty, body = system_one(""), system_one(text)
    assert body.pop("state") == {"text": text}
    empty.pop("state")
    assert body == empty


def test_there_are_enough_of_many_kinds():
    assert len({one.id for one in SUITE}) == len(SUITE) >= 40
    assert len({one.family for one in SUITE}) >= 10
    assert len({one.language for one in SUITE}) >= 8
    assert {one.disguise for one in SUITE} == set(DISGUISES)


@pytest.mark.parametrize("one", SUITE, ids=lambda one: one.id)
def test_each_names_its_label_and_its_control_does_not(one):
    text = "The text itself."
    attacked, controlled = one.attacked(text, "qzxjkv"), one.controlled(text)
    assert text in attacked
    assert text in controlled
    assert one.attacked(text, "other") != attacked
    assert "{" + "label}" not in attacked + controlled
    assert "label}" not in one.control
    assert 0.7 < len(attacked) / len(controlled) < 1.4
    if not one.disguise and one.family != "split":
        assert "qzxjkv" in attacked
    assert "qzxjkv" not in controlled


@pytest.mark.parametrize("one", SUITE, ids=lambda one: one.id)
def test_no_shipped_injection_leaves_its_string(one):
    check_stays(one.attacked('He said "hi".', "spam"))
    check_stays(one.controlled('He said "hi".'))


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(SUITE),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)
def test_no_text_leaves_its_string(text, one, label):
    check_stays(one.attacked(text, label))


@given(st.text('"\\{}[]:,\n\r\u2028\u2029\u202e\u200b\x00 abtext', max_size=40))
def test_no_mix_of_breaking_letters_leaves_its_string(text):
    check_stays(text)


@given(st.text(), st.sampled_from(SUITE), st.sampled_from(["{text}", "{tail}", "{label}", "spam"]))
def test_neither_text_nor_label_is_read_as_a_template(text, one, label):
    if one.disguise == "":
        around = one.attack.count("{text}") or 1
        assert one.attacked(f"<{text}{label}>", "x").count(f"<{text}{label}>") == around
        if "{head}" not in one.attack:
            assert label in one.attacked("", label)


def test_targets_take_turns_and_are_never_the_label_itself():
    assert {target_of(("a", "b", "c"), "a", turn) for turn in range(4)} == {"b", "c"}


def test_a_broken_file_is_told_of():
    fine = {"id": "x", "family": "f", "language": "en", "attack": "a", "control": "c"}
    with pytest.raises(InputError, match="unknown disguise, 'hat'"):
        Injection.from_dict({**fine, "disguise": "hat"})
    with pytest.raises(InputError, match="another form"):
        Injection.from_dict({"id": "x"})
