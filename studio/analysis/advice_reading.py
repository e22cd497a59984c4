"""What checks of a prompt read: its passages with their places, sentences, and what is known."""
# ruff: noqa: E501 (patterns and sentences read better unbroken)

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from studio.analysis.lexicon import stem
from studio.domain.advice import SENTENCE_END, Advice, Place, Rewrite, Section, Severity
from studio.domain.example import normalise
from studio.domain.prompt import PromptText

_QUOTED = re.compile(
    r"\"[^\"\n]{1,200}\"|“[^”\n]{1,200}”|`[^`\n]{1,200}`|(?<!\w)'[^'\n]{1,200}'(?!\w)"
)
NEGATOR = re.compile(
    r"\b(?:not|no|never|without|neither|nor|none|cannot)\b|n['’]t\b", re.IGNORECASE
)
# Written out, so that a check of a prompt does not wait for scikit-learn.
_STOP = frozenset(
    """
    a about after all also an and any anything are as at be because been being but by can choose
    content could decide did do does e.g each either else every everything example for from g get
    gets give given had has have he her his how i if in into is it item its just kind label like may
    me mean means message might more most must my of often on one only or other others our out over
    own people person says say she should so some something such text texts than that the their
    them then there these they thing things this those through to under until up use used user
    using usually very was we were what when where which while who whole whose why will with word
    words would writer you your whether mention mentions mentioned contains contain about
    """.split()  # noqa: SIM905 (as a list it would be a hundred lines)
)


@lru_cache(maxsize=1024)  # checks read it once a sentence
def _unquoted(text: str) -> str:
    return _QUOTED.sub(lambda m: " " * len(m[0]), text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A passage of the prompt that stands in an example too; the words are never told.

    Attributes:
        place: Where in the prompt.
        split: The split of the example.
    """

    place: Place
    split: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known beside the prompt; everything may be missing.

    Attributes:
        labels: The task's label names in order.
        question: What the expert is asked.
        definitions: The task's own definitions by label name.
        cues: Label name to words that speak for it, by accepted rationales and gold of train.
        columns: Metadata columns, which may stand in a prompt as variables.
        unusable: Those that may not, by their names.
        telling: Those of them that the prompt names and that tell the label by themselves.
        copied: Where the prompt holds the text of an example.
        reads: "encoder" for the embedded reader, "chat" for a chat model, "" for unknown.
        unused: Lines that reader cannot use.
        model: The model asked; empty for unknown.
        models: The ids the service lists.
        most_tokens: What a prompt may have before it is called long.
    """

    labels: tuple[str, ...]
    question: str = ""
    definitions: Mapping[str, str] = field(default_factory=dict)
    cues: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()
    copied: tuple[Copied, ...] = ()
    reads: str = ""
    unused: tuple[str, ...] = ()
    model: str = ""
    models: tuple[str, ...] = ()
    most_tokens: int = 3_000


@dataclass(frozen=True, slots=True)
class Passage:
    """A text of the prompt, with words in quotation marks hidden: they are cited, not said."""

    place: Place
    text: str

    @property
    def said(self) -> str:
        """The text as long as it was, blanks in place of what is quoted."""
        return _unquoted(self.text)

    def at(self, start: int, end: int) -> Place:
        """Return the place of some characters of it."""
        p = self.place
        return Place(section=p.section, label=p.label, index=p.index, start=start, end=end)

    def rewrite(self, start: int, end: int, after: str) -> Rewrite:
        """Return the edit of some characters of it."""
        return Rewrite(place=self.at(start, end), before=self.text[start:end], after=after)

    def sentences(self) -> Iterator[tuple[int, int]]:
        """Yield where each sentence or line starts and ends, without the blanks around it."""
        ends = [m.end() for m in SENTENCE_END.finditer(self.text)]
        for first, last in pairwise([0, *ends, len(self.text)]):
            said = self.text[first:last]
            start, end = first + len(said) - len(said.lstrip()), first + len(said.rstrip())
            if end > start:
                yield start, end

    def without(self, start: int, end: int) -> Rewrite:
        """Return the edit that takes a sentence out, with the blank that parted it."""
        while end < len(self.text) and self.text[end] == " ":
            end += 1
        if end == len(self.text):
            start = len(self.text[:start].rstrip())
        return self.rewrite(start, end, "")


def passages(body: PromptText, known: Known) -> list[Passage]:
    """Return what people wrote: instructions, definitions of known labels, rationales."""
    found = [Passage(Place(section=Section.INSTRUCTIONS), body.instructions)]
    found += [
        Passage(Place(section=Section.DEFINITION, label=name), body.definitions[name])
        for name in known.labels
        if name in body.definitions
    ]
    found += [
        Passage(Place(section=Section.REASONS, index=i), text)
        for i, (_, text) in enumerate(body.reasons)
    ]
    return [passage for passage in found if passage.text.strip()]


@lru_cache(maxsize=4096)
def content(text: str) -> frozenset[str]:
    """Return the stems of the words of a text that carry meaning.

    >>> sorted(content("The dishes are made with rice"))
    ['dish', 'made', 'rice']
    """
    words = normalise(text).split()
    return frozenset(stem(w) for w in words if len(w) > 2 and w not in _STOP and not w.isdigit())


def name_words(label: str) -> frozenset[str]:
    """Return the stems of the words of a label's name, denials left out."""
    return frozenset(
        stem(w)
        for w in normalise(re.sub(r"([a-z])([A-Z])", r"\1 \2", label)).split()
        if not NEGATOR.fullmatch(w) and w != "non"
    )


def warning(code: str, place: Place, title: str, why: str, suggestion: str,
            rewrite: Rewrite | None = None, severity: Severity = Severity.WARNING) -> Advice:  # fmt: skip
    """Return a finding; a warning unless it is said to be something else."""
    return Advice(code=code, severity=severity, place=place, title=title, why=why,
                  suggestion=suggestion, rewrite=rewrite)  # fmt: skip


def hint(code: str, place: Place, title: str, why: str, suggestion: str,
         rewrite: Rewrite | None = None) -> Advice:  # fmt: skip
    """Return a finding that is worth a thought."""
    return warning(code, place, title, why, suggestion, rewrite, Severity.HINT)


def listed(names: list[str] | tuple[str, ...], last: str = "or", most: int = 5) -> str:
    """Return names as a person lists them.

    >>> listed(["a", "b", "c"]), listed(["a"]), listed(list("abcdefg"), most=3)
    ('a, b or c', 'a', 'a, b, c …')
    """
    if len(names) > most:
        return ", ".join(names[:most]) + " …"
    return f" {last} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
