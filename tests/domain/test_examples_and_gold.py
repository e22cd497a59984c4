"""Texts are normalised alike, evidence points at what it says, gold is settled in order."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.correction import Correction, Origin
from studio.domain.example import normalise
from studio.domain.gold import resolve_gold
from studio.domain.rationale import find_evidence
from studio.errors import InputError


@given(st.text(max_size=40) | st.text(st.characters(max_codepoint=127), max_size=40))
def test_normalising_is_the_same_on_every_path(text):
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(c if c.isalnum() or unicodedata.combining(c) else " " for c in folded)
    assert normalise(text) == " ".join(kept.split())
    assert normalise(text + " ") == normalise(" " + text)


@given(st.text(max_size=20), st.text(min_size=1, max_size=5), st.text(max_size=20))
def test_evidence_points_at_its_words(before, words, after):
    text = before + words + after
    (found,) = find_evidence(text, [words])
    assert text[found.start : found.end] == found.words
    assert found.words.lower() == words.lower() or len(found.words) == len(words)


def test_evidence_is_found_after_letters_that_grow_in_lower_case():
    (found,) = find_evidence("İİİ Sugar-free", ["sugar-FREE"])
    assert (found.start, found.words) == (4, "Sugar-free")


@pytest.mark.parametrize("words", ["salt", ""])
def test_words_that_are_not_there_are_refused(words):
    with pytest.raises(InputError, match="do not stand"):
        find_evidence("sugar", [words])


def given_by(person: str, label: int | None, number: int, origin=Origin.BLIND) -> Correction:
    return Correction(
        id=number, example_id=1, person=person, label_id=label, origin=origin, at="2026-01-01"
    )


@pytest.mark.parametrize(
    ("current", "label", "event"),
    [
        ([], None, None),
        ([given_by("a", None, 1)], None, None),
        ([given_by("a", 1, 1), given_by("b", 2, 2), given_by("c", 1, 3)], 1, 3),
        ([given_by("a", 1, 5), given_by("b", 2, 2)], 1, 5),
        ([given_by("f", 1, 9, Origin.IMPORTED), given_by("a", 2, 1, Origin.ASSISTED)], 2, 1),
        ([given_by("f", 1, 9, Origin.COMPUTED), given_by("a", None, 10)], 1, 9),
        ([given_by("a", 1, 5), given_by("b", 1, 6), given_by("c", 2, 2, Origin.ADJUDICATED)], 2, 2),
    ],
)
def test_gold_is_settled_in_order_of_strength(current, label, event):
    gold = resolve_gold(current)
    assert (gold and gold.label_id) == label
    assert (gold and gold.event_id) == event
    assert resolve_gold(current[::-1]) == gold


SEEN = Origin.ASSISTED


@pytest.mark.parametrize(
    ("current", "label", "origin", "event"),
    [
        # Who agrees after having looked takes nothing from blind gold, and is not its author.
        ([given_by("a", 1, 1), given_by("b", 1, 2, SEEN)], 1, Origin.BLIND, 1),
        ([given_by("a", 1, 1), given_by("b", 1, 2, SEEN), given_by("c", 2, 3)], 1, SEEN, 2),
        ([given_by("a", 1, 3), given_by("b", 1, 2, SEEN), given_by("c", 2, 1)], 1, Origin.BLIND, 3),
        # A label that only those who had looked made the most given one is theirs.
        ([given_by("a", 1, 9), *(given_by(p, 2, n) for n, p in enumerate("bc", 1)),
          given_by("d", 1, 3, SEEN), given_by("e", 1, 4, SEEN)], 1, SEEN, 4),
        ([given_by("a", 1, 1), given_by("b", 2, 2, SEEN)], 2, SEEN, 2),
    ],
)  # fmt: skip
def test_gold_is_as_blind_as_those_who_saw_nothing_make_it(current, label, origin, event):
    gold = resolve_gold(current)
    assert (gold.label_id, gold.origin, gold.event_id) == (label, origin, event)
    assert resolve_gold(current[::-1]) == gold


said = st.tuples(st.integers(1, 3), st.sampled_from([Origin.BLIND, SEEN]))


@given(st.lists(said, min_size=1, max_size=6), st.booleans())
def test_agreeing_after_a_look_never_costs_gold_its_trust(votes, had_own):
    """Somebody takes over the label that counts; they may have had another one of their own."""
    others = [given_by(f"p{n}", label, n, origin) for n, (label, origin) in enumerate(votes)]
    own = given_by("me", votes[0][0] % 3 + 1, 50)
    before = resolve_gold([*others, own] if had_own else others)
    if had_own and before.person == "me":
        return
    after = resolve_gold([*others, given_by("me", before.label_id, 99, SEEN)])
    assert after.label_id == before.label_id
    assert (before.origin, after.origin) != (Origin.BLIND, SEEN)
