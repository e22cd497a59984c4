"""Differences of prompts: nothing lost, and readable."""

from hypothesis import given
from hypothesis import strategies as st

from studio.analysis.word_diff import diff_bodies, diff_words
from studio.domain.prompt import FewShot, PromptText

TEXTS = st.text(alphabet="ab c.\n", max_size=40)


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_from_a_difference(before, after):
    pieces = diff_words(before, after)
    assert "".join(p.text for p in pieces if p.kind != "added") == before
    assert "".join(p.text for p in pieces if p.kind != "removed") == after


def test_a_rewritten_phrase_is_one_change_and_no_confetti():
    pieces = diff_words("eat the plate as it is described", "take a dish if he is described")
    assert [p.kind for p in pieces] == ["removed", "added", "same"]


def test_parts_that_changed_are_named_and_a_reworded_reason_is_one_change():
    before = PromptText(
        instructions="Is it keto?",
        definitions={"keto": "Meat."},
        reasons=(("keto", "Meat has no starch at all."), ("keto", "Oil is fat.")),
        few_shots=(FewShot(text="Ham", label="keto"),),
    )
    after = PromptText(
        instructions="Is it keto?",
        definitions={"keto": "Meat.", "not_keto": "Rice."},
        reasons=(("keto", "Meat has no sugar at all."),),
    )
    found = [(c.part, c.marked) for c in diff_bodies(before, after, ("keto", "not_keto"))]
    assert found == [
        ("Definition of not_keto", "{+Rice.+}"),
        ("Rationale for keto", "Meat has no [-starch-]{+sugar+} at all."),
        ("Rationale for keto", "[-Oil is fat.-]"),
        ("Example of keto", "[-Ham-]"),
    ]
    assert diff_bodies(before, before, ()) == []
