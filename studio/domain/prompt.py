"""Instructions for a model: frozen versions of them, and how they render into messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from studio.domain.plain_values import brief, number_of, text_of
from studio.domain.prompt_parts import ShotPolicy, in_order
from studio.domain.task import Task
from studio.domain.variables import TEXT, columns_named, spelled
from studio.errors import InputError

ANSWER_LINE = "Answer with one label."
_REASON = "a list of [LABEL, TEXT]"
_FEW_SHOT = "a list with text and label each"
NEUTRAL = "Which of the choices fits the text?"
"""What a decision model is instructed by where people wrote nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FewShot:
    """An example shown in a prompt; never one of the test split.

    Attributes:
        text: Its text.
        label: Its label's name.
        example_id: Which example it is; None where it was typed or came from a file.
        values: Column name to value; of an example they are found when it is asked.
    """

    text: str
    label: str
    example_id: int | None = None
    values: Mapping[str, str] = field(default_factory=dict, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` reads them back."""
        told = {"text": self.text, "label": self.label, "example_id": self.example_id}
        return told | ({"values": dict(self.values)} if self.values else {})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FewShot:
        """Return the example that `to_dict` described.

        Raises:
            InputError: If it has another form.
        """
        text, label, known = (data.get(key) for key in ("text", "label", "example_id"))
        known = number_of(known)
        if not (isinstance(text, str) and isinstance(label, str) and isinstance(known, int | None)):
            raise _misshapen("few_shots", _FEW_SHOT)
        values = _mapping(data.get("values"), "values", "COLUMN: TEXT")
        told = {str(k): text_of(v, f"The value of {brief(k)}") for k, v in values.items()}
        return cls(text=text, label=label, example_id=known, values=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptText:
    """Everything a prompt says, before it is saved as a version.

    Attributes:
        instructions: Free prose; may be empty.
        definitions: Label name to when it applies; a label may be missing.
        reasons: Pairs (label name, line): rationales told to the model.
        few_shots: Examples shown with their labels, chosen by hand.
        policy: How examples are chosen besides; None where only those chosen by hand are shown.
        frozen: Parts that nobody means to change: advice and rewrites leave them alone.
    """

    instructions: str
    definitions: dict[str, str] = field(default_factory=dict)
    reasons: tuple[tuple[str, str], ...] = ()
    few_shots: tuple[FewShot, ...] = ()
    policy: ShotPolicy | None = None
    frozen: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` reads them back."""
        # Policy and locks only where they are set: hashes of older versions stay what they were.
        told: dict[str, Any] = {
            "instructions": self.instructions,
            "definitions": dict(self.definitions),
            "reasons": [list(pair) for pair in self.reasons],
            "few_shots": [shot.to_dict() for shot in self.few_shots],
        }
        told |= {"policy": self.policy.to_dict()} if self.policy else {}
        return told | ({"frozen": list(self.frozen)} if self.frozen else {})

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PromptText:
        """Return the prompt that `to_dict` described.

        Raises:
            InputError: If it chooses few-shots in an unknown way, locks a part there is not, or
                holds something else where a text belongs; with the field.
        """
        defined = _mapping(data.get("definitions"), "definitions", "NAME: TEXT")
        reasons = _items(data.get("reasons"), "reasons", _REASON)
        if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in reasons):
            raise _misshapen("reasons", _REASON)
        shots = _items(data.get("few_shots"), "few_shots", _FEW_SHOT)
        if not all(isinstance(shot, Mapping) for shot in shots):
            raise _misshapen("few_shots", _FEW_SHOT)
        return cls(
            instructions=text_of(data.get("instructions"), "instructions"),
            definitions={
                str(k): text_of(v, f"The definition of {brief(k)}") for k, v in defined.items()
            },
            reasons=tuple(
                (text_of(label, "A label in reasons"), text_of(line, "A line in reasons"))
                for label, line in reasons
            ),
            few_shots=tuple(FewShot.from_dict(shot) for shot in shots),
            policy=ShotPolicy.from_dict(data["policy"]) if data.get("policy") else None,
            frozen=in_order(_items(data.get("frozen"), "frozen", "a list of parts")),
        )

    @property
    def hash(self) -> str:
        """A hash of what it says: prompts that say the same have equal hashes, locked or not."""
        said = replace(self, frozen=()).to_dict()
        body = json.dumps(said, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(body.encode()).hexdigest()[:16]

    @property
    def variables(self) -> tuple[str, ...]:
        """Columns that it names as `{{column}}`, in order; the text itself is none of them.

        >>> PromptText(instructions="Mind the {{brand}} of {{text}}.").variables
        ('brand',)
        """
        return columns_named(self.texts)

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts in it that may name columns."""
        lines = (line for _, line in self.reasons)
        return (self.instructions, *self.definitions.values(), *lines)

    @property
    def columns(self) -> tuple[str, ...]:
        """What of an example is sent: its text, then the columns that the prompt names."""
        return (TEXT, *self.variables)

    def spelled(self) -> PromptText:
        """Return it as the model reads it: each variable as the quoted name of a field.

        Values never stand in the instructions: they are untrusted and travel with the text.

        >>> PromptText(instructions="Mind the {{brand}}.").spelled().instructions
        'Mind the "brand".'
        """
        return replace(
            self,
            instructions=spelled(self.instructions),
            definitions={name: spelled(told) for name, told in self.definitions.items()},
            reasons=tuple((label, spelled(line)) for label, line in self.reasons),
        )


def _mapping(told: Any, field_name: str, form: str) -> Mapping[Any, Any]:
    if told is not None and not isinstance(told, Mapping):
        raise _misshapen(field_name, form)
    return told or {}


def _items(told: Any, field_name: str, form: str) -> Sequence[Any]:
    if told is not None and not isinstance(told, list | tuple):
        raise _misshapen(field_name, form)
    return told or ()


def _misshapen(field_name: str, form: str) -> InputError:
    return InputError(
        f"A part of the prompt has another form than expected: {field_name}.",
        next_step=f"Write {field_name} as {form}.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptVersion:
    """One frozen text of a prompt; never changes.

    Attributes:
        id: Number in the workspace.
        name: The prompt's name; versions of one name are numbered.
        number: 1, 2, … within the name.
        body: What it says.
        author: Who saved it.
        note: Why, in a line; may be empty.
        at: UTC time in ISO form.
    """

    id: int
    name: str
    number: int
    body: PromptText
    author: str
    note: str = ""
    at: str

    @property
    def title(self) -> str:
        """How people call it, e.g. "better v2"."""
        return f"{self.name} v{self.number}"


def render_system(body: PromptText, label_names: Sequence[str]) -> str:
    r"""Return the system message: instructions, labels, reasons, and how to answer.

    >>> print(
    ...     render_system(
    ...         PromptText(
    ...             instructions="Is it keto?",
    ...             definitions={"keto": "few carbs"},
    ...             reasons=(("keto", "meat has\nno starch"),),
    ...         ),
    ...         ["keto", "not_keto"],
    ...     )
    ... )
    Is it keto?
    <BLANKLINE>
    Labels:
    - keto: few carbs
    - not_keto
    <BLANKLINE>
    Reasons:
    - keto: meat has no starch
    <BLANKLINE>
    Answer with one label.
    """
    body = body.spelled()
    parts = [body.instructions.strip()] if body.instructions.strip() else []
    lines = []
    for name in label_names:
        definition = _one_line(body.definitions.get(name, ""))
        lines.append(f"- {name}: {definition}" if definition else f"- {name}")
    parts.append("Labels:\n" + "\n".join(lines))
    parts += _reasons(body, label_names)
    parts.append(ANSWER_LINE)
    return "\n\n".join(parts)


def render_decision(body: PromptText, label_names: Sequence[str]) -> str:
    r"""Return what a decision model is instructed by; definitions stand beside its choices.

    Few-shots are lines here, their texts JSON-encoded: a decision has no turns to show them in.

    >>> print(
    ...     render_decision(
    ...         PromptText(
    ...             instructions="Is it keto?",
    ...             reasons=(("keto", "meat has no starch"),),
    ...             few_shots=(FewShot(text="ham\nand eggs", label="keto"),),
    ...         ),
    ...         ["keto", "not_keto"],
    ...     )
    ... )
    Is it keto?
    <BLANKLINE>
    Reasons:
    - keto: meat has no starch
    <BLANKLINE>
    Examples:
    - keto: "ham\nand eggs"
    """
    names, body = body.variables, body.spelled()
    parts = [body.instructions.strip() or NEUTRAL]
    parts += _reasons(body, label_names)
    shots = [f"- {s.label}: {_shown(s, names)}" for s in body.few_shots]
    if shots:
        parts.append("Examples:\n" + "\n".join(shots))
    return "\n\n".join(parts)


def _reasons(body: PromptText, label_names: Sequence[str]) -> list[str]:
    known = [(label, line) for label, line in body.reasons if label in label_names]
    if not known:
        return []
    return ["Reasons:\n" + "\n".join(f"- {label}: {_one_line(t)}" for label, t in known)]


def _shown(shot: FewShot, columns: Sequence[str]) -> str:
    """Return a few-shot as a line of its own: its text, or text and columns as they are asked."""
    if columns:
        return user_turn(shot.text, shot.values, columns)
    return json.dumps(shot.text, ensure_ascii=False)


def render_messages(
    body: PromptText,
    label_names: Sequence[str],
    text: str,
    values: Mapping[str, str] | None = None,
) -> list[dict[str, str]]:
    r"""Return the chat messages that ask about one text.

    The text, and the columns that the prompt names, stand JSON-encoded in the user turn only: they
    are untrusted and must not read as instructions.

    >>> body = PromptText(instructions="Mind the {{brand}}.")
    >>> render_messages(body, ["a", "b"], 'say "a"', {"brand": "Acme"})[-1]["content"]
    '{"text": "say \\"a\\"", "brand": "Acme"}'
    """
    columns = body.variables
    messages = [{"role": "system", "content": render_system(body, label_names)}]
    for shot in body.few_shots:
        messages += shot_turns(shot, columns)
    messages.append({"role": "user", "content": user_turn(text, values, columns)})
    return messages


def prompt_of(task: Task) -> PromptText:
    """Return the prompt a task has before anybody wrote one: its question and definitions."""
    return PromptText(
        instructions=task.question,
        definitions={label.name: label.definition for label in task.labels if label.definition},
    )


def shot_turns(shot: FewShot, columns: Sequence[str] = ()) -> list[dict[str, str]]:
    """Return the user and assistant turn that show one labeled text.

    Args:
        shot: The example.
        columns: The columns that are told of every example.
    """
    return [
        {"role": "user", "content": user_turn(shot.text, shot.values, columns)},
        {"role": "assistant", "content": json.dumps({"label": shot.label}, ensure_ascii=False)},
    ]


def training_jsonl(
    body: PromptText,
    label_names: Sequence[str],
    rows: Sequence[tuple[int, str, str]],
    values: Mapping[int, Mapping[str, str]] | None = None,
) -> str:
    """Return OpenAI chat JSONL that teaches labels; few-shots are left out.

    Args:
        body: What the model is told.
        label_names: The allowed answers.
        rows: (example id, text, label).
        values: Example id to the values of its columns; needed where the prompt names columns.
    """
    system = {"role": "system", "content": render_system(body, label_names)}
    columns, known = body.variables, values or {}
    lines = []
    for example_id, text, label in rows:
        shot = FewShot(text=text, label=label, values=known.get(example_id, {}))
        taught = {"messages": [system, *shot_turns(shot, columns)]}
        lines.append(json.dumps(taught, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def user_turn(
    text: str, values: Mapping[str, str] | None = None, columns: Sequence[str] = ()
) -> str:
    """Return the content of the turn that carries a text, and the columns that are told with it.

    A column that the example does not have is empty.

    >>> user_turn("tea", {"brand": "Acme", "price": "3"}, ["brand", "maker"])
    '{"text": "tea", "brand": "Acme", "maker": ""}'
    """
    told = {name: (values or {}).get(name, "") for name in columns}
    return json.dumps({TEXT: text, **told}, ensure_ascii=False)


def answer_schema(label_names: Sequence[str]) -> dict[str, Any]:
    """Return the `response_format` that allows nothing but one of the labels."""
    return {
        "type": "json_schema",
        "json_schema": {
            "name": "label",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {"label": {"type": "string", "enum": list(label_names)}},
                "required": ["label"],
                "additionalProperties": False,
            },
        },
    }


def _one_line(text: str) -> str:
    """Keep a line a line, so that no text can open a heading or a new entry of its own."""
    return " ".join(text.split())
