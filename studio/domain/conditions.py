"""The conditions of coded rationales: what each means, how it is written, and how it is said.

`str(condition)` says it, as the part of a sentence that follows "if it". How conditions are read
from a file is `domain.condition_files`; how they are matched fast is `analysis.matching`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from studio.domain.amounts import some_of

MAX_PATTERN = 1000
MAX_CONDITIONS = 200
MAX_FUZZY = 200
MAX_SIMILAR = 200
# Below this nearly every short word is like every other.
LEAST_ALIKE = 60


def _span(low: float | None, high: float | None) -> str:
    if low is None:
        return f"{high:g} or fewer"
    return f"{low:g} or more" if high is None else f"{low:g} to {high:g}"


def _given(**values: float | None) -> dict[str, float]:
    return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Keywords:
    """Any of the words stands in the text; `*` at a word's end stands for any ending.

    Words inside one of the `excepted` phrases do not count ("rice" in "cauliflower rice").
    """

    words: tuple[str, ...]
    excepted: tuple[str, ...] = ()

    def _written(self) -> Any:
        if not self.excepted:
            return list(self.words)
        return {"words": list(self.words), "except": list(self.excepted)}

    def __str__(self) -> str:
        outside = f" (outside {some_of(self.excepted)})" if self.excepted else ""
        return f"has one of {some_of(self.words)}{outside}"


@dataclass(frozen=True, slots=True)
class Phrase:
    """The words stand in the text, next to each other."""

    phrase: str

    def _written(self) -> Any:
        return self.phrase

    def __str__(self) -> str:
        return f'has the phrase "{self.phrase}"'


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Some word of the text is nearly one of these words.

    Nearly: at least `min` of 100, twice the letters they share in order by the letters of both.
    Of a word of several words, as many neighbours of the text are compared.
    """

    words: tuple[str, ...]
    min: float = 85

    def _written(self) -> Any:
        return {"words": list(self.words), "min": self.min}

    def __str__(self) -> str:
        return f"has nearly one of {some_of(self.words)} ({self.min:g} of 100 alike)"


@dataclass(frozen=True, slots=True)
class Regex:
    """An RE2 pattern is found in the text; case is ignored."""

    pattern: str

    def _written(self) -> Any:
        return self.pattern

    def __str__(self) -> str:
        return f"matches {self.pattern}"


@dataclass(frozen=True, slots=True)
class Length:
    """The text has from `min` to `max` words or characters; None is open."""

    unit: str
    min: int | None = None
    max: int | None = None

    def _written(self) -> Any:
        return {"unit": self.unit, **_given(min=self.min, max=self.max)}

    def __str__(self) -> str:
        return f"has {_span(self.min, self.max)} {self.unit}"


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `min` to `max` stands in the text; None is open."""

    min: float | None = None
    max: float | None = None

    def _written(self) -> Any:
        return _given(min=self.min, max=self.max)

    def __str__(self) -> str:
        return f"has a number of {_span(self.min, self.max)}"


@dataclass(frozen=True, slots=True)
class Column:
    """A metadata column has one of the values (case ignored), or a number from `min` to `max`."""

    name: str
    values: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None

    def _written(self) -> Any:
        limits = _given(min=self.min, max=self.max)
        return {"name": self.name, **({"in": list(self.values)} if self.values else limits)}

    def __str__(self) -> str:
        wanted = some_of(self.values, " or ") if self.values else _span(self.min, self.max)
        return f"has {self.name} {wanted}"


@dataclass(frozen=True, slots=True)
class Similar:
    """The text means nearly what one of these examples means: their cosine is at least `min`.

    Attributes:
        examples: The ids their file gave them.
        min: From 0, nothing in common, to 1, the same.
    """

    examples: tuple[str, ...]
    min: float = 0.6

    def _written(self) -> Any:
        return {"examples": list(self.examples), "min": self.min}

    def __str__(self) -> str:
        return f"is like example {some_of(self.examples, ' or ')} (cosine {self.min:g} or more)"


@dataclass(frozen=True, slots=True)
class Answer:
    """A prompt version answered one of these labels.

    Attributes:
        prompt: The prompt's name.
        version: Which of its versions; its latest finished run counts.
        labels: The answers that count.
        min: The least confidence that counts; None takes every answer.
    """

    prompt: str
    version: int
    labels: tuple[str, ...]
    min: float | None = None

    def _written(self) -> Any:
        told = {"prompt": self.prompt, "version": self.version, "is": list(self.labels)}
        return {**told, **_given(min=self.min)}

    def __str__(self) -> str:
        sure = "" if self.min is None else f" (confidence {self.min:g} or more)"
        said = some_of(self.labels, " or ")
        return f"is {said} to prompt {self.prompt} version {self.version}{sure}"


@dataclass(frozen=True, slots=True)
class Votes:
    """Somebody or something else voted on the example; read only.

    Attributes:
        source: Where the votes came from.
        digest: The hash of the votes, so that other votes are another rule.
    """

    source: str
    digest: str

    def _written(self) -> Any:
        return {"source": self.source, "hash": self.digest}

    def __str__(self) -> str:
        return f"has a vote of {self.source}"


Condition = Keywords | Phrase | Fuzzy | Regex | Length | Number | Column | Similar | Answer | Votes
#: Conditions whose truths are not read from the text: they are handed in.
GIVEN = (Similar, Answer, Votes)


def condition_hash(condition: Condition) -> str:
    """Return a hash of what a condition means, under which its truths may be kept.

    >>> condition_hash(Phrase("check out")) == condition_hash(Phrase("check in"))
    False
    """
    body = json.dumps(hashed(condition), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def hashed(condition: Condition) -> list[Any]:
    """Return the plain values that the hash of a condition, or of its rule, is made of."""
    return [type(condition).__name__, asdict(condition)]


def condition_to_dict(condition: Condition) -> dict[str, Any]:
    """Return plain values that `read_conditions` reads back to an equal condition.

    >>> condition_to_dict(Number(min=30))
    {'number': {'min': 30}}
    """
    return {type(condition).__name__.lower(): condition._written()}
