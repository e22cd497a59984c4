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
