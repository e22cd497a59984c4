"""Advice on prompts: what is found, what is left alone, and that a rewrite mends its finding."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from studio.analysis.advice_reading import Copied, Known
from studio.analysis.prompt_advice import advise
from studio.domain.advice import Place, Rewrite, Section, Severity, apply_rewrite, before_after
from studio.domain.prompt import PromptText
from studio.errors import InputError

CORPUS = yaml.safe_load(Path(__file__).with_name("prompt_corpus.yaml").read_text(encoding="utf-8"))


def body_of(item):
    return PromptText.from_dict({"instructions": "", **item})


def known_of(item):
    unused = tuple(item["instructions"].splitlines()) if item.get("reads") == "encoder" else ()
    return Known(labels=tuple(item["labels"]), model=item.get("model", ""),
                 reads=item.get("reads", ""), unused=unused)  # fmt: skip


def found_in(item):
    return {advice.code for advice in advise(body_of(item), known_of(item))}


def advice(code, body, **known):
    found = [a for a in advise(body, Known(**{"labels": ("a", "b"), **known})) if a.code == code]
    assert found, f"no {code}"
    return found[0]


GOOD = {"a": "Red things.", "b": "Blue things."}


def test_the_corpus_holds_precision_and_recall(record_property):
    good = [item for item in CORPUS if "has" not in item]
    bad = [item for item in CORPUS if "has" in item]
    assert len(good) >= 20
    assert len(bad) >= 20
    counts = Counter()
    wrong = []
    for item in CORPUS:
        wanted, found = set(item.get("has", ())), found_in(item)
        counts["right"] += len(wanted & found)
        counts["missed"] += len(wanted - found)
        extra = found - wanted - set(item.get("allows", ()))
        counts["false"] += len(extra)
        wrong += [(item["name"], "missed", sorted(wanted - found))] if wanted - found else []
        wrong += [(item["name"], "false", sorted(extra))] if extra else []
    precision = counts["right"] / (counts["right"] + counts["false"])
    recall = counts["right"] / (counts["right"] + counts["missed"])
    quiet = sum(not found_in(item) for item in good) / len(good)
    told = f"precision {precision:.3f} recall {recall:.3f} silent on good {quiet:.3f} {wrong}"
    record_property("advice", told)
    print(told)
    assert precision >= 0.95, told
    assert recall >= 0.95, told
    assert quiet >= 0.95, told


@pytest.mark.parametrize("item", [i for i in CORPUS if "has" in i], ids=lambda i: i["name"])
def test_an_applied_rewrite_mends_its_finding_and_brings_no_worse(item):
    body, known = body_of(item), known_of(item)
    for one in advise(body, known):
        if one.rewrite is None or one.rewrite.place.section is Section.MODEL:
            continue
        after = apply_rewrite(body, one.rewrite)
        assert after != body
        left = advise(after, known)
        # The same words may be blanks now, which are told until they are filled in.
        assert (
            sum(a.code == one.code for a in left)
            < sum(a.code == one.code for a in advise(body, known))
            or "[fill in" in one.rewrite.after
        ), one.code
        shown = before_after(body, one.rewrite)
        assert shown[0] != shown[1]


def test_every_place_lies_in_its_text():
    for item in CORPUS:
        body = body_of(item)
        for one in advise(body, known_of(item)):
            if one.rewrite and one.rewrite.before:
                assert one.rewrite.before in str(body.to_dict()), one
            assert one.to_dict(body)["where"]["words"]
            assert one.why.endswith(".")
            assert one.suggestion.endswith(".")


def test_what_is_quoted_is_not_said():
    said = 'Texts that say "etc." or "use your judgement" are a.'
    body = PromptText(instructions=said, definitions=GOOD)
    assert [a.code for a in advise(body, Known(labels=("a", "b")))] == []


def test_test_text_is_named_and_never_told():
    body = PromptText(
        instructions="Red. The secret sentence of the locked split.", definitions=GOOD
    )
    place = Place(section=Section.INSTRUCTIONS, start=5, end=44)
    one = advice("leak", body, copied=(Copied(place=place, split="test"),))
    assert one.severity is Severity.ERROR
    told = str(one.to_dict(body))
    assert "secret" not in told
    assert (one.place.start, one.place.end, one.rewrite) == (0, 0, None)


def test_examples_of_train_may_be_shown_but_not_written_into_the_instructions():
    shot = Copied(place=Place(section=Section.FEW_SHOTS, index=0), split="train")
    said = Copied(place=Place(section=Section.INSTRUCTIONS, start=0, end=3), split="train")
    body = PromptText(instructions="Red or blue?", definitions=GOOD)
    found = [
        a for a in advise(body, Known(labels=("a", "b"), copied=(shot, said))) if a.code == "leak"
    ]
    assert [(a.place.section, a.severity) for a in found] == [
        (Section.INSTRUCTIONS, Severity.WARNING)
    ]


def test_a_definition_is_drawn_from_the_task_else_from_the_words_of_the_label():
    body = PromptText(instructions="Which one is it?", definitions={"a": "Red things."})
    assert (
        advice("undefined", body, definitions={"b": "Blue things."}).rewrite.after == "Blue things."
    )
    cues = {"b": ("blue", "navy", "sky")}
    assert advice("undefined", body, cues=cues).rewrite.after == "Says blue, navy or sky."
    assert "[fill in" in advice("undefined", body).rewrite.after


def test_many_labels_without_definition_are_one_finding():
    labels = tuple(f"label {i}" for i in range(77))
    found = advise(PromptText(instructions="Which one? Otherwise label 0."), Known(labels=labels))
    (one,) = [a for a in found if a.code == "undefined"]
    assert one.title.startswith("77 labels")


def test_yes_and_no_are_not_turned_round_by_a_click():
    body = PromptText(
        instructions="Is it not valid?", definitions={"yes": "Signed.", "no": "Void."}
    )
    assert advice("polarity", body, labels=("yes", "no")).rewrite is None
    body = PromptText(instructions="Isn't it spoiled?", definitions=GOOD)
    assert apply_rewrite(body, advice("polarity", body).rewrite).instructions == "Is it spoiled?"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Bread, fruit, etc.", "Bread, fruit."),
        ("Bread, etc. and wine.", "Bread and wine."),
        ("It is not uncommon.", "It is common."),
        ("Never fail to read it.", "Always read it."),
        ("Do not choose a unless it is red.", "Choose a only if it is red."),
        ("More than three links.", "Many links."),
        ("Red; at most two words.", "Red; only a few words."),
        ("Red things. Do your best.", "Red things."),
    ],
)
def test_rewrites_read_like_english(before, after):
    body = PromptText(instructions="Which?", definitions={"a": before, "b": "Blue things."})
    (one,) = advise(body, Known(labels=("a", "b")))
    assert apply_rewrite(body, one.rewrite).definitions["a"] == after


def test_a_condition_the_encoder_cannot_follow_becomes_a_rationale():
    line = "If the customer mentions a refund, choose a."
    body = PromptText(instructions=line, definitions=GOOD)
    one = advice("chat_only", body, reads="encoder", unused=(line,))
    assert apply_rewrite(body, one.rewrite).reasons == (("a", "The customer mentions a refund."),)
    assert one.title == "Only a chat model can follow “If the customer mentions a refund, …”"


def test_a_dated_model_is_left_alone_and_a_floating_one_gets_its_latest_date():
    body = PromptText(instructions="Which?", definitions=GOOD)
    for name in (
        "gpt-4.1-mini-2025-04-14",
        "ft:gpt-4o-mini:x",
        "encoder",
        "llama3.1",
        "claude-3-5-haiku-20241022",
    ):
        assert advise(body, Known(labels=("a", "b"), model=name)) == []
    listed = ("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "gpt-4.1-nano-2025-04-14")
    one = advice("floating_model", body, model="gpt-4.1-mini", models=listed)
    assert one.rewrite.after == "gpt-4.1-mini-2025-04-14"
    with pytest.raises(InputError, match="beside the prompt"):
        apply_rewrite(body, one.rewrite)


def test_long_prompts_are_told_by_who_reads_them():
    long = PromptText(instructions="Which?", definitions={"a": "red " * 400, "b": "Blue things."})
    assert advice("too_long", long, reads="encoder").place.label == "a"
    assert "tokens go with every text" in advice("too_long", long, most_tokens=200).title
    assert [a.code for a in advise(long, Known(labels=("a", "b")))] == []


def test_a_rewrite_finds_words_that_moved_and_refuses_those_that_are_gone():
    place = Place(section=Section.INSTRUCTIONS, start=0, end=3)
    rewrite = Rewrite(place=place, before="red", after="blue")
    assert (
        apply_rewrite(PromptText(instructions="It is red."), rewrite).instructions == "It is blue."
    )
    for text in ("It is green.", "red or red"):
        with pytest.raises(InputError, match="changed since"):
            apply_rewrite(PromptText(instructions=f" {text}"), rewrite)


def test_it_is_fast_enough_to_run_as_one_types():
    """No pattern may go wild on a long text; a bound on work, not on time."""
    for piece in (
        "not ",
        "a, ",
        "is it and ",
        "more than ",
        "if ",
        '"',
        "1 ",
        "do not x unless ",
        "{",
    ):
        body = PromptText(instructions=piece * 1000, definitions={"a": piece * 500, "b": "Blue."})
        advise(body, Known(labels=("a", "b"), reads="encoder", unused=("x",)))


def test_a_column_that_tells_the_label_is_told_and_taken_out():
    body = PromptText(instructions="Mind {{brand}} and {{grams}}.", definitions=GOOD)
    found = advice("telling_column", body, columns=("brand", "grams"), telling=("grams",))
    assert "grams tells the label" in found.title
    assert before_after(body, found.rewrite)[1] == "Mind {{brand}} and ."
