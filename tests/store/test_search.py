"""Searching: what is typed never breaks the question, and both see the same words."""

import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pysqlite3 import dbapi2 as sqlite3

from studio.domain.example import Split
from studio.store.grid import GridFilter
from studio.store.search import Search

PROFILE = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TEXTS = (
    "Crème brûlée, 100% vanilla", "CREME fraiche with chives", "ramen 面条 in broth",
    "ข้าวผัด with egg", "Борщ по-украински", "don't stop", "snake_case name", "?!",
)  # fmt: skip


@pytest.fixture
def find(ws):
    task = ws.store.tasks.create(
        name="t", question="", labels=[("a", ""), ("b", "")], criterion=None, by="A", at="2026"
    )
    ws.store.examples.add(
        task.id, [(str(i), text, Split.TRAIN, {}) for i, text in enumerate(TEXTS)], "2026"
    )

    def search(typed):
        found = GridFilter(search=typed)
        rows = ws.read.examples.grid(task.id, run_id=None, person="A", filter=found)
        return [row["external_id"] for row in rows]

    return search


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("creme", "01"), ("CRÈME van", "0"), ("van creme", "0"), ("reme", ""), ("100", "0"),
        ("面", "2"), ("条 in", "2"), ("ผัด", "3"), ("борщ УКР", "4"), ("don't", "5"), ("t", "5"),
        ("case", "6"), ("?!", "7"), ("%", "0"), ("_", "6"), ("", "01234567"), ("   ", "01234567"),
        ('"', ""), ("NOT creme", ""), ("text:creme", ""), ("with*", "13"), ("with -egg", "3"),
    ],
)  # fmt: skip
def test_words_are_found_by_how_they_begin(find, typed, wanted):
    assert "".join(find(typed)) == wanted


@PROFILE
@given(st.one_of(st.text(), st.text(alphabet="\"*()^:+-{}, ANDORTEnear\\'%_\x00é面")))
def test_nothing_that_is_typed_breaks_a_search(find, typed):
    find(typed)


def test_sqlite_splits_words_where_we_do():
    """For every character that a search may look up in the index."""
    sees = [c for c in map(chr, range(1, sys.maxunicode + 1)) if Search.of(f"x{c}y").match]
    assert len(sees) > 5_000
    conn = sqlite3.connect(":memory:")
    conn.execute("CREATE VIRTUAL TABLE f USING fts5(t, tokenize='unicode61 remove_diacritics 2')")
    conn.executemany("INSERT INTO f (rowid, t) VALUES (?, ?)", [(ord(c), f"x{c}y") for c in sees])
    conn.execute("CREATE VIRTUAL TABLE v USING fts5vocab(f, instance)")
    split = dict(conn.execute("SELECT doc, count(*) FROM v GROUP BY 1"))
    conn.close()
    other = [c for c in sees if len(Search.of(f"x{c}y").match.split()) != split[ord(c)]]
    assert other == []
