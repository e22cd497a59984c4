"""Where words stand, held against `re`; what a corpus computes, it computes once."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.analysis import word_index
from studio.analysis.corpus import Corpus
from studio.analysis.fuzzy import check_fuzzy
from studio.analysis.votes import fires
from studio.analysis.word_index import index_words
from studio.domain.conditions import Fuzzy, Keywords, Number
from studio.domain.example import normalise
from studio.errors import InputError

from .builders import example, rule

# Letters of several alphabets, marks that belong to a letter, digits, signs, and our own mark.
_letters = st.sampled_from("aAbé\u0301ßя漢ा٣3_-'. \n\0\x01\x1f")
_texts = st.lists(st.text(_letters, max_size=12) | st.text(max_size=12), max_size=5)
_word = st.text(_letters, min_size=1, max_size=4).filter(normalise)


@given(_texts, _word, st.booleans())
@settings(max_examples=300)
def test_word_boundaries_are_those_of_re_in_every_alphabet(texts, word, open_end):
    index = index_words(texts)
    needle = normalise(word)
    # In a normalised text letters, digits and the marks on letters make words; all else is a space.
    pattern = rf"(?<!\S){re.escape(needle)}" + ("" if open_end else r"(?!\S)")
    expected = [i for i, t in enumerate(texts) for _ in re.finditer(pattern, normalise(t))]
    found = index.owner[index.starts(needle.split(), open_end=open_end)]
    assert set(found.tolist()) == set(expected)


@given(_texts)
def test_the_words_are_those_of_each_text_by_itself(texts):
    index = index_words(texts)
    ends = np.flatnonzero(index.ids == 0)
    assert ends.size == len(texts)
    said = [index.words[i] for i in index.ids.tolist()]
    for text, start, end in zip(texts, [0, *(ends + 1).tolist()], ends.tolist(), strict=False):
        assert said[start:end] == normalise(text).split()


@given(_texts, st.integers(1, 3))
def test_windows_are_all_neighbours_within_a_text(texts, size):
    index = index_words(texts)
    windows = index.windows(size)
    told = [
        (int(index.owner[p]), tuple(index.words[i] for i in index.ids[p : p + size].tolist()))
        for p in windows.places.tolist()
    ]
    lists = [normalise(text).split() for text in texts]
    assert told == [
        (i, tuple(w[k : k + size])) for i, w in enumerate(lists) for k in range(len(w) - size + 1)
    ]
    firsts = [int(p) for p in windows.first]
    distinct = [tuple(index.ids[p : p + size].tolist()) for p in firsts]
    assert len(set(distinct)) == len(distinct)
    for place, which in zip(windows.places.tolist(), windows.which.tolist(), strict=True):
        assert tuple(index.ids[place : place + size].tolist()) == distinct[which]


def test_texts_are_split_in_pieces_without_a_difference(monkeypatch):
    texts = [f"Fried {i} rice, é{i % 3}" for i in range(50)]
    whole = index_words(texts)
    monkeypatch.setattr(word_index, "_PIECE", 30)
    parts = index_words(texts)
    assert parts.vocabulary == whole.vocabulary
    assert (parts.ids == whole.ids).all()


def test_more_than_65536_words_are_kept_apart():
    words = [f"w{i}" for i in range(70_000)]
    index = index_words([" ".join(words)])
    for i in (0, 4_463, 65_535, 65_536, 69_999):
        assert index.starts([f"w{i}"]).tolist() == [i]


def test_the_second_rule_reads_no_text_again():
    read = []

    class Texts(list):
        def __iter__(self):
            read.append(1)
            return super().__iter__()

        def __getitem__(self, which):
            read.append(1)
            return super().__getitem__(which)

    corpus = Corpus(np.arange(2), Texts(["fried rice 12", "soup"]), lambda name: [None, None])
    some = (Keywords(("soup",)), Fuzzy(("rise",), 70), Number(1, 12))
    first = [fires(rule(1, 1, any=(c,)).body, corpus).tolist() for c in some]
    assert first == [[False, True], [True, False], [True, False]]
    done = len(read)
    assert [fires(rule(1, 1, any=(c,)).body, corpus).tolist() for c in some] == first
    assert len(read) == done


def test_a_column_is_asked_for_once():
    asked = []

    def column(name):
        asked.append(name)
        return ["rice", None, ""]

    corpus = Corpus(np.arange(3), ["", "", ""], column)
    body = rule(1, 1, any=(), all=(Keywords(("rice",)),), scope="note").body
    assert [fires(body, corpus).tolist() for _ in range(2)] == [[True, False, False]] * 2
    assert asked == ["note"]


def test_sentences_are_not_compared_word_by_word():
    with pytest.raises(InputError, match="more than 5"):
        check_fuzzy(Fuzzy(("one two three four five six",)))


def test_of_keeps_ids_texts_and_columns():
    corpus = Corpus.of([example(4, "a", note="x"), example(9, "b")])
    assert (corpus.ids.tolist(), list(corpus.texts)) == ([4, 9], ["a", "b"])
    assert list(corpus.column("note")) == ["x", None]
    assert len(corpus) == 2
