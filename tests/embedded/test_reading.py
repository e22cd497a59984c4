"""Which lines of a prompt are read, and how labels' names are."""

import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.embedded.encoder import load_encoder
from studio.embedded.language import looks_foreign
from studio.embedded.reading import read_prompt
from studio.embedded.scoring import PromptScorer, best, texts
from studio.embedded.weights import MissingWeights

from .conftest import PROMPT


def of_kind(reading, kind):
    return [(line.label, line.text) for line in reading.lines if line.kind == kind]


def test_the_studios_own_form():
    reading = read_prompt(PROMPT, ["keto", "not_keto"])
    assert [label for label, _ in of_kind(reading, "definition")] == ["keto", "not_keto"]
    assert of_kind(reading, "reason")[1] == ("not_keto", "rice, pasta and bread are starch")
    unused = ("Decide whether a dish fits a keto diet.", "Think step by step.")
    assert reading.unused == unused
    assert reading.notes == ()
    assert read_prompt(PROMPT).labels == ("keto", "not_keto")


@pytest.mark.parametrize(
    "system",
    [
        "Spam: ads\nHam: friends",
        "**spam**: ads\n**ham**: friends",
        "1. `spam` - ads\n2. `ham` - friends",
        "* spam = ads\n* ham = friends",
        'Rules\nads -> spam\nif friends => "ham"',
        "spam:\n - ads\nham:\n - friends",
    ],
)
def test_prose_of_other_shapes(system):
    reading = read_prompt(system, ["spam", "ham"])
    said = {(line.label, line.text) for line in reading.lines if line.kind != "name"}
    assert said == {("spam", "ads"), ("ham", "friends")}


@pytest.mark.parametrize(
    ("system", "labels"),
    [
        ("Categories:\n- a b\n- c: of c", ("a b", "c")),
        ("Answer with one of: red, green or blue.", ("red", "green", "blue")),
        ("- red: like blood\n- blue: like the sky", ("red", "blue")),
        ("Say something.", ()),
    ],
)
def test_labels_without_an_enum(system, labels):
    assert read_prompt(system).labels == labels


def test_names_alone_are_read_when_they_say_something():
    reading = read_prompt("", ["card_arrival", "other", "not_spam", "spam"])
    assert of_kind(reading, "name") == [("card_arrival", "card_arrival"), ("spam", "spam")]
    assert reading.lines[0].embedded == "card arrival"
    assert reading.mute == ("other", "not_spam")
    asked = "Give not_spam a definition: its name is a negation and cannot be read."
    assert asked in reading.notes


@pytest.mark.parametrize("name", ["not_keto", "non-keto", "no keto", "without_keto", "unketo"])
def test_a_negated_name_is_never_embedded(name):
    for system in ("", f"{name}: a dish with starch", f"Reasons:\n- {name}: bread is starch"):
        reading = read_prompt(system, ["keto", name])
        for line in reading.lines:
            assert line.label == "keto" or name not in line.embedded
            assert line.label == "keto" or "keto" not in line.embedded


def test_a_definition_that_only_negates_is_named():
    reading = read_prompt("- not_keto: anything that is not keto", ["keto", "not_keto"])
    assert reading.mute == ("not_keto",)
    assert "cannot be read" in reading.notes[0]


def test_foreign_texts():
    assert looks_foreign("これは日本語です")
    assert looks_foreign("Der Fisch ist nicht mit Mehl paniert")
    assert not looks_foreign("Chile con carne")
    assert not looks_foreign("ok")
    assert not looks_foreign("12345 !!!")


WORDS = load_encoder(MissingWeights("a test"))


def judge(system, labels, shots, text):
    reading = read_prompt(system, labels, shots)
    wanted = texts(reading)
    made = WORDS.encode(wanted).vectors.astype(np.float32)
    scorer = PromptScorer(reading, dict(zip(wanted, made, strict=True)), WORDS)
    return scorer.score(WORDS.encode([text]).vectors[0].astype(np.float32)).probabilities


@given(
    names=st.lists(
        st.text(string.ascii_letters, min_size=3, max_size=9), min_size=2, max_size=6,
        unique_by=str.lower,
    ),
    about=st.lists(st.sampled_from(["bread and rice", "meat", "green leaves"]), max_size=6),
    shots=st.lists(st.integers(0, 5), max_size=4),
    order=st.randoms(use_true_random=False),
)  # fmt: skip
def test_the_order_of_labels_changes_nothing(names, about, shots, order):
    lines = [f"- {name}: {words}" for name, words in zip(names, about, strict=False)]
    pairs = [(f"dish {n} with rice", names[n % len(names)]) for n in shots]
    first = judge("\n".join(lines), names, pairs, "rice with meat")
    for sequence in (lines, names, pairs):
        order.shuffle(sequence)
    again = judge("\n".join(lines), names, pairs, "rice with meat")
    assert first == again
    assert best(first) == best(again)
    assert sum(first.values()) == pytest.approx(1, abs=1e-4)


@given(st.text(max_size=300), st.lists(st.text(min_size=1, max_size=12), max_size=5))
def test_any_prompt_is_read_without_a_fault(system, labels):
    reading = read_prompt(system, labels)
    assert len(set(reading.labels)) == len(reading.labels)
    assert {line.label for line in reading.lines} <= set(reading.labels)
