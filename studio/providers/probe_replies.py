"""What a reply shows of a feature: pure functions on decoded JSON, which is untrusted.

Each returns a state and one line of evidence; any shape is judged, none makes it fail.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from studio.domain.capability import ListedModel, State
from studio.domain.run import Outcome
from studio.providers.decision_replies import read_decision
from studio.providers.replies import as_text

Judged = tuple[State, str]

NAMES = (
    "kettle", "lantern", "pebble", "ribbon", "saddle", "thimble",
    "walnut", "anchor", "blanket", "compass", "feather", "hammer",
)  # fmt: skip
"""What may be answered; no text of ours says so, so who answers it was held to it."""
WORD = "Write one English word that you choose at random, and nothing else."
WANTED = 2
"""Answers and alternatives asked for at least."""
_QUOTED = 60
_FIELD = re.compile(r"Field '(\w+)': ")
_MOST_MODELS = 2_000


def judge_models(reply: Any) -> Judged:
    """Judge a list of models."""
    if _rows(reply) is None:
        return State.NO, "A reply came (HTTP 200), but no list of models in it."
    found = read_models(reply)
    ending = sum(1 for one in found if one.shutdown_date)
    told = f"; of {ending} it tells when they end" if ending else "; it tells of none when it ends"
    return State.YES, f"It lists {_count(len(found), 'model')}{told if found else ''}."


def read_models(reply: Any) -> tuple[ListedModel, ...]:
    """Return the models of a list, in OpenAI's shape or System One's.

    >>> read_models({"data": [{"id": "m", "shutdown_date": "2027-01-14"}, {"id": 7}]})
    (ListedModel(id='m', shutdown_date='2027-01-14'),)
    """
    rows = (_rows(reply) or [])[:_MOST_MODELS]
    named = [
        (as_text(row.get("id")) or as_text(row.get("name")), row.get("shutdown_date"))
        for row in rows
        if isinstance(row, Mapping)
    ]
    return tuple(ListedModel(name, _day(ends)) for name, ends in named if name)


def judge_chat(reply: Any) -> Judged:
    """Judge whether a chat completion came."""
    if not choices_of(reply):
        return State.NO, "A reply came (HTTP 200), but it holds no choices."
    return State.YES, f"It answers {_quote(contents(reply)[0])}."


def judge_enum(reply: Any) -> Judged:
    """Judge whether answers were held to the allowed ones."""
    choices = choices_of(reply)
    if any(choice.get("finish_reason") == "length" for choice in choices):
        return State.UNKNOWN, "The answer was cut off before it ended."
    said = contents(reply)
    if not said or not all(said):
        return State.UNKNOWN, "The answer is empty: it tells nothing."
    for text in said:
        if not _is_allowed(text):
            return State.DROPPED, (
                f"Took the list of {len(NAMES)} allowed answers and answered {_quote(text)}."
            )
    return State.YES, f"{_quote(said[0])} is one of the {len(NAMES)} allowed answers."


def judge_logprobs(reply: Any) -> Judged:
    """Judge whether likelihoods came, of other tokens than the chosen ones too."""
    told = choices_of(reply)[0].get("logprobs")
    entries = told.get("content") if isinstance(told, Mapping) else None
    if not isinstance(entries, list) or not entries:
        return State.DROPPED, "Took the wish; the reply's logprobs are empty."
    tops = [e.get("top_logprobs") for e in entries if isinstance(e, Mapping)]
    most = max((len(top) for top in tops if isinstance(top, list)), default=0)
    if most < WANTED:
        return State.DROPPED, f"Tells {_count(most, 'alternative')} for a token at most."
    return State.YES, f"{_count(len(entries), 'token')} with up to {most} alternatives."


def judge_n(reply: Any) -> Judged:
    """Judge whether as many answers came as were asked for."""
    came = len(choices_of(reply))
    if came < WANTED:
        return State.DROPPED, f"Took the wish for {WANTED} answers and gave {came}."
    return State.YES, f"{came} answers came to one question."


def judge_seed(first: Any, second: Any) -> Judged:
    """Judge whether a random choice was made again the same with the same seed."""
    one, two = contents(first), contents(second)
    if not any(one) or not any(two):
        return State.UNKNOWN, "An answer is empty: it tells nothing."
    if one != two:
        places = zip(one, two, strict=False)
        a, b = next(((a, b) for a, b in places if a != b), (one[-1], two[-1]))
        return State.DROPPED, f"Took the seed; {_quote(a)} at first, then {_quote(b)}."
    return State.YES, f"{_quote(one[0])} twice by one seed, where any word would do."


def judge_response(reply: Any) -> Judged:
    """Judge whether a response came."""
    if not isinstance(reply, Mapping) or not isinstance(reply.get("output"), list):
        return State.NO, "A reply came (HTTP 200), but no response in it."
    parts = [
        part
        for item in reply["output"]
        if isinstance(item, Mapping) and isinstance(item.get("content"), list)
        for part in item["content"]
        if isinstance(part, Mapping)
    ]
    said = "".join(as_text(part.get("text")) for part in parts)
    if said:
        return State.YES, f"It answers {_quote(said)}."
    return State.UNKNOWN, "The response holds no text: it tells nothing."


def judge_decision(reply: Any, names: Sequence[str], where: str) -> Judged:
    """Judge whether a decision came, with a probability for each choice."""
    answer = read_decision(reply, names)
    if answer.outcome is Outcome.REFUSED:
        return State.YES, f"{where}; the model declines to answer."
    if answer.outcome is not Outcome.OK:
        return State.NO, "A reply came (HTTP 200), but no decision in it."
    if not answer.probabilities:
        return State.DROPPED, f"{where}, but it gives no probabilities."
    shares = ", ".join(f"{name} {share:.2f}" for name, share in answer.probabilities.items())
    return State.YES, f"{where}: {shares}."


def judge_embedding(reply: Any, model: str) -> Judged:
    """Judge whether a vector came."""
    rows = reply.get("data") if isinstance(reply, Mapping) else None
    first = rows[0] if isinstance(rows, list) and rows else None
    vector = first.get("embedding") if isinstance(first, Mapping) else None
    numbers = vector if isinstance(vector, list) else []
    if not numbers or not all(isinstance(number, int | float) for number in numbers):
        return State.NO, "A reply came (HTTP 200), but no vector in it."
    return State.YES, f"{_short(model)} gives a vector of {len(numbers):,} numbers."


def judge_list(reply: Any, beside: str = "") -> Judged:
    """Judge whether a list came, empty or not."""
    rows = reply.get("data") if isinstance(reply, Mapping) else None
    if not isinstance(rows, list):
        return State.NO, "A reply came (HTTP 200), but no list in it."
    return State.YES, f"It lists them{'' if rows else '; none is there yet'}{beside}."


def choices_of(reply: Any) -> list[Mapping[str, Any]]:
    """Return the choices of a chat completion that hold a message."""
    found = reply.get("choices") if isinstance(reply, Mapping) else None
    return [
        choice
        for choice in (found if isinstance(found, list) else [])
        if isinstance(choice, Mapping) and isinstance(choice.get("message"), Mapping)
    ]


def contents(reply: Any) -> list[str]:
    """Return what each choice says."""
    return [as_text(choice["message"].get("content")) for choice in choices_of(reply)]


def parameters_in(body: Any) -> list[tuple[str, str]]:
    """Return the parameters that a refusal names, each with its code: OpenAI's one, FastAPI's all.

    llama.cpp names its one in the sentence only.

    >>> parameters_in({"error": {"code": 400, "message": "Field 'n': Value must be 1, but got 2"}})
    [('n', '')]
    >>> parameters_in({"detail": [{"loc": ["body", "store"], "type": "extra_forbidden"}]})
    [('store', 'extra_forbidden')]
    """
    if not isinstance(body, Mapping):
        return []
    error, detail = body.get("error"), body.get("detail")
    found = []
    if isinstance(error, Mapping):
        named = _FIELD.match(as_text(error.get("message")))
        parameter = as_text(error.get("param")) or (named[1] if named else "")
        found.append((parameter, as_text(error.get("code"))))
    for entry in detail if isinstance(detail, list) else []:
        place = entry.get("loc") if isinstance(entry, Mapping) else None
        names = [part for part in place if isinstance(part, str)] if isinstance(place, list) else []
        names = [name for name in names if name != "body"]
        found.append((names[0] if names else "", as_text(entry.get("type")) if names else ""))
    return [pair for pair in found if pair[0]]


def _is_allowed(text: str) -> bool:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, Mapping) and set(said) == {"label"} and said["label"] in NAMES


def _rows(reply: Any) -> list[Any] | None:
    rows = reply.get("data", reply.get("models")) if isinstance(reply, Mapping) else None
    return rows if isinstance(rows, list) else None


def _day(told: Any) -> str:
    """Return a day in ISO form; services tell it as a date, a time, or seconds since 1970."""
    try:
        if isinstance(told, int | float) and not isinstance(told, bool):
            return datetime.datetime.fromtimestamp(told, datetime.UTC).date().isoformat()
        return datetime.date.fromisoformat(as_text(told)[:10]).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def _quote(text: str) -> str:
    return f"“{_short(text)}”"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _QUOTED else text[: _QUOTED - 1] + "…"


def _count(n: int, word: str) -> str:
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"
