"""Run the benchmarks and put what they print into docs/benchmarks.md.

A benchmark is a file in benchmarks/ that prints its part of the page, in Markdown, on standard
output and its progress on standard error. It exits with 3 when what it needs is not there (a data
set, say) after saying so in a sentence; the old part then stays.

    make bench                      every benchmark
    make bench ARGS="NAME NAME"     some of them
"""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Every figure here was printed by the script of that name in `benchmarks/`; `make bench` writes this
page anew. Speeds are of the machine named under each heading: compare them within a part only.
"""
NOT_POSSIBLE = 3


def main(argv: Sequence[str]) -> int:
    """Run the named benchmarks, or all; 1 when one failed."""
    if argv[:1] == ["--into"] and len(argv) == 3:
        target, body = ROOT / argv[1], f"{machine()}\n\n{sys.stdin.read()}"
        target.write_text(put(target.read_text(encoding="utf-8"), argv[2], body), encoding="utf-8")
        return 0
    known = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("*.py"))}
    known = {name: path for name, path in known.items() if not name.startswith("_")}
    if unknown := [name for name in argv if name not in known]:
        sys.stderr.write(f"There is no benchmark {unknown[0]!r}; known: {', '.join(known)}.\n")
        return 2
    failed = []
    for name in argv or known:
        sys.stderr.write(f"== {name}\n")
        done = subprocess.run(
            [sys.executable, str(known[name])],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode == 0 and done.stdout.strip():
            page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else HEAD
            text = f"{heading(name)}{machine()}\n\n{done.stdout}"
            PAGE.write_text(put(page, name, text), encoding="utf-8")
        elif done.returncode not in (0, NOT_POSSIBLE):
            failed.append(name)
    if failed:
        sys.stderr.write(f"Failed: {', '.join(failed)}.\n")
    return 1 if failed else 0


def put(page: str, name: str, text: str) -> str:
    r"""Return the page with the part of this name replaced, or added at its end.

    >>> page = put("# B\n", "a", "1")
    >>> put(page, "a", "2") == put("# B\n", "a", "2")
    True
    """
    head, foot = f"<!-- made by make bench: {name} -->", "<!-- end -->"
    part = f"{head}\n{text.strip()}\n{foot}"
    old = re.compile(re.escape(head) + r".*?" + re.escape(foot), re.DOTALL)
    if old.search(page):
        return old.sub(lambda _: part, page)
    return f"{page.rstrip()}\n\n{part}\n"


def heading(name: str) -> str:
    """Return a benchmark's heading, made of its file's name."""
    return f"## {name.replace('_', ' ').capitalize()}\n\n"


def machine() -> str:
    """Return when and on what this was measured, in a line."""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return f"Measured {today} on {system}, Python {platform.python_version()}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
