"""Reading conditions from the plain values of a rule file; `domain.conditions` prints them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from studio.domain.conditions import (
    LEAST_ALIKE,
    MAX_CONDITIONS,
    MAX_FUZZY,
    MAX_PATTERN,
    MAX_SIMILAR,
    Answer,
    Column,
    Condition,
    Fuzzy,
    Keywords,
    Length,
    Number,
    Phrase,
    Regex,
    Similar,
    Votes,
)
from studio.domain.plain_values import (
    brief,
    limits_in,
    mapping_in,
    name_in,
    number_in,
    share_in,
    short_text,
    word_of,
    words_in,
)
from studio.errors import InputError

_HASH = re.compile(r"^[0-9a-f]{8,64}$")


def read_conditions(data: Any, where: str) -> tuple[Condition, ...]:
    """Read a list of conditions from plain YAML or JSON values.

    Args:
        data: The list; None is an empty one.
        where: How an error begins, e.g. the rule's name.

    Raises:
        InputError: With what to mend.

    >>> read_conditions([{"fuzzy": ["risotto"]}, {"length": {"max": 3}}], "Rule 'a'")
    (Fuzzy(words=('risotto',), min=85), Length(unit='words', min=None, max=3))
    """
    if data is None:
        return ()
    if not isinstance(data, list):
        raise InputError(
            f"{where}: all, any and none hold lists, not {brief(data)}.",
            next_step="Put a - before each condition.",
        )
    if len(data) > MAX_CONDITIONS:
        raise InputError(
            f"{where}: {len(data)} conditions are too many.",
            next_step=f"Keep to {MAX_CONDITIONS}; a list of keywords is one condition.",
        )
    return tuple(_condition(item, where) for item in data)


def _condition(data: Any, where: str) -> Condition:
    if not isinstance(data, dict) or len(data) != 1:
        raise InputError(
            f"{where}: {brief(data)} is not a condition.",
            next_step=f"Write one of {', '.join(_READERS)}, then a colon and what it needs.",
        )
    ((kind, value),) = data.items()
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise InputError(
            f"{where}: there is no condition {brief(kind)}.",
            next_step=f"Use one of {', '.join(_READERS)}.",
        )
    return reader(value, f"{where}, {kind}")


def _read_keywords(value: Any, where: str) -> Keywords:
    words, excepted = value, []
    if isinstance(value, dict):
        value = mapping_in(value, {"words", "except"}, where)
        words, excepted = value.get("words"), value.get("except", [])
    return Keywords(words=_some(words, where), excepted=words_in(excepted, where))


def _read_phrase(value: Any, where: str) -> Phrase:
    if not isinstance(value, str) or not value.strip():
        raise InputError(
            f"{where}: a phrase is text.", next_step="Write the words it must contain."
        )
    return Phrase(phrase=short_text(value.strip(), where))


def _read_fuzzy(value: Any, where: str) -> Fuzzy:
    words, least = value, None
    if isinstance(value, dict):
        value = mapping_in(value, {"words", "min"}, where)
        words, least = value.get("words"), share_in(value, "min", where, (LEAST_ALIKE, 100))
    return Fuzzy(words=_some(words, where, MAX_FUZZY), min=85 if least is None else least)


def _read_regex(value: Any, where: str) -> Regex:
    if not isinstance(value, str) or not value:
        raise InputError(f"{where}: a pattern is text.", next_step="Write an RE2 pattern.")
    if len(value) > MAX_PATTERN:
        raise InputError(
            f"{where}: the pattern has {len(value)} characters.",
            next_step=f"Keep it under {MAX_PATTERN}.",
        )
    return Regex(pattern=value)


def _read_length(value: Any, where: str) -> Length:
    value = mapping_in(value, {"unit", "min", "max"}, where)
    unit = value.get("unit", "words")
    if unit not in ("words", "characters"):
        raise InputError(
            f"{where}: the unit {brief(unit)} is unknown.", next_step="Use words or characters."
        )
    low, high = (None if n is None else int(n) for n in limits_in(value, where))
    return Length(unit=unit, min=low, max=high)


def _read_number(value: Any, where: str) -> Number:
    low, high = limits_in(mapping_in(value, {"min", "max"}, where), where)
    return Number(min=low, max=high)


def _read_column(value: Any, where: str) -> Column:
    value = mapping_in(value, {"name", "in", "equals", "min", "max"}, where)
    name = word_of(value.get("name", ""))
    if not name:
        raise InputError(f"{where}: the column has no name.", next_step="Write `name: COLUMN`.")
    values = words_in(value.get("in", [value["equals"]] if "equals" in value else []), where)
    if values:
        return Column(name=name, values=values)
    low, high = limits_in(value, where)
    return Column(name=name, min=low, max=high)


def _read_similar(value: Any, where: str) -> Similar:
    value = mapping_in(value, {"examples", "min"}, where)
    least = share_in(value, "min", where, (0, 1))
    examples = _some(value.get("examples"), where, MAX_SIMILAR)
    return Similar(examples=examples, min=0.6 if least is None else least)


def _read_answer(value: Any, where: str) -> Answer:
    value = mapping_in(value, {"prompt", "version", "is", "min"}, where)
    version = number_in(value, "version", where)
    if version is None or version < 1 or version != int(version):
        raise InputError(
            f"{where}: the version is {brief(version)}.",
            next_step="Write the number of a prompt version, e.g. 3.",
        )
    return Answer(
        prompt=name_in(value, "prompt", where),
        version=int(version),
        labels=_some(value.get("is"), where),
        min=share_in(value, "min", where, (0, 1)),
    )


def _read_votes(value: Any, where: str) -> Votes:
    value = mapping_in(value, {"source", "hash"}, where)
    digest = value.get("hash")
    if not isinstance(digest, str) or not _HASH.match(digest):
        raise InputError(
            f"{where}: {brief(digest)} is not the hash of votes.",
            next_step="Leave it as the import of the votes wrote it, in quotes.",
        )
    return Votes(source=name_in(value, "source", where), digest=digest)


def _some(value: Any, where: str, most: int | None = None) -> tuple[str, ...]:
    words = words_in(value, where) if most is None else words_in(value, where, most)
    if not words:
        raise InputError(f"{where}: no word is given.", next_step="List at least one.")
    return words


_READERS: dict[str, Callable[[Any, str], Condition]] = {
    "keywords": _read_keywords,
    "phrase": _read_phrase,
    "fuzzy": _read_fuzzy,
    "regex": _read_regex,
    "length": _read_length,
    "number": _read_number,
    "column": _read_column,
    "similar": _read_similar,
    "answer": _read_answer,
    "votes": _read_votes,
}
