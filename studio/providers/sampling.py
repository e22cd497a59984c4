"""What is asked of a model beside the question, and what it turned out to refuse."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from studio.domain.tokens import MOST_OUTPUT

_WISHES: Mapping[str, Any] = {
    "temperature": 0,
    "seed": 0,
    "logprobs": True,
    "top_logprobs": 20,
    "store": False,
    "max_completion_tokens": MOST_OUTPUT,
}
_TOGETHER = frozenset({"logprobs", "top_logprobs"})


class Sampling:
    """Per model, the wishes it has not refused: no list of models could stay true for long.

    >>> sampling = Sampling()
    >>> sampling.learn("m", sampling.options("m"), "top_logprobs")
    True
    >>> sampling.options("m")
    {'temperature': 0, 'seed': 0, 'store': False, 'max_completion_tokens': 1024}
    >>> sampling.options("m", sample=2)["seed"]
    2
    >>> sampling.learn("m", sampling.options("m"), "messages")
    False
    """

    def __init__(self) -> None:
        self._refused: defaultdict[str, set[str]] = defaultdict(set)

    def options(self, model: str, sample: int = 0) -> dict[str, Any]:
        """Return what to ask of this model; each sample has a seed of its own."""
        wishes = {**_WISHES, "seed": sample}
        refused = self._refused[model]
        return {name: value for name, value in wishes.items() if name not in refused}

    def learn(self, model: str, sent: Mapping[str, Any], parameter: str) -> bool:
        """Remember a refusal.

        Args:
            model: Who refused.
            sent: What `options` had said for that request.
            parameter: What it refused.

        Returns:
            Whether asking again without it makes sense.
        """
        if parameter not in sent or parameter not in _WISHES:
            return False
        self._refused[model] |= _TOGETHER if parameter in _TOGETHER else {parameter}
        return True
