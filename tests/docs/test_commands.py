"""Every command and option that a page names exists, whether or not a test runs it."""

from __future__ import annotations

import re
import shlex
from functools import cache

from typer.main import get_command

from scripts.pages import ROOT, pages
from studio.cli.main import command_line

# A history tells what was; the page of commands is made from them; decisions tell of their day.
_APART = {ROOT / "CHANGELOG.md", ROOT / "docs" / "cli.md"}
_NAMED = re.compile(
    r"`(studio [^`\n]+)`|^(?: {4})?((?:\.venv/bin/)?studio [a-z][^\n]*)", re.MULTILINE
)
_COMMON = {"--workspace", "-w", "--json", "--help", "-h", "--version"}


@cache
def root():
    return get_command(command_line())


def unknown(line):
    """Return what of a command line there is not; empty where all is well."""
    words = shlex.split(line.split("  ")[0].replace("…", "x").replace("'", ""), comments=True)[1:]
    command = root()
    while words and hasattr(command, "commands"):
        if words[0].startswith("-") or words[0] in ("FILE", "...", "x"):
            break
        if words[0] not in command.commands:
            if command.name == "assign":  # its word `start` may be left out
                command = command.commands["start"]
                break
            return words[0]
        command = command.commands[words.pop(0)]
    known = {opt for p in command.params for opt in (*p.opts, *p.secondary_opts)} | _COMMON
    strange = [w for w in words if re.match(r"--?[a-z]", w) and w.split("=")[0] not in known]
    return " ".join(strange)


def test_what_pages_call_commands_are_commands():
    found, wrong = 0, []
    for page in pages():
        if page in _APART or "decisions" in page.parts:
            continue
        for match in _NAMED.finditer(page.read_text(encoding="utf-8")):
            line = match[1] or match[2]
            found += 1
            if missing := unknown(line):
                wrong.append(f"{page.relative_to(ROOT)}: {line} ({missing})")
    assert found > 100
    assert wrong == []


def test_it_would_notice():
    assert unknown("studio rule tri keto") == "tri"
    assert unknown("studio queue keto --strat half") == "--strat"
    assert unknown("studio assign keto --people Ada,Bo") == ""
