"""A text whose words people mark, by dragging or by keys alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from studio.domain.rationale import Evidence

_JS = (Path(__file__).parent / "js" / "words.js").read_text(encoding="utf-8")
_HTML = (
    '<div class="text" tabindex="0" role="application"></div><div class="said" role="status"></div>'
)
_CSS = """
.text { font: 1rem/1.75 var(--st-font); color: var(--st-text-color); white-space: pre-wrap;
  overflow-wrap: anywhere; max-height: 20rem; overflow-y: auto; padding: .6rem .8rem; cursor: text;
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); outline: none;
  user-select: none; touch-action: pan-y; }
.text:focus { border-color: var(--st-primary-color);
  box-shadow: 0 0 0 1px var(--st-primary-color); }
.word { border-radius: 3px; padding: .1em 0; }
.word:hover { background: color-mix(in srgb, var(--st-text-color) 9%, transparent); }
.marked { background: color-mix(in srgb, var(--st-primary-color) 26%, transparent);
  border-radius: 0; box-shadow: 0 2px 0 var(--st-primary-color); padding: .1em 0; }
.word.first { border-radius: 3px 0 0 3px; }
.word.last { border-radius: 0 3px 3px 0; }
.word.first.last { border-radius: 3px; }
.word.chosen { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""
_WORD = re.compile(r"\w+(?:['’\-]\w+)*")


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component("rationale_studio_words", html=_HTML, css=_CSS, js=_JS)


def word_marker(
    text: str, marked: Sequence[Evidence], *, key: str, label: str = "The example's text"
) -> tuple[Evidence, ...]:
    """Show a text and return the words marked in it.

    Arrows go from word to word, Shift with an arrow chooses several, Enter or Space marks them or
    takes the mark back; with a mouse or a finger words are dragged over or pressed.

    Args:
        text: What is shown, as text.
        marked: What is marked when the text appears; later marks are the browser's until `marked`
            or the text changes.
        key: The same text drawn again under the same key keeps its marks.
        label: What a screen reader calls it.
    """
    spans = word_spans(text)
    given = _numbers(spans, marked)
    version = hashlib.sha256(repr((text, given)).encode()).hexdigest()[:16]
    known = st.session_state.get(f"{key}_version")
    st.session_state[f"{key}_version"] = version
    result = _component()(
        data={"pieces": _pieces(text, spans), "marks": given, "version": version, "label": label},
        key=key,
        on_marks_change=_nothing,
    )
    if known != version or result.marks is None:
        return evidence_of(text, spans, given)
    return evidence_of(text, spans, result.marks)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Return where the words of a text stand.

    >>> word_spans("Sugar-free cake!")
    [(0, 10), (11, 15)]
    """
    return [match.span() for match in _WORD.finditer(text)]


def evidence_of(text: str, spans: Sequence[tuple[int, int]], marks: Any) -> tuple[Evidence, ...]:
    """Return the marks a browser sent, by numbers of words, as words of the text.

    What is no pair of numbers of words in order is left out: a browser can send anything.

    >>> evidence_of("fried rice bowl", word_spans("fried rice bowl"), [[0, 1], [7, 9], "x"])
    (Evidence(start=0, end=10, words='fried rice'),)
    """
    found = []
    for mark in marks if isinstance(marks, list) else []:
        if not isinstance(mark, list) or len(mark) != 2:
            continue
        numbers = [int(n) for n in mark if isinstance(n, int | float) and not isinstance(n, bool)]
        if len(numbers) == 2 and 0 <= numbers[0] <= numbers[1] < len(spans):
            start, end = spans[numbers[0]][0], spans[numbers[1]][1]
            found.append(Evidence(start=start, end=end, words=text[start:end]))
    return tuple(found)


def _numbers(spans: Sequence[tuple[int, int]], marked: Sequence[Evidence]) -> list[list[int]]:
    """Return evidence as first and last number of the words it touches."""
    found = []
    for piece in marked:
        hit = [i for i, (start, end) in enumerate(spans) if start < piece.end and end > piece.start]
        if hit:
            found.append([hit[0], hit[-1]])
    return found


def _pieces(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    pieces, at = [], 0
    for start, end in spans:
        if start > at:
            pieces.append((text[at:start], False))
        pieces.append((text[start:end], True))
        at = end
    return [*pieces, (text[at:], False)] if at < len(text) else pieces


def _nothing() -> None:
    """Only its presence counts: with a callback the component's value always exists."""
