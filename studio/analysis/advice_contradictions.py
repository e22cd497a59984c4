"""Checks of lines in a prompt that cannot both be followed."""
# ruff: noqa: E501 (patterns and sentences read better unbroken)

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from studio.analysis.advice_reading import NEGATOR, Known, Passage, content, warning
from studio.domain.advice import Advice, Place, Rewrite, Section, Severity
from studio.domain.example import normalise
from studio.domain.prompt import PromptText


def check_contradictions(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find lines that cannot both be followed."""
    yield from _same_reason(body)
    spans = [
        (p, a, b) for p in texts if p.place.section is not Section.REASONS for a, b in p.sentences()
    ]
    for (p, a, b), (q, c, d) in combinations(spans, 2):
        one, two = p.said[a:b], q.said[c:d]
        words = content(NEGATOR.sub(" ", one)), content(NEGATOR.sub(" ", two))
        is_same = len(words[0]) >= 2 and words[0] == words[1]
        same_part = p.place.section is q.place.section is Section.INSTRUCTIONS or p.place == q.place
        if is_same and same_part and _orders(one) != _orders(two):
            yield _contradiction(q, c, d, f"“{_cut(one)}” and “{_cut(two)}” contradict each other")
    yield from _rests(texts, known)
    yield from _formats(texts, known)


def _orders(sentence: str) -> bool:
    """Return whether a sentence denies or forbids."""
    return bool(NEGATOR.search(sentence)) or bool(
        re.match(r"\s*(?:ignore|avoid)\b", sentence, re.I)
    )


_UNSURE = re.compile(
    r"\b(?:(?:if|when|whenever) (?:you are |you're )?(?:unsure|in doubt|not sure|uncertain|it is unclear|unclear)|in doubt)\b",
    re.IGNORECASE,
)


def _rests(texts: list[Passage], known: Known) -> Iterator[Advice]:
    """Find two answers to what is said when in doubt."""
    said: list[tuple[str, Passage, int, int]] = []
    for passage in texts:
        for start, end in passage.sentences():
            sentence = passage.text[start:end]
            if doubt := _UNSURE.search(sentence):
                named = _named(sentence[doubt.end() :], known) or _named(sentence, known)
                said += [(named[0], passage, start, end)] if len(named) == 1 else []
    for one, two in combinations(said, 2):
        if one[0] != two[0]:
            yield _contradiction(*two[1:], f"In doubt it is once {one[0]} and once {two[0]}")


def _named(text: str, known: Known) -> list[str]:
    found = []
    for name in sorted(known.labels, key=len, reverse=True):
        pattern = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
        if pattern.search(text):
            found.append(name)
            text = pattern.sub(" ", text)
    return found


_MANY = re.compile(
    r"\b(?:all (?:the )?labels that apply|(?:choose|select|pick|list|give|assign) (?:all|several|multiple|as many)\b|"
    r"more than one label|multiple labels|one or more labels)", re.IGNORECASE,
)  # fmt: skip
_REPLY = re.compile(
    r"\b(?:answer|reply|respond|say|output|return|write)\b[^.\n]{0,40}?[\"“'`](?P<a>[\w -]{1,30})[\"”'`](?:,| or)+"
    r" ?[\"“'`](?P<b>[\w -]{1,30})[\"”'`]|\b(?:answer|reply|respond) (?:only )?(?:with |by )?(?P<c>yes) or (?P<d>no)\b",
    re.IGNORECASE,
)  # fmt: skip


def _formats(texts: list[Passage], known: Known) -> Iterator[Advice]:
    """Find sentences that ask for answers the label set does not have."""
    names = {name.casefold() for name in known.labels}
    for passage in texts:
        if passage.place.section is not Section.INSTRUCTIONS:
            continue
        for start, end in passage.sentences():
            sentence = passage.text[start:end]
            denied = NEGATOR.search(sentence) or re.search(r"\bexactly one\b", sentence, re.I)
            if _MANY.search(sentence) and not denied:
                yield _contradiction(
                    passage, start, end, "It asks for several labels; the answer is one"
                )
            elif found := _REPLY.search(sentence):
                asked = [found[g] for g in ("a", "b", "c", "d") if found[g]]
                missing = [word for word in asked if word.casefold() not in names]
                if missing:
                    title = f"It asks for “{missing[0]}”, which is none of the labels"
                    yield _contradiction(passage, start, end, title)


def _same_reason(body: PromptText) -> Iterator[Advice]:
    seen: dict[str, tuple[int, str]] = {}
    for i, (label, text) in enumerate(body.reasons):
        words = normalise(text)
        before = seen.setdefault(words, (i, label))
        if words and before[1] != label:
            place = Place(section=Section.REASONS, index=i, end=len(text))
            yield warning(
                "contradiction", place, f"The same reason stands for {before[1]} and for {label}",
                "Both cannot be followed; the model takes one by chance.",
                "Take it from the label it does not speak for.",
                Rewrite(place=place, before=text, after=""), Severity.ERROR,
            )  # fmt: skip


def _contradiction(passage: Passage, start: int, end: int, title: str) -> Advice:
    return warning(
        "contradiction", passage.at(start, end), title,
        "Both cannot be followed; the model takes one by chance, and not always the same.",
        "Keep the one you mean.", passage.without(start, end), Severity.ERROR,
    )  # fmt: skip


def _cut(text: str, most: int = 50) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
