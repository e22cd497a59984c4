"""Whether a text looks like English, the only language the encoder reads well."""

from __future__ import annotations

import re

from studio.embedded.naming import words_of

_ENGLISH = words_of(
    "the a an and or of to in is are was were it this that with for on as be by at i you he she we "
    "they my your not no have has had do does did will would can could from but so if what when "
    "who how me am an its our their there been get just"
)
_OTHERS = words_of(
    "el la los las un una unos y en que es por para con del al como pero muy yo le les des du et "
    "est une dans qui pas pour sur avec au ce cette je nous vous ils der die das und ist nicht ein "
    "eine mit von zu den dem auf für im auch ich wir sie il lo gli di che non per sono ma anche o "
    "os as um uma não com mais mas se na da em het een van voor niet zijn och att det som är jeg "
    "er på ikke ja nie się jest"
)
_FOREIGN = _OTHERS - _ENGLISH
_WORD = re.compile(r"[^\W\d_]+")


def looks_foreign(text: str) -> bool:
    """Tell whether a text is probably not English; short texts in Latin letters pass.

    >>> looks_foreign("Der Kuchen ist nicht mit Mehl gebacken"), looks_foreign("chile con carne")
    (True, False)
    >>> looks_foreign("Запеченный лосось")
    True
    """
    if not text.isascii():
        letters = [char for char in text if char.isalpha()]
        if sum(char > "\u024f" for char in letters) > 0.3 * len(letters):
            return True
    words = _WORD.findall(text.lower())
    foreign = len([word for word in words if word in _FOREIGN])
    return foreign >= 2 and foreign > 2 * len([word for word in words if word in _ENGLISH])
