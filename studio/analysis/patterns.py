r"""Regexes of people we do not know, found in linear time and many at once by RE2.

They read the raw text; case is ignored. RE2's `\b` and `\w` know ASCII letters only, so a word like
"étude" is better told as a keyword.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import re2

from studio.analysis.corpus import Bools, Corpus
from studio.domain.conditions import MAX_PATTERN, Condition, Regex
from studio.domain.plain_values import brief
from studio.errors import InputError

# RE2 counts what a pattern costs in steps. A set that outgrows its memory ends the process instead
# of failing, so both are kept far from it: 50 patterns of 2,500 steps need about 12 MB.
MAX_STEPS = 2_500
# A letter of any alphabet is a thousand steps but takes a few at a time. Counted as one byte each,
# steps are what a text is compared with at worst, all of them at each letter: with 600 of them
# 100,000 letters take just under a second.
MAX_AT_ONCE = 600
SET_SIZE = 50
# Usual patterns take a hundredth of this. Time is looked at after so many texts, so that a pattern
# that is too slow for many texts is told within a second instead of after minutes.
_LOOK = 500
_PATIENCE_S, _PATIENCE_S_A_BYTE = 0.5, 2e-6
_ONE_LETTER = re.compile(r"\\[pP](?:\{[^}]*\}|\w)|\\x\{[^}]*\}|[^\x00-\x7f]")
_SET_MEMORY = 64 << 20


def check_patterns(patterns: Iterable[str]) -> None:
    """Refuse patterns that RE2 cannot or should not run for one rule.

    Raises:
        InputError: With RE2's reason, or because one is too long or all are too many steps.
    """
    at_once = 0
    for pattern in patterns:
        steps, more = _cost(pattern)
        at_once += more
        if steps > MAX_STEPS or at_once > MAX_AT_ONCE:
            raise InputError(
                f"The pattern {brief(pattern)} makes the rule too large for RE2.",
                next_step="Use smaller repeats, give words as keywords, or split it into several"
                " rules.",
            )


@lru_cache(maxsize=2048)
def _cost(pattern: str) -> tuple[int, int]:
    """Return the steps a pattern compiles to, and those of it with every letter a byte."""
    hint = "See https://github.com/google/re2/wiki/Syntax for what RE2 knows."
    if len(pattern) > MAX_PATTERN:
        raise InputError(
            f"The pattern has {len(pattern)} characters.", next_step=f"Keep it under {MAX_PATTERN}."
        )
    try:
        steps = int(re2.compile(pattern, _options()).programsize)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if error.args else "unknown"
        raise InputError(
            f"RE2 refuses the pattern {pattern!r}: {reason}.", next_step=hint
        ) from None
    except UnicodeEncodeError:
        raise InputError("The pattern holds half a character.", next_step=hint) from None
    options = _options()
    options.encoding = re2.Options.Encoding.LATIN1
    try:
        plain = _ONE_LETTER.sub("x", pattern).encode("ascii")
        return steps, int(re2.compile(plain, options).programsize)
    except re2.error:
        # A range such as [a-é] has no like of one byte.
        return steps, steps


def _options(memory: int = 8 << 20) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = memory
    return options


def places_of(pattern: str, text: str) -> list[tuple[int, int]]:
    """Return where a pattern that was checked is found in a text, as (start, end).

    >>> places_of("r.ce", "Fried RICE")
    [(6, 10)]
    """
    return [match.span() for match in re2.compile(pattern, _options()).finditer(text)]


def search_patterns(conditions: Sequence[Regex], corpus: Corpus) -> dict[Condition, Bools]:
    """Tell of each pattern in which texts it is found; the patterns were checked."""
    if not conditions:
        return {}
    found: dict[Condition, Bools] = {}
    for start in range(0, len(conditions), SET_SIZE):
        part = conditions[start : start + SET_SIZE]
        found |= dict(zip(part, _search([c.pattern for c in part], corpus.encoded), strict=True))
    return found


def _search(patterns: Sequence[str], texts: Sequence[bytes]) -> Bools:
    """Return truths of shape (patterns, texts) from one pass of an RE2 set."""
    patterns_set = re2.Set.SearchSet(_options(_SET_MEMORY))
    for pattern in patterns:
        patterns_set.Add(pattern)
    patterns_set.Compile()
    held = np.zeros((len(patterns), len(texts)), dtype=np.bool_)
    match = patterns_set.Match
    which: list[int] = []
    where: list[int] = []
    for start in range(0, len(texts), _LOOK):
        part = texts[start : start + _LOOK]
        began = time.thread_time()
        for i, text in enumerate(part, start):
            if hits := match(text):
                which += hits
                where += [i] * len(hits)
        if time.thread_time() - began > _PATIENCE_S + _PATIENCE_S_A_BYTE * sum(map(len, part)):
            raise _too_slow(patterns, part)
    held[which, where] = True
    return held


def _too_slow(patterns: Sequence[str], texts: Sequence[bytes]) -> InputError:
    """Return the error that names the slowest of the patterns on the longest of the texts."""
    longest = max(texts, key=len)[:2000]
    times = {}
    for pattern in patterns:
        began = time.thread_time()
        re2.compile(pattern, _options()).search(longest)
        times[pattern] = time.thread_time() - began
    return InputError(
        f"The pattern {brief(max(times, key=times.__getitem__))} takes too long on these texts.",
        next_step="Use smaller repeats, or begin it with a word that is rare.",
    )
