"""What is typed into a search becomes a question to the index of words, or a plain comparison."""

from __future__ import annotations

import re
from dataclasses import dataclass
from unicodedata import category, ucd_3_2_0

# SQLite splits at everything but letters and numbers as an old Unicode knew them. Where scripts put
# no spaces between words, or write vowels as marks, its words are not what people mean by a word.
_UNSPACED = re.compile(
    "[\u0900-\u109f\u1780-\u17ff\u1a20-\u1aaf\u2e80-\ua4cf\ua980-\ua9df\uaa00-\uaa7f\uf900-\ufaff"
    "\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
_ASCII_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Search:
    r"""A search, ready for SQL: one of the two is set, none when nothing was typed.

    Attributes:
        match: For `example_fts MATCH`: every word must begin a word of the text.
        like: For `LIKE ... ESCAPE '\\'`: the text must hold this.
    """

    match: str = ""
    like: str = ""

    @classmethod
    def of(cls, typed: str) -> Search:
        r"""Return how to look for what was typed.

        Words are looked up in the index, whatever their case and accents. Scripts without spaces
        between words, and searches without a word, are compared with the text as they stand.

        >>> Search.of("Fried RICE").match
        '"Fried"* "RICE"*'
        >>> Search.of('rice" OR text:* NEAR(').match
        '"rice"* "OR"* "text"* "NEAR"*'
        >>> Search.of("100% 面").like
        '%100\\% 面%'
        >>> Search.of("?!").like, Search.of("  ")
        ('%?!%', Search(match='', like=''))
        """
        typed = typed.strip()
        words = None if _UNSPACED.search(typed) else _words(typed)
        if words:
            return cls(match=" ".join(f'"{word}"*' for word in words))
        escaped = "".join("\\" + c if c in "%_\\" else c for c in typed)
        return cls(like=f"%{escaped}%") if typed else cls()


def _words(typed: str) -> list[str] | None:
    """Return the words as SQLite splits them; None when it may see other ones."""
    if typed.isascii():
        return _ASCII_WORDS.findall(typed)
    kinds = [category(c) for c in typed]
    if kinds != [ucd_3_2_0.category(c) for c in typed] or any(k[0] in "MC" for k in kinds):
        return None
    spaced = (c if kind[0] in "LN" else " " for c, kind in zip(typed, kinds, strict=True))
    return "".join(spaced).split()
