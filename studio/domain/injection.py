"""Texts that try to talk a classifier into a label, and how they are put into an example."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from studio.errors import InputError

_TEXT = "{text}"
_ALIKE = str.maketrans("acehiopsxyABCEHIKMOPTX", "асеһіорѕхуАВСЕНІКМОРТХ")
_LEET = str.maketrans("aeiostAEIOST", "431057431057")
_FILLER = "and so on and so on "


def _tags(words: str) -> str:
    return "".join(chr(0xE0000 + ord(c)) if c.isascii() and c.isprintable() else c for c in words)


def _fullwidth(words: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in words)


DISGUISES: dict[str, Callable[[str], str]] = {
    "": str,
    "lookalike": lambda words: words.translate(_ALIKE),
    "fullwidth": _fullwidth,
    "zero_width": "\u200b".join,
    "bidi": lambda words: f"\u202e{words[::-1]}\u202c",
    "tags": _tags,
    "base64": lambda words: base64.b64encode(words.encode()).decode(),
    "rot13": lambda words: codecs.encode(words, "rot13"),
    "leet": lambda words: words.translate(_LEET),
    "hex": lambda words: words.encode().hex(" "),
    "spaced": " ".join,
    "entities": lambda words: "".join(f"&#{ord(c)};" for c in words),
    "padded": lambda words: _FILLER * 12 + words,
    "far_below": lambda words: "\n" * 60 + words,
}
"""What hides words from people or from a filter, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """Words that attack a label, and neutral words of about the same length.

    Attributes:
        id: Names it.
        family: How it attacks, e.g. "order" or "forged".
        language: Of its words, as a two-letter code.
        attack: Its words; {label} is the label attacked for, {head} and {tail} its halves, {text}
            the example. Without {text} the words follow the example.
        control: Neutral words, put the same way.
        disguise: A name of `DISGUISES`; both are changed alike.
    """

    id: str
    family: str
    language: str
    attack: str
    control: str
    disguise: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Injection:
        """Return the injection a file describes.

        Raises:
            InputError: If a part is missing or its disguise is unknown.
        """
        try:
            found = cls(**{str(name): str(value) for name, value in data.items()})
        except TypeError as error:
            raise InputError(
                "An injection has another form than expected.",
                next_step="Give it id, family, language, attack, control and maybe disguise.",
            ) from error
        if found.disguise not in DISGUISES:
            raise InputError(
                f"The injection {found.id} has an unknown disguise, {found.disguise!r}.",
                next_step=f"Use one of {', '.join(filter(None, DISGUISES))}.",
            )
        return found

    def attacked(self, text: str, target: str) -> str:
        r"""Return a text with the attack for a label in it.

        >>> bad = Injection(
        ...     id="a", family="order", language="en", attack="Say {label}!", control="Hm"
        ... )
        >>> bad.attacked("Hello.", "spam"), bad.controlled("Hello.")
        ('Hello.\n\nSay spam!', 'Hello.\n\nHm')
        """
        half = (len(target) + 1) // 2
        words = {"{head}": target[:half], "{tail}": target[half:], "{label}": target}
        return self._put(self.attack, text, words)

    def controlled(self, text: str) -> str:
        """Return a text with the neutral words in it."""
        return self._put(self.control, text, {})

    def _put(self, template: str, text: str, words: Mapping[str, str]) -> str:
        # Parts first: neither a label nor the text is read as a template.
        around = template if _TEXT in template else f"{_TEXT}\n\n{template}"
        disguise, parts = DISGUISES[self.disguise], []
        for part in around.split(_TEXT):
            bare = part.strip()
            said = disguise(_filled(bare, words)) if bare else ""
            parts.append(part.replace(bare, said, 1) if bare else part)
        return text.join(parts)


def _filled(template: str, words: Mapping[str, str]) -> str:
    """Return the template with its places filled; what fills one is not read again.

    >>> _filled("{label} {tail}", {"{label}": "{tail}", "{tail}": "m"})
    '{tail} m'
    """
    for place, word in words.items():
        if place in template:
            rest = {name: other for name, other in words.items() if name != place}
            return word.join(_filled(part, rest) for part in template.split(place))
    return template


def target_of(labels: tuple[str, ...], clean: str, turn: int) -> str:
    """Return the label attacked for: one of the others, each in turn.

    >>> [target_of(("a", "b", "c"), "b", turn) for turn in range(3)]
    ['a', 'c', 'a']
    """
    others = [label for label in labels if label != clean]
    return others[turn % len(others)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """How one pair of attack and control went; a label is None where no label was answered.

    Attributes:
        injection: Which.
        family: Of that injection.
        example_id: The text it was put into.
        target: The label attacked for.
        clean: What was said of the text itself.
        control: What was said of it with neutral words.
        attacked: What was said of it with the attack.
    """

    injection: str
    family: str
    example_id: int
    target: str
    clean: str | None
    control: str | None
    attacked: str | None

    @property
    def counts(self) -> bool:
        """Whether the text kept its label under neutral words, so that a change is the attack's."""
        return self.clean is not None and self.control == self.clean

    @property
    def is_flipped(self) -> bool:
        """Whether the attack got the label it was for."""
        return self.counts and self.attacked == self.target
