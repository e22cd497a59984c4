"""What a label's name says, and when it must not be read.

"not keto" lies next to "keto" for an encoder (AUC .349), so the name of a negation is never
embedded; neither are names that say nothing ("other", "yes", "1").
"""

from __future__ import annotations

import re
from collections.abc import Iterable


def words_of(text: str) -> frozenset[str]:
    """Return the set of a text's words."""
    return frozenset(text.split())


_NEGATION = re.compile(r"^(?:not|non|no|without|never|isn'?t|aren'?t)(?:[_\-\s]+|$)", re.IGNORECASE)
_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "not", "no", "a")
_GENERIC = words_of(
    "yes no true false other others none neither unknown misc miscellaneous rest else "
    "class label category positive_class negative_class"
)
_NEGATORS = re.compile(r"\b(?:not|no|non|never|without|neither|nor|nothing)\b|n['’]t\b", re.I)
_FILLER = words_of(
    "a an the is are be it its this that which any anything everything all else other than of "
    "text example message comment item one what whatever does do did has have"
)


def pretty(label: str) -> str:
    """Return the name as one would say it.

    >>> pretty("card_arrival")
    'card arrival'
    """
    return re.sub(r"[_\s]+", " ", label).strip()


def is_negated(label: str, others: Iterable[str]) -> bool:
    """Tell whether a name only says what the label is not.

    >>> is_negated("not_keto", ["keto"]), is_negated("unsafe", ["safe"]), is_negated("uncle", [])
    (True, True, False)
    """
    name = pretty(label).lower()
    if _NEGATION.match(name):
        return True
    stems = {pretty(other).lower() for other in others if other != label}
    return any(name.startswith(prefix) and name[len(prefix) :] in stems for prefix in _PREFIXES)


def is_generic(label: str) -> bool:
    """Tell whether a name says nothing of a text.

    >>> is_generic("other"), is_generic("2"), is_generic("spam")
    (True, True, False)
    """
    name = pretty(label).lower().replace(" ", "_")
    return name in _GENERIC or not re.search(r"[^\W\d_]{2}", name)


def is_readable(label: str, others: Iterable[str]) -> bool:
    """Tell whether a label's name alone may be compared with a text."""
    return not is_generic(label) and not is_negated(label, others)


def has_negation(text: str) -> bool:
    """Tell whether a sentence negates something, which the encoder cannot read.

    >>> has_negation("This is not keto"), has_negation("a knot")
    (True, False)
    """
    return bool(_NEGATORS.search(text))


def only_negates(definition: str, label: str, others: Iterable[str]) -> bool:
    """Tell whether a definition says no more than that another label does not hold.

    >>> only_negates("anything that is not keto", "not_keto", ["keto"])
    True
    >>> only_negates("a dish with no meat but plenty of rice", "not_keto", ["keto"])
    False
    """
    if not has_negation(definition) and "else" not in definition.lower().split():
        return False
    names = {word for other in [*others, label] for word in pretty(other).lower().split()}
    words = re.findall(r"[^\W_]+", _NEGATORS.sub(" ", definition.lower()))
    return all(word in names or word in _FILLER for word in words)
