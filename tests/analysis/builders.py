"""Small builders, and a generator of rules over a few words that meet often."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from hypothesis import strategies as st

from studio.domain.coded_rationale import CodedRationale, RuleBody
from studio.domain.conditions import (
    Column,
    Condition,
    Fuzzy,
    Keywords,
    Length,
    Number,
    Phrase,
    Regex,
)
from studio.domain.example import Example, Split
from studio.domain.run import Method, Outcome, Prediction
from studio.domain.task import Label

WORDS = [
    "rice",
    "Cauliflower",
    "sugar-free",
    "étude",
    "straße",
    "ice cream",
    "x1",
    "CAKE",
    "e\u0301",
]


def example(id_: int, text: str, **metadata: str) -> Example:
    return Example(id=id_, external_id=f"e{id_}", text=text, split=Split.TRAIN, metadata=metadata)


def rule(id_: int, label_id: int, *, enabled: bool = True, **body) -> CodedRationale:
    body = {"name": f"r{id_}", "label": f"l{label_id}", "any": (Keywords(("rice",)),)} | body
    return CodedRationale(
        id=id_, label_id=label_id, position=id_, enabled=enabled, body=RuleBody(**body)
    )


def labels(*names: str) -> tuple[Label, ...]:
    return tuple(
        Label(id=i + 1, name=name, definition="", position=i) for i, name in enumerate(names)
    )


def said(
    answers: dict[int, int | None],
    confidence: float | None = None,
    method: Method | None = None,
) -> list[Prediction]:
    return [
        Prediction(
            example_id=i,
            label_id=label_id,
            confidence=confidence,
            outcome=Outcome.ABSTAINED if label_id is None else Outcome.OK,
            method=method,
        )
        for i, label_id in answers.items()
    ]


def shared(*parts: str) -> Path:
    """Return a file of the shared folder; skip the test, saying why, where it is absent."""
    home = Path(os.environ.get("STUDIO_SHARED", Path(__file__).parents[2].parent / "shared"))
    path = home.joinpath(*parts)
    if not path.exists():
        reason = f"{'/'.join(parts)} is not in STUDIO_SHARED"
        print(f"skipped: {reason}")
        pytest.skip(reason)
    return path


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


_word = st.sampled_from(WORDS)
_ending = st.builds(lambda w, star: w + star, _word, st.sampled_from(["", "", "*"]))
_bound = st.none() | st.integers(0, 12)
_span = st.tuples(_bound, _bound).filter(
    lambda s: s != (None, None) and (None in s or s[0] <= s[1])
)
_phrase = st.lists(_word, min_size=1, max_size=3).map(" ".join)
_few_words = st.lists(_word, min_size=1, max_size=2).map(" ".join)
_words = st.lists(_ending, min_size=1, max_size=4).map(tuple)
conditions: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Keywords, _words, st.lists(_phrase, max_size=2).map(tuple)),
    st.builds(Phrase, _phrase),
    st.builds(
        Fuzzy,
        st.lists(_few_words, min_size=1, max_size=2).map(tuple),
        st.sampled_from([60, 75, 100]),
    ),
    st.builds(Regex, st.sampled_from(["ri", "^[a-z]+", "[0-9]{2,}", "a|b", "ca(ke|fe)$", "!"])),
    st.builds(lambda unit, s: Length(unit, *s), st.sampled_from(["words", "characters"]), _span),
    st.builds(lambda s: Number(*s), _span),
    st.builds(lambda v: Column("course", tuple(v)), st.lists(_word, min_size=1, max_size=2)),
    st.builds(lambda s: Column("kcal", (), *s), _span),
)


def _body(some, every, never, **rest):
    if not some and not every:
        some = (Phrase("rice"),)
    return RuleBody(name="r", label="l", any=some, all=every, none=never, **rest)


_few = st.lists(conditions, max_size=2).map(tuple)
bodies: st.SearchStrategy[RuleBody] = st.builds(
    _body,
    _few,
    _few,
    _few,
    scope=st.sampled_from(["text", "text", "note"]),
    against=st.booleans(),
    decisive=st.booleans(),
)
_glue = st.sampled_from([" ", "  ", "-", ", ", "'", "", "\n", " 12 ", " 3.5", "\x1f"])
texts: st.SearchStrategy[str] = st.one_of(
    st.lists(st.tuples(_word, _glue), max_size=8).map(
        lambda parts: "".join(w + g for w, g in parts)
    ),
    st.text(max_size=30),
)
examples: st.SearchStrategy[Example] = st.builds(
    lambda text, meta: example(1, text, **meta),
    texts,
    st.fixed_dictionaries(
        {},
        optional={
            "course": _word,
            "note": texts,
            "kcal": st.sampled_from(["3", " 7.5 ", "1,200", "nan", "", "many"]),
        },
    ),
)
