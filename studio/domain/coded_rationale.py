"""A coded rationale: the executable form of a rationale, kept as data and never as code.

In the app, the command line and files people call it a rule. A rule fires on an example when all
of `all` hold, some of `any` (if it has any) holds and none of `none` holds; it then votes for its
label, or against it. What the conditions read and how they are matched fast is `analysis.votes`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from studio.errors import InputError

MAX_PATTERN = 1000
MAX_WORDS = 5000
_SLUG = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")


@dataclass(frozen=True, slots=True)
class Keywords:
    """Any of the words stands in the text; `*` at a word's end stands for any ending.

    Words inside one of the `excepted` phrases do not count ("rice" in "cauliflower rice").
    """

    words: tuple[str, ...]
    excepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrase:
    """The words stand in the text, next to each other."""

    phrase: str


@dataclass(frozen=True, slots=True)
class Regex:
    """An RE2 pattern is found in the text; case is ignored."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Length:
    """The text has from `min` to `max` words or characters; None is open."""

    unit: str
    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `min` to `max` stands in the text; None is open."""

    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A metadata column has one of the values (case ignored), or a number from `min` to `max`."""

    name: str
    values: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None


Condition = Keywords | Phrase | Regex | Length | Number | Column


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBody:
    """What a rule says, without its place in a workspace.

    Attributes:
        name: A slug, unique in the task.
        label: The label's name it speaks of.
        against: True when it votes "not that label".
        decisive: True when it decides alone, in the expert's order, before all others.
        scope: "text" or the metadata column its text conditions read.
        all, any, none: Conditions; at least one of all and any is given.
        rationale: The id its file gives the rationale it codes; may be empty.
    """

    name: str
    label: str
    against: bool = False
    decisive: bool = False
    scope: str = "text"
    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()
    none: tuple[Condition, ...] = ()
    rationale: str = ""

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All its conditions, in reading order."""
        return (*self.all, *self.any, *self.none)

    @property
    def hash(self) -> str:
        """A hash of what decides its votes; name, order and rationale do not count."""
        groups = {
            key: [[type(c).__name__, asdict(c)] for c in getattr(self, key)]
            for key in ("all", "any", "none")
        }
        body = json.dumps([self.scope, groups], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(body.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedRationale:
    """A rule in its place in a task.

    Attributes:
        id: Number in the workspace.
        label_id: The label its body names.
        body: What it says.
        rationale_id: The rationale it codes, if known.
        position: 0-based place in the expert's order.
        enabled: Whether it votes.
        version: Grows when its body changes.
    """

    id: int
    label_id: int
    body: RuleBody
    rationale_id: int | None = None
    position: int = 0
    enabled: bool = True
    version: int = 1


def parse_rule(data: Any) -> RuleBody:
    """Read a rule from plain YAML or JSON values.

    Raises:
        InputError: With the rule's name and what to mend.

    >>> rule = parse_rule(
    ...     {
    ...         "name": "starch",
    ...         "label": "not_keto",
    ...         "any": [
    ...             {"keywords": {"words": ["rice", "noodle*"], "except": ["cauliflower rice"]}}
    ...         ],
    ...     }
    ... )
    >>> rule.any
    (Keywords(words=('rice', 'noodle*'), excepted=('cauliflower rice',)),)
    >>> parse_rule(rule_to_dict(rule)) == rule
    True
    """
    if not isinstance(data, dict):
        raise InputError(
            f"A rule must be a mapping, not {_brief(data)}.", next_step="See docs/rules.md."
        )
    name = str(data.get("name", "")).strip()
    if not _SLUG.match(name):
        raise InputError(
            f"The rule name {name!r} is not usable.",
            next_step="Use lower-case letters, digits, - and _, e.g. starch-words.",
        )
    where = f"Rule {name!r}"
    known = {"name", "label", "against", "decisive", "scope", "all", "any", "none", "rationale"}
    if unknown := sorted(set(map(str, data)) - known):
        raise InputError(
            f"{where} has the unknown key {unknown[0]!r}.",
            next_step=f"Known are {', '.join(sorted(known))}.",
        )
    label = _label(data)
    if not label or ("label" in data and "against" in data and isinstance(data["against"], str)):
        raise InputError(
            f"{where} must name one label.",
            next_step="Write `label: NAME`, or `against: NAME` to vote against it.",
        )
    body = RuleBody(
        name=name,
        label=label,
        against="label" not in data or data.get("against") is True,
        decisive=_flag(data.get("decisive", False), where, "decisive"),
        scope=str(data.get("scope", "text")),
        all=_conditions(data.get("all"), where),
        any=_conditions(data.get("any"), where),
        none=_conditions(data.get("none"), where),
        rationale=str(data.get("rationale", "") or ""),
    )
    if not body.all and not body.any:
        raise InputError(
            f"{where} has no condition under `all` or `any`.", next_step="Say when it fires."
        )
    return body


def rule_to_dict(body: RuleBody) -> dict[str, Any]:
    """Return plain values that `parse_rule` reads back to an equal rule."""
    data: dict[str, Any] = {"name": body.name}
    if body.rationale:
        data["rationale"] = body.rationale
    data["against" if body.against else "label"] = body.label
    if body.decisive:
        data["decisive"] = True
    if body.scope != "text":
        data["scope"] = body.scope
    for key in ("all", "any", "none"):
        conditions = getattr(body, key)
        if conditions:
            data[key] = [_condition_to_dict(c) for c in conditions]
    return data


def describe(body: RuleBody) -> str:
    """Return the rule in a sentence people can read.

    >>> describe(
    ...     parse_rule(
    ...         {
    ...             "name": "a",
    ...             "label": "spam",
    ...             "any": [{"phrase": "check out"}],
    ...             "none": [{"length": {"unit": "words", "min": 30}}],
    ...         }
    ...     )
    ... )
    'spam if it has the phrase "check out" and not if it has 30 or more words'
    """
    parts = []
    if body.all:
        parts.append(" and ".join(_say(c) for c in body.all))
    if body.any:
        some = " or ".join(_say(c) for c in body.any)
        parts.append(f"({some})" if body.all and len(body.any) > 1 else some)
    sentence = f"{'not ' if body.against else ''}{body.label} if it {' and '.join(parts)}"
    if body.none:
        sentence += " and not if it " + " or ".join(_say(c) for c in body.none)
    return sentence


def _say(condition: Condition) -> str:
    match condition:
        case Keywords(words, excepted):
            shown = ", ".join(words[:8]) + (f" and {len(words) - 8} more" if len(words) > 8 else "")
            return f"has one of {shown}" + (f" (outside {', '.join(excepted)})" if excepted else "")
        case Phrase(phrase):
            return f'has the phrase "{phrase}"'
        case Regex(pattern):
            return f"matches {pattern}"
        case Length(unit, low, high):
            return f"has {_span(low, high)} {unit}"
        case Number(low, high):
            return f"has a number of {_span(low, high)}"
        case Column(name, values, low, high):
            return f"has {name} {' or '.join(values) if values else _span(low, high)}"


def _span(low: float | None, high: float | None) -> str:
    if low is None:
        return f"{high:g} or fewer"
    return f"{low:g} or more" if high is None else f"{low:g} to {high:g}"


def _conditions(data: Any, where: str) -> tuple[Condition, ...]:
    if data is None:
        return ()
    if not isinstance(data, list):
        raise InputError(
            f"{where}: all, any and none hold lists, not {_brief(data)}.",
            next_step="Put a - before each condition.",
        )
    return tuple(_condition(item, where) for item in data)


def _condition(data: Any, where: str) -> Condition:
    if not isinstance(data, dict) or len(data) != 1:
        raise InputError(
            f"{where}: {_brief(data)} is not a condition.",
            next_step=f"Write one of {', '.join(_READERS)}, then a colon and what it needs.",
        )
    ((kind, value),) = data.items()
    reader = _READERS.get(str(kind))
    if reader is None:
        raise InputError(
            f"{where}: there is no condition {str(kind)!r}.",
            next_step=f"Use one of {', '.join(_READERS)}.",
        )
    return reader(value, f"{where}, {kind}")


def _read_keywords(value: Any, where: str) -> Keywords:
    if isinstance(value, dict):
        _only(value, {"words", "except"}, where)
        words, excepted = value.get("words"), value.get("except", [])
    else:
        words, excepted = value, []
    result = Keywords(words=_texts(words, where), excepted=_texts(excepted, where))
    if not result.words:
        raise InputError(f"{where}: no word is given.", next_step="List at least one word.")
    return result


def _read_phrase(value: Any, where: str) -> Phrase:
    if not isinstance(value, str) or not value.strip():
        raise InputError(
            f"{where}: a phrase is text.", next_step="Write the words it must contain."
        )
    return Phrase(phrase=value.strip())


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
    value = _mapping(value, {"unit", "min", "max"}, where)
    unit = value.get("unit", "words")
    if unit not in ("words", "characters"):
        raise InputError(
            f"{where}: the unit {unit!r} is unknown.", next_step="Use words or characters."
        )
    low, high = _limits(value, where)
    return Length(
        unit=unit, min=None if low is None else int(low), max=None if high is None else int(high)
    )


def _read_number(value: Any, where: str) -> Number:
    low, high = _limits(_mapping(value, {"min", "max"}, where), where)
    return Number(min=low, max=high)


def _read_column(value: Any, where: str) -> Column:
    value = _mapping(value, {"name", "in", "equals", "min", "max"}, where)
    name = str(value.get("name", ""))
    if not name:
        raise InputError(f"{where}: the column has no name.", next_step="Write `name: COLUMN`.")
    values = _texts(value.get("in", [value["equals"]] if "equals" in value else []), where)
    if values:
        return Column(name=name, values=values)
    low, high = _limits(value, where)
    return Column(name=name, min=low, max=high)


_READERS: dict[str, Callable[[Any, str], Condition]] = {
    "keywords": _read_keywords,
    "phrase": _read_phrase,
    "regex": _read_regex,
    "length": _read_length,
    "number": _read_number,
    "column": _read_column,
}


def _condition_to_dict(condition: Condition) -> dict[str, Any]:
    match condition:
        case Keywords(words, excepted):
            return {
                "keywords": {"words": list(words), "except": list(excepted)}
                if excepted
                else list(words)
            }
        case Phrase(phrase):
            return {"phrase": phrase}
        case Regex(pattern):
            return {"regex": pattern}
        case Length(unit, low, high):
            return {"length": {"unit": unit, **_given(min=low, max=high)}}
        case Number(low, high):
            return {"number": _given(min=low, max=high)}
        case Column(name, values, low, high):
            return {
                "column": {
                    "name": name,
                    **({"in": list(values)} if values else _given(min=low, max=high)),
                }
            }


def _given(**values: float | None) -> dict[str, float]:
    return {key: value for key, value in values.items() if value is not None}


def _mapping(value: Any, keys: set[str], where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(
            f"{where}: needs {', '.join(sorted(keys))}, not {_brief(value)}.",
            next_step="See docs/rules.md.",
        )
    _only(value, keys, where)
    return value


def _only(value: dict[str, Any], keys: set[str], where: str) -> None:
    if unknown := sorted(set(map(str, value)) - keys):
        raise InputError(
            f"{where}: the key {unknown[0]!r} is unknown.",
            next_step=f"Known are {', '.join(sorted(keys))}.",
        )


def _limits(value: dict[str, Any], where: str) -> tuple[float | None, float | None]:
    limits = []
    for key in ("min", "max"):
        number = value.get(key)
        if number is not None and not _is_number(number):
            raise InputError(
                f"{where}: {key} must be a number, not {_brief(number)}.",
                next_step="Write e.g. 10.",
            )
        limits.append(number)
    low, high = limits
    if low is None and high is None:
        raise InputError(f"{where}: neither min nor max is given.", next_step="Give at least one.")
    if low is not None and high is not None and low > high:
        raise InputError(f"{where}: min is above max.", next_step="Swap them.")
    return low, high


def _is_number(value: Any) -> bool:
    """Tell whether a value is a number that text can be compared with; YAML knows .inf and .nan."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _texts(value: Any, where: str) -> tuple[str, ...]:
    items: Sequence[Any] = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or any(isinstance(i, dict | list) or i is None for i in items):
        raise InputError(
            f"{where}: needs a list of words, not {_brief(value)}.", next_step="Write [one, two]."
        )
    if len(items) > MAX_WORDS:
        raise InputError(
            f"{where}: {len(items)} words are too many.", next_step=f"Keep to {MAX_WORDS}."
        )
    # YAML reads the word "no" as false and "12" as a number; people mean the word.
    words = [("no" if i is False else "yes" if i is True else str(i)).strip() for i in items]
    return tuple(word for word in words if word)


def _label(data: dict[str, Any]) -> str:
    """Return the label's name; as in `_texts`, YAML's false and true mean the words no and yes."""
    named = "label" in data
    value = data["label"] if named else data.get("against")
    if value is None or isinstance(value, dict | list) or (isinstance(value, bool) and not named):
        return ""
    return "no" if value is False else "yes" if value is True else str(value)


def _flag(value: Any, where: str, key: str) -> bool:
    if not isinstance(value, bool):
        raise InputError(
            f"{where}: {key} is true or false, not {_brief(value)}.",
            next_step="Write true or false.",
        )
    return value


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
