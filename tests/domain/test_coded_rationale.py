"""Rules survive being written down, and bad ones are told what to mend."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from studio.analysis.plain_yaml import load_words, load_yaml, print_yaml
from studio.domain.coded_rationale import NO_WORDS, RuleBody, describe, parse_rule, rule_to_dict
from studio.domain.conditions import (
    MAX_PATTERN,
    Answer,
    Column,
    Condition,
    Fuzzy,
    Keywords,
    Length,
    Number,
    Phrase,
    Regex,
    Similar,
    Votes,
)
from studio.errors import InputError

_text = st.text(min_size=1, max_size=12).map(str.strip).filter(bool)
_texts = st.lists(_text, min_size=1, max_size=3).map(tuple)
_shares = st.integers(0, 1) | st.floats(0, 1)
_numbers = st.integers(-99, 99) | st.floats(-1e6, 1e6)


def _limits(numbers):
    pairs = st.tuples(st.none() | numbers, st.none() | numbers)
    return pairs.filter(lambda p: p != (None, None) and (None in p or p[0] <= p[1]))


conditions: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Keywords, _texts, st.just(()) | _texts),
    st.builds(Phrase, _text),
    st.builds(Regex, st.text(min_size=1, max_size=20)),
    _limits(st.integers(0, 99)).map(lambda p: Length("words", *p)),
    _limits(_numbers).map(lambda p: Number(*p)),
    st.builds(lambda name, values: Column(name, values), _text, _texts),
    st.builds(lambda name, p: Column(name, (), *p), _text, _limits(_numbers)),
    st.builds(Fuzzy, _texts, st.integers(60, 100) | st.floats(60, 100)),
    st.builds(Similar, _texts, _shares),
    st.builds(Answer, _text, st.integers(1, 99), _texts, st.none() | _shares),
    st.builds(Votes, _text, st.from_regex(r"[0-9a-f]{8,64}", fullmatch=True)),
)
_some = st.lists(conditions, max_size=3).map(tuple)
bodies: st.SearchStrategy[RuleBody] = st.builds(
    RuleBody,
    name=st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True),
    label=_text,
    against=st.booleans(),
    decisive=st.booleans(),
    scope=st.just("text") | _text,
    all=_some,
    any=_some,
    none=_some,
    rationale=st.text(max_size=10),
).filter(lambda b: b.all or b.any)


@given(bodies)
@example(RuleBody(name="a", label="b", any=(Phrase("c\x85d"), Regex("\u2028")), scope="e\u2029"))
def test_a_rule_survives_being_written_down(body):
    data = rule_to_dict(body)
    assert parse_rule(data) == body
    assert parse_rule(json.loads(json.dumps(data))) == body
    assert parse_rule(load_yaml(print_yaml(data))) == body
    assert parse_rule(load_words(print_yaml(data), but=NO_WORDS)) == body


@pytest.mark.parametrize(
    ("said", "label", "against"),
    [("label: no", "no", False), ("label: on", "on", False), ("label: 1.0", "1.0", False),
     ("against: no", "no", True), ("against: true", "true", True),
     ("label: yes\nagainst: true", "yes", True), ("label: yes\nagainst: On", "yes", True),
     ("label: yes\nagainst: false", "yes", False), ("label: yes\nagainst:", "yes", False)],
)  # fmt: skip
def test_a_rule_speaks_of_the_label_as_it_was_written(said, label, against):
    rest = "\nname: a\ndecisive: yes\nall: [keywords: [12:30, off], length: {max: 3}]"
    body = parse_rule(load_words(said + rest, but=NO_WORDS))
    assert (body.label, body.against, body.decisive) == (label, against, True)
    assert body.all == (Keywords(("12:30", "off")), Length(unit="words", max=3))


@given(bodies, bodies)
def test_the_hash_tells_rules_that_vote_alike(one, other):
    renamed = replace(one, name="another", rationale="x", decisive=not one.decisive)
    assert renamed.hash == one.hash
    meaning = [(b.scope, b.all, b.any, b.none) for b in (one, other)]
    if meaning[0] != meaning[1]:
        assert one.hash != other.hash


@given(bodies)
def test_every_rule_can_be_said_in_a_sentence(body):
    assert body.label in describe(body)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "label", "any", "all", "keywords", "min", "in", "regex"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_json)
def test_any_other_file_gets_a_sentence_not_a_crash(data):
    refusal = None
    try:
        parse_rule(data)
    except InputError as error:
        refusal = error
    if refusal:
        assert refusal.message.endswith((".", "'", '"'))
        assert len(str(refusal)) < 600


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "must be a mapping"),
        ({"name": "A b", "label": "x"}, "'A b' is not usable"),
        ({"name": "a"}, "name one label"),
        ({"name": "a", "label": "x", "against": "y"}, "name one label"),
        ({"name": "a", "label": "x"}, "no condition"),
        ({"name": "a", "label": "x", "none": [{"phrase": "b"}]}, "no condition"),
        ({"name": "a", "label": "x", "anny": []}, "key 'anny' is unknown"),
        ({"name": "a", "label": "x", "any": {}}, "hold lists"),
        ({"name": "a", "label": "x", "any": [{"phrase": "b", "regex": "c"}]}, "not a condition"),
        ({"name": "a", "label": "x", "any": [{"fuzy": "b"}]}, "no condition 'fuzy'"),
        ({"name": "a", "label": "x", "any": [{"keywords": []}]}, "no word"),
        ({"name": "a", "label": "x", "any": [{"keywords": {"word": ["b"]}}]}, "'word' is unknown"),
        ({"name": "a", "label": "x", "any": [{"regex": "b" * (MAX_PATTERN + 1)}]}, "1001"),
        ({"name": "a", "label": "x", "any": [{"length": {"unit": "pages"}}]}, "'pages'"),
        ({"name": "a", "label": "x", "any": [{"number": {}}]}, "neither min nor max"),
        ({"name": "a", "label": "x", "any": [{"number": {"min": 3, "max": 1}}]}, "above max"),
        ({"name": "a", "label": "x", "any": [{"number": {"min": "3"}}]}, "must be a number"),
        ({"name": "a", "label": "x", "any": [{"column": {"equals": "b"}}]}, "no name"),
        ({"name": "a", "label": "x", "decisive": "yes", "any": [{"phrase": "b"}]}, "true or false"),
    ],
)
def test_a_bad_rule_is_told_what_to_mend(data, words):
    with pytest.raises(InputError) as caught:
        parse_rule(data)
    assert words in str(caught.value)
    assert caught.value.next_step


def test_yaml_words_that_look_like_values_stay_words():
    rule = parse_rule(
        yaml.safe_load("{name: a, against: x, any: [{keywords: [no, yes, 12, milk]}]}")
    )
    assert rule.any == (Keywords(("no", "yes", "12", "milk")),)
    assert rule.against


@pytest.mark.parametrize(
    ("written", "label"),
    [("0", "0"), ("1", "1"), ("no", "no"), ("yes", "yes"), ("'no'", "no"), ("spam", "spam")],
)
def test_a_label_may_be_a_number_or_a_word_that_yaml_takes_for_a_truth(written, label):
    data = yaml.safe_load(f"name: a\nlabel: {written}\nany: [phrase: x]")
    assert (parse_rule(data).label, parse_rule(data).against) == (label, False)


def test_a_rule_may_vote_against_the_label_0():
    body = parse_rule(yaml.safe_load("name: a\nagainst: 0\nany: [phrase: x]"))
    assert (body.label, body.against) == ("0", True)


@pytest.mark.parametrize("written", ["against: true", "against: false", "label:", "label: []"])
def test_a_rule_without_a_label_says_so(written):
    with pytest.raises(InputError, match="must name one label"):
        parse_rule(yaml.safe_load(f"name: a\n{written}\nany: [phrase: x]"))


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan"])
@pytest.mark.parametrize(
    "condition",
    ["length: {unit: words, max: N}", "number: {min: N}", "column: {name: c, max: N}"],
)
def test_a_limit_is_a_number_that_text_can_be_compared_with(condition, number):
    text = f"name: a\nlabel: b\nany: [{condition.replace('N', number)}]"
    with pytest.raises(InputError, match="must be a number"):
        parse_rule(yaml.safe_load(text))
