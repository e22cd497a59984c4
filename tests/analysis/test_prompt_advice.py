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

HERE = Path(__file__).parent
PROMPTS = yaml.safe_load((HERE / "prompt_corpus.yaml").read_text(encoding="utf-8"))


def told_by_lines():
    """Return a prompt for each of the plain lines: a good one with that line in it."""
    told = yaml.safe_load((HERE / "prompt_lines.yaml").read_text(encoding="utf-8"))
    good = {item["name"]: item for item in PROMPTS}
    for name, kinds in told.items():
        for code, lines in kinds.items():
            part = "model" if code == "floating_model" else "instructions"
            for line in lines["found"]:
                yield {**good[name], "name": line, "has": [code], part: line}
            for line in lines["fine"]:
                yield {**good[name], "name": line, part: line}


LINES = list(told_by_lines())
CORPUS = [*PROMPTS, *LINES]


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


@pytest.mark.parametrize("corpus", [PROMPTS, LINES], ids=["prompts", "lines"])
def test_the_corpus_holds_precision_and_recall(corpus, record_property):
    good = [item for item in corpus if "has" not in item]
    bad = [item for item in corpus if "has" in item]
    assert len(good) >= 20
    assert len(bad) >= 20
    counts = Counter()
    wrong = []
    for item in corpus:
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
        if one.rewrite is None or one.rewrite.place.section in (Section.LABELS, Section.MODEL):
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
        ("At least two links.", "Several links."),
        ("Three or more links.", "Many links."),
        ("It is not non-red.", "It is red."),
        ("It isn't unusual.", "It is usual."),
        ("It is not a non-adult.", "It is an adult."),
        ("They do not lack wheels.", "They have wheels."),
        ("Nothing without wheels is red.", "Only what has wheels is red."),
        ("It is not complete without a signature.", "It is complete only with a signature."),
        (
            "It is not complete when no signature is on it.",
            "It is complete only when a signature is on it.",
        ),
        ("Red is mentioned twice.", "Red is mentioned repeatedly."),
        ("Longer than three lines.", "Long."),
        ("With more than 10 g of sugar.", "With more than 10 g of sugar stated in the text."),
        ("Red and more or less round.", "Red and round."),
        ("Red; the proper label.", "Red; the label whose definition fits best."),
        ("As you know, wheels are red.", "Wheels are red."),
        ("Ordered yesterday.", "Ordered [fill in: words of the texts that mean “yesterday”]."),
        ("You are at [your company]. Red things.", "Red things."),
    ],
)
def test_rewrites_read_like_english(before, after):
    body = PromptText(instructions="Which?", definitions={"a": before, "b": "Blue things."})
    (one,) = advise(body, Known(labels=("a", "b")))
    assert apply_rewrite(body, one.rewrite).definitions["a"] == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Is it keto and cheap?", "Is it keto?"),
        ("Is this dish keto, and how much does it cost?", "Is this dish keto?"),
        ("Is it cheap and is it keto?", "Is it keto?"),
        ("Decide whether it is keto and whether it is cheap.", "Decide whether it is keto."),
        ("Rice is sometimes keto.", "Rice is keto only if [fill in: when]."),
        ("Usually it is keto.", "It is keto unless [fill in: when not]."),
        ("Always answer keto. Never answer keto.", "Always answer keto."),
        ("Label rice as keto. Label rice as not_keto.", "Label rice as keto."),
        ("Mind 078-05-1120 first.", "Mind [ssn] first."),
        ("We saw Jo Ray, born 3.4.1975.", "We saw [person]."),
        ("Is the mail of {{sender_name}} keto?", "Is the mail of {{sender}} keto?"),
        ("Is the mail of {{shop_owner}} keto?", "Is the mail of [fill in: shop owner] keto?"),
    ],
)
def test_rewrites_of_instructions_read_like_english(before, after):
    body = body_of({**PROMPTS[0], "instructions": before})
    (one,) = advise(body, Known(labels=("keto", "not_keto"), columns=("sender", "price")))
    assert apply_rewrite(body, one.rewrite).instructions == after


def test_who_or_what_is_in_it_is_told_by_its_kind():
    body = PromptText(
        instructions="Ask 078-05-1120 at 12 Main Street, Springfield.", definitions=GOOD
    )
    found = advise(body, Known(labels=("a", "b")))
    assert [a.title.split(" in the ")[0] for a in found] == [
        "There is a US social security number", "There is a street address",
    ]  # fmt: skip


def test_what_is_said_of_no_label_is_taken_out_unless_a_label_is_near():
    body = PromptText(instructions="Which?", definitions={**GOOD, "c": "Green things."},
                      reasons=(("d", "Like the sky."),))  # fmt: skip
    found = [a for a in advise(body, Known(labels=("a", "b"))) if a.code == "unknown_label"]
    for one in found:
        body = apply_rewrite(body, one.rewrite)
    assert advise(body, Known(labels=("a", "b"))) == []
    near = PromptText(instructions="Which?", definitions={"hot tea": "Steams.", "tea": "Leaves."})
    assert advice("unknown_label", near, labels=("hot tea", "cold")).rewrite is None


def test_label_names_that_begin_alike_are_shown_turned_round():
    body = PromptText(
        instructions="Which?", definitions={"card_lost": "Gone.", "card_new": "Post."}
    )
    one = advice("shared_first_token", body, labels=("card_lost", "card_new"))
    assert before_after(body, one.rewrite) == ("card_lost", "lost_card")
    with pytest.raises(InputError, match="beside the prompt"):
        apply_rewrite(body, one.rewrite)


def test_a_column_the_encoder_does_not_read_is_told_once():
    body = PromptText(instructions="Mind {{course}}; {{ course }} decides.", definitions=GOOD)
    known = {"labels": ("a", "b"), "columns": ("course",)}
    (one,) = advise(body, Known(**known, reads="encoder"))
    assert (one.code, one.place.start, one.place.end) == ("chat_only", 5, 15)
    assert one.title == "Only a chat model reads the column course"
    assert advise(body, Known(**known, reads="chat")) == []


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
    latest = advice("floating_model", body, model="gpt-4o:latest", models=("gpt-4o-2024-08-06",))
    assert latest.rewrite.after == "gpt-4o-2024-08-06"


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
        "is not x without ",
        "a large amount ",
        "12 Main ",
        "Jo Ray, ",
        "sometimes it ",
        "always x. never x. ",
        "{",
    ):
        body = PromptText(instructions=piece * 1000, definitions={"a": piece * 500, "b": "Blue."})
        advise(body, Known(labels=("a", "b"), reads="encoder", unused=("x",)))


def test_a_column_that_tells_the_label_is_told_and_taken_out():
    body = PromptText(instructions="Mind {{brand}} and {{grams}}.", definitions=GOOD)
    found = advice("telling_column", body, columns=("brand", "grams"), telling=("grams",))
    assert "grams tells the label" in found.title
    assert before_after(body, found.rewrite)[1] == "Mind {{brand}} and ."
