"""Checks of how a prompt is worded: vague words, denials, counting, dates, blanks, many questions."""
# ruff: noqa: E501 (patterns and sentences read better unbroken)

from __future__ import annotations

import re
from collections.abc import Iterator

from studio.analysis.advice_patterns import WORDINGS, Wording
from studio.analysis.advice_reading import (
    NEGATOR,
    Known,
    Passage,
    content,
    hint,
    name_words,
    warning,
)
from studio.domain.advice import BLANK, Advice, Rewrite, Section
from studio.domain.prompt import PromptText

_I = re.IGNORECASE


def check_wording(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find words that leave open what is meant, or that models misread."""
    for passage in texts:
        said = passage.said
        for wording in WORDINGS:
            for found in wording.words.finditer(said):
                sentence = next(
                    (said[a:b] for a, b in passage.sentences() if a <= found.start() < b), said
                )
                told = wording.unless_told
                if (wording.unless is None or not wording.unless.search(sentence)) and not (
                    told and any(told.search(p.said) for p in texts)
                ):
                    yield _advice(wording, passage, found, known)


def _advice(wording: Wording, passage: Passage, found: re.Match[str], known: Known) -> Advice:
    start, end = found.start(), found.end()
    words = passage.text[start:end].strip(" ,\n")
    rewrite = None
    if wording.after is not None:
        after = wording.after(found)
        if wording.is_sentence:
            rewrite = passage.without(start, end)
        else:
            rewrite = passage.rewrite(start, end, after)
    elif wording.code == "blank":
        rewrite = _without_blank(passage, found)
    elif wording.code == "vague":
        cues = known.cues.get(passage.place.label, ())
        more = ", ".join(cues[:6]) or BLANK.format("what shows it, as the texts say it")
        rewrite = passage.rewrite(start, end, f"{passage.text[start:end]}: {more}")
    return Advice(
        code=wording.code, severity=wording.severity, place=passage.at(start, end),
        title=wording.title.format(words if len(words) <= 60 else words[:57] + "…"),
        why=wording.why, suggestion=wording.suggestion, rewrite=rewrite,
    )  # fmt: skip


def _without_blank(passage: Passage, found: re.Match[str]) -> Rewrite | None:
    """Return the edit that takes the sentence of a blank out; None where only words can mend it."""
    around = next((s for s in passage.sentences() if s[0] <= found.start() < s[1]), None)
    if around is None or found[0].lower().startswith("[fill in"):
        return None
    out = passage.without(*around)
    return out if out.before.strip() != passage.text.strip() else None


_HEDGES = r"(?P<hedge>sometimes|occasionally|usually|normally|generally|mostly|often|typically|perhaps|maybe|probably)"
_BETWEEN = r"(?: (?:it|this|that|they|is|are|counts?|as|be|choose|answer|label|pick|also|not|an?|treated|considered))"


def check_hedges(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find labels that hold “sometimes” or “usually”, and nobody says when."""
    names = [re.escape(n) for n in known.labels if len(n) > 3 and n.casefold() not in _YES_NO]
    words = "|".join(
        sorted([*names, "fine", "okay", "allowed", "acceptable"], key=len, reverse=True)
    )
    hedged = re.compile(
        rf"\b{_HEDGES}(?P<mid>{_BETWEEN}{{0,4}}) [\"“'`]?(?P<label>{words})(?![\w-])", _I
    )
    for passage in texts:
        for found in hedged.finditer(passage.said):
            if passage.place.section is not Section.INSTRUCTIONS:
                continue
            is_rare = found["hedge"].lower() not in (
                "usually",
                "normally",
                "generally",
                "mostly",
                "often",
                "typically",
            )
            limit = BLANK.format("when" if is_rare else "when not")
            after = f"{found['mid'].strip()} {found['label']} {'only if' if is_rare else 'unless'} {limit}".strip()
            after = after[:1].upper() + after[1:] if found[0][:1].isupper() else after
            yield hint(
                "vague", passage.at(*found.span("hedge")), f"“{found['hedge']}” is vague",
                "When it is so and when not, the model decides by chance.", "Say when.",
                passage.rewrite(*found.span(), after),
            )  # fmt: skip


_ASKED = re.compile(r"^(?:is|are|does|do|did|has|have|was|were|can|could|would)\b", _I)
_ISNT = re.compile(r"\b(is|are|does|do|did|has|have|was|were|can|could|would)n['’]t\b|"
                   r"\b(?P<full>is|are|does|do|has|was|were)\b(?P<mid>[^?.!\n]{0,60}?)\s+not\b", _I)  # fmt: skip
_YES_NO = frozenset({"yes", "no", "true", "false", "y", "n", "0", "1"})
_DENIALS = re.compile(
    r"\b(?:not|never|cannot)\b(?! only)(?P<mid>[^.,;:!?\n]{1,60}?)\b(?:not|no|never|without|none|nothing)\b|"
    r"n['’]t\b(?P<mid2>[^.,;:!?\n]{1,60}?)\b(?:not|no|never|without|none|nothing)\b", _I,
)  # fmt: skip


def check_denials(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find questions asked the wrong way round, and sentences that deny twice."""
    names = re.compile(
        r"(?<!\w)(?:"
        + "|".join(re.escape(n) for n in sorted(known.labels, key=len, reverse=True) if " " in n)
        + r"|(?!))(?!\w)"
    )
    for passage in texts:
        said = names.sub(lambda m: "x" * len(m[0]), passage.said)
        said = re.sub(r"whether or not|or not\b", lambda m: "x" * len(m[0]), said)
        fixed = [
            m.span()
            for w in WORDINGS
            if w.code == "double_negation"
            for m in w.words.finditer(said)
        ]
        for start, end in passage.sentences():
            sentence = said[start:end]
            if sentence.endswith("?") and passage.place.section is Section.INSTRUCTIONS:
                yield from _asked_negatively(passage, start, sentence, known)
            found = _DENIALS.search(sentence)
            if found and not any(
                a < start + found.end() and start + found.start() < b for a, b in fixed
            ):
                words = passage.text[start + found.start() : start + found.end()]
                yield warning(
                    "double_negation", passage.at(start + found.start(), start + found.end()),
                    f"“{words}” denies twice",
                    "Two denials in a sentence are often read as one, more so by small models.",
                    "Say in one positive sentence when the label holds, e.g. “complete only with a signature”.",
                )  # fmt: skip


def _asked_negatively(
    passage: Passage, start: int, sentence: str, known: Known
) -> Iterator[Advice]:
    found = _ISNT.match(sentence)
    if found is None:
        return
    is_yes_no = any(name.casefold() in _YES_NO for name in known.labels)
    positive = f"{found['full']}{found['mid']}" if found["full"] else found[1]
    yield warning(
        "polarity", passage.at(start + found.start(), start + found.end()),
        "The question is asked the wrong way round",
        "To a question with “not”, yes and no are easily confused, by people and models alike.",
        "Ask the positive question and swap what yes and no stand for." if is_yes_no
        else "Ask the positive question; the labels say the rest.",
        # With yes and no as labels the edit alone would turn every answer round.
        None if is_yes_no else passage.rewrite(start + found.start(), start + found.end(), positive),
    )  # fmt: skip


_TWO = re.compile(
    r"\?\s*(?:and|also)\b|\b(?:is|are|does|do|has)\b[^?.\n]{3,80}\b(?:and|or) (?:also )?"
    r"(?:is|are|does|do|has|how|which|what|who|when)\b[^?.\n]*\?|"
    r"\bwhether\b[^?.\n]{3,80}\band (?:also )?(?:whether|how|which|what|who|if)\b|"
    r"\b(?:say|decide|tell|judge|check|find out|determine|state) if\b[^?.\n]{3,80}\band (?:also )?(?:if|whether|how)\b", _I,
)  # fmt: skip
_SECOND = re.compile(
    r",?\s+(?:and|or|also)\s+(?:also )?(?=(?:is|are|does|do|has|how|which|what|who|when|whether|if)\b)",
    _I,
)
_ALSO = re.compile(
    r"\b(?:also|then|and|additionally|in addition)?,? ?\b(?:explain (?:why|your|how)|give (?:a|your) reason|"
    r"justify (?:your|the)|summari[sz]e (?:the|it|each)|write (?:a|an) \w+|extract (?:the|all|any)|"
    r"translate (?:the|it|each)|list (?:the|all) (?!labels)\w+|rate (?:it|the|each)\b[^.\n]{0,30}\b(?:scale|from|1)|"
    r"(?:give|return|provide|include|add) (?:a|your) (?:confidence|score|rating|summary|explanation|rationale))\b",
    _I,
)  # fmt: skip
_ASIDE = re.compile(r"\b(?:ask yourself|consider|check|think of|questions? (?:to|that))\b", _I)


def check_questions(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find prompts that ask several things at once, or for more than a label."""
    passage = next((p for p in texts if p.place.section is Section.INSTRUCTIONS), None)
    if passage is None:
        return
    spans = [(a, b) for a, b in passage.sentences()]
    asked = [(a, b) for a, b in spans if passage.said[a:b].endswith("?")]
    two = next(((a, b) for a, b in spans if _TWO.search(passage.said[a:b])), None)
    direct = [s for s in asked if _ASKED.match(passage.text[s[0] :])]
    names = frozenset().union(*(name_words(name) for name in known.labels))
    both = next((s for s in spans if _asks_two(passage.said[slice(*s)], known)), None)
    if two is not None:
        yield _compound(passage, two, _first_half(passage, two, names))
    elif both is not None:
        at = both[0] + passage.text[slice(*both)].lower().rindex(" and ")
        yield _compound(passage, both, passage.rewrite(at, both[1], "?"))
    elif len(direct) > 1 and not _ASIDE.search(passage.said):
        # The question that speaks of the labels is the one the task asks; else the first.
        kept = max(direct, key=lambda s: len(names & content(passage.text[s[0] : s[1]])))
        other = next(s for s in direct if s != kept)
        yield _compound(passage, other, passage.without(*other))
    for start, end in spans:
        found = _ALSO.search(passage.said[start:end])
        if found is None:
            continue
        rest = passage.said[start : start + found.start()].strip(" ,")
        yield warning(
            "compound", passage.at(start + found.start(), end), "It asks for more than a label",
            "Every answer is one of the labels and nothing else; the rest is never given, and may "
            "confuse what is.", "Ask for the label only.",
            passage.rewrite(start + len(passage.said[start : start + found.start()].rstrip(" ,")), end, ".")
            if len(rest.split()) > 2 else passage.without(start, end),
        )  # fmt: skip


def _asks_two(sentence: str, known: Known) -> bool:
    """Return whether it asks for a label and for something that is none: “keto and cheap?”."""
    for name in known.labels:
        found = re.match(
            rf"(?:is|are) (?:it|this|that|they|(?:the|this|that|these) [\w ]{{1,30}}?) {re.escape(name)} "
            r"and (?P<more>(?:also )?\w[\w ]{1,30})\?$", sentence, _I,
        )  # fmt: skip
        if found:
            more = found["more"].casefold()
            return not any(other.casefold() in more for other in known.labels)
    return False


def _first_half(passage: Passage, span: tuple[int, int], names: frozenset[str]) -> Rewrite | None:
    """Return the edit that leaves one of two questions: that of the labels, else the first."""
    said = passage.said[slice(*span)]
    cut = _SECOND.search(said)
    if cut is None or cut.start() < 3:
        return None
    first, second = said[: cut.start()], said[cut.end() :]
    if (
        names & content(second)
        and not names & content(first)
        and first.lower().startswith(("is ", "are ", "does ", "do ", "has "))
    ):
        return passage.rewrite(span[0], span[0] + cut.end() + 1, second[:1].upper())
    return passage.rewrite(span[0] + cut.start(), span[1], said[-1] if said[-1] in ".?!" else "")


def _compound(passage: Passage, span: tuple[int, int], rewrite: Rewrite | None) -> Advice:
    return warning(
        "compound", passage.at(*span), "Two questions in one prompt",
        "An answer is one label, so nobody can tell which question it answers.",
        "Ask one question here and make a task of its own for the other.",
        rewrite,
    )  # fmt: skip


def denies_only(text: str, label: str, labels: tuple[str, ...]) -> bool:
    """Return whether a definition says no more than that something else does not hold.

    >>> denies_only("anything that is not keto", "not_keto", ("keto", "not_keto"))
    True
    >>> denies_only("no meat but plenty of rice", "not_keto", ("keto", "not_keto"))
    False
    """
    if not NEGATOR.search(text) and "else" not in text.lower().split():
        return False
    names = frozenset().union(*(name_words(name) for name in labels))
    left = content(NEGATOR.sub(" ", text)) - names - {"rest", "remaining", "belong", "fit"}
    # "Everything that is not hate speech": the label's name with a word that goes with it.
    is_named = bool(_ALL_BUT.match(text) and content(text) & names)
    return len(left) <= (1 if is_named else 0)


_ALL_BUT = re.compile(
    r"^(?:anything|everything|all|any)?\s*(?:\w+\s+)?(?:that|which)?\s*(?:is|are|does|do)?\s*not\b",
    _I,
)
