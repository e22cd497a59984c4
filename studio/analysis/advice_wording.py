"""Checks of how a prompt is worded: vague words, denials, counting, dates, blanks, many questions."""
# ruff: noqa: E501 (patterns and sentences read better unbroken)

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from studio.analysis.advice_reading import (
    NEGATOR,
    Known,
    Passage,
    content,
    name_words,
    warning,
)
from studio.domain.advice import BLANK, Advice, Section, Severity
from studio.domain.prompt import PromptText

_I = re.IGNORECASE
_CONCRETE = re.compile(
    r"\d|\b(?:such as|e\.g|for example|for instance|i\.e|that is|namely|like)\b|:", _I
)


@dataclass(frozen=True, slots=True)
class _Wording:
    """Words to look for and what to say of them.

    `after` makes the replacement from the match; a whole sentence is taken out with its blank.
    """

    code: str
    severity: Severity
    words: re.Pattern[str]
    why: str
    suggestion: str
    after: Callable[[re.Match[str]], str] | None = None
    unless: re.Pattern[str] | None = None
    title: str = "“{}” is vague"
    is_sentence: bool = False


def _kept_stop(found: re.Match[str]) -> str:
    """Keep the full stop where the words end a sentence."""
    rest = found.string[found.end() :]
    return "." if found[0].rstrip().endswith(".") and re.match(r"\s*(?:$|\n|\s[A-Z])", rest) else ""


def _capital(found: re.Match[str], text: str) -> str:
    """Return a text that begins as what it replaces began."""
    return text[:1].upper() + text[1:] if found[0][:1].isupper() else text


_PAIRS = {
    "uncommon": "common", "unusual": "usual", "unlike": "like", "unlikely": "likely",
    "unclear": "clear", "unhappy": "happy", "unreasonable": "reasonable", "unrelated": "related",
    "unimportant": "important", "unsafe": "safe", "unsatisfied": "satisfied",
    "dissatisfied": "satisfied", "irrelevant": "relevant", "impossible": "possible",
    "inappropriate": "appropriate", "insignificant": "significant", "incorrect": "correct",
    "invalid": "valid", "unfavourable": "favourable", "unfavorable": "favorable",
    "untrue": "true", "incomplete": "complete", "illegal": "legal", "unfriendly": "friendly",
}  # fmt: skip

_LEFT_OPEN = "Two readers would decide it differently, and so would the model from text to text."
_COUNTED = (
    r"words?|characters?|letters?|sentences?|lines?|paragraphs?|times|occurrences|mentions|"
    r"(?:exclamation|question) marks?|capital letters|capitals|links?|emojis?|hashtags?|numbers?|"
    r"digits?|ingredients|items|products|questions|typos|mistakes|adjectives|nouns|verbs"
)
_NUMBER = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty)"
_UNITS = r"days?|weeks?|months?|years?|hours?|minutes?"


def _several(found: re.Match[str]) -> str:
    low = found["way"].lower().startswith(("fewer", "less", "at most", "no more", "up to", "under"))
    return _capital(found, f"{'only a few' if low else 'many'} {found['what']}")


_WORDINGS = (
    _Wording(
        "vague", Severity.HINT,
        re.compile(
            r",?\s*\b(?:etc\b\.?|(?:and so (?:on|forth)|and the like|and whatnot|or similar|"
            r"and such|and things like that|or something like that)(?=\s*(?:[.,;:)\n]|$)))", _I,
        ),
        "The model cannot know what else you mean; what is not named is decided by chance.",
        "Name the others that come up in the texts, or end the list.", _kept_stop,
    ),
    _Wording(
        "vague", Severity.HINT,
        re.compile(
            r",?\s*\b(?:if|when|where|as) (?:appropriate|necessary|needed|applicable|relevant|suitable)\b",
            _I,
        ),
        _LEFT_OPEN, "Say when, or leave it out.", lambda m: "",
    ),
    _Wording(
        "vague", Severity.WARNING,
        re.compile(
            r"\buse (?:your )?(?:own )?(?:best |good )?(?:judge?ment|discretion|common sense|intuition)\b",
            _I,
        ),
        _LEFT_OPEN, "Say what decides.",
        lambda m: _capital(m, f"go by {BLANK.format('what in the text decides')}"),
    ),
    _Wording(
        "vague", Severity.HINT,
        re.compile(
            r"(?:(?<=^)|(?<=[.!?\n] )|(?<=\n))(?:please )?(?:be (?:very |as )?(?:careful|accurate|precise|"
            r"thorough|smart|objective)(?: as possible)?|do your (?:very )?best|try (?:your best|hard)|"
            r"take your time|think carefully|think hard|pay (?:close |careful )?attention)\s*[.!] ?", _I,
        ),
        "It asks for effort and says nothing of the texts.",
        "Leave it out, or name the mistake to avoid.", lambda m: "", title="“{}” says nothing", is_sentence=True,
    ),
    _Wording(
        "vague", Severity.HINT,
        re.compile(
            r"\b(?:too (?:many|few)|(?:fairly|relatively|reasonably|sufficiently|quite|rather) "
            r"(?:many|much|few|little|large|small|high|low|long|short|big))\b[^.;!?\n:]*", _I,
        ),
        "How much that is, the texts do not say and the model cannot know.",
        "Name what shows it, in the words of the texts.", None, _CONCRETE,
    ),
    _Wording(
        "vague", Severity.HINT,
        re.compile(r"\b(?:stuff|somehow|things like that|or whatever)\b", _I),
        _LEFT_OPEN, "Name it.", None, _CONCRETE,
    ),
    _Wording(
        "missing_context", Severity.WARNING,
        re.compile(
            r"\b(?:as (?:we )?(?:discussed|agreed|explained|mentioned)(?: before| earlier| above| last time)?|"
            r"see (?:the )?attach(?:ed|ment)\b[^.,;\n]*|(?:in )?the attached \w+|same as (?:before|last time)|"
            r"(?:according to|as per|per|following|follow|based on|apply|consult|in line with|use) "
            r"(?:our|the company(?:['’]s)?|the internal|internal|the usual|the standard|the official|company) "
            r"(?:\w+ )?(?:guidelines?|polic(?:y|ies)|handbook|manual|wiki|procedures?|rules|criteria|"
            r"standards?|playbook|process))\b", _I,
        ),
        "The model sees this prompt and one text, nothing else: not your documents, nor what was said before.",
        "Write here the two or three sentences of it that decide.",
        lambda m: f"{m[0]} ({BLANK.format('what it says')})", re.compile(r"\([^)]{15,}|:\s*\S"),
        "“{}” is not in front of the model",
    ),
    _Wording(
        "answer_form", Severity.HINT,
        re.compile(
            r"(?:^|(?<=[.!?\n] )|(?<=\n))(?:please )?(?:output|return|respond|answer|reply|give|produce)\b[^.!?\n]{0,40}"
            r"\b(?:json|xml|yaml|csv|markdown|array|table)\b[^.!?\n]*[.!]?", _I,
        ),
        "The studio asks for one label and sets the form itself; another form in the prompt confuses.",
        "Leave it out.", lambda m: "", None, "“{}” sets another form of answer", True,
    ),
    _Wording(
        "blank", Severity.WARNING,
        re.compile(
            r"\[(?:fill in|your |insert |todo|tbd|xxx)[^\]\n]*\]|(?-i:\[[A-Z][A-Z_ ]{2,30}\])|\[(?:brief|short|describe|description|name of|list of)\b[^\]\n]*\]|<(?:your |insert |todo)[^>\n]*>|"
            r"\b(?:TODO|TBD|FIXME)\b|\blorem ipsum\b", _I,
        ),
        "The model would read it as if you meant it.", "Put your words there.", None, None,
        "“{}” is still to be filled in",
    ),
    _Wording(
        "double_negation", Severity.WARNING,
        re.compile(rf"\bnot (?:at all )?(?P<un>{'|'.join(_PAIRS)})\b", _I),
        "Two denials in a row are often read as one, by people and more so by small models.",
        "Say it the other way round.",
        lambda m: _capital(m, _PAIRS[m["un"].lower()]), None, "“{}” denies twice",
    ),
    _Wording(
        "double_negation", Severity.WARNING,
        re.compile(r"\b(?:do not|don['’]t|never) fail to (?P<do>\w+)", _I),
        "Two denials in a row are often read as one, by people and more so by small models.",
        "Say it straight.", lambda m: _capital(m, f"always {m['do']}"), None, "“{}” denies twice",
    ),
    _Wording(
        "double_negation", Severity.WARNING,
        re.compile(
            r"\b(?:do not|don['’]t|never) (?P<do>[^.;!?\n]{3,80}?),? unless (?P<when>[^.;!?\n]{3,120})", _I
        ),
        "“Not … unless” is two denials, which small models read as one.",
        "Say when it holds.",
        lambda m: _capital(m, f"{m['do']} only if {m['when']}"), None, "“{}” denies twice",
    ),
    _Wording(
        "counting", Severity.HINT,
        re.compile(
            rf"\b(?P<way>more than|at least|over|fewer than|less than|at most|no more than|up to|under|"
            rf"exactly|longer than|shorter than) {_NUMBER} (?P<what>{_COUNTED})\b", _I,
        ),
        "Models read meaning and count badly; small ones cannot count at all.",
        "Say it in words, or make it a rule on the Rationales page: rules count exactly.",
        lambda m: "" if m["way"].lower() in ("exactly", "longer than", "shorter than") else _several(m),
        None, "“{}” must be counted",
    ),
    _Wording(
        "counting", Severity.HINT,
        re.compile(rf"\b(?:count (?:the |all |how many )?(?:number of )?(?:{_COUNTED})\b|(?:the )?number of (?:{_COUNTED})\b|how many (?:{_COUNTED})\b)"
                   r"[^.;!?\n]*", _I),
        "Models read meaning and count badly; small ones cannot count at all.",
        "Make it a rule on the Rationales page: rules count exactly.", None, None,
        "“{}” must be counted",
    ),
    _Wording(
        "dates", Severity.HINT,
        re.compile(
            rf"\b(?:(?:in|within|during) the (?:last|past|next) (?:{_NUMBER} )?(?:{_UNITS})|"
            rf"(?:more than|less than|over|older than|newer than) {_NUMBER} (?:{_UNITS}) (?:ago|old)|"
            r"older than \w+ (?:days?|weeks?|months?|years?)|(?:before|since|until|as of) today|"
            r"this (?:week|month|year|quarter)|(?:on|at) (?:the )?weekends?|(?:before|after|since) "
            r"(?:\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}|(?:19|20)\d\d\b))", _I,
        ),
        "The model knows neither today's date nor how to reckon with dates.",
        "Use words that stand in the texts, or a rule or a column that holds the date.", None, None,
        "“{}” asks to reckon with dates",
    ),
)  # fmt: skip


def check_wording(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find words that leave open what is meant, or that models misread."""
    for passage in texts:
        said = passage.said
        for wording in _WORDINGS:
            for found in wording.words.finditer(said):
                sentence = next(
                    (said[a:b] for a, b in passage.sentences() if a <= found.start() < b), said
                )
                if wording.unless is None or not wording.unless.search(sentence):
                    yield _advice(wording, passage, found, known, body)


def _advice(
    wording: _Wording, passage: Passage, found: re.Match[str], known: Known, body: PromptText
) -> Advice:
    start, end = found.start(), found.end()
    words = passage.text[start:end].strip(" ,\n")
    rewrite = None
    if wording.after is not None:
        after = wording.after(found)
        if wording.is_sentence:
            rewrite = passage.without(start, end)
        elif after or wording.code == "vague":
            rewrite = passage.rewrite(start, end, after)
    elif wording.code == "vague" and passage.place.section is Section.DEFINITION:
        cues = known.cues.get(passage.place.label, ())
        more = ", ".join(cues[:6]) or BLANK.format("what shows it, as the texts say it")
        rewrite = passage.rewrite(start, end, f"{passage.text[start:end]}: {more}")
    return Advice(
        code=wording.code, severity=wording.severity, place=passage.at(start, end),
        title=wording.title.format(words if len(words) <= 60 else words[:57] + "…"),
        why=wording.why, suggestion=wording.suggestion, rewrite=rewrite,
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
            for w in _WORDINGS
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
                    "Say in one positive sentence when the label holds.",
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
    r"\bwhether\b[^?.\n]{3,80}\band (?:also )?(?:whether|how|which|what|who|if)\b", _I,
)  # fmt: skip
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
    if two is not None:
        yield _compound(passage, two, None)
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


def _compound(passage: Passage, span: tuple[int, int], rewrite: object) -> Advice:
    return warning(
        "compound", passage.at(*span), "Two questions in one prompt",
        "An answer is one label, so nobody can tell which question it answers.",
        "Ask one question here and make a task of its own for the other.",
        passage.without(*span) if rewrite else None,
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
