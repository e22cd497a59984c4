"""Variables of a prompt: `{{column}}` names a column of the examples, whose value goes along."""

from __future__ import annotations

import re
from collections.abc import Iterable

TEXT = "text"
"""What the text of an example is called where it is sent."""
_VARIABLE = re.compile(r"\{\{([^{}]{1,120})\}\}")  # blanks are cut off by hand: it must stay linear
_MOST = 100


def variable(column: str) -> str:
    """Return how a prompt names a column.

    >>> variable("brand")
    '{{brand}}'
    """
    return f"{{{{{column}}}}}"


def columns_named(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the columns that texts name, each once, in order; the text itself is none.

    >>> columns_named(["Mind {{ brand }} and {{price}}.", "{{brand}}, {{text}}, {one}"])
    ('brand', 'price')
    """
    found = (_name(told) for text in texts for told in _VARIABLE.findall(text))
    return tuple(dict.fromkeys(name for name in found if name and name != TEXT))


def is_usable(column: str) -> bool:
    r"""Return whether a column can be a variable, by its name alone.

    >>> [is_usable(name) for name in ("brand", "price {EUR}", " brand", "a\nb", "x" * 101)]
    [True, False, False, False, False]
    """
    return columns_named([variable(column)]) == (column,)


def usable(columns: Iterable[str]) -> list[str]:
    """Return the columns that can be variables."""
    return [column for column in columns if is_usable(column)]


def unusable_in(text: str, columns: Iterable[str]) -> list[tuple[str, int, int]]:
    """Return where a text names columns that cannot be variables: the column, start and end.

    >>> unusable_in("By {{ price {EUR} }} and {{brand}}.", ["brand", "price {EUR}"])
    [('price {EUR}', 3, 20)]
    """
    known = list(columns)
    meant = {TEXT, *usable(known)}
    return [
        (column, *found.span())
        for column in known
        if not is_usable(column)
        for found in re.finditer(rf"\{{\{{\s*{re.escape(column)}\s*\}}\}}", text)
        if found[0][2:-2].strip() not in meant
    ]


def unusable_words(column: str) -> str:
    """Return that a column cannot be a variable, and what to do.

    >>> unusable_words("price {EUR}")
    'The column “price {EUR}” cannot be a variable by this name. Rename it in the file and import \
that anew.'
    """
    return (
        f"The column “{_short(column)}” cannot be a variable by this name. Rename it in the file "
        "and import that anew."
    )


def _short(column: str) -> str:
    name = " ".join(column.split())
    return name if len(name) <= 60 else f"{name[:59]}…"


def spelled(text: str) -> str:
    """Return a text as the model reads it: a variable is the quoted name of a field.

    >>> spelled("Compare {{text}} with {{ the brand }}.")
    'Compare "text" with "the brand".'
    """

    def quoted(found: re.Match[str]) -> str:
        name = " ".join(_name(found[1]).split()).replace('"', "'")
        return f'"{name}"' if name else found[0]

    return _VARIABLE.sub(quoted, text)


def _name(told: str) -> str:
    """Return the column between two pairs of braces; empty where there is none."""
    name = told.strip()
    return name if len(name) <= _MOST and "\n" not in name else ""
