"""YAML that anybody may have written: no file can take long, whatever it holds.

YAML can name a part and repeat it (`*name`), so that a few lines mean millions of values. Such
files are refused before any value is made; ours never need it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import yaml

from studio.errors import InputError

MAX_CHARACTERS = 1_000_000
MAX_VALUES = 150_000
MAX_DEPTH = 20
# libyaml reads ten times as fast, and is missing from few installations.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_READINGS = {_TAG + kind for kind in ("bool", "int", "float", "timestamp", "merge", "value")}
_NOTHING = _TAG + "null"


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
    # A safe loader, the fast one.
    return _read(text, what, lambda: yaml.load(text, Loader=_Loader))  # noqa: S506


def load_words(text: str, *, but: Collection[str] = (), what: str = "The file") -> Any:
    """Return the values of a YAML or JSON text, each a text as it was written.

    YAML takes the words yes and on for a truth, 1.50 for 1.5 and 12:30 for 750; people who name
    labels and columns mean the words. Only what is left empty, or null, is None.

    Args:
        text: The text.
        but: Keys under which a number or a truth belongs; those are read as YAML reads them.
        what: What an error calls it.

    Raises:
        InputError: With the line to mend.

    >>> load_words("{label: no, in: [1.50, on], min: 1.50, note: }", but=["min"])
    {'label': 'no', 'in': ['1.50', 'on'], 'min': 1.5, 'note': None}
    """
    return _read(text, what, lambda: _words(text, but))


def _words(text: str, but: Collection[str]) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _take_as_written(node, but)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _take_as_written(node: Any, but: Collection[str]) -> None:
    """Make a text of what YAML would read as something else."""
    if isinstance(node, yaml.ScalarNode):
        node.tag = f"{_TAG}str" if node.tag in _READINGS else node.tag
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _take_as_written(item, but)
    else:
        for key, value in node.value:
            _take_as_written(key, but)
            if key.tag == _NOTHING:
                key.tag = f"{_TAG}str"  # a label may be called null
            is_read = isinstance(value, yaml.ScalarNode) and isinstance(key, yaml.ScalarNode)
            if not (is_read and key.value in but):
                _take_as_written(value, but)


def _read(text: str, what: str, values: Callable[[], Any]) -> Any:
    """Return the values of a text that was looked through, or say in which line it is wrong."""
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"{what} has {len(text):,} characters, more than {MAX_CHARACTERS:,}.",
            next_step="Split it into several files.",
        )
    try:
        _look_through(text, what)
        return values()
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
    except (AttributeError, KeyError, ValueError):
        # A date such as 2024-13-45, a number of thousands of digits, or !!bool before another word.
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
