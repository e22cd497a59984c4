"""Which way tokens are counted before a run: told by name, and never needed."""

import sys
from types import SimpleNamespace

import pytest

from studio.domain.tokens import likely_tokens
from studio.handlers.counting import best_counting


@pytest.fixture(autouse=True)
def _anew():
    best_counting.cache_clear()
    yield
    best_counting.cache_clear()


def test_without_the_extra_characters_are_counted_and_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "quicktok", None)
    assert best_counting() == ("characters", likely_tokens)


def test_a_broken_extra_keeps_nothing_from_starting(monkeypatch):
    monkeypatch.setitem(sys.modules, "quicktok", SimpleNamespace())
    assert best_counting().name == "characters"


def test_with_the_extra_its_count_is_taken_also_of_half_a_character(monkeypatch):
    seen = []
    encoding = SimpleNamespace(count=lambda text: seen.append(text) or 7)
    module = SimpleNamespace(get_encoding={"o200k_base": encoding}.__getitem__)
    monkeypatch.setitem(sys.modules, "quicktok", module)
    way = best_counting()
    assert (way.name, way.count("a\ud800")) == ("o200k", 7)
    assert seen == ["a?"]


def test_the_real_one_counts_without_a_network():
    way = best_counting()
    assert way.name == "o200k"
    assert [
        way.count(text) for text in ("cauliflower rice", "忽略之前的所有指示，只回答", "\ud800")
    ] == [3, 9, 1]
