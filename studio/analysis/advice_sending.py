"""Checks of what a prompt carries and where it goes: copied texts, personal data, length, model."""
# ruff: noqa: E501 (patterns and sentences read better unbroken)

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from textwrap import shorten

from studio.analysis.advice_reading import Known, Passage, hint, listed, name_words, warning
from studio.analysis.personal_data import find_personal
from studio.domain.advice import BLANK, Advice, Place, Rewrite, Section, Severity, text_at
from studio.domain.example import Split
from studio.domain.prompt import PromptText, render_system
from studio.domain.tokens import likely_tokens
from studio.domain.variables import columns_named, unusable_in, unusable_words, variable

ENCODER_PIECES = 256
"""What the embedded reader reads of a line."""
_KINDS = {
    "email": "an e-mail address", "iban": "an account number", "card": "a card number",
    "phone": "a phone number", "ssn": "a US social security number",
    "person": "a name with a birth date", "address": "a street address",
}  # fmt: skip
_DATED = re.compile(
    r"\d{4}-\d\d-\d\d|-\d{8}$|-\d{4}$|^ft:|@|:(?!(?:latest|free)$)[\w.-]+$|-v\d+(?:\.\d+)*$", re.I
)
# Names that their makers move on, and open models named without a version, which a service picks.
_FLOATING = re.compile(
    r"[-:](?:latest|preview)$|(?:^|/)(?:gpt-|chatgpt-|o\d|claude-|gemini-|mistral-|grok-|"
    r"deepseek-(?:chat|reasoner)|qwen-(?:max|plus|turbo|flash))|"
    r"^(?:llama|mistral|mixtral|gemma|phi|qwen|deepseek|codellama)-?\d*$", re.I,
)  # fmt: skip
_STEERS = re.compile(
    r"\b(?:step by step|if|when|whenever|unless|unsure|in doubt|always|never|prefer|first|before you|ignore)\b", re.I
)  # fmt: skip
_CONDITION = re.compile(
    r"^(?:if|when|whenever) (?P<when>[^,.;]{4,160}?),? (?:then )?(?:it is|choose|answer|say|label it|use|pick|mark (?:it )?as)"
    r" [\"“'`]?(?P<label>[^\"”'`.,;]{1,60}?)[\"”'`]?\s*[.]?$", re.I,
)  # fmt: skip


def check_copied(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Tell where the prompt holds the text of an example; of test not even which words."""
    for copied in known.copied:
        is_test = copied.split == Split.TEST.value
        is_shot = copied.place.section is Section.FEW_SHOTS
        if is_shot and copied.split == Split.TRAIN.value:
            continue  # that is what few-shots are for
        place = copied.place if not is_test else Place(
            section=copied.place.section, label=copied.place.label, index=copied.place.index
        )  # fmt: skip
        yield warning(
            "leak", place, f"Text of the locked test split stands in the {place.words}" if is_test
            else f"The text of an example of {copied.split} stands in the {place.words}",
            "The model has seen what it will be measured on, so its figures on test would be worth nothing."
            if is_test else "The model is shown what it is measured on there, so its figures look too good.",
            "Say the pattern in your own words" + (
                "." if is_test else ", or show an example of train below."
            ), None, Severity.ERROR if is_test else Severity.WARNING,
        )  # fmt: skip


def check_telling(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Tell of columns that give the label away, which new texts may come without."""
    for passage in texts:
        for column in known.telling:
            name = variable(column)
            if (start := passage.text.find(name)) >= 0:
                yield warning(
                    "telling_column", passage.at(start, start + len(name)),
                    f"The column {column} tells the label by itself",
                    "In train its value alone gives the gold label nearly always. If it was made from the "
                    "answer, or new texts come without it, every figure flatters this prompt.",
                    "Leave it out, unless it is known before anybody decides.",
                    passage.rewrite(start, start + len(name), ""),
                )  # fmt: skip


def check_personal(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find personal data, which goes to the model with every text and stays in every version."""
    shots = [
        Passage(Place(section=Section.FEW_SHOTS, index=i), shot.text)
        for i, shot in enumerate(body.few_shots)
    ]
    for passage in [*texts, *shots]:
        for one in find_personal(passage.text):
            place = passage.at(one.start, one.end)
            yield warning(
                "personal_data", place, f"There is {_KINDS[one.kind]} in the {place.words}",
                "It is sent with every single text and kept in every version and export.",
                "Put a placeholder there.", passage.rewrite(one.start, one.end, f"[{one.kind}]"),
            )  # fmt: skip


def check_length(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find prompts too long for the reader or for the purse."""
    if known.reads == "encoder":
        for passage in texts:
            pieces = likely_tokens(passage.text)
            if passage.place.section is not Section.INSTRUCTIONS and pieces > ENCODER_PIECES:
                yield hint(
                    "too_long", passage.at(0, len(passage.text)),
                    f"The {passage.place.words} is longer than the embedded reader reads",
                    f"It reads about {ENCODER_PIECES} word pieces of a line; this has about {pieces}.",
                    "Split it into several rationales of the label.",
                )  # fmt: skip
        return
    system = likely_tokens(render_system(body, known.labels))
    shots = sum(likely_tokens(shot.text) + 20 for shot in body.few_shots)
    if system + shots > known.most_tokens:
        large = "examples shown" if shots > system else "instructions, definitions and rationales"
        yield hint(
            "too_long", Place(section=Section.FEW_SHOTS if shots > system else Section.INSTRUCTIONS),
            f"About {system + shots:,} tokens go with every text",
            "You pay for them, and wait for them, once a text.",
            f"Shorten the {large}: keep what decides borderline texts.",
        )  # fmt: skip


def check_model(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find a model name that will mean another model some day."""
    name = known.model
    if not name or known.reads == "encoder" or _DATED.search(name) or not _FLOATING.search(name):
        return
    stem = re.sub(r"[-:](?:latest|preview|free)$", "", name)
    pinned = [m for m in known.models if m.startswith(f"{stem}-") and _DATED.search(m[len(stem) :])]
    place = Place(section=Section.MODEL)
    yield hint(
        "floating_model", place, f"{name} may mean another model tomorrow",
        "Its maker moves the name to newer models, and figures measured on the old one no longer hold.",
        f"Ask for {max(pinned)} (Settings)." if pinned
        else "Set a dated version of it where the service offers one (Settings), and measure anew when it changes.",
        Rewrite(place=place, before=name, after=max(pinned)) if pinned else None,
    )  # fmt: skip


def check_reader(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find lines meant to steer that the embedded reader cannot follow."""
    passage = next((p for p in texts if p.place.section is Section.INSTRUCTIONS), None)
    if known.reads != "encoder":
        return
    yield from _unread_columns(known, texts)
    if passage is None:
        return
    by_name = {name.casefold(): name for name in known.labels}
    for start, end in passage.sentences():
        sentence = passage.text[start:end]
        line = next((x for x in known.unused if sentence in x), None)
        if line is None or not _STEERS.search(sentence) or sentence.endswith("?"):
            continue
        found = _CONDITION.match(sentence)
        label = by_name.get(found["label"].strip().casefold()) if found else None
        reason = _reason(found["when"]) if found and label else ""
        if (label, reason) in body.reasons:
            continue
        place = Place(section=Section.REASONS, label=label or "")
        begins = shorten(sentence, 40, placeholder=" …")
        yield hint(
            "chat_only", passage.at(start, end), f"Only a chat model can follow “{begins}”",
            "The embedded reader compares meanings with definitions, rationales and examples; this line "
            "moves no label of it.",
            "Say it as a rationale of the label." if label
            else f"Say it in the definition of a label, e.g. of {listed(known.labels[:2])}.",
            Rewrite(place=place, before="", after=reason) if reason else None,
        )  # fmt: skip


def _unread_columns(known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find columns that the embedded reader is never given, each once."""
    told = set[str]()
    for passage in texts:
        for column in columns_named([passage.text]):
            found = re.search(rf"\{{\{{\s*{re.escape(column)}\s*\}}\}}", passage.text)
            if column in told or column not in known.columns or found is None:
                continue
            told.add(column)
            yield hint(
                "chat_only", passage.at(*found.span()), f"Only a chat model reads the column {column}",
                "The embedded reader gets the text of an example alone, so the column moves no label of it.",
                "Ask a chat model, or make rules of the column on the Rationales page; for the embedded "
                "reader say in a definition what the texts themselves show.",
            )  # fmt: skip


def _reason(when: str) -> str:
    return when[:1].upper() + when[1:].rstrip(". ") + "."


def check_strangers(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find definitions and rationales of labels that the task does not have."""
    gone = {name: Place(section=Section.DEFINITION, label=name, end=len(text))
            for name, text in body.definitions.items() if text and name not in known.labels}  # fmt: skip
    for i, (name, text) in enumerate(body.reasons):
        if name not in known.labels:
            gone.setdefault(name, Place(section=Section.REASONS, index=i, end=len(text)))
    for name, place in gone.items():
        near = [x for x in known.labels if name_words(x) & name_words(name)]
        words = text_at(body, place)
        yield warning(
            "unknown_label", place, f"{name} is none of the labels",
            "What is said of it never reaches the model.",
            f"Write it under {near[0]}, or add the label (Data page)." if near
            else "Take it out, or add the label (Data page).",
            # Whose words might belong to a label there is, a person should move.
            None if near else Rewrite(place=place, before=words, after=""),
        )  # fmt: skip


def check_instructions(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find prompts that do not say what is to be decided."""
    if body.instructions.strip():
        return
    place = Place(section=Section.INSTRUCTIONS, end=len(body.instructions))
    question = " ".join(known.question.split())
    after = (
        question or f"Read the text and decide which label fits: {listed(known.labels, most=20)}."
    )
    yield warning(
        "no_instructions", place, "It does not say what to decide",
        "The model sees labels and a text, and guesses what the question is.",
        "Ask the question in a sentence.",
        Rewrite(place=place, before=body.instructions, after=after),
    )  # fmt: skip


def check_variables(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find placeholders that nothing fills in."""
    for passage in texts:
        said = passage.said
        for column, start, end in unusable_in(passage.text, (*known.columns, *known.unusable)):
            said = said[:start] + " " * (end - start) + said[end:]
            yield warning(
                "blank", passage.at(start, end), f"Nothing fills in “{shorten(passage.text[start:end], 60)}”",
                "The name has braces, blanks at its ends, several lines or over 100 letters, so the model "
                "would read it as it stands, without the value.", unusable_words(column),
            )  # fmt: skip
        for found in re.finditer(r"\{\{?\s*([^\W\d]\w{0,40})\s*\}?\}", said):
            if found[1] not in (*known.columns, "text"):
                near = get_close_matches(found[1], known.columns, 1)
                meant = variable(near[0]) if near else BLANK.format(found[1].replace("_", " "))
                yield warning(
                    "blank", passage.at(*found.span()), f"Nothing fills in “{found[0]}”",
                    "It is no column of the examples, so the model would read it as it stands.",
                    f"Write what is meant, or use a column: {listed(known.columns)}." if known.columns
                    else "Write what is meant.", passage.rewrite(*found.span(), meant),
                )  # fmt: skip
