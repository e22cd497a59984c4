"""Reading a chat completion: which outcome, which label, which probabilities.

Pure functions on the decoded JSON of a reply, whatever transport brought it. A reply is untrusted:
any shape is answered by an outcome, none by an exception.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from studio.domain.amounts import percent
from studio.domain.run import Answer, Method, Outcome, Usage
from studio.providers.logprobs import Masses, label_masses

TOLERANCE = 0.02
"""How far probabilities may be from summing to 1: services round them."""
EXTENSION = "studio"
"""Top-level key of what only our own embedded server tells."""

_FENCE, _LANGUAGE = "```", re.compile(r"[\w-]*")
_HALVES = (rb"\ud", rb"\uD", b"\xed", b"\0")
_SHORTEST_KEY = 12
_MOST = 2**53  # more tokens than this are no count, and no number SQLite or JSON could keep
_TOLD = ("engine", "evidence", "unused_lines", "truncated", "not_english", "notes")


def read_reply(
    reply: Any, label_names: Sequence[str], *, latency_ms: float = 0.0, is_local: bool = False
) -> Answer:
    """Return what a chat completion says.

    Args:
        reply: The decoded JSON of the reply, or its text where that is no JSON.
        label_names: The allowed answers.
        latency_ms: How long it took.
        is_local: Whether this machine gave it, so that our own server's extension is believed
            to be ours, which costs nothing.

    Returns:
        error for what is no chat completion at all; refused, filtered, truncated by the
        service's own signs; empty, not_json, off_label, abstained by its text; else ok.
    """
    if not isinstance(reply, Mapping):
        return broken("The reply is no JSON object.", reply, Usage(latency_ms=latency_ms))
    usage = read_usage(reply, latency_ms, is_local=is_local)
    choice = _first(reply.get("choices"))
    message = choice.get("message") if choice else None
    if choice is None or not isinstance(message, Mapping):
        return broken("The reply holds no choices.", reply, usage)
    content = message.get("content")
    text = content if isinstance(content, str) else ""
    outcome, label, why = _outcome(choice, message, text, label_names)
    detail = read_extension(reply.get(EXTENSION))
    if why:
        detail["error"] = why
    if thought := _reasoning(reply):
        detail["reasoning_tokens"] = thought
    probabilities: dict[str, float] = {}
    method: Method | None = None
    if outcome is Outcome.OK:
        probabilities, method = _probabilities(reply, choice, text, label_names, detail)
    return Answer(
        outcome=outcome,
        label=label,
        probabilities=probabilities,
        method=method if probabilities else None,
        model=as_text(reply.get("model")),
        usage=usage,
        detail=detail,
        raw=text,
    )


def read_json(content: bytes) -> Any:
    """Return the JSON of a body, or its text where it is none; halves of characters replaced.

    >>> read_json(b'{"a": 1}'), read_json(b"<html>")
    ({'a': 1}, '<html>')
    """
    try:
        value = json.loads(content)
        # Half a character comes as an escape, as bytes that begin so, or in another encoding.
        doubtful = any(sign in content for sign in _HALVES)
        return whole_characters(value) if doubtful else value
    except (ValueError, RecursionError):
        return content.decode("utf-8", "replace")


def whole_characters(value: Any) -> Any:
    r"""Return a value of JSON with "?" for every half of a surrogate pair.

    JSON can carry one, and a model that was cut off inside an emoji writes one; nothing else can:
    no database, no file, no request.

    >>> whole_characters({"label": "ham \ud83d", "n": [1, "\ud83d\ude00"]})
    {'label': 'ham ?', 'n': [1, '??']}
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [whole_characters(item) for item in value]
    if isinstance(value, dict):
        return {whole_characters(key): whole_characters(item) for key, item in value.items()}
    return value


def without_secrets(content: bytes, secrets: Collection[str]) -> bytes:
    """Return a reply with "[key]" for a key that it repeats.

    A short one is no key, but a word that servers which want none are told.

    >>> without_secrets(b'{"model": "sk-1234567890"}', ["sk-1234567890", "none"])
    b'{"model": "[key]"}'
    """
    for secret in secrets:
        if len(secret) >= _SHORTEST_KEY and (told := secret.encode()) in content:
            content = content.replace(told, b"[key]")
    return content


def match_label(answer: Any, label_names: Sequence[str]) -> str | None:
    """Return the label that an answer names: exactly, or else up to case and outer spaces.

    Nothing looser: a near miss is off_label, so that people see what their model really does.

    >>> match_label(" Spam ", ["spam", "ham"])
    'spam'
    >>> match_label("spam.", ["spam", "ham"]) is None
    True
    >>> match_label("A", ["a", "A"])
    'A'
    """
    if not isinstance(answer, str):
        return None
    if answer in label_names:
        return answer
    folded = answer.strip().casefold()
    near = [name for name in label_names if name.strip().casefold() == folded]
    return near[0] if len(near) == 1 else None


def _outcome(
    choice: Mapping[str, Any], message: Mapping[str, Any], text: str, names: Sequence[str]
) -> tuple[Outcome, str | None, str]:
    """Return the outcome, the label, and a sentence where one helps."""
    refusal, finish = message.get("refusal"), choice.get("finish_reason")
    if isinstance(refusal, str) and refusal.strip():
        return Outcome.REFUSED, None, refusal
    if finish == "content_filter":
        return Outcome.FILTERED, None, "The service's content filter held the answer back."
    if finish == "length":
        return Outcome.TRUNCATED, None, "The answer was cut off at the length limit."
    if not text.strip():
        return Outcome.EMPTY, None, ""
    return _read_text(text, names)


def _read_text(text: str, names: Sequence[str]) -> tuple[Outcome, str | None, str]:
    """Read the answer itself: `{"label": …}`, fenced or not, or nothing but a label.

    A label counts in other case and inside a code fence, for chat models write so where no
    schema holds them; anything around it makes it not_json. A null label is abstained.
    """
    inner = _unfenced(text.strip())
    try:
        value = json.loads(inner)
    except (ValueError, RecursionError):
        label = match_label(inner, names)
        if label is not None:
            return Outcome.OK, label, ""
        return Outcome.NOT_JSON, None, "The answer is neither JSON nor a label."
    if isinstance(value, Mapping):
        if "label" in value and value["label"] is None:
            return Outcome.ABSTAINED, None, ""
        value = value.get("label")
    label = match_label(value, names) or match_label(inner, names)
    if label is not None:
        return Outcome.OK, label, ""
    return Outcome.OFF_LABEL, None, "The answer is none of the labels."


def _unfenced(text: str) -> str:
    """Return what stands inside a code fence, in time that grows with the text and no faster."""
    if len(text) < 2 * len(_FENCE) or not (text.startswith(_FENCE) and text.endswith(_FENCE)):
        return text
    inner = text[len(_FENCE) : -len(_FENCE)]
    language = _LANGUAGE.match(inner)
    return inner[language.end() if language else 0 :].strip()


def read_extension(told: Any) -> dict[str, Any]:
    """Return what our own server tells beside a label."""
    if not isinstance(told, Mapping):
        return {}
    detail = {key: told[key] for key in _TOLD if key in told and key != "notes"}
    for text in told["notes"] if isinstance(told.get("notes"), list) else [told.get("notes")]:
        if isinstance(text, str) and text:
            note(detail, text)
    return detail


def note(detail: dict[str, Any], text: str) -> None:
    """Add a sentence for people to what an answer tells beside its label."""
    detail.setdefault("notes", []).append(text)


def _probabilities(
    reply: Mapping[str, Any], choice: Mapping[str, Any], text: str, names: Sequence[str],
    detail: dict[str, Any],
) -> tuple[dict[str, float], Method | None]:  # fmt: skip
    """Return the probability of each label and whence; the server's own word comes first."""
    told = reply.get(EXTENSION)
    if isinstance(told, Mapping) and told.get("probabilities"):
        shares, why = read_shares(told["probabilities"], names)
        if why:
            note(detail, f"Its probabilities {why} and were left out.")
        return shares, Method.SERVER
    logprobs = choice.get("logprobs")
    tokens = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not isinstance(tokens, list) or not tokens:
        return {}, None
    return _token_shares(label_masses(tokens, text, names), detail), Method.LOGPROBS


def _token_shares(masses: Masses, detail: dict[str, Any]) -> dict[str, float]:
    """Return what is surely each label's; shared out to the full only where little is missing."""
    known = {name: mass for name, mass in masses.labels.items() if mass > 0}
    total = math.fsum(known.values())
    if not known or total > 1 + TOLERANCE:
        return {}
    if 1 - total <= TOLERANCE:
        return {name: mass / total for name, mass in masses.labels.items()}
    detail["uncovered"] = round(1 - total, 6)
    unknown = percent(1 - total, digits=0)
    note(detail, f"Of {unknown} of the probability nothing tells which label's it is.")
    return known


def read_shares(masses: Any, names: Sequence[str]) -> tuple[dict[str, float], str]:
    """Return probabilities that sum to 1, or none and what is wrong with them.

    >>> read_shares({"a": 0.5, "b": 0.49}, ["a", "b", "c"])[0]["c"]
    0.0
    >>> read_shares({"a": 0.5}, ["a", "b"])
    ({}, 'sum to 0.50')
    """
    if not isinstance(masses, Mapping) or not masses:
        return {}, ""
    if not set(masses) <= set(names) or not all(_is_share(value) for value in masses.values()):
        return {}, "are not those of the labels"
    total = math.fsum(masses.values())
    if abs(total - 1) > TOLERANCE + 1e-9:
        return {}, f"sum to {total:.2f}"
    return {name: masses.get(name, 0.0) / total for name in names}, ""


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1.001


def _first(choices: Any) -> Mapping[str, Any] | None:
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        return choices[0]
    return None


def broken(why: str, reply: Any, usage: Usage) -> Answer:
    """Return the answer of a reply that holds none."""
    raw = reply[:2000] if isinstance(reply, str) else ""
    model = as_text(reply.get("model")) if isinstance(reply, Mapping) else ""
    return Answer(outcome=Outcome.ERROR, model=model, usage=usage, detail={"error": why}, raw=raw)


def read_usage(reply: Mapping[str, Any], latency_ms: float, *, is_local: bool) -> Usage:
    """Return what a reply says it took; only our own server is known to cost nothing."""
    told = reply.get("usage")
    told = told if isinstance(told, Mapping) else {}
    return Usage(
        input_tokens=_count(told.get("prompt_tokens")) or _count(told.get("input_tokens")),
        output_tokens=_count(told.get("completion_tokens")) or _count(told.get("output_tokens")),
        cost_usd=0.0 if is_local and EXTENSION in reply else None,
        latency_ms=latency_ms,
    )


def _reasoning(reply: Mapping[str, Any]) -> int:
    """Return the tokens a model thought with, which are paid and which nobody asked for."""
    usage = reply.get("usage")
    details = usage.get("completion_tokens_details") if isinstance(usage, Mapping) else None
    return _count(details.get("reasoning_tokens")) if isinstance(details, Mapping) else 0


def _count(value: Any) -> int:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return value if is_count and 0 < value < _MOST else 0


def as_text(value: Any) -> str:
    """Return a text as it is, and nothing in place of anything else."""
    return value if isinstance(value, str) else ""
