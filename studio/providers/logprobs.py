"""Probabilities of labels from the logarithms a service gives for single tokens."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

_BEFORE_LABEL = re.compile(r'\A\s*\{\s*"label"\s*:\s*"')


def label_masses(tokens: Sequence[Any], text: str, label_names: Sequence[str]) -> dict[str, float]:
    r"""Return how much probability each label got; empty where that cannot be told exactly.

    The label's tokens are walked from its opening quote on. An alternative that only one label
    can begin with gives it its mass; once the chosen token fits one label only, the walk ends.
    Mass of alternatives that fit no label, or several off the walked path, is given to
    nobody: the caller sees by the sum how much is missing.

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
    >>> label_masses(tokens, '{"label":"ham"}', ["ham", "spam"])
    {'ham': 0.75, 'spam': 0.25}
    """
    start = _BEFORE_LABEL.match(text)
    walk = _tokens(tokens)
    if start is None or walk is None or "".join(token for token, _ in walk) != text:
        return {}
    written = {name: json.dumps(name, ensure_ascii=False)[1:] for name in label_names}
    masses = dict.fromkeys(label_names, 0.0)
    position, path, reached = 0, "", 1.0
    for token, alternatives in walk:
        lead = token[: max(0, start.end() - position)]  # what of it stands before the label
        position += len(token)
        if position <= start.end():
            continue
        for other, share in alternatives.items():
            fits = _fitting(path + other[len(lead) :], written) if other.startswith(lead) else []
            if len(fits) == 1:
                masses[fits[0]] += reached * share
        path += token[len(lead) :]
        chosen = _fitting(path, written)
        if len(chosen) <= 1:
            return masses if chosen else {}
        reached *= alternatives[token]
    return {}


def _fitting(begin: str, written: Mapping[str, str]) -> list[str]:
    """Return the labels whose written form, closing quote included, can begin so."""
    return [
        name
        for name, form in written.items()
        if begin and (form.startswith(begin) or begin.startswith(form))
    ]


def _tokens(tokens: Sequence[Any]) -> list[tuple[str, dict[str, float]]] | None:
    """Return each chosen token with the probability of every alternative, itself included."""
    walk = []
    for entry in tokens:
        chosen = _share(entry)
        if chosen is None:
            return None
        tops = entry.get("top_logprobs")
        shares = [_share(top) for top in tops] if isinstance(tops, list) else []
        alternatives = dict(pair for pair in shares if pair is not None)
        alternatives[chosen[0]] = chosen[1]
        walk.append((chosen[0], alternatives))
    return walk


def _share(entry: Any) -> tuple[str, float] | None:
    if not isinstance(entry, Mapping):
        return None
    token, logprob = entry.get("token"), entry.get("logprob")
    if not isinstance(token, str) or not isinstance(logprob, int | float):
        return None
    if isinstance(logprob, float) and math.isnan(logprob):
        return None
    return token, math.exp(max(-1e3, min(0.0, logprob)))
