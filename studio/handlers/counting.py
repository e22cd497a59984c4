"""Which way tokens are counted before anything is sent: an estimate, told by its name."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import NamedTuple

from studio.domain.tokens import likely_tokens


class Counting(NamedTuple):
    """A way to count tokens.

    Attributes:
        name: What it goes by: "o200k", or "characters".
        count: Tokens of a text.
    """

    name: str
    count: Callable[[str], int]


@functools.cache
def best_counting() -> Counting:
    """Return the count of o200k where the extra `tokens` is installed, else one by characters.

    No network is needed for either. The first call for o200k takes about 0.7 s and 80 MB.
    """
    try:
        encoding = importlib.import_module("quicktok").get_encoding("o200k_base")
    except Exception:  # an optional package, missing or broken, must not keep a run from starting
        return Counting("characters", likely_tokens)

    def count(text: str) -> int:
        return int(encoding.count(text.encode("utf-8", "replace").decode()))  # no half characters

    return Counting("o200k", count)
