"""A rule while it is being written: what stands in the form or in the editor, usable or not yet."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from studio.actions.rules import print_yaml, read_rule
from studio.domain.coded_rationale import RuleBody, parse_rule
from studio.domain.conditions import (
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
    condition_to_dict,
)
from studio.errors import InputError

GROUPS = ("any", "all", "none")
KINDS = {
    "keywords": "has one of the words",
    "phrase": "has the phrase",
    "fuzzy": "has nearly one of the words",
    "regex": "matches the pattern",
    "length": "is so long",
    "number": "has a number in it",
    "column": "has this in a column",
    "similar": "is like these examples",
    "answer": "got this answer of a prompt",
}
# What the form shows and nobody can change: votes made elsewhere.
WRITTEN = "written"
_TEXT_FIELD = {"phrase": "phrase", "regex": "pattern"}
FORM, YAML = "Form", "YAML"
_BLANK: dict[str, Any] = {
    "words": "", "except": "", "phrase": "", "pattern": "", "unit": "words",
    "column": "", "values": [], "min": None, "max": None, "alike": 85, "written": {},
    "examples": [], "near": 0.6, "prompt": "", "version": 0, "answers": [], "sure": None,
}  # fmt: skip


@dataclass(slots=True)
class RuleDraft:
    """What was typed so far; plain JSON values, so that it can be kept.

    Attributes:
        form: The fields of the form: name, label, against, decisive, scope, conditions.
        text: The YAML text, while that is what is being edited.
        mode: "Form" or "YAML": which of the two counts.
        rationale_id: The rationale it codes.
        original: Name of the rule being changed; empty for a new one.
        drafted: Name under which the studio drafted it; empty for one a person began.
        round: Grows when the fields must be drawn anew with other content.
        began: What it said when it was opened.
        next_id: The number of the next condition.
    """

    form: dict[str, Any]
    text: str = ""
    mode: str = FORM
    rationale_id: int | None = None
    original: str = ""
    drafted: str = ""
    round: int = 0
    began: str = ""
    next_id: int = 100

    @property
    def name(self) -> str:
        """What it is held under: the rule it changes, or the rationale it codes, or nothing."""
        coded = f"rationale {self.rationale_id} {self.drafted}".strip()
        return self.original or (coded if self.rationale_id else "")

    @property
    def content(self) -> str:
        """What it says, usable or not."""
        return self.text if self.mode == YAML else print_yaml(to_plain(self.form))

    @property
    def is_changed(self) -> bool:
        """Whether something was typed since it was opened."""
        return self.content != self.began

    @property
    def is_read_only(self) -> bool:
        """Whether it stands for votes made elsewhere."""
        made = any(c["kind"] == WRITTEN for c in self.form["conditions"])
        return self.mode == FORM and bool(self.original) and made

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `kept_draft_of` reads them back."""
        return asdict(self)

    def read(self) -> RuleBody:
        """Return the rule it says.

        Raises:
            InputError: With what to mend.
        """
        if self.mode == YAML:
            return read_rule(self.text)
        return parse_rule(to_plain(self.form))

    def switch(self, mode: str) -> None:
        """Go from form to YAML or back, taking along what was typed.

        Raises:
            InputError: If the YAML cannot be read, so that the form could not show it; nothing
                changes then.
        """
        if mode == self.mode:
            return
        if mode == YAML:
            self.text = print_yaml(to_plain(self.form))
        else:
            self.form = form_of(read_rule(self.text))
        self.mode = mode
        self.round += 1

    def add_condition(self) -> None:
        """Add an empty condition at the end."""
        self.next_id += 1
        self.form["conditions"].append(_condition(self.next_id))

    def remove_condition(self, number: int) -> None:
        """Take a condition away."""
        self.form["conditions"] = [c for c in self.form["conditions"] if c["id"] != number]


def new_draft(
    label: str, rationale_id: int | None = None, words: tuple[str, ...] = ()
) -> RuleDraft:
    """Return an empty rule for a label, beginning with the words a rationale points at."""
    form = {
        "name": "",
        "label": label,
        "against": False,
        "decisive": False,
        "scope": "text",
        "conditions": [_condition(1) | {"words": ", ".join(w.lower() for w in words)}],
    }
    return RuleDraft(form, rationale_id=rationale_id)


def kept_draft_of(values: dict[str, Any]) -> RuleDraft:
    """Return a draft that was kept, also by a version that knew fewer conditions."""
    conditions = [_condition(c["id"]) | c for c in values["form"]["conditions"]]
    return RuleDraft(**values | {"form": values["form"] | {"conditions": conditions}})


def draft_of(body: RuleBody, rationale_id: int | None) -> RuleDraft:
    """Return a saved rule as a draft."""
    return RuleDraft(form_of(body), rationale_id=rationale_id, original=body.name)


def drafted_of(body: RuleBody, rationale_id: int) -> RuleDraft:
    """Return a rule the studio drafted for a rationale, to be changed before it is saved."""
    return RuleDraft(form_of(body), rationale_id=rationale_id, drafted=body.name)


def form_of(body: RuleBody) -> dict[str, Any]:
    """Return the fields that `to_plain` turns back into an equally voting rule."""
    conditions: list[dict[str, Any]] = []
    for group in GROUPS:
        for condition in getattr(body, group):
            fields = _condition(len(conditions) + 1) | {"group": group} | _fields(condition)
            conditions.append(fields)
    return {
        "name": body.name,
        "label": body.label,
        "against": body.against,
        "decisive": body.decisive,
        "scope": body.scope,
        "rationale": body.rationale,
        "conditions": conditions,
    }


def to_plain(form: dict[str, Any]) -> dict[str, Any]:
    """Return the form as the values of a YAML rule, usable or not."""
    data: dict[str, Any] = {"name": form["name"].strip() or suggest_name(form)}
    if form.get("rationale"):
        data["rationale"] = form["rationale"]
    data["against" if form["against"] else "label"] = form["label"]
    if form["decisive"]:
        data["decisive"] = True
    if form["scope"] != "text":
        data["scope"] = form["scope"]
    for group in GROUPS:
        found = [_plain(c) for c in form["conditions"] if c["group"] == group]
        if found:
            data[group] = found
    return data


def suggest_name(form: dict[str, Any]) -> str:
    """Return a name made of the first words of the conditions.

    >>> suggest_name(new_draft("keto", words=("Fried Rice",)).form)
    'fried-rice'
    """
    for c in form["conditions"]:
        parts = {
            "keywords": words_of(c["words"])[:1],
            "fuzzy": words_of(c["words"])[:1],
            "phrase": [c["phrase"]],
            "column": [c["column"], *c["values"][:1]],
        }
        said = " ".join(parts.get(c["kind"], [c["kind"]]))
        slug = "-".join(re.findall(r"[a-z0-9]+", said.lower()))[:40].strip("-")
        if slug:
            return slug
    return "new-rule"


def words_of(text: str) -> list[str]:
    r"""Return the words given on lines or between commas.

    >>> words_of("rice, fried noodles\n ramen,")
    ['rice', 'fried noodles', 'ramen']
    """
    return [word.strip() for word in re.split(r"[,\n]", text) if word.strip()]


def _condition(number: int) -> dict[str, Any]:
    lists: dict[str, Any] = {name: [] for name, value in _BLANK.items() if value == []}
    return {**_BLANK, **lists, "id": number, "group": "any", "kind": "keywords"}


def _fields(condition: Condition) -> dict[str, Any]:  # noqa: PLR0911 - one a kind
    ((kind, plain),) = condition_to_dict(condition).items()
    match condition:
        case Keywords(words, excepted):
            return {"kind": kind, "words": _joined(words), "except": _joined(excepted)}
        case Fuzzy(words, least):
            return {"kind": kind, "words": _joined(words), "alike": least}
        case Column(name, values, low, high):
            return {"kind": kind, "column": name, "values": list(values), "min": low, "max": high}
        case Length() | Number():
            return {"kind": kind, **plain}
        case Phrase() | Regex():
            return {"kind": kind, _TEXT_FIELD[kind]: plain}
        case Similar(examples, least):
            return {"kind": kind, "examples": list(examples), "near": least}
        case Answer(prompt, version, labels, least):
            return {
                "kind": kind, "prompt": prompt, "version": version, "answers": list(labels),
                "sure": least,
            }  # fmt: skip
        case Votes():
            return {"kind": WRITTEN, "said": str(condition), "written": {kind: plain}}


def _joined(words: tuple[str, ...]) -> str:
    # A comma means nothing in a keyword: words are matched without signs.
    return ", ".join(word.replace(",", " ") for word in words)


def _plain(c: dict[str, Any]) -> dict[str, Any]:  # noqa: PLR0911 - one a kind
    limits = {key: _tidy(c[key]) for key in ("min", "max") if c[key] is not None}
    match c["kind"]:
        case "keywords":
            words, excepted = words_of(c["words"]), words_of(c["except"])
            return {"keywords": {"words": words, "except": excepted} if excepted else words}
        case "fuzzy":
            return {"fuzzy": {"words": words_of(c["words"]), "min": _tidy(c["alike"])}}
        case "phrase" | "regex" as kind:
            return {kind: c[_TEXT_FIELD[kind]]}
        case "length" | "number" as kind:
            return {kind: {**({"unit": c["unit"]} if kind == "length" else {}), **limits}}
        case "column":
            chosen = {"in": list(c["values"])} if c["values"] else limits
            return {"column": {"name": c["column"], **chosen}}
        case "similar":
            return {"similar": {"examples": list(c["examples"]), "min": c["near"]}}
        case "answer":
            sure = {} if c["sure"] is None else {"min": _tidy(c["sure"])}
            told = {"prompt": c["prompt"], "version": c["version"], "is": list(c["answers"])}
            return {"answer": {**told, **sure}}
        case _:
            return dict(c["written"])


def _tidy(number: float) -> float:
    return int(number) if float(number).is_integer() else number


def check_name(draft: RuleDraft, body: RuleBody, known: set[str]) -> None:
    """Refuse a new rule that would silently replace one of the same name.

    Raises:
        InputError: If the name is taken.
    """
    if body.name in known and body.name != draft.original:
        raise InputError(
            f"There is a rule {body.name!r} already.",
            next_step="Choose another name, or open that rule and change it.",
        )
