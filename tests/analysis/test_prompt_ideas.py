"""Lines drawn from rationales, corrections and errors; and example texts found in prompts."""

import random

from hypothesis import given
from hypothesis import strategies as st

from studio.analysis.copied_text import RUN, find_copied, probes
from studio.analysis.prompt_ideas import Mistake, label_cues, suggest_lines
from studio.domain.advice import Severity, apply_rewrite
from studio.domain.example import normalise
from studio.domain.guideline import Guideline
from studio.domain.prompt import FewShot, PromptText
from studio.domain.rationale import Evidence, Rationale

NAMES = {1: "keto", 2: "not_keto"}
BODY = PromptText(
    instructions="Is it keto?", definitions={"keto": "Meat and fish.", "not_keto": "Rice."}
)


def reason(i, label, text, *evidence):
    words = tuple(Evidence(start=0, end=len(w), words=w) for w in evidence)
    return Rationale(id=i, label_id=label, text=text, evidence=words, author="Dr. Lind", at="")


def test_cues_are_the_experts_words_first_then_those_of_gold():
    texts = [(f"glazed honey ham {i}", "not_keto") for i in range(8)]
    texts += [(f"grilled ham {i}", "keto") for i in range(8)]
    cues = label_cues(NAMES, [reason(1, 2, "Sweet.", "Fried Rice")], texts)
    assert cues["not_keto"][0] == "fried rice"
    assert {"glazed", "honey"} <= set(cues["not_keto"])
    assert cues["keto"] == ("grilled",)
    assert all("ham" not in words for words in cues.values())


def test_a_rationale_the_prompt_does_not_say_is_offered_once_a_label_and_applied():
    said = [
        reason(1, 2, "Potatoes are starch, however nobly cooked."),
        reason(2, 1, "Meat and fish."),
        reason(3, 9, "Of another task."),
    ]
    (idea,) = suggest_lines(BODY, NAMES, rationales=said)
    assert (idea.code, idea.severity) == ("rationale", Severity.IDEA)
    after = apply_rewrite(BODY, idea.rewrite)
    assert after.reasons == (("not_keto", said[0].text),)
    assert suggest_lines(after, NAMES, rationales=said) == []


def test_a_guideline_note_is_offered_for_the_label_it_speaks_for():
    notes = [
        Guideline(id=1, label_id=1, text="Cream and butter count.", author="Ada", at=""),
        Guideline(id=2, text="In doubt ask a colleague first.", author="Bo", at=""),
    ]
    (idea,) = suggest_lines(BODY, NAMES, guidelines=notes)
    assert (idea.code, idea.place.label) == ("guideline", "keto")
    assert "Ada wrote this down when people differed" in idea.why
    assert suggest_lines(apply_rewrite(BODY, idea.rewrite), NAMES, guidelines=notes) == []


TEXTS = [
    *((f"grilled salmon {i}", "keto") for i in range(12)),
    *((f"custard tart or noodle bowl {i}", "not_keto") for i in range(12)),
]


def mistakes(n, text="custard tart", **more):
    return [Mistake(text=f"{text} {i}", gold="not_keto", said="keto", **more) for i in range(n)]


def test_frequent_mix_ups_give_a_contrast_line_and_rare_ones_none():
    texts = TEXTS
    assert suggest_lines(BODY, NAMES, mistakes=mistakes(2), texts=texts) == []
    wrong = mistakes(5) + mistakes(1, corrected=True)
    (idea,) = suggest_lines(BODY, NAMES, mistakes=wrong, texts=texts)
    assert idea.rewrite.after == "Says custard or tart: not_keto rather than keto."
    assert "6 examples of train" in idea.title
    assert "1 correction" in idea.why
    (bare,) = suggest_lines(BODY, NAMES, mistakes=wrong, texts=texts, reads="encoder")
    assert bare.rewrite.after == "Says custard or tart."
    assert (
        suggest_lines(apply_rewrite(BODY, idea.rewrite), NAMES, mistakes=wrong, texts=texts) == []
    )


def test_an_error_slice_is_named_where_its_words_differ():
    texts = TEXTS
    wrong = mistakes(6, slices=("course = dessert",)) + mistakes(9, "noodle bowl")
    ideas = suggest_lines(BODY, NAMES, mistakes=wrong, texts=texts)
    (named,) = [i for i in ideas if i.code == "slice"]
    assert "course = dessert" in named.title
    assert ideas == suggest_lines(BODY, NAMES, mistakes=wrong[::-1], texts=texts)


def test_the_topic_of_the_mistakes_is_no_contrast_where_the_other_label_has_it_too():
    texts = [*TEXTS, *((f"chicken {i}", "keto") for i in range(3)), ("chicken pie", "not_keto")]
    assert suggest_lines(BODY, NAMES, mistakes=mistakes(6, "chicken"), texts=texts) == []


LONG = "Shakshuka in the pan with two eggs dropped into slow peppery tomato sauce"


def test_a_copied_text_is_found_anywhere_with_the_strictest_split():
    body = PromptText(
        instructions=f"Such as: {LONG}!",
        definitions={"keto": "Meat, eggs."},
        reasons=(("keto", f"Because {LONG.upper()} is."),),
        few_shots=(FewShot(text="Ham", label="keto"),),
    )
    found = find_copied(body, [(LONG, "train"), (LONG + "; bread.", "test"), ("Ham", "validation")])
    assert [(c.place.section.value, c.split) for c in found] == [
        ("instructions", "test"), ("reasons", "test"), ("few_shots", "validation"),
    ]  # fmt: skip


def test_short_texts_and_common_talk_are_no_copies():
    body = PromptText(instructions="Is this dish keto? Chicken soup with rice.")
    assert (
        find_copied(body, [("Chicken soup", "test"), ("Is this dish good for me today?", "test")])
        == []
    )


@given(st.integers(0, 10_000), st.integers(RUN, 30))
def test_every_copy_that_is_found_is_probed_for(seed, n):
    rng = random.Random(seed)
    words = [f"w{rng.randrange(500)}x" for _ in range(n)]
    lead = [f"lead{i}" for i in range(rng.randrange(9))]
    body = PromptText(instructions=" ".join([*lead, *words, "tail"]))
    assert find_copied(body, [(" ".join(words), "test")])
    have = set(normalise(" ".join(words)).split())
    assert any(set(group) <= have for group in probes(body))
