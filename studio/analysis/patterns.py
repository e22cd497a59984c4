r"""Regexes of people we do not know, found in linear time and many at once by RE2.

They read the raw text; case is ignored. RE2's `\b` and `\w` know ASCII letters only, so a word like
"étude" is better told as a keyword.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import re2
from numpy.typing import NDArray

from studio.domain.conditions import MAX_PATTERN, Condition, Regex
from studio.errors import InputError

# RE2 counts what a pattern costs in steps. A set that outgrows its memory ends the process instead
# of failing, so both are kept far from it: 50 patterns of 2,500 steps need about 12 MB.
MAX_STEPS = 2_500
SET_SIZE = 50
_SET_MEMORY = 64 << 20


def check_pattern(pattern: str) -> None:
    """Refuse a pattern that RE2 cannot or should not run.

    Raises:
        InputError: With RE2's reason, or because it is too long or compiles to too many steps.
    """
    hint = "See https://github.com/google/re2/wiki/Syntax for what RE2 knows."
    if len(pattern) > MAX_PATTERN:
        raise InputError(
            f"The pattern has {len(pattern)} characters.", next_step=f"Keep it under {MAX_PATTERN}."
        )
    try:
        steps = re2.compile(pattern, _options()).programsize
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if error.args else "unknown"
        raise InputError(
            f"RE2 refuses the pattern {pattern!r}: {reason}.", next_step=hint
        ) from None
    except UnicodeEncodeError:
        raise InputError("The pattern holds half a character.", next_step=hint) from None
    if steps > MAX_STEPS:
        raise InputError(
            f"The pattern {pattern!r} is too large: {steps} steps, at most {MAX_STEPS}.",
            next_step="Use smaller repeats, or split it into several conditions.",
        )


def _options(memory: int = 8 << 20) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = memory
    return options


def search_patterns(
    conditions: Sequence[Regex], texts: Sequence[str]
) -> dict[Condition, NDArray[np.bool_]]:
    """Tell of each pattern in which texts it is found.

    Raises:
        InputError: As `check_pattern`.
    """
    if not conditions:
        return {}
    for condition in conditions:
        check_pattern(condition.pattern)
    encoded = [text.encode("utf-8", "replace") for text in texts]
    found: dict[Condition, NDArray[np.bool_]] = {}
    for start in range(0, len(conditions), SET_SIZE):
        part = conditions[start : start + SET_SIZE]
        found |= dict(zip(part, _search([c.pattern for c in part], encoded), strict=True))
    return found


def _search(patterns: Sequence[str], texts: Sequence[bytes]) -> NDArray[np.bool_]:
    """Return truths of shape (patterns, texts) from one pass of an RE2 set."""
    patterns_set = re2.Set.SearchSet(_options(_SET_MEMORY))
    for pattern in patterns:
        patterns_set.Add(pattern)
    patterns_set.Compile()
    held = np.zeros((len(patterns), len(texts)), dtype=np.bool_)
    match = patterns_set.Match
    which: list[int] = []
    where: list[int] = []
    for i, text in enumerate(texts):
        if hits := match(text):
            which += hits
            where += [i] * len(hits)
    held[which, where] = True
    return held
