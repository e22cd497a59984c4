"""Where a prompt holds the text of an example: whole, or a long run of its words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from studio.analysis.advice_reading import Copied, content
from studio.domain.advice import Place, Section
from studio.domain.example import normalise
from studio.domain.prompt import PromptText

RUN = 8
"""So many words in a row are no chance."""
WHOLE = 7
"""An example of fewer words may be said by chance."""
_STEP = 4
_WORD = re.compile(r"[^\W_]+")


def texts_of(body: PromptText) -> list[tuple[Place, str]]:
    """Return every text of a prompt with its place, few-shots included."""
    found = [(Place(section=Section.INSTRUCTIONS), body.instructions)]
    found += [
        (Place(section=Section.DEFINITION, label=n), t) for n, t in sorted(body.definitions.items())
    ]
    found += [(Place(section=Section.REASONS, index=i), t) for i, (_, t) in enumerate(body.reasons)]
    found += [
        (Place(section=Section.FEW_SHOTS, index=i), s.text) for i, s in enumerate(body.few_shots)
    ]
    return found


def probes(body: PromptText) -> list[tuple[str, ...]]:
    """Return groups of words, one of which every example has that `find_copied` would find.

    A run of seven words holds four that begin at a multiple of four.

    >>> probes(PromptText(instructions="Is it in the red, blue or green bowl of soup?"))
    [('red', 'blue', 'or', 'green')]
    """
    found: dict[tuple[str, ...], None] = {}
    for _, text in texts_of(body):
        words = normalise(text).split()
        for i in range(0, max(len(words) - _STEP + 1, 0), _STEP):
            group = tuple(words[i : i + _STEP])
            if len(content(" ".join(group))) >= 2:
                found[group] = None
    return list(found)


def find_copied(body: PromptText, examples: Iterable[tuple[str, str]]) -> list[Copied]:
    """Return where texts of examples stand in a prompt, each place with the strictest split.

    Args:
        body: The prompt.
        examples: Pairs of a text and its split; candidates are enough.

    >>> body = PromptText(instructions="Mind: a fine red bowl of soup with bread. Decide.")
    >>> found = find_copied(body, [("A fine red bowl of soup with bread", "train")])
    >>> [(body.instructions[c.place.start : c.place.end], c.split) for c in found]
    [('a fine red bowl of soup with bread', 'train')]
    """
    order = {"test": 0, "validation": 1, "train": 2}
    texts = [(place, text, _words(text)) for place, text in texts_of(body)]
    found: dict[Place, Copied] = {}
    for example, split in examples:
        words = normalise(example).split()
        for place, text, spans in texts:
            span = _shared([w for w, _, _ in spans], words)
            is_shot = place.section is Section.FEW_SHOTS and normalise(text) == " ".join(words)
            if span is None and not is_shot:
                continue
            start, end = (spans[span[0]][1], spans[span[1] - 1][2]) if span else (0, len(text))
            copied = Copied(place=replace(place, start=start, end=end), split=split)
            known = found.get(place)
            if known is None or order.get(split, 3) < order.get(known.split, 3):
                found[place] = copied
    return list(found.values())


def _words(text: str) -> list[tuple[str, int, int]]:
    """Return the normalised words of a text with their places in it."""
    return [
        (word, m.start(), m.end()) for m in _WORD.finditer(text) for word in normalise(m[0]).split()
    ]


def _shared(text: Sequence[str], example: Sequence[str]) -> tuple[int, int] | None:
    """Return the longest run of the example in the text, if it is long or all of it."""
    need = RUN if len(example) != WHOLE else WHOLE
    if len(example) < need or len(text) < need:
        return None
    runs = {tuple(example[i : i + need]) for i in range(len(example) - need + 1)}
    starts = [i for i in range(len(text) - need + 1) if tuple(text[i : i + need]) in runs]
    if not starts:
        return None
    last = starts[0]
    for i in starts[1:]:
        if i != last + 1:
            break
        last = i
    return starts[0], last + need
