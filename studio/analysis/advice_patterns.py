"""Words in a prompt that leave open what is meant or that models misread, each with what to say of it."""
# ruff: noqa: E501 (patterns and sentences read better unbroken)

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from studio.domain.advice import BLANK, Severity

_I = re.IGNORECASE
_CONCRETE = re.compile(
    r"\d|\b(?:such as|e\.g|for example|for instance|i\.e|that is|namely|like)\b|:", _I
)


@dataclass(frozen=True, slots=True)
class Wording:
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


WORDINGS = (
    Wording(
        "vague", Severity.HINT,
        re.compile(
            r",?\s*\b(?:etc\b\.?|(?:and so (?:on|forth)|and the like|and whatnot|or similar|"
            r"and such|and things like that|or something like that)(?=\s*(?:[.,;:)\n]|$)))", _I,
        ),
        "The model cannot know what else you mean; what is not named is decided by chance.",
        "Name the others that come up in the texts, or end the list.", _kept_stop,
    ),
    Wording(
        "vague", Severity.HINT,
        re.compile(
            r",?\s*\b(?:if|when|where|as) (?:appropriate|necessary|needed|applicable|relevant|suitable)\b",
            _I,
        ),
        _LEFT_OPEN, "Say when, or leave it out.", lambda m: "",
    ),
    Wording(
        "vague", Severity.WARNING,
        re.compile(
            r"\buse (?:your )?(?:own )?(?:best |good )?(?:judge?ment|discretion|common sense|intuition)\b",
            _I,
        ),
        _LEFT_OPEN, "Say what decides.",
        lambda m: _capital(m, f"go by {BLANK.format('what in the text decides')}"),
    ),
    Wording(
        "vague", Severity.HINT,
        re.compile(
            r"(?:(?<=^)|(?<=[.!?\n] )|(?<=\n))(?:please )?(?:be (?:very |as )?(?:careful|accurate|precise|"
            r"thorough|smart|objective)(?: as possible)?|do your (?:very )?best|try (?:your best|hard)|"
            r"take your time|think carefully|think hard|pay (?:close |careful )?attention)\s*[.!] ?", _I,
        ),
        "It asks for effort and says nothing of the texts.",
        "Leave it out, or name the mistake to avoid.", lambda m: "", title="“{}” says nothing", is_sentence=True,
    ),
    Wording(
        "vague", Severity.HINT,
        re.compile(
            r"\b(?:too (?:many|few)|(?:fairly|relatively|reasonably|sufficiently|quite|rather) "
            r"(?:many|much|few|little|large|small|high|low|long|short|big))\b[^.;!?\n:]*", _I,
        ),
        "How much that is, the texts do not say and the model cannot know.",
        "Name what shows it, in the words of the texts.", None, _CONCRETE,
    ),
    Wording(
        "vague", Severity.HINT,
        re.compile(r"\b(?:stuff|somehow|things like that|or whatever)\b", _I),
        _LEFT_OPEN, "Name it.", None, _CONCRETE,
    ),
    Wording(
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
    Wording(
        "answer_form", Severity.HINT,
        re.compile(
            r"(?:^|(?<=[.!?\n] )|(?<=\n))(?:please )?(?:output|return|respond|answer|reply|give|produce)\b[^.!?\n]{0,40}"
            r"\b(?:json|xml|yaml|csv|markdown|array|table)\b[^.!?\n]*[.!]?", _I,
        ),
        "The studio asks for one label and sets the form itself; another form in the prompt confuses.",
        "Leave it out.", lambda m: "", None, "“{}” sets another form of answer", True,
    ),
    Wording(
        "blank", Severity.WARNING,
        re.compile(
            r"\[(?:fill in|your |insert |todo|tbd|xxx)[^\]\n]*\]|(?-i:\[[A-Z][A-Z_ ]{2,30}\])|\[(?:brief|short|describe|description|name of|list of)\b[^\]\n]*\]|<(?:your |insert |todo)[^>\n]*>|"
            r"\b(?:TODO|TBD|FIXME)\b|\blorem ipsum\b", _I,
        ),
        "The model would read it as if you meant it.", "Put your words there.", None, None,
        "“{}” is still to be filled in",
    ),
    Wording(
        "double_negation", Severity.WARNING,
        re.compile(rf"\bnot (?:at all )?(?P<un>{'|'.join(_PAIRS)})\b", _I),
        "Two denials in a row are often read as one, by people and more so by small models.",
        "Say it the other way round.",
        lambda m: _capital(m, _PAIRS[m["un"].lower()]), None, "“{}” denies twice",
    ),
    Wording(
        "double_negation", Severity.WARNING,
        re.compile(r"\b(?:do not|don['’]t|never) fail to (?P<do>\w+)", _I),
        "Two denials in a row are often read as one, by people and more so by small models.",
        "Say it straight.", lambda m: _capital(m, f"always {m['do']}"), None, "“{}” denies twice",
    ),
    Wording(
        "double_negation", Severity.WARNING,
        re.compile(
            r"\b(?:do not|don['’]t|never) (?P<do>[^.;!?\n]{3,80}?),? unless (?P<when>[^.;!?\n]{3,120})", _I
        ),
        "“Not … unless” is two denials, which small models read as one.",
        "Say when it holds.",
        lambda m: _capital(m, f"{m['do']} only if {m['when']}"), None, "“{}” denies twice",
    ),
    Wording(
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
    Wording(
        "counting", Severity.HINT,
        re.compile(rf"\b(?:count (?:the |all |how many )?(?:number of )?(?:{_COUNTED})\b|(?:the )?number of (?:{_COUNTED})\b|how many (?:{_COUNTED})\b)"
                   r"[^.;!?\n]*", _I),
        "Models read meaning and count badly; small ones cannot count at all.",
        "Make it a rule on the Rationales page: rules count exactly.", None, None,
        "“{}” must be counted",
    ),
    Wording(
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
