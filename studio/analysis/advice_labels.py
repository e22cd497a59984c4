"""Checks of labels in a prompt: undefined, negated, overlapping, contradicted, none for the rest."""
# ruff: noqa: E501 (patterns and sentences read better unbroken)

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from studio.analysis.advice_reading import (
    Known,
    Passage,
    content,
    hint,
    listed,
    name_words,
    warning,
)
from studio.analysis.advice_wording import denies_only
from studio.analysis.lexicon import stem
from studio.domain.advice import BLANK, Advice, Place, Rewrite, Section
from studio.domain.example import normalise
from studio.domain.prompt import PromptText

_NEGATED = re.compile(r"^(?:not|non|no|without|never|isn'?t|aren'?t)[\s_-]+", re.IGNORECASE)
_REST = frozenset(
    "other others none neither unknown unclear misc miscellaneous rest else neutral mixed general unsure uncertain undecided irrelevant unrelated ambiguous".split()  # noqa: SIM905
)
_REST_SAID = re.compile(
    r"\b(?:if (?:none|nothing|no label|neither|no other|you are (?:not sure|unsure)|unsure|in doubt|it is unclear)|"
    r"when (?:none|nothing|unsure|in doubt|no label|neither)|otherwise|in doubt|anything else|"
    r"everything else|all other|any other|the rest|fits? (?:none|neither|no)|none of|closest|"
    r"best fits?|fits? best|most likely)\b",
    re.IGNORECASE,
)
# Pairs of opposites between which texts lie.
_OPPOSITES = (
    {"positive", "negative"}, {"for", "against"}, {"agree", "disagree"}, {"happy", "sad"},
    {"good", "bad"}, {"support", "oppose"}, {"favourable", "unfavourable"},
)  # fmt: skip
_GENERIC = frozenset(
    "text message comment email mail review ticket document dish content sentence post tweet class category label group kind type case item customer user important relevant appropriate inappropriate suitable bad good significant serious certain various different related concern many few too fit belong applies apply clearly clear definitely proper certainly".split()  # noqa: SIM905
)
_SIDES = re.compile(
    r"\b(?:more|less|fewer|at least|at most|over|under|above|below|before|after|with|without|high|low|"
    r"positive|negative|first|later|early|late|only|up to|inside|outside)\b|n['’]t\b|\b(?:no|not|never)\b",
    re.IGNORECASE,
)
_ENOUGH_LABELS = 3
_MOST_UNDEFINED = 4
_ALIKE = 0.7


def check_labels(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find labels that nothing speaks for, or only a denial or their own name."""
    reasons, shots = {label for label, _ in body.reasons}, {s.label for s in body.few_shots}
    for label in known.labels:
        text = " ".join(body.definitions.get(label, "").split())
        place = Place(section=Section.DEFINITION, label=label)
        rest = is_rest(label)
        if text and not rest and denies_only(text, label, known.labels):
            yield warning(
                "negated_definition", place, f"{label} is only said not to be something else",
                "“Not” hardly moves a model: such a definition lies right beside what it denies.",
                "Say what such texts do have.", _defined(body, known, label, text),
            )  # fmt: skip
        elif text and not rest and _is_empty(text, label):
            yield warning(
                "empty_definition", place, f"The definition of {label} says no more than its name",
                "The model learns nothing from it that the name did not say.",
                "Name what such texts say, in their words.", _defined(body, known, label, text),
            )  # fmt: skip
        elif not text and is_negated(label, known.labels) and label not in reasons | shots:
            yield warning(
                "negated_name", place, f"{label} is a denial, and nothing else says what it is",
                "A denied name lies right beside what it denies; a model easily takes one for the other.",
                "Define it by what such texts do have.", _defined(body, known, label, ""),
            )  # fmt: skip


def is_rest(label: str) -> bool:
    """Return whether a label's name says that it is for texts that fit no other.

    >>> is_rest("something_else"), is_rest("keto")
    (True, False)
    """
    return bool(set(normalise(label.replace("_", " ")).split()) & _REST)


def check_undefined(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find labels without a definition; where there are many, in one finding."""
    reasons, shots = {label for label, _ in body.reasons}, {s.label for s in body.few_shots}
    bare = [
        label
        for label in known.labels
        if not body.definitions.get(label, "").strip() and label not in reasons
        and (label in shots or not is_negated(label, known.labels))
    ]  # fmt: skip
    do = "Say when it holds, in the words of the texts."
    if len(bare) > _MOST_UNDEFINED:
        yield warning(
            "undefined", Place(section=Section.DEFINITION, label=bare[0]),
            f"{len(bare)} labels have no definition: {listed(bare, 'and')}",
            "Of these the model has only the names or examples to go by." + _worth(known), do,
            _defined(body, known, bare[0], ""),
        )  # fmt: skip
        return
    for label in bare:
        has_shots = label in shots
        yield (hint if has_shots else warning)(
            "undefined", Place(section=Section.DEFINITION, label=label), f"{label} has no definition",
            "The model has only examples to go by." if has_shots
            else "The model has only the name to go by." + _worth(known),
            do, _defined(body, known, label, ""),
        )  # fmt: skip


def _is_empty(text: str, label: str) -> bool:
    return not content(text) - name_words(label) - _GENERIC and not _CITED.search(text)


def _worth(known: Known) -> str:
    if known.reads == "chat":
        return ""
    return " With the embedded reader a sentence a label was worth 5 to 22 points of accuracy on three public sets."


_CITED = re.compile(r"[\"“`].+[\"”`]|\d")


def _defined(body: PromptText, known: Known, label: str, text: str) -> Rewrite:
    """Return the edit that puts what is known of a label in place of a definition."""
    own = " ".join(known.definitions.get(label, "").split())
    cues = known.cues.get(label, ())
    after = own if own and own != text and not denies_only(own, label, known.labels) else ""
    if not after:
        after = (
            f"Says {listed(cues[:6], most=6)}."
            if cues
            else BLANK.format(f"what such a text says: {label}")
        )
    before = body.definitions.get(label, "")
    place = Place(section=Section.DEFINITION, label=label, end=len(before))
    return Rewrite(place=place, before=before, after=after)


def is_negated(label: str, labels: tuple[str, ...]) -> bool:
    """Return whether a name only says what the label is not.

    >>> is_negated("not_keto", ()), is_negated("unsafe", ("safe",)), is_negated("notes", ())
    (True, True, False)
    """
    name = label.casefold()
    others = {other.casefold() for other in labels}
    return bool(_NEGATED.match(name)) or any(
        name.startswith(start) and name[len(start) :] in others for start in ("un", "in", "non", "dis", "ir")
    )  # fmt: skip


def check_rest(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find label sets in which some texts fit nowhere and the prompt does not say what then."""
    words = {w for name in known.labels for w in normalise(name.replace("_", " ")).split()}
    names = {name.casefold() for name in known.labels}
    is_open = len(names) >= _ENOUGH_LABELS or names in _OPPOSITES
    if not is_open or words & _REST or any(_REST_SAID.search(p.said) for p in texts):
        return
    last = body.instructions.rstrip()
    add = ("\n" if last else "") + "If none of the labels fits, choose the one that comes closest."
    place = Place(section=Section.INSTRUCTIONS, start=len(last), end=len(body.instructions))
    reader = (
        "Add a label such as “other” on the Data page and define it: the embedded reader cannot follow "
        "an instruction." if known.reads == "encoder"
        else "Say what then, or add a label such as “other” on the Data page."
    )  # fmt: skip
    yield hint(
        "no_fallback", place, "Nothing is said of texts that fit no label",
        "Such texts come; without a word on them each gets a label by chance.", reader,
        None if known.reads == "encoder"
        else Rewrite(place=place, before=body.instructions[len(last) :], after=add),
    )  # fmt: skip


def check_overlap(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find definitions that claim the same texts for two labels."""
    defined = [(p.place.label, p) for p in texts if p.place.section is Section.DEFINITION]
    for (a, first), (b, second) in combinations(defined, 2):
        shared = [x for x in _items(second) if _norm(x[0]) in {_norm(y[0]) for y in _items(first)}]
        if shared:
            words, start, end = shared[0]
            yield warning(
                "overlap", second.at(start, end), f"“{words}” stands in the definitions of {a} and {b}",
                "A text that has it fits both, and the model must guess.",
                "Leave it with the label it decides for.", _taken_out(second, start, end),
            )  # fmt: skip
            continue
        one, two = (content(p.said) - name_words(x) for x, p in ((a, first), (b, second)))
        is_alike = min(len(one), len(two)) >= 3 and len(one & two) / len(one | two) >= _ALIKE
        if is_alike and _sides(first.said) == _sides(second.said):
            yield warning(
                "overlap", second.at(0, len(second.text)), f"{a} and {b} are defined almost alike",
                "A text that fits one fits the other, and the model must guess.",
                f"Say what {b} has and {a} has not.",
                second.rewrite(len(second.text.rstrip()), len(second.text),
                               " " + _contrast(known, a, b)),
            )  # fmt: skip


def _contrast(known: Known, a: str, b: str) -> str:
    cues = [word for word in known.cues.get(b, ()) if word not in known.cues.get(a, ())]
    if cues:
        return f"Unlike {a}, it says {listed(cues[:5])}."
    return BLANK.format(f"what {b} has and {a} has not")


def _sides(text: str) -> tuple[str, ...]:
    return tuple(sorted({m[0].casefold() for m in _SIDES.finditer(text)}))


def _items(passage: Passage) -> list[tuple[str, int, int]]:
    """Return the items of a comma-separated list of two words or more each, with their places."""
    found = []
    for item in re.finditer(r"[^,;.:\n]+", passage.said):
        words = item[0].strip()
        words = re.sub(r"^(?:and|or)\s+", "", words)
        start = item.start() + item[0].find(words)
        is_listed = "," in passage.said or ";" in passage.said
        if words and is_listed and len(content(words)) >= 1 and len(words.split()) <= 5:
            found.append((words, start, start + len(words)))
    return found


def _norm(words: str) -> str:
    return " ".join(stem(w) for w in normalise(words).split() if w not in ("a", "an", "the"))


def _taken_out(passage: Passage, start: int, end: int) -> Rewrite:
    """Return the edit that takes an item out of a list, with one of the commas around it."""
    text = passage.text
    if found := re.match(r"\s*[,;]\s*", text[end:]):
        end += found.end()
    elif found := re.search(r"\s*[,;]?\s*(?:\b(?:and|or)\s+)?$", text[:start]):
        start = found.start()
    return passage.rewrite(start, end, "")


def check_tokens(body: PromptText, known: Known, texts: list[Passage]) -> Iterator[Advice]:
    """Find label names that a chat model cannot tell apart by their first token."""
    if known.reads == "encoder":
        return
    groups: dict[str, list[str]] = defaultdict(list)
    for name in known.labels:
        parts = re.split(r"[\s_\-./]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).strip())
        if len(parts) > 1 and len(parts[0]) > 1:
            groups[parts[0].casefold()].append(name)
    shared = {first: names for first, names in groups.items() if len(names) > 1}
    if not shared:
        return
    first, names = max(shared.items(), key=lambda g: len(g[1]))
    example = re.split(r"([\s_\-./]+)", names[0], maxsplit=1)
    place = Place(section=Section.LABELS)
    turned = "".join(reversed(example)) if len(example) == 3 else ""  # CamelCase has no joint
    yield hint(
        "shared_first_token", place,
        f"{len(names)} label names begin with “{first}”: {listed(names, 'and', 3)}",
        "A chat model writes a name piece by piece: after the same beginning its likelihoods say less, "
        "and it slips more easily into the wrong one.",
        "Begin with what sets them apart" + (f", e.g. {turned} for {names[0]}" if turned else "") + " (Data page).",
        Rewrite(place=place, before=names[0], after=turned) if turned else None,
    )  # fmt: skip
