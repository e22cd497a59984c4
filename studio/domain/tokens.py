"""How many tokens a text may have: a bound that holds for every tokenizer, and a likely figure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

PER_MESSAGE = 8
"""Tokens a service may add around each message."""
MOST_OUTPUT = 1_024
"""Most tokens a reply may have; asked of the service with every question."""


def most_tokens(text: str) -> int:
    """Return a bound: a token is at least one byte of UTF-8.

    >>> most_tokens("keto"), most_tokens("é")
    (4, 2)
    """
    return len(text.encode("utf-8", "surrogatepass"))


def likely_tokens(text: str) -> int:
    """Return an estimate: about four characters a token, and a tenth more; never a bill.

    >>> likely_tokens("cauliflower rice")
    5
    """
    return math.ceil(len(text) / 4 * 1.1)


def most_input_tokens(messages: Sequence[Mapping[str, str]], schema: Mapping[str, object]) -> int:
    """Return a bound on what a question sends: its messages and the schema of the answer.

    >>> most_input_tokens([{"role": "user", "content": "keto"}], {})
    22
    """
    return (
        sum(most_tokens(m["content"]) + PER_MESSAGE for m in messages)
        + most_tokens(json.dumps(schema, ensure_ascii=False))
        + PER_MESSAGE
    )
