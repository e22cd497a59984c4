"""The files a training set is written as, for services the studio does not call itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from studio.domain.prompt import PromptText, render_decision, training_jsonl, user_turn

QUESTION = "label"
"""What the one question of a row is called."""


class TrainingFormat(StrEnum):
    """Who a training file is for; the first three read the same chat lines."""

    OPENAI = "openai"
    FIREWORKS = "fireworks"
    TOGETHER = "together"
    SYSTEM_ONE = "system-one"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingBar:
    """Terms that bar training on what a model said.

    Attributes:
        whose: The company whose terms they are.
        models: What the names of its models look like.
        terms: Where they say so.
        as_of: The day that was read, in ISO form.
    """

    whose: str
    models: re.Pattern[str]
    terms: str
    as_of: str


BARS = (
    TrainingBar(
        whose="TypeSafe",
        models=re.compile(r"(?:^|/)jev(?![a-z])", re.IGNORECASE),
        terms="Master Customer Agreement 2.3(b), as told by the docs of jevstiller",
        as_of="2026-11-22",
    ),
)


def training_bar(model: str) -> TrainingBar | None:
    """Return the terms that bar training on a model's labels; None where none are known.

    >>> training_bar("typesafe/jev-1.2").whose
    'TypeSafe'
    >>> training_bar("openjev-4b") is None
    True
    """
    return next((bar for bar in BARS if bar.models.search(model)), None)


def training_file(
    form: TrainingFormat,
    body: PromptText,
    label_names: Sequence[str],
    rows: Sequence[tuple[int, str, str]],
    values: Mapping[int, Mapping[str, str]] | None = None,
) -> str:
    """Return the lines that teach labels, a JSON object an example.

    Args:
        form: Who the file is for.
        body: What the model is told.
        label_names: The allowed answers.
        rows: (example id, text, label).
        values: Example id to the values of its columns; needed where the prompt names columns.
    """
    known = values or {}
    if form is not TrainingFormat.SYSTEM_ONE:
        return training_jsonl(body, label_names, rows, known)
    columns, definitions = body.variables, body.spelled().definitions
    question = {
        "type": "choice",
        "instructions": render_decision(body, label_names),
        "criteria": {name: definitions.get(name) or None for name in label_names},
    }
    lines = []
    for example_id, text, label in rows:
        state = json.loads(user_turn(text, known.get(example_id), columns))
        row = neutral_row(question, example_id, state, label)
        lines.append(json.dumps(row, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def neutral_row(
    question: dict[str, Any], example_id: int, state: dict[str, str], label: str
) -> dict[str, Any]:
    """Return a row of the neutral format; the state is what a decision model is asked about.

    >>> neutral_row({"type": "choice"}, 7, {"text": "hi"}, "ham")["labels"]
    {'label': 'ham'}
    """
    return {
        "id": str(example_id),
        "state": state,
        "questions": {QUESTION: question},
        "labels": {QUESTION: label},
        "weight": 1,
    }
