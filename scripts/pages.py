"""Write the parts of docs/ that can be read off the code, and check every link.

A generated part stands between `<!-- made by make docs: NAME -->` and `<!-- end -->`; what is
around it is written by hand. tests/house compares every part with what the code says now, except
the measured one: sizes differ from machine to machine.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import studio.domain
from studio import errors

ROOT = Path(__file__).resolve().parent.parent
_PART = re.compile(
    r"(?P<head><!-- made by make docs: (?P<name>[a-z-]+) -->\n)(?P<body>.*?)(?P<foot><!-- end -->)",
    re.DOTALL,
)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
# Every command has these; the page tells them once.
_COMMON = {"workspace", "as_json", "help"}
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def main() -> int:
    """Write every generated part anew; 1 when a link leads nowhere."""
    for page in pages():
        old = page.read_text(encoding="utf-8")
        new = fill(old, PARTS | MEASURED)
        if new != old:
            page.write_text(new, encoding="utf-8")
            sys.stdout.write(f"wrote {page.relative_to(ROOT)}\n")
    broken = list(broken_links())
    for page, link in broken:
        sys.stderr.write(f"{page.relative_to(ROOT)}: {link} leads nowhere\n")
    return 1 if broken else 0


def pages() -> list[Path]:
    """Return every Markdown page of the project."""
    folders = ("docs", "data", "benchmarks")
    found = [page for folder in folders for page in (ROOT / folder).rglob("*.md")]
    return sorted([*ROOT.glob("*.md"), *found])


def fill(text: str, parts: dict[str, Callable[[], str]]) -> str:
    r"""Return the page with the named parts replaced; unknown ones stay as they are.

    >>> page = "a\n<!-- made by make docs: x -->\nold\n<!-- end -->\n"
    >>> print(fill(page, {"x": lambda: "new\n"}), end="")
    a
    <!-- made by make docs: x -->
    new
    <!-- end -->
    """

    def one(match: re.Match[str]) -> str:
        make = parts.get(match["name"])
        return match[0] if make is None else match["head"] + make() + match["foot"]

    return _PART.sub(one, text)


def broken_links() -> Iterator[tuple[Path, str]]:
    """Yield the links between pages that name no file, or no heading in it."""
    for page in pages():
        for link in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            if not target.exists() or (
                anchor and target.suffix == ".md" and anchor not in anchors(target)
            ):
                yield page, link


def anchors(page: Path) -> set[str]:
    """Return what a page's headings can be linked by."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    found = set()
    for title in re.findall(r"^#+ +(.+)$", text, re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
        found.add(slug)
    return found


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    r"""Return a Markdown table.

    >>> print(table(("a", "b"), [("1", "x|y")]), end="")
    | a | b |
    | --- | --- |
    | 1 | x\|y |
    """
    lines = [head, ("---",) * len(head), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )


def error_classes(
    root: type[errors.StudioError] = errors.StudioError,
) -> Iterator[type[errors.StudioError]]:
    """Yield the tree of errors, from the top down."""
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from error_classes(child)


def errors_part() -> str:
    """Return one row an error: code, exit code, class, meaning."""
    rows = [
        (
            f"`{kind.code}`",
            str(kind.exit_code),
            f"`{kind.__name__}`",
            first_line(kind.__doc__),
        )
        for kind in error_classes()
    ]
    return table(("code", "exit", "in Python", "means"), rows)


def settings_part() -> str:
    """Return one row a setting, from `studio.config.SETTINGS`."""
    from studio.config import SETTINGS

    rows = [(f"`{s.env}`", f"`{s.default}`" if s.default else "(empty)", s.help) for s in SETTINGS]
    return table(("variable", "default", "what it is for"), rows)


def contracts_part() -> str:
    """Return the import-linter contracts of pyproject.toml, in words."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = []
    for contract in config["tool"]["importlinter"]["contracts"]:
        lines.append(f"- **{contract['name']}** ({contract['type']})")
        if "layers" in contract:
            lines.append("  " + " > ".join(f"`{layer}`" for layer in contract["layers"]))
        elif "forbidden_modules" in contract:
            sources = ", ".join(f"`{m}`" for m in contract["source_modules"])
            barred = ", ".join(f"`{m}`" for m in contract["forbidden_modules"])
            through = ", directly" if contract.get("allow_indirect_imports") else ""
            lines.append(f"  {sources} may not import {barred}{through}.")
        else:
            lines.append("  " + ", ".join(f"`{m}`" for m in contract["modules"]))
    return "\n".join(lines) + "\n"


def domain_classes() -> Iterator[type]:
    """Yield every public class of studio.domain, module by module."""
    for module in pkgutil.iter_modules(studio.domain.__path__, "studio.domain."):
        for thing in vars(importlib.import_module(module.name)).values():
            ours = isinstance(thing, type) and thing.__module__ == module.name
            if ours and not thing.__name__.startswith("_"):
                yield thing


def domain_part() -> str:
    """Return one row a domain class, with the first line of its docstring."""
    rows = [
        (
            f"`{kind.__name__}`",
            f"`domain/{kind.__module__.split('.')[-1]}.py`",
            first_line(kind.__doc__),
        )
        for kind in domain_classes()
    ]
    return table(("class", "in", "means"), rows)


def commands_part() -> str:
    """Return the command line, command by command."""
    from typer.main import get_command

    from studio.cli.main import command_line

    return "\n".join(_command(get_command(command_line()), "studio"))


def _command(command: Any, path: str) -> Iterator[str]:
    """Yield the lines of a command, or of those below a group."""
    if children := getattr(command, "commands", None):
        for name in children:
            if not children[name].hidden:
                yield from _command(children[name], f"{path} {name}")
        return
    shown = [p for p in command.params if not getattr(p, "hidden", False) and p.name not in _COMMON]
    words, rows = [path], []
    for param in shown:
        if param.param_type_name == "argument":
            name = (param.metavar or param.name).strip("[]").upper()
            words.append(name if param.required else f"[{name}]")
            rows += [(f"`{name}`", param.help, "")] if param.help else []
        else:
            quiet = param.default is None or isinstance(param.default, bool)
            default = "" if quiet or param.default in ("", (), []) else f"`{param.default}`"
            names = ", ".join(f"`{opt}`" for opt in [*param.opts, *param.secondary_opts])
            rows.append((names, param.help or "", "required" if param.required else default))
    if any(p.param_type_name == "option" for p in shown):
        words.append("[OPTIONS]")
    yield f"## `{path}`\n\n{' '.join((command.help or '').split())}\n\n    {' '.join(words)}\n"
    if rows:
        yield table(("", "what it is", "default"), rows)


def dependencies_part() -> str:
    """Return one row a declared dependency: version, size, licence, why, health."""
    from scripts.dependencies import rows

    return table(("package", "version", "licence", "MB", "what for", "health"), rows())


def sizes_part() -> str:
    """Return the biggest packages of this environment, direct or not."""
    from scripts.dependencies import biggest

    return table(("package", "MB", "needed by"), biggest())


def first_line(text: str | None) -> str:
    """Return the first sentence line of a docstring."""
    return (text or "").strip().split("\n", 1)[0]


PARTS: dict[str, Callable[[], str]] = {
    "errors": errors_part,
    "settings": settings_part,
    "contracts": contracts_part,
    "commands": commands_part,
    "domain": domain_part,
}
MEASURED: dict[str, Callable[[], str]] = {
    "dependencies": dependencies_part,
    "sizes": sizes_part,
}

if __name__ == "__main__":
    sys.exit(main())
