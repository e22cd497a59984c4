"""What stands in a prompt file of another tool and has no place here, so that it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

LABEL_CHECKS = ("equals", "iequals", "contains", "icontains", "starts-with")
"""Assertions of promptfoo that can name the label a text should get."""
_NAMES = ("name", "description", "id", "object", "created_at", "$schema", "version")
_ASKED = "models are chosen where a run is started"
_WHY = {
    "providers": _ASKED,
    "targets": _ASKED,
    "model": _ASKED,
    "defaultTest": "what it says of every test was left out; write it into each test",
}
_NO_PART = "nothing of it is part of a prompt or an example here"
_MOST_NAMED = 6
Rest = tuple[str, str]
"""Where something stands, and why it was left out."""


def rest_of(data: Mapping[str, Any], is_read: Callable[[str], bool]) -> list[Rest]:
    """Return the fields of a file that nothing was read of; those left empty say nothing.

    >>> rest_of({"prompts": ["Is it?"], "providers": ["x"], "tests": []}, {"prompts"}.__contains__)
    [('providers', 'models are chosen where a run is started')]
    """
    left = (key for key, value in data.items() if value not in (None, "", [], {}))
    keys = [str(key) for key in left if key not in _NAMES and not is_read(str(key))]
    return [(key[:60], _WHY.get(key, _NO_PART)) for key in keys]


def rest_of_prompt(prompt: Mapping[str, Any]) -> str:
    """Return why something of one prompt of promptfoo was left out; empty where nothing was."""
    others = [str(key) for key in prompt if key not in ("label", "raw", "id")]
    return f"its {_some(others)} was left out" if others else ""


def rest_of_tests(tests: Sequence[Mapping[str, Any]]) -> list[Rest]:
    """Return what tests of promptfoo hold beside texts and labels, all of them together.

    >>> rest_of_tests([{"vars": {}, "assert": [{"type": "latency"}], "threshold": 1}])[0]
    ('assertions', 'latency: here an answer is right when its label is')
    """
    checks = [check for one in tests for check in listed(one.get("assert"))]
    kinds = [str(one.get("type")) for one in checks if isinstance(one, Mapping)]
    kinds = [kind for kind in kinds if kind not in LABEL_CHECKS]
    others = [str(k) for one in tests for k in one if k not in ("vars", "assert", "description")]
    told = []
    if kinds:
        told.append(("assertions", f"{_some(kinds)}: here an answer is right when its label is"))
    if others:
        told.append(("fields of tests", f"{_some(others)}: {_NO_PART}"))
    return told


def rest_of_criteria(criteria: Any, has_messages: Callable[[Any], bool]) -> list[Rest]:
    """Return the criteria of an OpenAI Eval that instruct no model.

    >>> rest_of_criteria([{"type": "string_check"}], lambda one: "input" in one)
    [('testing_criteria 1', 'string_check: the studio measures answers against gold by itself')]
    """
    why = "the studio measures answers against gold by itself"
    return [
        (f"testing_criteria {n}", f"{_kind(one)}: {why}")
        for n, one in enumerate(listed(criteria), 1)
        if not has_messages(one)
    ]


def rest_of_conversations(n: int) -> list[Rest]:
    """Return what to say where a file has so many conversations, of which the first is read.

    >>> rest_of_conversations(1), rest_of_conversations(3)[0][0]
    ([], 'conversations 2 to 3')
    """
    if n < 2:
        return []
    where = "conversation 2" if n == 2 else f"conversations 2 to {n:,}"
    return [(where, "only the first one of such a file becomes the prompt")]


def listed(told: Any) -> list[Any]:
    """Return a list as it is, and one thing as a list of it; nothing is an empty one."""
    return told if isinstance(told, list) else [] if told is None else [told]


def _kind(one: Any) -> str:
    return str(one.get("type"))[:40] if isinstance(one, Mapping) else "what stands there"


def _some(names: Sequence[str]) -> str:
    """Return names, each once, and how many more there are."""
    each = list(dict.fromkeys(name[:40] for name in names))
    more = f" and {len(each) - _MOST_NAMED} more" if len(each) > _MOST_NAMED else ""
    return f"{', '.join(each[:_MOST_NAMED])}{more}"
