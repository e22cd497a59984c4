"""Reading the plain values of a file somebody wrote: each refusal is a sentence with a next step.

No value is printed whole: a file may hold a number of a million digits, or a list of itself.
"""

from __future__ import annotations

import json
import reprlib
from datetime import date
from typing import Any

from studio.errors import InputError

MAX_WORDS = 5000
MAX_WORD = 1000


class _Short(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        # Python refuses to write out what has more than 4,300 digits.
        return repr(x) if abs(x) < 1e30 else "a huge number"


_SHORT = _Short()
_SHORT.maxstring = _SHORT.maxother = 57
_SHORT.maxlevel = 2


def brief(value: Any) -> str:
    """Return a value as an error shows it.

    >>> brief([1, [2, [3, [4]]]]), len(brief("a" * 1000))
    ('[1, [2, [...]]]', 57)
    """
    text = _SHORT.repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def word_of(value: Any) -> str | None:
    """Return a word somebody wrote, or None where it is not one.

    YAML reads the word "no" as false and "12" as a number; people mean the word.

    >>> word_of(False), word_of(12), word_of(" rice "), word_of(["rice"])
    ('no', '12', 'rice', None)
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | date) or (isinstance(value, float | int) and abs(value) < 1e300):
        return str(value).strip()
    return None


def text_of(value: Any, where: str) -> str:
    """Return a text of any length; a field left empty is the empty one.

    Raises:
        InputError: If it is a list or mapping.

    >>> text_of(None, "a"), text_of("x ", "a"), text_of(True, "a"), text_of(1.5, "a")
    ('', 'x ', 'true', '1.5')
    """
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise InputError(f"{where}: needs a text, not {brief(value)}.", next_step="Write one text.")


def number_of(value: Any) -> Any:
    """Return the whole number that a word spells, else the value as it is.

    >>> number_of("8"), number_of("eight"), number_of(None)
    (8, 'eight', None)
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return value


def words_in(value: Any, where: str, most: int = MAX_WORDS) -> tuple[str, ...]:
    """Return a list of words; one word may stand for a list of it, and empty ones are left out.

    Raises:
        InputError: If it is no list of words, or too long a one.
    """
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list):
        raise InputError(
            f"{where}: needs a list of words, not {brief(value)}.", next_step="Write [one, two]."
        )
    if len(items) > most:
        raise InputError(f"{where}: {len(items)} words are too many.", next_step=f"Keep to {most}.")
    words = []
    for item in items:
        word = word_of(item)
        if word is None:
            raise InputError(
                f"{where}: needs a list of words, not {brief(value)}.",
                next_step="Write [one, two].",
            )
        words.append(short_text(word, where))
    return tuple(word for word in words if word)


def short_text(text: str, where: str) -> str:
    """Return a text that is no longer than a word or phrase may be.

    Raises:
        InputError: If it is longer.
    """
    if len(text) > MAX_WORD:
        raise InputError(
            f"{where}: {brief(text)} has {len(text)} characters.",
            next_step=f"Keep to {MAX_WORD} a word.",
        )
    return text


def name_in(value: dict[str, Any], key: str, where: str) -> str:
    """Return the name under a key.

    Raises:
        InputError: If it is missing, empty or not a name.
    """
    name = word_of(value.get(key, ""))
    if not name:
        raise InputError(f"{where}: the {key} has no name.", next_step=f"Write `{key}: NAME`.")
    return short_text(name, where)


def mapping_in(value: Any, keys: set[str], where: str) -> dict[str, Any]:
    """Return a mapping that has no other keys than these.

    Raises:
        InputError: If it is no mapping, or has another key.
    """
    if not isinstance(value, dict):
        raise InputError(
            f"{where}: needs {', '.join(sorted(keys))}, not {brief(value)}.",
            next_step="See docs/rules.md.",
        )
    if unknown := sorted(brief(key) for key in value if key not in keys):
        raise InputError(
            f"{where}: the key {unknown[0]} is unknown.",
            next_step=f"Known are {', '.join(sorted(keys))}.",
        )
    return value


def limits_in(value: dict[str, Any], where: str) -> tuple[float | None, float | None]:
    """Return the numbers under min and max, of which one may be missing.

    Raises:
        InputError: If both are missing, one is not a number, or they are the wrong way round.
    """
    low, high = (number_in(value, key, where) for key in ("min", "max"))
    if low is None and high is None:
        raise InputError(f"{where}: neither min nor max is given.", next_step="Give at least one.")
    if low is not None and high is not None and low > high:
        raise InputError(f"{where}: min is above max.", next_step="Swap them.")
    return low, high


def number_in(value: dict[str, Any], key: str, where: str) -> float | None:
    """Return the number under a key, None where it is missing.

    Raises:
        InputError: If it is none that a text can be compared with; YAML knows .inf and .nan.
    """
    number = value.get(key)
    if number is None:
        return None
    usable = isinstance(number, int | float) and not isinstance(number, bool)
    if not usable or not abs(number) < 1e300:
        raise InputError(
            f"{where}: {key} must be a number, not {brief(number)}.", next_step="Write e.g. 10."
        )
    return float(number) if abs(number) > 2**53 else number


def share_in(
    value: dict[str, Any], key: str, where: str, span: tuple[float, float]
) -> float | None:
    """Return the number under a key, None where it is missing.

    Raises:
        InputError: If it is no number of this span.
    """
    number = number_in(value, key, where)
    if number is not None and not span[0] <= number <= span[1]:
        raise InputError(
            f"{where}: {key} is {number:g}.", next_step=f"Write {span[0]:g} to {span[1]:g}."
        )
    return number


def flag_in(value: dict[str, Any], key: str, where: str) -> bool:
    """Return the truth under a key, false where it is missing.

    Raises:
        InputError: If it is neither true nor false.
    """
    flag = value.get(key, False)
    if not isinstance(flag, bool):
        raise InputError(
            f"{where}: {key} is true or false, not {brief(flag)}.",
            next_step="Write true or false.",
        )
    return flag
