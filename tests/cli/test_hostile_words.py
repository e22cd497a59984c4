"""Whatever stands where a number, name or file belongs: one sentence, and never a traceback."""

import random

import pytest
import typer

from studio.cli import main

SEED = 2026
DRAWN = 100
COMMANDS = ("prompt", "queue", "agreement", "correct", "stopwatch", "undo", "redo", "label")
WORDS = [
    "", " ", "\0", "a\0b", "x" * 10_000, "-1", "0", "é\u202e", "{{", "%s", "a,b", "=", "=x", "a=b",
    "half \udcff", "train+", "nearest:0", "diverse:99999999999999999999", "mail", "p:0", "p:9",
    "p:" + "9" * 5000, "'; --", "\n", "~", "--",
]  # fmt: skip
NUMBERS = ["0", "-1", "501", "5000000000", "9" * 19, "9" * 5000, "-" + "9" * 40, "nan", "1.5"]
FILES = {
    "empty.yaml": b"", "word.yaml": b"x", "list.yaml": b"[x]", "broken.yaml": b"{name: [",
    "words.yaml": b"definitions: [x]", "deep.yaml": b"instructions: [[a]]", "none.yaml": b"~",
    "latin.yaml": "instructions: é".encode("latin-1"), "bytes.yaml": b"\xff\xfe\0\1",
    "nul.yaml": b"instructions: a\0b", "nul.txt": b"a\0b", "utf16.txt": "é".encode("utf-16"),
    "key.yaml": b"? [a]\n: b", "tag.yaml": b"definitions: !!binary aGk=", "five.jsonl": b"5\n6\n",
    "promptfoo.yaml": b"prompts: 5\ntests: {a: b}", "nul.csv": b"id,label\ntr0,ha\0m\n\0,ham\n",
    "empty.csv": b"", "bytes.csv": b"\xff\xfe\0\1",
    "latin.csv": "id,label\né,ham".encode("latin-1"),
    "utf16.csv": "id,label\ntr0,ham".encode("utf-16"), "wide.csv": b"id,label\n" + b"," * 9999,
    "quote.csv": b'id,label\n"tr0,ham', "long.csv": b"id,label\n" + b"x" * 200_000 + b",ham\n",
    "twice.csv": b"id,id,label,label\n1,2,3,4", "bad.json": b"{", "bad.parquet": b"PAR1",
    "bad.xlsx": b"PK\3\4", "bad.csv.gz": b"\x1f\x8b\0",
}  # fmt: skip
PLACES = ["missing.yaml", ".", "folder.yaml", "x" * 300 + ".yaml", "a\0b.yaml", "", "/dev/null/x"]
GOOD = {
    "task": "mail", "prompt": "p", "before": "p:1", "after": "p:2", "name": "q", "label": "ham",
    "into": "spam", "to": "eggs", "labels": "spam,ham", "change": "1", "file": "good.yaml",
    "by": "Ada",
    "parts": "ham",
}  # fmt: skip


def spoilt():
    """Yield each command line with one bad word in it; all else is as it should be."""
    top = typer.main.get_command(main.command_line())
    for name in COMMANDS:
        command = top.commands[name]
        for verb, one in getattr(command, "commands", {"": command}).items():
            for spoiled in one.params:
                if not getattr(spoiled, "is_flag", False) and spoiled.name != "workspace":
                    for bad in [*WORDS, *NUMBERS, *FILES, *PLACES]:
                        yield [name, *([verb] if verb else []), *_words(one, spoiled, bad)]


def _words(command, spoiled, bad):
    options, arguments = [], []
    for one in command.params:
        is_option = one.param_type_name == "option"
        if one is spoiled:
            (options if is_option else arguments).append(
                f"{one.opts[-1]}={bad}" if is_option else bad
            )
        elif one.required or one.name == "file":
            good = (
                "good.csv" if command.name == "correct" and one.name == "file" else GOOD[one.name]
            )
            (options if is_option else arguments).append(
                f"{one.opts[-1]}={good}" if is_option else good
            )
    return [*options, "--", *arguments]


@pytest.fixture
def desk(studio, mail, tmp_path):
    for name, held in FILES.items():
        (tmp_path / name).write_bytes(held)
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "good.yaml").write_text("instructions: Is it wanted?")
    (tmp_path / "good.csv").write_text("id,label\ntr0,ham\n")
    for said in ("Is it wanted?", "Is it not?"):
        studio("prompt", "save", mail, "p", "--instructions", said)
    return studio


FOUND = [
    ["queue", "mail", "--seed", "5000000000"],
    ["prompt", "preview", "mail", "p", "--seed=-1"],
    ["split", "mail", "--seed=-1"],
    ["assign", "start", "mail", "--people", "Ada,Bo", "--seed", "9" * 40, "--plan"],
    ["prompt", "lint", "mail", "x" * 10_000],
    ["prompt", "save", "mail", "q", "words.yaml", "--definition", "ham=x"],
    ["correct", "mail", "half \udcff", "--by", "Ada"],
]
"""What has ended in a traceback."""


@pytest.mark.parametrize("words", FOUND, ids=lambda words: " ".join(words)[:30])
def test_what_was_found_is_refused_in_a_sentence(desk, words):
    said = desk(*words, "--json")
    assert said.code == 2
    assert said.error["next"]
    assert ("seed" in said.error["message"]) == any("--seed" in word for word in words)


def test_no_word_number_or_file_ends_in_a_traceback(desk):
    lines = list(spoilt())
    for words in random.Random(SEED).sample(lines, DRAWN):
        said = desk(*words)  # anything but a sentence and an exit code fails in there
        assert said.code in (0, 1, 2), words
        if said.code:
            assert said.err.startswith("Error: "), words
            assert len(said.err) < 30_000, words
