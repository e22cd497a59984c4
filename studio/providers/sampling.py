"""What is asked of a model beside the question, and what it turned out to refuse."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from studio.domain.tokens import MOST_OUTPUT

CHAT: Mapping[str, Any] = {
    "temperature": 0,
    "seed": 0,
    "logprobs": True,
    "top_logprobs": 20,
    "store": False,
    "max_completion_tokens": MOST_OUTPUT,
    "reasoning_effort": "none",
}
"""What is wished of a chat completion."""
RESPONSES: Mapping[str, Any] = {
    "temperature": 0,
    "include": ["message.output_text.logprobs"],
    "top_logprobs": 20,
    "store": False,
    "max_output_tokens": MOST_OUTPUT,
    "reasoning": {"effort": "none"},
}
"""What is wished of a response; that path knows no seed."""

_TOGETHER = frozenset({"logprobs", "top_logprobs", "include"})
_EFFORT = frozenset({"reasoning_effort", "reasoning"})
_EFFORTS = ("none", "minimal", "low")
# Models that think unless told not to, and the least they let themselves be told; a hint as of
# November 2026, for where it is wrong the model's refusal says so. The first that fits counts.
_THINKERS = (
    ("gpt-6.1-sol", "low"),
    ("gpt-6.2", "low"),
    ("gpt-6", "none"),
    ("gpt-5.", "none"),
    ("gpt-5", "minimal"),
    ("o1", "low"),
    ("o3", "low"),
    ("o4", "low"),
)


class Sampling:
    """Per model, the wishes it has not refused: no list of models could stay true for long.

    Args:
        wishes: What is wished of every model, `CHAT` or `RESPONSES`.

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

    def __init__(self, wishes: Mapping[str, Any] = CHAT) -> None:
        self._wishes = wishes
        self._refused: defaultdict[str, set[str]] = defaultdict(set)
        self._efforts: dict[str, str] = {}

    def options(self, model: str, sample: int = 0) -> dict[str, Any]:
        """Return what to ask of this model; each sample has a seed of its own."""
        refused = self._refused[model]
        wishes = {name: value for name, value in self._wishes.items() if name not in refused}
        if "seed" in wishes:
            wishes["seed"] = sample
        effort = self._efforts.get(model) or least_effort(model)
        for name in _EFFORT & wishes.keys():
            if effort:
                wishes[name] = effort if name == "reasoning_effort" else {"effort": effort}
            else:
                del wishes[name]
        return wishes

    def learn(self, model: str, sent: Mapping[str, Any], parameter: str, reason: str = "") -> bool:
        """Remember a refusal.

        Args:
            model: Who refused.
            sent: What `options` had said for that request.
            parameter: What it refused, e.g. "seed", "include[0]" or "reasoning.effort".
            reason: The service's code for why.

        Returns:
            Whether asking again without it makes sense.
        """
        name = re.split(r"[.\[]", parameter, maxsplit=1)[0]
        if name not in sent or name not in self._wishes:
            return False
        if name in _EFFORT and reason == "unsupported_value" and self._try_more(model, sent[name]):
            return True
        self._refused[model] |= _TOGETHER if name in _TOGETHER else {name}
        return True

    def _try_more(self, model: str, sent: Any) -> bool:
        """Wish for the next effort; whether there is one."""
        effort = sent["effort"] if isinstance(sent, Mapping) else sent
        more = _EFFORTS[_EFFORTS.index(effort) + 1 :]
        if more:
            self._efforts[model] = more[0]
        return bool(more)


def least_effort(model: str) -> str:
    """Return the least effort of thinking to wish for; empty for models that do not think.

    >>> least_effort("openai/gpt-6-luna"), least_effort("o3-mini"), least_effort("llama-3")
    ('none', 'low', '')
    """
    name = model.removeprefix("ft:").rsplit("/", 1)[-1]
    return next((effort for prefix, effort in _THINKERS if name.startswith(prefix)), "")
