"""A coded rationale: the executable form of a rationale, kept as data and never as code.

In the app, the command line and files people call it a rule. A rule fires on an example when all
of `all` hold, some of `any` (if it has any) holds and none of `none` holds; it then votes for its
label, or against it. What conditions there are stands in `domain.conditions`.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from studio.domain.condition_files import read_conditions
from studio.domain.conditions import Condition, condition_to_dict, hashed
from studio.domain.plain_values import brief, flag_in, mapping_in, short_text, word_of
from studio.errors import InputError

_SLUG = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")
NO_WORDS = ("min", "max", "version", "decisive")
"""Keys of a rule's file that hold numbers and truths; every other one holds words."""
_TRUTHS = dict.fromkeys(("true", "yes", "on"), True) | dict.fromkeys(("false", "no", "off"), False)
_KEYS = {"name", "label", "against", "decisive", "scope", "all", "any", "none", "rationale"}


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
        groups = {key: [hashed(c) for c in getattr(self, key)] for key in ("all", "any", "none")}
        body = json.dumps([self.scope, groups], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:16]


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
            f"A rule must be a mapping, not {brief(data)}.", next_step="See docs/rules.md."
        )
    name = word_of(data.get("name", "")) or ""
    if not _SLUG.match(name):
        raise InputError(
            f"The rule name {brief(data.get('name', ''))} is not usable.",
            next_step="Use lower-case letters, digits, - and _, e.g. starch-words.",
        )
    where = f"Rule {name!r}"
    mapping_in(data, _KEYS, where)
    label = _label(data, where)
    against = _against(data)
    if not label or isinstance(against, str):
        raise InputError(
            f"{where} must name one label.",
            next_step="Write `label: NAME`, or `against: NAME` to vote against it.",
        )
    body = RuleBody(
        name=name,
        label=label,
        against=against is True,
        decisive=flag_in(data, "decisive", where),
        scope=_name(data, "scope", where) or "text",
        all=read_conditions(data.get("all"), where),
        any=read_conditions(data.get("any"), where),
        none=read_conditions(data.get("none"), where),
        rationale=_name(data, "rationale", where),
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
            data[key] = [condition_to_dict(c) for c in conditions]
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
        parts.append(" and ".join(str(c) for c in body.all))
    if body.any:
        some = " or ".join(str(c) for c in body.any)
        parts.append(f"({some})" if body.all and len(body.any) > 1 else some)
    sentence = f"{'not ' if body.against else ''}{body.label} if it {' and '.join(parts)}"
    if body.none:
        sentence += " and not if it " + " or ".join(str(c) for c in body.none)
    return sentence


def _label(data: dict[str, Any], where: str) -> str:
    """Return the label's name; `against` may also be a truth beside it, and names none then."""
    if "label" not in data and isinstance(data.get("against"), bool):
        return ""
    return _name(data, "label" if "label" in data else "against", where)


def _against(data: dict[str, Any]) -> Any:
    """Return whether it votes against its label; a text where a second label stands there."""
    if "label" not in data:
        return True
    told = data.get("against")
    return _TRUTHS.get(told.lower(), told) if isinstance(told, str) else told


def _name(data: dict[str, Any], key: str, where: str) -> str:
    value = data.get(key)
    return short_text(value if isinstance(value, str) else word_of(value) or "", f"{where}, {key}")
