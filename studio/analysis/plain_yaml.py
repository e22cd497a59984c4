"""YAML that anybody may have written: no file can take long, whatever it holds.

YAML can name a part and repeat it (`*name`), so that a few lines mean millions of values. Such
files are refused before any value is made; ours never need it.
"""

from __future__ import annotations

from typing import Any

import yaml

from studio.errors import InputError

MAX_CHARACTERS = 1_000_000
MAX_VALUES = 150_000
MAX_DEPTH = 20
# libyaml reads ten times as fast, and is missing from few installations.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Dumper(yaml.SafeDumper):
    """Writes what `load_yaml` reads back the same."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # YAML takes these for ends of lines, and reads them as blanks unless they are escaped.
    style = '"' if any(end in text for end in "\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)


def print_yaml(data: Any) -> str:
    r"""Return plain values as YAML, in the order given.

    >>> print_yaml({"name": "a", "words": ["no", "é"]})
    "name: a\nwords:\n- 'no'\n- é\n"
    """
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def load_yaml(text: str, *, what: str = "The file") -> Any:
    """Return the plain values of a YAML or JSON text.

    Args:
        text: The text.
        what: What an error calls it.

    Raises:
        InputError: With the line to mend.

    >>> load_yaml("rules: [{name: a}]")
    {'rules': [{'name': 'a'}]}
    """
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"{what} has {len(text):,} characters, more than {MAX_CHARACTERS:,}.",
            next_step="Split it into several files.",
        )
    try:
        _look_through(text, what)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, the fast one
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        # What is missing at the end is told of a line after the last one.
        where = f" in line {min(mark.line + 1, len(text.splitlines()) or 1)}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        raise InputError(
            f"{what} cannot be read{where}: {problem}.",
            next_step="Check colons and indentation there.",
        ) from None
    except UnicodeEncodeError:
        raise InputError(f"{what} holds half a character.", next_step="Type it anew.") from None
    except ValueError:
        # A date such as 2024-13-45, or a number of thousands of digits.
        raise InputError(
            f"{what} holds a number or date that is none.", next_step="Put it in quotes."
        ) from None


def _look_through(text: str, what: str) -> None:
    """Refuse what would take long or break the loader, looking at one mark after the other."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise InputError(
                f"{what} repeats a named part (*{event.anchor}) in line {line}.",
                next_step="Write it out.",
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if count > MAX_VALUES:
            raise InputError(
                f"{what} has more than {MAX_VALUES:,} values.",
                next_step="Split it into several files.",
            )
        if depth > MAX_DEPTH:
            raise InputError(
                f"{what} is nested more than {MAX_DEPTH} deep in line {line}.",
                next_step="See docs/rules.md for what it may hold.",
            )
