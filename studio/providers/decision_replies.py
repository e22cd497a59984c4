"""Reading a decision: label and confidence are ours, from the probabilities of the reply.

What a wire calls `confidence` differs from server to server, and none of them is used.
Pure functions on the decoded JSON; a reply is untrusted and never makes them fail.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from studio.domain.run import Answer, Method, Outcome, Usage
from studio.providers.replies import (
    EXTENSION,
    as_text,
    broken,
    match_label,
    note,
    read_extension,
    read_shares,
    read_usage,
)

QUESTION = "label"
"""The name our one question has on the wire."""


def read_decision(
    reply: Any, label_names: Sequence[str], *, latency_ms: float = 0.0, is_local: bool = False
) -> Answer:
    """Return what a decision says, in either wire's shape.

    Args:
        reply: The decoded JSON of the reply, or its text where that is no JSON.
        label_names: The allowed answers; of equally likely ones the first wins.
        latency_ms: How long it took.
        is_local: Whether this machine gave it.

    Returns:
        refused where the model declines; ok by probabilities, or by the bare choice of services
        that give none; off_label, abstained or empty where there is no choice of ours; else error.

    >>> answers = {"label": {"choice": "a", "probabilities": {"a": 0.49, "b": 0.5}}}
    >>> answer = read_decision({"answers": answers}, ["a", "b"])
    >>> answer.label, round(answer.confidence, 3), answer.method.value
    ('b', 0.505, 'decision')
    """
    if isinstance(reply, Mapping) and isinstance(reply.get("result"), Mapping):
        reply = reply["result"]  # Cloudflare wraps what it passes on
    if not isinstance(reply, Mapping):
        return broken("The reply is no JSON object.", reply, Usage(latency_ms=latency_ms))
    usage = read_usage(reply, latency_ms, is_local=is_local)
    told = _only(reply.get("answers"))
    if not isinstance(told, Mapping):
        if reply.get("answers") in ([], {}):
            return Answer(outcome=Outcome.EMPTY, model=as_text(reply.get("model")), usage=usage)
        return broken("The reply holds no answer to the question.", reply, usage)
    outcome, label, shares, detail = _judge(told, label_names)
    detail = {**_beside(reply), **detail}
    if outcome is Outcome.OK and shares and _is_other(told.get("choice"), label, label_names):
        note(detail, "The service itself names another label than the likeliest one.")
    return Answer(
        outcome=outcome,
        label=label,
        probabilities=shares,
        method=Method.DECISION if shares else None,
        model=as_text(reply.get("model")),
        usage=usage,
        detail=detail,
        raw="" if outcome is Outcome.OK else repr(told)[:2000],
    )


def _only(answers: Any) -> Any:
    """Return the answer to our one question, of a list or of a map by names."""
    if isinstance(answers, Mapping):
        if QUESTION in answers or len(answers) != 1:
            return answers.get(QUESTION)
        answers = list(answers.values())
    return answers[0] if isinstance(answers, list) and len(answers) == 1 else None


def _judge(
    told: Mapping[str, Any], names: Sequence[str]
) -> tuple[Outcome, str | None, dict[str, float], dict[str, Any]]:
    """Return outcome, label, probabilities, and why where it is not ok."""
    if told.get("type") == "refusal" or told.get("refusal"):
        why = as_text(told.get("refusal")) or "The model declines to answer."
        return Outcome.REFUSED, None, {}, {"error": why}
    if told.get("probabilities"):
        shares, why = read_shares(_masses(told["probabilities"], names), names)
        if shares:
            return Outcome.OK, max(names, key=shares.__getitem__), shares, {}
        why = why or "are not those of the labels"
        return Outcome.ERROR, None, {}, {"error": f"The probabilities of the reply {why}."}
    if "choice" not in told:
        why = "The answer holds neither a choice nor probabilities."
        return Outcome.ERROR, None, {}, {"error": why}
    label = _label(told["choice"], names)
    if label is not None:
        return Outcome.OK, label, {}, {}
    is_none = told["choice"] is None
    return Outcome.ABSTAINED if is_none else Outcome.OFF_LABEL, None, {}, {}


def _masses(told: Any, names: Sequence[str]) -> dict[str, Any] | None:
    """Return label to what it got, of a map or of OpenAI's list; None where a name is not ours."""
    pairs = list(told.items()) if isinstance(told, Mapping) else []
    for entry in told if isinstance(told, list) else []:
        if not isinstance(entry, Mapping):
            return None
        pairs.append((entry.get("value"), entry.get("probability")))
    masses = {label: share for value, share in pairs if (label := _label(value, names))}
    return masses if len(masses) == len(pairs) else None


def _label(value: Any, names: Sequence[str]) -> str | None:
    """Return the label a value of the wire names; true and false may come as such."""
    return match_label(json.dumps(value) if isinstance(value, bool) else value, names)


def _is_other(choice: Any, label: str | None, names: Sequence[str]) -> bool:
    named = _label(choice, names)
    return named is not None and named != label


def _beside(reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return what our own server tells beside the answer."""
    told = reply.get(EXTENSION)
    listed = told.get("answers") if isinstance(told, Mapping) else None
    return read_extension(_only(listed))
