"""Drafts say what the expert said, never what they denied, and learn from gold of train only."""

import numpy as np
import pytest

from studio.analysis.drafting import Material, draft_bodies
from studio.analysis.lexicon import Lexicon
from studio.analysis.sentence import read_sentence
from studio.domain.coded_rationale import parse_rule, rule_to_dict
from studio.domain.conditions import Column, Fuzzy, Keywords, Length, Number
from studio.domain.rationale import Rationale, find_evidence

NAMES = {1: "keto", 2: "not_keto"}


def reason(text, label_id=2, *, about="", evidence=()):
    return Rationale(
        id=1, label_id=label_id, text=text, author="Ada", at="",
        evidence=find_evidence(about, list(evidence)),
    )  # fmt: skip


def material(texts, gold=None, **columns):
    gold = np.array(gold or [0] * len(texts), dtype=np.int32)
    return Material(texts, columns, gold)


def drafts(rationale, stuff, **more):
    return [idea.body for idea in draft_bodies(rationale, NAMES, stuff, **more)]


def words_of(body):
    (condition,) = body.any
    return set(condition.words)


@pytest.mark.parametrize(
    ("text", "said", "denied", "excepted"),
    [
        ("Rice decides, unless it is cauliflower rice.", ("rice",), (), ("cauliflower rice",)),
        ("No bread, rice or pasta, only eggs.", ("eggs",), ("bread", "rice", "pasta"), ()),
        ("Sugar-free cake with erythritol", ("cake", "erythritol"), ("sugar",), ()),
        ("It doesn't hold starch; beef does", ("beef",), ("hold", "starch"), ()),
        ("", (), (), ()),
    ],
)
def test_a_sentence_is_read_for_what_it_names_denies_and_excepts(text, said, denied, excepted):
    read = read_sentence(text)
    assert (read.said, read.denied, read.excepted) == (said, denied, excepted)


def test_highlighted_words_become_keywords_with_their_plurals():
    text = "Fried noodles with egg"
    stuff = material([text, "One noodle", "An eggplant", "One egg"])
    (first, *_) = drafts(reason("It is starch", about=text, evidence=["noodles", "egg"]), stuff)
    assert words_of(first) == {"noodle*", "egg"}  # egg* would reach for eggplants


def test_words_the_sentence_denies_speak_against_and_never_for():
    texts = ["cake with sugar", "cake without sugar", "sugar free cream", "cake"]
    bodies = drafts(reason("There is no sugar in it", 1), material(texts))
    against = [b for b in bodies if b.against]
    assert [(b.label, words_of(b)) for b in against] == [("keto", {"sugar"})]
    assert set(against[0].any[0].excepted) == {"without sugar", "sugar free"}
    assert [words_of(b) for b in bodies if not b.against] == [{"without sugar", "sugar free"}]


def test_an_error_list_becomes_an_exception():
    texts = ["rice bowl", "rice and beans", "fried rice", *["cauliflower rice"] * 3]
    stuff = material(texts, [2, 2, 2, 1, 1, 1])
    body = drafts(reason("rice", about="rice bowl", evidence=["rice"]), stuff)[0]
    assert "cauliflower rice" in body.any[0].excepted
    assert "fried rice" not in body.any[0].excepted


def test_words_gold_speaks_against_are_left_out_and_named():
    texts = ["rice", "rice noodles", "rice cake", "plate of eggs", "plate of ham", "plate of beef"]
    ideas = draft_bodies(reason("Rice fills the plate"), NAMES, material(texts, [2] * 3 + [1] * 3))
    first = ideas[0]
    assert words_of(first.body) == {"rice"}
    assert "left out: plate" in first.why


def test_words_of_near_gold_are_found():
    texts = [f"stew {n} with {what}" for what in ("lentils", "beef") for n in "abcdefgh"]
    found = drafts(reason("Pulses count"), material(texts, [2] * 8 + [1] * 8))
    assert any(words_of(b) == {"lentils"} for b in found)


def test_other_spellings_make_a_fuzzy_draft():
    texts = ["courgette ribbons"] * 8 + ["courgetti bowl", "corgette mash"]
    found = drafts(reason("Courgette replaces it", 1), material(texts))
    assert Fuzzy(words=("courgette",)) in [c for b in found for c in b.any]


def test_columns_lengths_and_numbers_of_the_sentence():
    course = ["dessert", "main", "dessert", None]
    carbs = ["3", "8", "12", ""]
    stuff = material(["a cake", "b stew", "c cake", "d"], course=course, carbs=carbs)
    text = "A dessert of more than 5 g carbs and at most 20 words, over 300 kcal"
    found = [c for b in drafts(reason(text), stuff) for c in b.all]
    assert Column(name="course", values=("dessert",)) in found
    assert Column(name="carbs", min=5.0) in found
    assert Length("words", None, 20) in found
    assert Number(min=300.0) not in found  # the sentence names the column
    other = [c for b in drafts(reason("over 300 kcal"), material(["a", "b"])) for c in b.all]
    assert other == [Number(min=300.0)]


def test_a_value_of_its_example_counts_only_where_gold_tells():
    n = 30
    cuisine = ["thai"] * n + ["greek"] * n
    kcal = [str(i) for i in range(2 * n)]
    stuff = material(["dish"] * 2 * n, [2] * n + [1] * n, cuisine=cuisine, kcal=kcal)
    facts = {"cuisine": "thai", "kcal": "4"}
    found = [c for b in drafts(reason("It is so"), stuff, facts=facts) for c in b.all]
    assert Column(name="cuisine", values=("thai",)) in found
    assert any(c.name == "kcal" and c.max is not None and 25 <= c.max <= 33 for c in found)
    noise = material(["dish"] * 2 * n, [1, 2] * n, cuisine=cuisine, kcal=kcal)
    assert drafts(reason("It is so"), noise, facts=facts) == []


def test_drafts_are_the_same_each_time_and_can_be_written_down():
    texts = ["Gebäck mit Zucker", "étude 12", "\x00 rice", "", "rice 'n' beans"] * 3
    stuff = material(texts, [2, 1, 2, 0, 2] * 3, note=["a", "b", None, "c", "a"] * 3)
    said = "Zucker, rice; not étude (more than 3 words)!"
    told = reason(said, about="fried rice", evidence=["rice"])
    first, again = (draft_bodies(told, NAMES, stuff) for _ in "ab")
    assert first == again
    for idea in first:
        assert parse_rule(rule_to_dict(idea.body)) == idea.body
        assert idea.why


def test_odds_need_more_than_luck():
    words = Lexicon(["rice a"] * 20 + ["beef a"] * 20 + ["rare a"])
    ranked = words.odds([*range(20), 40], range(20, 40))
    z = {w.word: w.z for w in ranked}
    assert z["rice"] > 1.64 > z["rare"] > 0 > z["beef"]


def test_without_any_example_nothing_is_drafted():
    assert drafts(reason("Rice is starch"), material([])) == []


def test_keywords_hold_what_the_sentence_excepts():
    stuff = material(["rice bowl", "cauliflower rice", "rice pudding"])
    body = drafts(reason("Rice, except cauliflower rice"), stuff)[0]
    assert body.any == (Keywords(("rice",), ("cauliflower rice",)),)
