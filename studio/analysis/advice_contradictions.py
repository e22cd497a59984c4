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
    yield from _two_labels(texts, known)
    first: dict[tuple[Place, frozenset[str], bool], str] = {}
    for passage in texts:
        if passage.place.section is Section.REASONS:
            continue
        said = passage.said
        for start, end in passage.sentences():
            sentence = said[start:end]
            words, denies = _matter(sentence), _orders(sentence)
            if len(words) < 2 and not (words and _ALWAYS.search(sentence)):
                continue
            first.setdefault((passage.place, words, denies), sentence)
            if other := first.get((passage.place, words, not denies)):
                title = f"“{_cut(other)}” and “{_cut(sentence)}” contradict each other"
                yield _contradiction(passage, start, end, title)
    yield from _rests(texts, known)
    yield from _formats(texts, known)


_ALWAYS = re.compile(r"\b(?:always|never)\b", re.IGNORECASE)


def _matter(sentence: str) -> frozenset[str]:
    """Return what a sentence speaks of, said or denied."""
    return content(NEGATOR.sub(" ", sentence)) - {"always", "alway"}


def _orders(sentence: str) -> bool:
    """Return whether a sentence denies or forbids; “do not ignore” does neither."""
    if re.match(r"\s*(?:do not|don['’]t|never) (?:ignore|avoid)\b", sentence, re.I):
        return False
    return bool(NEGATOR.search(sentence)) or bool(
        re.match(r"\s*(?:ignore|avoid)\b", sentence, re.I)
    )


_CHOOSES = r"(?:choose|answer|label|pick|select|say|use|mark|tag)"
_ASSIGNS = re.compile(
    rf"\b(?P<order>{_CHOOSES}|as)(?: (?:it|them))? [\"“'`]?(?=\0)|\b(?P<state>is|are|means) [\"“'`]?(?=\0)",
    re.I,
)
_LITTLE = frozenset(
    [
        "a",
        "an",
        "the",
        "always",
        "please",
        "also",
        "then",
        "but",
        "and",
        "so",
        "any",
        "every",
        "each",
        "all",
        "label",
        "choose",
        "answer",
        "as",
        "is",
        "are",
        "it",
        "them",
        "this",
        "that",
        "say",
        "pick",
        "select",
        "use",
        "mark",
        "tag",
        "count",
        "counts",
        "treat",
        "treated",
        "be",
        "for",
        "if",
        "when",
        "in",
        "of",
        "to",
        "dish",
        "text",
        "texts",
    ]
)


def _two_labels(texts: list[Passage], known: Known) -> Iterator[Advice]:
    """Find two lines that give the same texts to two labels."""
    seen: dict[tuple[str, ...], str] = {}
    for passage in texts:
        if passage.place.section is not Section.INSTRUCTIONS:
            continue
        for start, end in passage.sentences():
            sentence = passage.text[start:end]
            named = _named(sentence, known)
            of = _given(sentence, named[0]) if len(named) == 1 else None
            if of is None:
                continue
            before = seen.setdefault(of, named[0])
            if before != named[0]:
                title = f"“{_cut(sentence)}” gives {named[0]} what another line gives {before}"
                yield _contradiction(passage, start, end, title)


def _given(sentence: str, label: str) -> tuple[str, ...] | None:
    """Return the words that say which texts get a label; None where it says no such thing."""
    at = re.compile(rf"(?<![\w-]){re.escape(label)}(?![\w-])", re.IGNORECASE)
    bare = at.sub("\0", sentence)
    found = _ASSIGNS.search(bare)
    is_asked = (
        found
        and found["state"]
        and re.search(r"\b(?:if|whether|when)\b", bare[: found.start()], re.I)
    )
    forbids = re.search(
        rf"\b(?:not|never|n['’]t|cannot) (?:\w+ )?{_CHOOSES}\b|\b(?:not|never) (?:as )?\0",
        bare,
        re.I,
    )
    if found is None or is_asked or forbids or "?" in bare:
        return None
    words = normalise(bare.replace("\0", " ")).split()
    matter = tuple(sorted(set(words) - _LITTLE))
    return matter if matter or "always" in words else None


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
