"""What texts hold cannot steer the terminal they are shown on."""

import io
import json

import pytest

from studio.cli.common import emit

HOSTILE = "\x1b[2J \x9b31m \u202eevil\ttab\r\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("as_json", [False, True])
def test_a_terminal_is_not_steered(monkeypatch, as_json):
    out = Terminal()
    monkeypatch.setattr("sys.stdout", out)
    emit({"text": HOSTILE}, as_json, HOSTILE)
    said = out.getvalue()
    assert not set("\x1b\x9b\u202e") & set(said)
    if as_json:
        assert json.loads(said) == {"text": HOSTILE}
    else:
        assert said == "\\u001b[2J \\u009b31m \\u202eevil\ttab\r\n\n"


def test_a_file_gets_the_text_as_it_is(capsys):
    emit({}, False, "a \u202e b")
    assert capsys.readouterr().out == "a \u202e b\n"
