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
    `unless` is looked for in the sentence, `unless_told` in the whole prompt.
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
    unless_told: re.Pattern[str] | None = None


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
_SHOWN = BLANK.format("words of the texts that show it")
_TWICE_DENIED = "Two denials in a row are often read as one, by people and more so by small models."
_SHOWN_DATE = BLANK.format("words of the texts that mean “{}”")
_BADLY = "Models read meaning and count badly; small ones cannot count at all."
_NO_CALENDAR = "The model knows neither today's date nor how to reckon with dates."
_COUNTED = (
    r"words?|characters?|letters?|sentences?|lines?|paragraphs?|times|occurrences|mentions|"
    r"(?:exclamation|question) marks?|capital letters|capitals|links?|emojis?|hashtags?|numbers?|"
    r"digits?|ingredients|items|products|questions|typos|mistakes|adjectives|nouns|verbs|"
    r"spices|dishes|courses|toppings|names|examples|reasons|steps|colou?rs|commas|keywords|countries|"
    r"errors|complaints|features|claims|arguments|references"
)
_NUMBER = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty)"
_SIZES = r"g|gr|grams?|mg|milligrams?|kg|kilos?|ml|litres?|liters?|kcal|calories|carbs|percent|cm|km|miles"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?\.? (?:of )?{_MONTH}(?:,? \d{{4}})?|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?|{_MONTH} \d{{4}})"
_UNITS = r"days?|weeks?|months?|years?|hours?|minutes?"


def _several(found: re.Match[str]) -> str:
    low = found["way"].lower().startswith(("fewer", "less", "at most", "no more", "up to", "under"))
    many = "several" if found["n"].lower() in ("1", "2", "one", "two") else "many"
    return _capital(found, f"{'only a few' if low else many} {found['what']}")


def _uncounted(found: re.Match[str]) -> str:
    way = found["way"].lower()
    if way in ("longer than", "shorter than"):
        return _capital(found, way.split("er ")[0])
    return f"{found[0]} ({_SHOWN})" if way == "exactly" else _several(found)


def _has_not_without(found: re.Match[str]) -> str:
    """Say when it holds: “is not complete without a signature” is complete only with one."""
    return _capital(found, f"{found['aux'] or ''}{found['a']} only with {found['b']}")


def _only_when(found: re.Match[str]) -> str:
    one = found["v"].lower() in ("is", "was", "has")
    article = ("an " if found["b"][:1].lower() in "aeiou" else "a ") if one else ""
    return f"{found['is']} {found['a']} only {found['if']} {article}{found['b']} {found['v']}"


def _had(found: re.Match[str]) -> str:
    return _capital(found, {"do": "have", "does": "has", "did": "had"}[found["do"].lower()])


def _unhidden(found: re.Match[str]) -> str:
    """Return what “not non-keto” says, with the article that fits it."""
    article = ("an " if found["what"][:1].lower() in "aeiou" else "a ") if found["a"] else ""
    return _capital(found, article + found["what"])


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
            r"\b(?:use (?:your )?(?:own )?(?:best |good )?(?:judge?ment|discretion|common sense|intuition)|"
            r"(?:decide|choose|judge|answer) as you (?:like|see fit|please|wish|think best))\b", _I,
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
        "vague", Severity.HINT,
        re.compile(
            r"\b(?:(?:is|are|seems?|looks?|sounds?) (?:really |very |quite |so )?(?:serious|severe|significant)(?= (?:if|when)\b|\s*(?:[.,;)\n]|$))|"
            r"(?:serious|severe|significant) (?:problems?|issues?|matters?|complaints?|concerns?)|"
            r"(?:good|close|clear|bad|strong|near|big|long) enough|(?:is|are|seems?|looks?|sounds?) \w+ enough(?! to\b)|"
            r"(?:a |an )?(?:reasonable|moderate|certain|considerable|acceptable|decent|fair|small|large) (?:amount|number|quantity|share|degree)s?)\b"
            r"(?! (?:one )?(?:that|which|where|means?)\b)[^.;!?\n:]*", _I,
        ),
        "How much that is, the texts do not say and the model cannot know.",
        "Name what shows it, in the words of the texts.", None, _CONCRETE,
    ),
    Wording(
        "vague", Severity.HINT,
        re.compile(
            r"(?<=\b)(?P<the>the |an? |most |best )*(?:appropriate|proper|suitable|adequate) "
            r"(?P<what>label|category|class|answer|choice|option|tag)\b", _I,
        ),
        "Every label seems right to somebody; it says nothing of how to choose.",
        "Say by what to choose.", lambda m: _capital(m, f"the {m['what']} whose definition fits best"),
    ),
    Wording(
        "vague", Severity.HINT,
        re.compile(r"\b(?:more or less|to some (?:extent|degree)|in a way) (?=\w)", _I),
        _LEFT_OPEN, "Say how far, or leave it out.", lambda m: "", _CONCRETE,
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
        "missing_context", Severity.WARNING,
        re.compile(
            # "As above" as the first words of a text: nothing stands above it.
            r"(?:\A\W*(?:the )?(?:same )?as above\b|\b(?:(?:like|as) (?:we did |you did |we had it )?(?:the )?last time|"
            r"(?:as |like )?(?:in|from|of) (?:the|our|my) (?:previous|earlier|other|last) (?:task|prompt|chat|conversation|session|project|meeting)|"
            r"(?:the |our )?(?:list|file|sheet|table|document|rules?|examples?|notes?|mail) (?:that )?(?:I|we) (?:sent|gave|shared|showed|uploaded|attached|wrote)\b(?: (?:you|to you))?|"
            r"what (?:I|we) (?:said|told you|discussed|agreed)\b[^.,;!?\n]*|"
            r"(?:the way|as|like) (?:we|you|I) (?:always|usually|normally|used to) (?:do|did)(?: it)?))\b", _I,
        ),
        "The model sees this prompt and one text, nothing else: not your documents, nor what was said before.",
        "Write here the two or three sentences of it that decide.",
        lambda m: f"{m[0]} ({BLANK.format('what it says')})", re.compile(r"\([^)]{15,}|:\s*\S"),
        "“{}” is not in front of the model",
    ),
    Wording(
        "missing_context", Severity.HINT,
        re.compile(r"\bas (?:you|we all) (?:already )?know,? (?P<next>\w)", _I),
        "The model knows nothing of you or your work but what stands here.",
        "Leave it out, and say whatever it needs to know.",
        lambda m: _capital(m, m["next"]), None, "“{}” is not in front of the model",
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
        re.compile(rf"(?:\bnot|(?P<is>\b(?:is|are|was|were))n['’]t) (?:at all )?(?P<un>{'|'.join(_PAIRS)})\b", _I),
        _TWICE_DENIED,
        "Say it the other way round.",
        lambda m: _capital(m, f"{m['is'] or ''} {_PAIRS[m['un'].lower()]}".strip()), None, "“{}” denies twice",
    ),
    Wording(
        "double_negation", Severity.WARNING,
        re.compile(r"\bnot (?P<a>an? )?(?:non|un)-(?P<what>\w+)", _I),
        _TWICE_DENIED, "Say it the other way round.", _unhidden, None, "“{}” denies twice",
    ),
    Wording(
        "double_negation", Severity.WARNING,
        re.compile(r"\bnot without\b", _I),
        _TWICE_DENIED, "Say it straight.", lambda m: _capital(m, "with"), None, "“{}” denies twice",
    ),
    Wording(
        "double_negation", Severity.WARNING,
        re.compile(r"\b(?P<do>do|does|did)(?: not|n['’]t) lack\b", _I),
        _TWICE_DENIED, "Say it straight.", _had, None, "“{}” denies twice",
    ),
    Wording(
        "double_negation", Severity.WARNING,
        re.compile(r"\bnothing without (?P<what>[^.,;:!?\n]{2,40}?) (?P<v>is|counts|can be|may be|belongs)\b", _I),
        _TWICE_DENIED, "Say when it holds.",
        lambda m: _capital(m, f"only what has {m['what']} {m['v']}"), None, "“{}” denies twice",
    ),
    Wording(
        "double_negation", Severity.WARNING,
        re.compile(
            r"\b(?:(?P<aux>(?:is|are|was|were) )(?:not|never)|(?:do not|don['’]t|never)) (?P<a>(?!without|only)\w+(?: (?!if\b|when\b|but\b|and\b|or\b)\w+){0,4}?) "
            r"without (?P<b>\w+(?: \w+)?)", _I,
        ),
        _TWICE_DENIED, "Say when it holds.", _has_not_without, None, "“{}” denies twice",
    ),
    Wording(
        "double_negation", Severity.WARNING,
        re.compile(
            r"\b(?P<is>is|are) not (?P<a>\w+(?: \w+){0,3}?) (?P<if>when|if) no (?P<b>\w+) (?P<v>is|are|was|were|has|have)\b", _I
        ),
        _TWICE_DENIED, "Say when it holds.", _only_when, None, "“{}” denies twice",
    ),
    Wording(
        "double_negation", Severity.WARNING,
        re.compile(r"\b(?:do not|don['’]t|never) fail to (?P<do>\w+)", _I),
        _TWICE_DENIED,
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
            rf"exactly|longer than|shorter than) (?P<n>(?!(?<=at least )(?:one|1)\b){_NUMBER}) (?P<what>{_COUNTED})\b", _I,
        ),
        _BADLY,
        "Say it in words, or make it a rule on the Rationales page: rules count exactly.",
        _uncounted, None, "“{}” must be counted",
    ),
    Wording(
        "counting", Severity.HINT,
        re.compile(rf"\b(?:count (?:the |all |how many )?(?:number of )?(?:{_COUNTED})\b|(?:the )?number of (?:{_COUNTED})\b|how many (?:{_COUNTED})\b)"
                   r"[^.;!?\n]*", _I),
        _BADLY,
        "Make it a rule on the Rationales page: rules count exactly. Else say in words what shows it.",
        lambda m: _capital(m, _SHOWN), None, "“{}” must be counted",
    ),
    Wording(
        "counting", Severity.HINT,
        re.compile(
            rf"\b(?P<n>(?!one |1 ){_NUMBER}) or (?P<way>more|fewer|less) (?:\w+ )?(?P<what>{_COUNTED}|customers|people|persons|guests)\b", _I
        ),
        _BADLY, "Say it in words, or make it a rule on the Rationales page: rules count exactly.",
        _several, None, "“{}” must be counted",
    ),
    Wording(
        "counting", Severity.HINT,
        re.compile(
            r"\b(?P<do>mentioned|named|repeated|used|said|listed|occurs?|appears?|comes? up|found) "
            rf"(?:at least |only |exactly |more than |no more than )?(?:twice|thrice|{_NUMBER} times|(?<=than )once)\b", _I,
        ),
        _BADLY, "Say it in words, or make it a rule on the Rationales page: rules count exactly.",
        lambda m: f"{m['do']} repeatedly", None, "“{}” must be counted",
    ),
    Wording(
        "counting", Severity.HINT,
        re.compile(
            r"\b(?:more than|less than|fewer than|at least|at most|no more than|up to|over|under|above|below) "
            rf"\d+(?:[.,]\d+)? ?(?:{_SIZES}|%)(?!\w)(?: of (?:net )?\w+)?", _I,
        ),
        "A model cannot weigh or measure: it can only read a figure that the text states, and small models "
        "compare figures badly.",
        "Say that the texts state it, if they do; make it a rule on the Rationales page, which compares "
        "figures exactly; else say in words what shows it.",
        lambda m: f"{m[0]} stated in the text", re.compile(r"\{\{"), "“{}” must be measured",
        unless_told=re.compile(
            r"\b(?:states?|stated|figures?|printed|nutrition (?:labels?|tables?|facts)|as given)\b", _I
        ),
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
        _NO_CALENDAR,
        "Use words that stand in the texts, or a rule or a column that holds the date.",
        lambda m: _SHOWN_DATE.format(m[0]), None, "“{}” asks to reckon with dates",
    ),
    Wording(
        "dates", Severity.HINT,
        re.compile(
            rf"\b(?:yesterday(?!['’]s)|(?<!the )(?:last|next) (?:weeks?|months?|years?|quarter|weekend|season|spring|summer|autumn|"
            rf"winter|(?:mon|tues|wednes|thurs|fri|satur|sun)day|{_MONTH})|late by {_NUMBER} (?:{_UNITS})|"
            rf"{_NUMBER} (?:{_UNITS}) (?:late|overdue|past due|ago|in advance)|"
            rf"(?:before|after|since|until|till|by|from|as of) (?:the )?{_DAY})(?!\w)", _I,
        ),
        _NO_CALENDAR,
        "Use words that stand in the texts, or a rule or a column that holds the date.",
        lambda m: _SHOWN_DATE.format(m[0]), None, "“{}” asks to reckon with dates",
    ),
)  # fmt: skip
