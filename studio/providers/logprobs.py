"""Probabilities of labels from the logarithms a service gives for single tokens."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_BEFORE_LABEL = re.compile(rb'\A\s*\{\s*"label"\s*:\s*"')


@dataclass(frozen=True, slots=True)
class Masses:
    """How much probability the tokens give to whom.

    Attributes:
        labels: Label name to what is surely its own; empty when nothing can be told.
        shared: What belongs to one of several labels, and nothing tells to which.
        lost: What belongs to no label, or was cut off.
    """

    labels: Mapping[str, float]
    shared: float
    lost: float


def label_masses(tokens: Sequence[Any], text: str, label_names: Sequence[str]) -> Masses:
    r"""Return how much probability each label got.

    The tokens are followed from the label's opening quote to its closing one. At each, every
    alternative that only one label can go on with gives its mass to that label; what several can
    go on with is known to be shared by these, for nothing tells how they would go on. A service
    lists a few alternatives only: the rest is lost, and the caller is told how much that is.

    >>> tokens = [
    ...     {"token": '{"label":"', "logprob": 0.0},
    ...     {
    ...         "token": "h",
    ...         "logprob": math.log(0.75),
    ...         "top_logprobs": [
    ...             {"token": "h", "logprob": math.log(0.75)},
    ...             {"token": "sp", "logprob": math.log(0.25)},
    ...         ],
    ...     },
    ...     {"token": 'am"}', "logprob": 0.0},
    ... ]
    >>> label_masses(tokens, '{"label":"ham"}', ["ham", "spam"]).labels
    {'ham': 0.75, 'spam': 0.25}
    """
    chosen = [pair for entry in tokens if (pair := _share(entry))]
    written = text.encode("utf-8", "replace")
    start = _BEFORE_LABEL.match(written)
    is_whole = len(chosen) == len(tokens) and b"".join(token for token, _ in chosen) == written
    if start is None or not is_whole:
        return _NOTHING
    trie = _trie(tuple(label_names))
    masses, shared = dict.fromkeys(label_names, 0.0), 0.0
    position, path, reached = 0, b"", 1.0
    for entry, pair in zip(tokens, chosen, strict=True):
        token, alternatives = pair[0], _alternatives(entry, pair)
        lead = written[position : start.end()]  # what stands before the label still
        position += len(token)
        if position <= start.end():
            alternatives = _into_label(token, alternatives, lead)
        own = alternatives.pop(token)
        for other, share in alternatives.items():
            found = trie.one(path + other[len(lead) :]) if other.startswith(lead) else None
            if found:
                masses[found] += reached * share
            elif found is not None:
                shared += reached * share
        path, reached = path + token[len(lead) :], reached * own
        if trie.is_closed(path):
            masses[str(trie.one(path))] += reached
            return Masses(masses, shared, max(0.0, 1 - shared - math.fsum(masses.values())))
    return _NOTHING


def _into_label(
    token: bytes, alternatives: Mapping[bytes, float], lead: bytes
) -> dict[bytes, float]:
    """Return how a token before the label compares with those that reach into it.

    Whatever else may stand there, a blank say, tells nothing of the label and is left out.
    """
    told = {
        other: share
        for other, share in alternatives.items()
        if other == token or (len(other) > len(lead) and other.startswith(lead))
    }
    total = math.fsum(told.values())
    return {other: share / total for other, share in told.items()} if total else {token: 1.0}


class _Trie:
    """The labels as JSON writes them, closing quote included, so that none begins another.

    Sorted, they are a trie: those that begin alike lie together.
    """

    def __init__(self, names: Sequence[str]) -> None:
        forms = {
            json.dumps(name, ensure_ascii=escapes)[1:].encode("utf-8", "replace"): name
            for name in names
            for escapes in (True, False)
        }
        self._forms = sorted(forms)
        self._names = [forms[form] for form in self._forms]

    def one(self, begin: bytes) -> str | None:
        """Return the only label that can begin so; "" where there are several, None for none."""
        if not begin:
            return ""
        low, high = bisect_left(self._forms, begin), bisect_right(self._forms, begin + b"\xff")
        if low == high:
            return self._names[low - 1] if self._ends_before(low, begin) else None
        names = self._names[low:high]
        return names[0] if high - low < 3 and names[0] == names[-1] else ""

    def is_closed(self, begin: bytes) -> bool:
        """Return whether a whole label stands in it."""
        place = bisect_right(self._forms, begin)
        return self._ends_before(place, begin)

    def _ends_before(self, place: int, begin: bytes) -> bool:
        return place > 0 and begin.startswith(self._forms[place - 1])


@functools.lru_cache(maxsize=16)
def _trie(names: tuple[str, ...]) -> _Trie:
    return _Trie(names)


_NOTHING = Masses({}, 0.0, 1.0)


def _alternatives(entry: Any, chosen: tuple[bytes, float]) -> dict[bytes, float]:
    """Return the probability of every alternative to a chosen token, itself included."""
    tops = entry.get("top_logprobs")
    shares = [_share(top) for top in tops] if isinstance(tops, list) else []
    return dict([*(pair for pair in shares if pair is not None), chosen])


def _share(entry: Any) -> tuple[bytes, float] | None:
    if not isinstance(entry, dict):
        return None
    token, logprob = entry.get("token"), entry.get("logprob")
    if not isinstance(token, str) or not isinstance(logprob, int | float):
        return None
    if isinstance(logprob, float) and math.isnan(logprob):
        return None
    return _bytes(entry.get("bytes"), token), math.exp(max(-1e3, min(0.0, logprob)))


def _bytes(told: Any, token: str) -> bytes:
    """Return a token's bytes as the service tells them: a token may be a part of a character."""
    if told and isinstance(told, list):
        with contextlib.suppress(ValueError, TypeError):  # no list of bytes
            return bytes(told)
    return token.encode("utf-8", "replace")
