"""Text that people and models wrote, shown as text: nothing in it may turn into markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from studio.analysis.word_diff import Piece
from studio.domain.evaluation import Figure
from studio.domain.rationale import Evidence
from studio.ui.figures import percent, percent_span
from studio.ui.notes import note

JOINER = "\u2060"  # invisible, and no line breaks there
_QUIET: dict[str, Any] = {"delta_color": "off", "delta_arrow": "off"}
_MARKUP = re.compile(r"([!-/:-@\[-`{-~])")
_GROWS = re.compile(r"(?i)(www|:|-|<|>|=|~|@)(?=[a-z./<>=~@-])")


def plain(text: str) -> str:
    r"""Return a text so escaped that Markdown shows it letter by letter.

    A backslash before a sign is not enough where Streamlit replaces text after reading the
    Markdown (addresses, icons, arrows); an invisible joiner parts what would be replaced.

    >>> plain("*a* [b]")
    '\\*a\\* \\[b\\]'
    >>> "://" in plain("see http://example.org")
    False
    """
    parted = _GROWS.sub(lambda match: match[1] + JOINER, text)
    return "  \n".join(_MARKUP.sub(r"\\\1", line.strip()) for line in parted.splitlines())


def marked(text: str, evidence: Sequence[Evidence]) -> str:
    r"""Return Markdown of a text with the words of the evidence highlighted.

    >>> marked("Fried Rice!", [Evidence(start=6, end=10, words="Rice")])
    'Fried :primary-background[Rice]\\!'
    """
    parts, at = [], 0
    for piece in sorted(evidence, key=lambda e: e.start):
        if piece.start < at:
            continue
        parts += [_kept(text[at : piece.start]), f":primary-background[{_kept(piece.words)}]"]
        at = piece.end
    return "".join([*parts, _kept(text[at:])])


def marked_change(pieces: Sequence[Piece]) -> str:
    r"""Return Markdown of a comparison: what went struck through, what came highlighted.

    >>> marked_change([Piece("same", "red or "), Piece("removed", "blue"), Piece("added", "green")])
    'red or :red[~~blue~~] :green-background[green]'
    """
    parts = []
    for i, piece in enumerate(pieces):
        kept = _kept(piece.text)
        words = kept.strip()
        lead, tail = (" " if kept[:1] == " " else ""), (" " if kept[-1:] == " " else "")
        if piece.kind == "same" or not words:
            parts.append(kept)
        elif piece.kind == "removed":
            is_replaced = pieces[i + 1 : i + 2] and pieces[i + 1].kind == "added"
            parts.append(f"{lead}:red[~~{words}~~]{tail or (' ' if is_replaced else '')}")
        else:
            parts.append(f"{lead}:green-background[{words}]{tail}")
    return "".join(parts)


def label_chip(name: str, colour: str) -> str:
    """Return Markdown of a label's name after a square of its colour."""
    return f':color[■]{{foreground="{colour}"}} {plain(name)}'


def figure_metric(where: Any, title: str, figure: Figure | None, help: str) -> None:
    """Draw a share in large type with its interval and n right below it."""
    if figure is None or not figure.n:
        where.metric(title, "unknown", "no gold to measure it on", help=help, **_QUIET)
        return
    span = percent_span(figure)
    where.metric(title, percent(figure.value), span, help=f"{help} {note('interval')}", **_QUIET)


def shortened(text: str, most: int = 90) -> str:
    """Return the text on one line, cut after `most` letters.

    >>> shortened("one two", 5)
    'one …'
    """
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + " …"


def _kept(text: str) -> str:
    """Escape a piece of a line, with the blanks at its ends."""
    inner = plain(text)
    lead = " " if text[:1].isspace() else ""
    return lead + inner + (" " if inner and text[-1:].isspace() else "")
