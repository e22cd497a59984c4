"""Variables of a prompt: `{{column}}` names a column of the examples, whose value goes along."""

from __future__ import annotations

import re
from collections.abc import Iterable

TEXT = "text"
"""What the text of an example is called where it is sent."""
_VARIABLE = re.compile(r"\{\{\s*([^{}\n]{1,100}?)\s*\}\}")


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
    found = (name for text in texts for name in _VARIABLE.findall(text))
    return tuple(dict.fromkeys(name for name in found if name != TEXT))


def spelled(text: str) -> str:
    """Return a text as the model reads it: a variable is the quoted name of a field.

    >>> spelled("Compare {{text}} with {{ the brand }}.")
    'Compare "text" with "the brand".'
    """
    return _VARIABLE.sub(lambda m: '"' + " ".join(m[1].split()).replace('"', "'") + '"', text)
