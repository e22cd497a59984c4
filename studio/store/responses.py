"""Answers as they are stored, each once however many runs rest on it."""

from __future__ import annotations

import json
from typing import Any

from studio.domain.run import Answer, Method, Outcome, Usage
from studio.store.connection import Row


def columns_of(answer: Answer) -> tuple[Any, ...]:
    """Return the columns of a response from model to latency."""
    usage = answer.usage
    return (
        answer.model, answer.outcome.value, answer.label, _json(answer.probabilities),
        answer.method.value if answer.method else "", _json(answer.detail), answer.raw, usage.input_tokens, usage.output_tokens, usage.cost_usd, usage.latency_ms,
    )  # fmt: skip


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) if value else "{}"


def answer_of(row: Row) -> Answer:
    """Return a stored response as the answer it was."""
    return Answer(
        outcome=Outcome(row["outcome"]),
        label=row["label"],
        probabilities=json.loads(row["probabilities"]),
        method=Method(row["method"]) if row["method"] else None,
        model=row["model"],
        usage=Usage(
            input_tokens=row["input_tokens"],
            output_tokens=row["output_tokens"],
            cost_usd=row["cost_usd"],
            latency_ms=row["latency_ms"],
        ),
        detail=json.loads(row["detail"]),
        raw=row["raw"],
    )
