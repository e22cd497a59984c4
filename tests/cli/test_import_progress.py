"""`studio import` on a terminal: how far it is, and a sentence when it is stopped."""

import sys

import pytest

from studio.actions import examples as actions


@pytest.fixture
def terminal(monkeypatch):
    """Standard error is a terminal."""
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _: True)


def write(folder, rows):
    (folder / "many.csv").write_text("text\n" + "".join(f"text {i}\n" for i in range(rows)))


def test_a_bar_counts_lines_and_leaves_an_empty_line(studio, mail, tmp_path, monkeypatch, terminal):
    monkeypatch.setattr(actions, "CHUNK", 10)
    write(tmp_path, 25)
    said = studio("import", mail, "many.csv")
    assert said.code == 0
    assert said.out.startswith("Added 25 examples (0 with gold), skipped 0 known ones, rejected 0.")
    steps = said.err.split("\r")
    assert "11 of 26 lines" in steps[1]
    assert steps[1].startswith("[########............]")
    assert steps[3].startswith("[####################] 26 of 26 lines")
    assert steps[3].rstrip().endswith(" a second, under 1 s left")
    assert steps[-2:] == [" " * 84, ""]


def test_without_a_terminal_nothing_is_said_beside_the_result(studio, mail, tmp_path):
    write(tmp_path, 25)
    said = studio("import", mail, "many.csv", "--json")
    assert (said.json["added"], said.err) == (25, "")


@pytest.mark.parametrize(
    ("chunks", "stored"),
    [
        (0, "nothing was stored"),
        (2, "the examples of the first 21 of 26 lines are stored"),
    ],
)
def test_ctrl_c_says_what_is_stored(studio, mail, tmp_path, monkeypatch, chunks, stored):
    monkeypatch.setattr(actions, "CHUNK", 10)
    write(tmp_path, 25)
    real, begun = actions._store, []

    def store(*words):
        begun.append(1)
        if len(begun) > chunks:
            raise KeyboardInterrupt
        real(*words)

    monkeypatch.setattr(actions, "_store", store)
    said = studio("import", mail, "many.csv", "--json")
    assert said.code == 1
    assert said.error == {
        "code": "interrupted",
        "message": f"The import was stopped; {stored}.",
        "next": "Import the file again to add the rest.",
    }
