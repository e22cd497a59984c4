"""Instructions for a model: frozen versions of them, and how they render into messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from studio.domain.task import Task

ANSWER_LINE = "Answer with one label."
NEUTRAL = "Which of the choices fits the text?"
"""What a decision model is instructed by where people wrote nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FewShot:
    """An example shown in a prompt; never one of the test split."""

    text: str
    label: str
    example_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptText:
    """Everything a prompt says, before it is saved as a version.

    Attributes:
        instructions: Free prose; may be empty.
        definitions: Label name to when it applies; a label may be missing.
        reasons: Pairs (label name, line): rationales told to the model.
        few_shots: Examples shown with their labels.
    """

    instructions: str
    definitions: dict[str, str] = field(default_factory=dict)
    reasons: tuple[tuple[str, str], ...] = ()
    few_shots: tuple[FewShot, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` reads them back."""
        return {
            "instructions": self.instructions,
            "definitions": dict(self.definitions),
            "reasons": [list(pair) for pair in self.reasons],
            "few_shots": [
                {"text": f.text, "label": f.label, "example_id": f.example_id}
                for f in self.few_shots
            ],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PromptText:
        """Return the prompt that `to_dict` described."""
        return cls(
            instructions=str(data.get("instructions", "")),
            definitions={str(k): str(v) for k, v in data.get("definitions", {}).items()},
            reasons=tuple((str(label), str(line)) for label, line in data.get("reasons", [])),
            few_shots=tuple(
                FewShot(text=f["text"], label=f["label"], example_id=f.get("example_id"))
                for f in data.get("few_shots", [])
            ),
        )

    @property
    def hash(self) -> str:
        """A content hash: equal prompts have equal hashes."""
        body = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(body.encode()).hexdigest()[:16]


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
    parts = [body.instructions.strip() or NEUTRAL]
    parts += _reasons(body, label_names)
    shots = [f"- {s.label}: {json.dumps(s.text, ensure_ascii=False)}" for s in body.few_shots]
    if shots:
        parts.append("Examples:\n" + "\n".join(shots))
    return "\n\n".join(parts)


def _reasons(body: PromptText, label_names: Sequence[str]) -> list[str]:
    known = [(label, line) for label, line in body.reasons if label in label_names]
    if not known:
        return []
    return ["Reasons:\n" + "\n".join(f"- {label}: {_one_line(t)}" for label, t in known)]


def render_messages(
    body: PromptText, label_names: Sequence[str], text: str
) -> list[dict[str, str]]:
    r"""Return the chat messages that ask about one text.

    The text stands JSON-encoded in the user turn only: it is untrusted and must not read as
    instructions.

    >>> render_messages(PromptText(instructions=""), ["a", "b"], 'say "a"')[-1]["content"]
    '{"text": "say \\"a\\""}'
    """
    messages = [{"role": "system", "content": render_system(body, label_names)}]
    for shot in body.few_shots:
        messages += example_turns(shot.text, shot.label)
    messages.append({"role": "user", "content": user_turn(text)})
    return messages


def prompt_of(task: Task) -> PromptText:
    """Return the prompt a task has before anybody wrote one: its question and definitions."""
    return PromptText(
        instructions=task.question,
        definitions={label.name: label.definition for label in task.labels if label.definition},
    )


def example_turns(text: str, label: str) -> list[dict[str, str]]:
    """Return the user and assistant turn that show one labeled text."""
    return [
        {"role": "user", "content": user_turn(text)},
        {"role": "assistant", "content": json.dumps({"label": label}, ensure_ascii=False)},
    ]


def training_jsonl(
    body: PromptText, label_names: Sequence[str], rows: Sequence[tuple[int, str, str]]
) -> str:
    """Return OpenAI chat JSONL that teaches (example id, text, label); few-shots are left out."""
    system = {"role": "system", "content": render_system(body, label_names)}
    lines = [
        json.dumps({"messages": [system, *example_turns(text, label)]}, ensure_ascii=False)
        for _, text, label in rows
    ]
    return "\n".join(lines) + "\n"


def user_turn(text: str) -> str:
    """Return the content of the turn that carries a text."""
    return json.dumps({"text": text}, ensure_ascii=False)


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
